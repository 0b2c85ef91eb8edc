"""A program on two lines, cut where anything begins or ends.

Within a stretch each line plays a part of one pulse or nothing. Equal stretches are propagated once, wherever
in the program they stand and whatever phase they are played with, so a whole sweep comes down to a short list
of distinct stretches and, for each point, the numbers of those it is made of.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.physics.propagation import Real
from kubecal_tasks.programs.envelopes import Flat, FlatTop
from kubecal_tasks.programs.timeline import Pulse, Timeline

Whole = NDArray[np.int64]
_T = TypeVar("_T", bound=np.generic)

TURN = 2 * math.pi
LONGEST_S = 100e-9
"""Noise acts between stretches, so none is longer than what it may be taken to do nothing in."""
_MOST_CUTS = 200
"""Of one pulse or wait: in the longest, coherence has gone and populations do not care."""
_TICK_S = 1e-14
"""Times are compared in these: far below what any instrument can set."""
_ENDLESS_S = 1e-2
_NO_PULSE = np.full(1, -1, dtype=np.int64)
_NO_PHASE = np.zeros(1)
_PHASE_TICK = 1e-9
_SAME_HZ = 1e-3


@dataclass(frozen=True)
class Part:
    """A piece of a pulse on one line."""

    pulse: Pulse
    start_s: float
    """Since the pulse's beginning."""


@dataclass(frozen=True)
class Stretch:
    """What the two lines play for a time; the phases are those of the frames, for a stretch by itself."""

    control: Part | None
    target: Part | None
    duration_s: float
    lag_rad: float = 0.0
    """Phase of the target's line after the control's, where both play at one frequency."""

    def piece(self, start_s: float, duration_s: float) -> Stretch:
        """Some of it."""
        control, target = (
            part and replace(part, start_s=part.start_s + start_s) for part in (self.control, self.target)
        )
        return replace(self, control=control, target=target, duration_s=duration_s)

    @property
    def waits(self) -> bool:
        """Whether nothing is played."""
        return self.control is None and self.target is None

    @property
    def frequencies_hz(self) -> tuple[float, float]:
        """Of the control's and of the target's line; a line that rests has the other one's."""
        given = [part.pulse.frequency_hz if part else None for part in (self.control, self.target)]
        control, target = given
        if control is not None and target is not None:
            return control, target
        return (control or target or 0.0,) * 2

    @property
    def two_tone(self) -> bool:
        """Whether the lines play at different frequencies, so that what happens depends on their phases."""
        control, target = self.frequencies_hz
        return abs(control - target) > _SAME_HZ


@dataclass(frozen=True)
class Schedule:
    """Which stretches every point of a sweep is made of, one after the other."""

    stretches: tuple[Stretch, ...]
    """The distinct ones."""
    numbers: Whole
    """(points, steps) which of them; points with fewer steps are filled up with -1."""
    angles: Real
    """(points, steps, 2, 2) of the frame of the control's and the target's line against the reference, at the
    beginning and at the end of each step, rad."""


def schedule(shots: Sequence[Timeline], lines: tuple[str, str], reference_hz: float) -> Schedule:
    """Cut every point's timeline.

    Raises
    ------
    ValueError
        If a pulse is on a line of neither qubit.
    """
    cutter = _Cutter(lines)
    cut = [cutter.cut(shot) for shot in shots]
    keys = np.concatenate([each.keys for each in cut])
    distinct, numbers = np.unique(keys, axis=0, return_inverse=True)
    stretches = tuple(cutter.stretch(row) for row in distinct)
    most = max(len(each.keys) for each in cut)
    table = np.full((len(shots), most), -1, dtype=np.int64)
    angles = np.zeros((len(shots), most, 2, 2))
    done = 0
    for row, each in enumerate(cut):
        length = len(each.keys)
        table[row, :length] = numbers.ravel()[done : done + length]
        ahead = np.where(each.plays, TURN * (each.frequencies_hz - reference_hz), 0.0)
        angles[row, :length, 0] = each.phases + ahead * each.starts_s[:, None]
        angles[row, :length, 1] = each.phases + ahead * each.ends_s[:, None]
        done += length
    return Schedule(stretches, table, angles)


