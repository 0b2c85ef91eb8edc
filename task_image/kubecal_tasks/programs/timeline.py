"""When everything of a program happens, at one point of its sweep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kubecal_tasks.programs.envelopes import Envelope
from kubecal_tasks.programs.operations import Barrier, Choose, Delay, Frame, Operation, Play, Repeat, ShiftPhase
from kubecal_tasks.programs.program import Point, Program
from kubecal_tasks.programs.swept import Swept, amount_at


@dataclass(frozen=True)
class Pulse:
    """A pulse without a time: what it does depends on nothing else."""

    frame: Frame
    envelope: Envelope
    amplitude: float
    duration_s: float
    beta_s: float


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


@dataclass(frozen=True)
class Timeline:
    """Everything that one shot does."""

    pulses: tuple[Played, ...]
    """By their start."""
    readout_start_s: float
    readout_length_s: float
    tones: tuple[ReadTone, ...]

    @property
    def end_s(self) -> float:
        """When the readout is over."""
        return self.readout_start_s + self.readout_length_s


@dataclass
class _Clocks:
    """When each line is free, and how far each group's phase has been turned."""

    free_s: dict[str, float]
    phase_rad: dict[str, float] = field(default_factory=dict)


def timeline(program: Program, point: Point) -> Timeline:
    """Lay the program out in time: every line goes on when it is free, barriers and the readout wait for all."""
    clocks = _Clocks({frame.line: 0.0 for frame in program.frames})
    played: list[Played] = []
    for operation in flatten(program, program.body, point):
        match operation:
            case Play():
                played.append(_play(program, operation, point, clocks))
            case Delay():
                line = program.frame_by_name[operation.frame].line
                clocks.free_s[line] += amount_at(operation.duration_s, point.values)
            case ShiftPhase():
                group = program.frame_by_name[operation.frame].group
                turned = clocks.phase_rad.get(group, 0.0)
                clocks.phase_rad[group] = turned + amount_at(operation.phase_rad, point.values)
            case Barrier():
                names = operation.frames or tuple(program.frame_by_name)
                lines = {program.frame_by_name[name].line for name in names}
                latest = max(clocks.free_s[line] for line in lines)
                clocks.free_s |= dict.fromkeys(lines, latest)
    readout = program.readout
    return Timeline(
        pulses=tuple(sorted(played, key=lambda each: each.start_s)),
        readout_start_s=max(clocks.free_s.values(), default=0.0),
        readout_length_s=amount_at(readout.length_s, point.values),
        tones=tuple(
            ReadTone(t.line, amount_at(t.frequency_hz, point.values), amount_at(t.amplitude, point.values))
            for t in readout.tones
        ),
    )


def _play(program: Program, play: Play, point: Point, clocks: _Clocks) -> Played:
    frame = program.frame_by_name[play.frame]
    duration = amount_at(play.duration_s, point.values)
    beta = amount_at(play.beta_s, point.values)
    pulse = Pulse(frame, play.envelope, amount_at(play.amplitude, point.values), duration, beta)
    start = clocks.free_s[frame.line]
    clocks.free_s[frame.line] = start + duration
    return Played(pulse, start, amount_at(play.phase_rad, point.values) + clocks.phase_rad.get(frame.group, 0.0))


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
                yield from flatten(program, axis.sequences[point.positions[operation.axis]], point)
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
    lines = [f"{f.name}: {f.frequency_hz / 1e9:.9g} GHz on {f.line}, phase group {f.group}" for f in program.frames]
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


def _in_words(shot: Timeline) -> Iterator[str]:
    for each in shot.pulses:
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
