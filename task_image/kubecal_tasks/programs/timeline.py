"""When everything of a program happens, at one point of its sweep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.programs.axes import BlockAxis
from kubecal_tasks.programs.operations import Barrier, Choose, Delay, Frame, Operation, Play, Repeat, ShiftPhase
from kubecal_tasks.programs.program import Point, Program
from kubecal_tasks.programs.sheet import LaidBlocks, Pulse, Sheet
from kubecal_tasks.programs.swept import Swept, amount_at

__all__ = ["Played", "Pulse", "ReadTone", "Timeline", "describe", "timeline", "total_duration_s"]

_FIRST_SHOWN, _LAST_SHOWN = 40, 3
"""Pulses of a long shot that a description names: nobody reads thousands."""


@dataclass(frozen=True)
class Played:
    """A pulse at its time."""

    pulse: Pulse
    start_s: float
    phase_rad: float
    """Its own phase and all shifts of its frame's group before it."""


@dataclass(frozen=True)
class ReadTone:
    """One tone of the readout, with numbers."""

    line: str
    frequency_hz: float
    amplitude: float


@dataclass(frozen=True, eq=False)
class Timeline:
    """Everything that one shot does.

    Pulses are kept as arrays, since a sequence of randomized benchmarking has thousands of a few kinds.
    """

    kinds: tuple[Pulse, ...]
    """Every different pulse once."""
    which: NDArray[np.int_]
    """(n,) places in ``kinds`` of the pulses, by their start."""
    start_s: NDArray[np.float64]
    """(n,)."""
    phase_rad: NDArray[np.float64]
    """(n,) own phase and all shifts of the frame's group before."""
    readout_start_s: float
    readout_length_s: float
    tones: tuple[ReadTone, ...]

    @cached_property
    def pulses(self) -> tuple[Played, ...]:
        """The pulses one by one, by their start."""
        each = zip(self.which.tolist(), self.start_s.tolist(), self.phase_rad.tolist(), strict=True)
        return tuple(Played(self.kinds[number], start, phase) for number, start, phase in each)

    @property
    def end_s(self) -> float:
        """When the readout is over."""
        return self.readout_start_s + self.readout_length_s


@dataclass
class _Layout:
    """What has been laid out of a program: an instrument asks for each point again and again."""

    points: dict[tuple[int, ...], Timeline] = field(default_factory=dict)
    """By index."""
    blocks: dict[str, LaidBlocks | None] = field(default_factory=dict)
    """By the name of their axis."""


def timeline(program: Program, point: Point) -> Timeline:
    """Lay the program out in time: every line goes on when it is free, barriers and the readout wait for all."""
    known = program.kept(_Layout).points
    if point.index in known:
        return known[point.index]
    sheet = Sheet(program)
    for operation in program.body:
        _lay(sheet, operation, point)
    readout = program.readout
    kinds, which, starts, phases = sheet.pulses()
    found = Timeline(
        kinds=kinds,
        which=which,
        start_s=starts,
        phase_rad=phases,
        readout_start_s=sheet.end_s,
        readout_length_s=amount_at(readout.length_s, point.values),
        tones=tuple(
            ReadTone(t.line, amount_at(t.frequency_hz, point.values), amount_at(t.amplitude, point.values))
            for t in readout.tones
        ),
    )
    known[point.index] = found
    return found


def _lay(sheet: Sheet, operation: Operation, point: Point) -> None:
    program = sheet.program
    if isinstance(operation, Choose):
        axis = program.sequences[operation.axis]
        blocks = _laid_blocks(program, axis) if isinstance(axis, BlockAxis) else None
        if blocks is not None:
            assert isinstance(axis, BlockAxis)
            sheet.blocks(blocks, axis.words[point.positions[axis.name]])
            return
    for each in flatten(program, (operation,), point):
        match each:
            case Play():
                _play(sheet, each, point)
            case Delay():
                sheet.wait(each.frame, amount_at(each.duration_s, point.values))
            case ShiftPhase():
                sheet.shift(each.frame, amount_at(each.phase_rad, point.values))
            case Barrier():
                sheet.barrier(each.frames)


def _laid_blocks(program: Program, axis: BlockAxis) -> LaidBlocks | None:
    """The blocks of an axis laid out once; None where they depend on the point or on how lines stand to each other."""
    known = program.kept(_Layout).blocks
    if axis.name not in known:
        known[axis.name] = _lay_blocks(program, axis)
    return known[axis.name]


def _lay_blocks(program: Program, axis: BlockAxis) -> LaidBlocks | None:
    if any(isinstance(frame.frequency_hz, Swept) for frame in program.frames):
        return None
    lines = {frame.line for frame in program.frames}
    nowhere = Point((), {}, {})
    sheets = []
    for block in axis.blocks:
        together = len(lines) == 1 or (bool(block) and block[0] == Barrier() and block[-1] == Barrier())
        if not (together and all(map(_fixed, block))):
            return None
        sheet = Sheet(program)
        for operation in block:
            _lay(sheet, operation, nowhere)
        sheets.append(sheet)
    return LaidBlocks.of(sheets)