@dataclass(frozen=True)
class _Cut:
    """One point's steps."""

    keys: Whole
    """(steps, 6) pulse and offset on the control's line, the same on the target's, duration, lag."""
    starts_s: Real
    ends_s: Real
    phases: Real
    """(steps, 2) of the frame that each line's qubit is seen in, without what its frequency adds."""
    frequencies_hz: Real
    plays: NDArray[np.bool_]
    """(steps, 1) whether anything is played."""


@dataclass(frozen=True)
class _Track:
    """What one line plays in one shot: (N,) each, in ticks."""

    starts: Whole
    ends: Whole
    pulses: Whole
    phases: Real


@dataclass(frozen=True)
class _Known:
    """The different pulses in columns, (K + 1,) each; what stands for no pulse comes last."""

    frequencies_hz: Real
    lengths_s: Real
    lines: Whole
    flat: Whole
    """(K + 1, 4)."""

    @classmethod
    def of(cls, pulses: Sequence[Pulse], flat: Sequence[tuple[int, int, int, int]], lines: tuple[str, str]) -> _Known:
        return cls(
            frequencies_hz=np.asarray([*(pulse.frequency_hz for pulse in pulses), 0.0]),
            lengths_s=np.asarray([*(pulse.duration_s for pulse in pulses), 0.0]),
            lines=np.asarray([*(lines.index(pulse.frame.line) for pulse in pulses), -1], dtype=np.int64),
            flat=np.asarray([*flat, (0, 0, -1, 0)], dtype=np.int64),
        )


class _Cutter:
    """Gives equal pulses equal numbers over all points of a program."""

    def __init__(self, lines: tuple[str, str]) -> None:
        self._lines = lines
        self._pulses: list[Pulse] = []
        self._by_value: dict[Pulse, int] = {}
        self._flat: list[tuple[int, int, int, int]] = []
        """Of each pulse: the ticks between which it is constant, the number of the same pulse made endless, and by
        how many ticks that is longer."""
        self._known = _Known.of(self._pulses, self._flat, lines)

    def cut(self, shot: Timeline) -> _Cut:
        """All steps of one point until its readout."""
        tracks = self._tracks(shot)
        bounds = _bounds(tracks, _ticks(shot.readout_start_s))
        begins, finishes = bounds[:-1], bounds[1:]
        which = [_playing(track, begins) for track in tracks]
        each = list(zip(tracks, which, strict=True))
        pulses = [_taken(track.pulses, now, _NO_PULSE) for track, now in each]
        offsets = [begins - _taken(track.starts, now, begins) for track, now in each]
        phases = np.stack([_taken(track.phases, now, _NO_PHASE) for track, now in each], axis=1)
        frequencies = np.stack([self._known.frequencies_hz[numbers] for numbers in pulses], axis=1)
        control_on, target_on = (numbers >= 0 for numbers in pulses)
        # A line that rests is seen in the other one's frame; at one frequency both are in the control's.
        same = control_on & target_on & (np.abs(frequencies[:, 0] - frequencies[:, 1]) <= _SAME_HZ)
        lag = np.where(same, np.mod(phases[:, 1] - phases[:, 0], TURN), 0.0)
        shown = np.stack([np.where(control_on, 0, 1), np.where(target_on & ~same, 1, 0)], axis=1)
        parts = [self._alike(pulses[line], offsets[line], finishes - begins) for line in range(2)]
        keys = np.stack(
            [
                *parts[0],
                *parts[1],
                finishes - begins,
                np.mod(np.round(lag / _PHASE_TICK).astype(np.int64), round(TURN / _PHASE_TICK)),
            ],
            axis=1,
        )
        return _Cut(
            keys=keys,
            starts_s=np.asarray(begins * _TICK_S, dtype=np.float64),
            ends_s=np.asarray(finishes * _TICK_S, dtype=np.float64),
            phases=np.take_along_axis(phases, shown, axis=1),
            frequencies_hz=np.take_along_axis(frequencies, shown, axis=1),
            plays=np.asarray((control_on | target_on)[:, None]),
        )

    def stretch(self, key: Whole) -> Stretch:
        """What a row of keys stands for."""
        parts = [
            Part(self._pulses[number], float(offset) * _TICK_S) if number >= 0 else None
            for number, offset in ((key[0], key[1]), (key[2], key[3]))
        ]
        return Stretch(parts[0], parts[1], float(key[4]) * _TICK_S, float(key[5]) * _PHASE_TICK)

    def _tracks(self, shot: Timeline) -> list[_Track]:
        for pulse in shot.kinds:
            if pulse.frame.line not in self._lines:
                raise ValueError(
                    f"a pulse is on {pulse.frame.line!r}, the pair has {' and '.join(self._lines)}: leave it out"
                )
        kinds = np.asarray([self._number(pulse) for pulse in shot.kinds], dtype=np.int64)
        if len(self._known.lines) <= len(self._pulses):
            self._known = _Known.of(self._pulses, self._flat, self._lines)
        numbers = kinds[shot.which]
        lengths, lines = self._known.lengths_s[numbers], self._known.lines[numbers]
        starts = np.round(shot.start_s / _TICK_S).astype(np.int64)
        ends = np.round((shot.start_s + lengths) / _TICK_S).astype(np.int64)
        there = [(lines == line) & (ends > starts) for line in range(2)]
        return [_Track(starts[on], ends[on], numbers[on], shot.phase_rad[on]) for on in there]

    def _number(self, pulse: Pulse) -> int:
        if pulse in self._by_value:
            return self._by_value[pulse]
        number = self._by_value[pulse] = len(self._pulses)
        self._pulses.append(pulse)
        flat = _flat_ticks(pulse)
        self._flat.append((*flat, number, 0))
        if flat != (0, 0) and pulse.duration_s < _ENDLESS_S:
            endless = self._number(replace(pulse, duration_s=_ENDLESS_S))
            self._flat[number] = (*flat, endless, _ticks(_ENDLESS_S) - _ticks(pulse.duration_s))
        return number

    def _alike(self, pulses: Whole, offsets: Whole, lengths: Whole) -> tuple[Whole, Whole]:
        """Pulses and offsets, one for all that look alike: parts of what is long and constant but for its ends."""
        begin, end, endless, longer = self._known.flat[pulses].T
        has_flat, before_end, after_begin = end > begin, offsets + lengths <= end, offsets >= begin
        shared = has_flat & (before_end | after_begin)
        place = np.where(before_end, np.where(after_begin, begin, offsets), offsets + longer)
        return np.where(shared, endless, pulses), np.where(shared, place, np.where(pulses >= 0, offsets, 0))


