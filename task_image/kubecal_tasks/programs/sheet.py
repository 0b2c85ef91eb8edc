"""A timeline while it is written: when each line is free, how far each phase is turned, what is played."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.programs.envelopes import Envelope
from kubecal_tasks.programs.operations import Frame
from kubecal_tasks.programs.program import Program
from kubecal_tasks.programs.swept import Swept

Real = NDArray[np.float64]
Places = NDArray[np.int_]


@dataclass(frozen=True)
class Pulse:
    """A pulse without a time: what it does depends on nothing else."""

    frame: Frame
    """As it is at this point of the sweep."""
    envelope: Envelope
    amplitude: float
    duration_s: float
    beta_s: float

    @property
    def frequency_hz(self) -> float:
        """Of its frame at this point."""
        assert not isinstance(self.frame.frequency_hz, Swept), "a pulse's frame is that of one point"
        return self.frame.frequency_hz


class Sheet:
    """Where the operations of one shot are written, one after the other."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._free_s = {frame.line: 0.0 for frame in program.frames}
        self._turned_rad: dict[str, float] = {}
        self._kinds: dict[Pulse, int] = {}
        self._which: list[int] = []
        self._start_s: list[float] = []
        self._phase_rad: list[float] = []
        self._chunks: list[tuple[Places, Real, Real]] = []

    @property
    def end_s(self) -> float:
        """When the last line is free."""
        return max(self._free_s.values(), default=0.0)

    def turned_rad(self, group: str) -> float:
        """How far a group's phase is turned by now."""
        return self._turned_rad.get(group, 0.0)

    def play(self, pulse: Pulse, phase_rad: float) -> None:
        """A pulse as soon as its line is free."""
        start = self._free_s[pulse.frame.line]
        self._which.append(self._kinds.setdefault(pulse, len(self._kinds)))
        self._start_s.append(start)
        self._phase_rad.append(phase_rad + self.turned_rad(pulse.frame.group))
        self._free_s[pulse.frame.line] = start + pulse.duration_s

    def wait(self, frame: str, duration_s: float) -> None:
        """Nothing on a frame's line for a while."""
        self._free_s[self.program.frame_by_name[frame].line] += duration_s

    def shift(self, frame: str, phase_rad: float) -> None:
        """A virtual Z."""
        group = self.program.frame_by_name[frame].group
        self._turned_rad[group] = self.turned_rad(group) + phase_rad

    def barrier(self, frames: tuple[str, ...]) -> None:
        """The lines of these frames, or of all, wait for the last of them."""
        names = frames or tuple(self.program.frame_by_name)
        lines = {self.program.frame_by_name[name].line for name in names}
        self._free_s |= dict.fromkeys(lines, max(self._free_s[line] for line in lines))

    def blocks(self, laid: LaidBlocks, word: Sequence[int]) -> None:
        """Blocks in a row, all at once."""
        self._flush()
        begin = self.end_s
        numbers = np.asarray(word, dtype=np.int_)
        starts = begin + np.concatenate([[0.0], np.cumsum(laid.duration_s[numbers])])
        turned = np.concatenate([np.zeros((1, len(laid.groups))), np.cumsum(laid.turned_rad[numbers], axis=0)])
        turned += [self.turned_rad(group) for group in laid.groups]
        counts = laid.counts[numbers]
        block = np.repeat(np.arange(len(numbers)), counts)
        first = np.cumsum(counts) - counts
        part = laid.first[numbers][block] + np.arange(len(block)) - first[block]
        places = np.asarray([self._kinds.setdefault(kind, len(self._kinds)) for kind in laid.kinds], dtype=np.int_)
        self._chunks.append(
            (
                places[laid.which[part]] if len(part) else np.zeros(0, dtype=np.int_),
                starts[block] + laid.start_s[part],
                turned[block, laid.group[part]] + laid.phase_rad[part],
            )
        )
        self._free_s = dict.fromkeys(self._free_s, float(starts[-1]))
        self._turned_rad |= {group: float(turned[-1, place]) for place, group in enumerate(laid.groups)}

    def pulses(self) -> tuple[tuple[Pulse, ...], Places, Real, Real]:
        """The kinds of pulses, and for each pulse its kind, its start and its phase; by their start."""
        self._flush()
        which, start_s, phase_rad = (np.concatenate(parts) for parts in zip(*self._chunks, strict=True))
        order = np.argsort(start_s, kind="stable")
        return tuple(self._kinds), which[order], start_s[order], phase_rad[order]

    def _flush(self) -> None:
        self._chunks.append(
            (
                np.asarray(self._which, dtype=np.int_),
                np.asarray(self._start_s, dtype=np.float64),
                np.asarray(self._phase_rad, dtype=np.float64),
            )
        )
        self._which, self._start_s, self._phase_rad = [], [], []


@dataclass(frozen=True, eq=False)
class LaidBlocks:
    """Blocks laid out from time and phase 0; one starts when the one before it has ended on every line."""

    kinds: tuple[Pulse, ...]
    groups: tuple[str, ...]
    counts: Places
    """(B,) pulses of each block."""
    first: Places
    """(B,) place of its first pulse among those of all blocks."""
    which: Places
    """(n,) kind of each pulse."""
    start_s: Real
    """(n,) from the block's start."""
    phase_rad: Real
    """(n,)."""
    group: Places
    """(n,) place in ``groups`` of each pulse's."""
    duration_s: Real
    """(B,)."""
    turned_rad: Real
    """(B, G) by which each block turns each group's phase."""

    @classmethod
    def of(cls, sheets: Sequence[Sheet]) -> LaidBlocks:
        """From one sheet a block."""
        groups = tuple(dict.fromkeys(frame.group for frame in sheets[0].program.frames))
        kinds: dict[Pulse, int] = {}
        parts = [sheet.pulses() for sheet in sheets]
        which = [kinds.setdefault(own[number], len(kinds)) for own, numbers, _, _ in parts for number in numbers]
        counts = np.asarray([len(numbers) for _, numbers, _, _ in parts], dtype=np.int_)
        names = list(kinds)
        return cls(
            kinds=tuple(kinds),
            groups=groups,
            counts=counts,
            first=np.cumsum(counts) - counts,
            which=np.asarray(which, dtype=np.int_),
            start_s=np.concatenate([start for _, _, start, _ in parts]),
            phase_rad=np.concatenate([phase for _, _, _, phase in parts]),
            group=np.asarray([groups.index(names[number].frame.group) for number in which], dtype=np.int_),
            duration_s=np.asarray([sheet.end_s for sheet in sheets]),
            turned_rad=np.asarray([[sheet.turned_rad(group) for group in groups] for sheet in sheets]),
        )