def _fixed(operation: Operation) -> bool:
    """Whether it is the same at every point."""
    match operation:
        case Play():
            amounts = (operation.amplitude, operation.duration_s, operation.phase_rad, operation.beta_s)
            return not any(isinstance(amount, Swept) for amount in amounts)
        case Delay():
            return not isinstance(operation.duration_s, Swept)
        case ShiftPhase():
            return not isinstance(operation.phase_rad, Swept)
        case Repeat():
            return not isinstance(operation.count, Swept) and all(map(_fixed, operation.body))
        case Choose():
            return False
        case _:
            return True


def _play(sheet: Sheet, play: Play, point: Point) -> None:
    frame = sheet.program.frame_by_name[play.frame].at(point.values)
    pulse = Pulse(
        frame,
        play.envelope,
        amount_at(play.amplitude, point.values),
        amount_at(play.duration_s, point.values),
        amount_at(play.beta_s, point.values),
    )
    sheet.play(pulse, amount_at(play.phase_rad, point.values))


def flatten(
    program: Program, operations: tuple[Operation, ...], point: Point
) -> Iterator[Play | Delay | ShiftPhase | Barrier]:
    """The operations with repetitions and choices at this point written out."""
    for operation in operations:
        match operation:
            case Repeat():
                for _ in range(count_at(operation.count, point)):
                    yield from flatten(program, operation.body, point)
            case Choose():
                axis = program.sequences[operation.axis]
                position = point.positions[operation.axis]
                if isinstance(axis, BlockAxis):
                    for number in axis.words[position]:
                        yield from flatten(program, axis.blocks[number], point)
                else:
                    yield from flatten(program, axis.sequences[position], point)
            case _:
                yield operation


def count_at(count: int | Swept, point: Point) -> int:
    """How often a Repeat repeats at this point."""
    return round(amount_at(count, point.values))


def total_duration_s(program: Program) -> float:
    """How long all shots of all points take."""
    sequences_s = sum(timeline(program, point).end_s for point in program.points())
    return program.acquisition.shots * (sequences_s + program.size * program.interval_s)


def describe(program: Program) -> str:
    """A program in words: its frames, its axes, and its timeline at the first and the last point."""
    lines = [f"{f.name}: {_hertz_in_words(f)} on {f.line}, phase group {f.group}" for f in program.frames]
    for axis in program.axes:
        first, last = axis.values[0], axis.values[-1]
        lines.append(f"axis {axis.name}: {len(axis.values)} values, {first:.6g} ... {last:.6g} {axis.unit}".rstrip())
    points = list(program.points())
    for point in points if len(points) == 1 else (points[0], points[-1]):
        where = ", ".join(f"{name} = {value:.6g}" for name, value in point.values.items())
        lines.append(f"at {where}:" if where else "one point:")
        lines += [f"  {text}" for text in _in_words(timeline(program, point))]
    shots, kind = program.acquisition.shots, program.acquisition.name
    lines.append(f"{shots} shots a point ({kind}), {program.interval_s * 1e6:.6g} us between them")
    lines.append(f"takes {total_duration_s(program):.4g} s")
    return "\n".join(lines)


def _hertz_in_words(frame: Frame) -> str:
    hertz = frame.frequency_hz
    if not isinstance(hertz, Swept):
        return f"{hertz / 1e9:.9g} GHz"
    return f"{hertz.offset / 1e9:.9g} GHz {hertz.scale:+g} {hertz.axis}"


def _in_words(shot: Timeline) -> Iterator[str]:
    number, left_out = len(shot.pulses), len(shot.pulses) - _FIRST_SHOWN - _LAST_SHOWN
    for place, each in enumerate(shot.pulses):
        if left_out > 1 and _FIRST_SHOWN <= place < number - _LAST_SHOWN:
            if place == _FIRST_SHOWN:
                yield f"{'...':>15}  {left_out} more pulses"
            continue
        pulse, name = each.pulse, each.pulse.frame.name
        drag = f", beta {pulse.beta_s * 1e9:.4g} ns" if pulse.beta_s else ""
        yield (
            f"{each.start_s * 1e9:12.3f} ns  {name}: {pulse.envelope.name} {pulse.duration_s * 1e9:.6g} ns, "
            f"amplitude {pulse.amplitude:.6g}, phase {each.phase_rad:.4f} rad{drag}"
        )
    for tone in shot.tones:
        yield (
            f"{shot.readout_start_s * 1e9:12.3f} ns  {tone.line}: read {shot.readout_length_s * 1e9:.6g} ns at "
            f"{tone.frequency_hz / 1e9:.9g} GHz, amplitude {tone.amplitude:.6g}"
        )