def _bounds(tracks: Sequence[_Track], end: int) -> Whole:
    """Where any line begins or ends something, or goes on for too long."""
    edges = [np.asarray([0, end], dtype=np.int64), *(each for t in tracks for each in (t.starts, t.ends))]
    bounds = np.unique(np.concatenate(edges))
    lengths = np.diff(bounds)
    longest = _ticks(LONGEST_S)
    cuts = np.minimum(np.ceil(lengths / longest), _MOST_CUTS).astype(np.int64)
    if cuts.max(initial=1) <= 1:
        return bounds
    # Cuts at a fixed pitch, so that pulses of different lengths share all but their last parts.
    pitches = np.where(cuts < _MOST_CUTS, longest, lengths // np.maximum(cuts, 1))
    inside = np.arange(cuts.sum()) - np.repeat(np.cumsum(cuts) - cuts, cuts)
    return np.append(np.repeat(bounds[:-1], cuts) + inside * np.repeat(pitches, cuts), bounds[-1])


def _playing(track: _Track, times: Whole) -> Whole:
    """Which pulse of a line is on at each time; -1: none."""
    if len(track.starts) == 0:
        return np.full(len(times), -1, dtype=np.int64)
    latest = np.searchsorted(track.starts, times, side="right") - 1
    return np.where((latest >= 0) & (track.ends[latest] > times), latest, -1)


def _taken(values: NDArray[_T], which: Whole, otherwise: NDArray[_T]) -> NDArray[_T]:
    """Of each step the value of the pulse that is on, or something else (1,) or (steps,)."""
    together = np.append(values, otherwise[-1:])
    return np.asarray(np.where(which >= 0, together[which], otherwise), dtype=values.dtype)


def _flat_ticks(pulse: Pulse) -> tuple[int, int]:
    length = _ticks(pulse.duration_s)
    match pulse.envelope:
        case Flat():
            return 0, length
        case FlatTop(ramp_s=ramp) if 2 * ramp < pulse.duration_s:
            return _ticks(ramp), length - _ticks(ramp)
        case _:
            return 0, 0


def _ticks(seconds: float) -> int:
    return round(seconds / _TICK_S)
