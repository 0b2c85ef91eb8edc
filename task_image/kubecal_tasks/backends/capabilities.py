"""What a backend's lines can do, and the program as they can do it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from kubecal_tasks.programs.axes import AnyAxis, Axis
from kubecal_tasks.programs.operations import Delay, Operation, Play, Repeat
from kubecal_tasks.programs.program import Program
from kubecal_tasks.programs.swept import Amount, Swept
from kubecal_tasks.programs.timeline import timeline
from kubecal_tasks.programs.wanted import Trace

_GRID_TOLERANCE = 1e-3
"""Of a step: what rounding of a time in seconds may miss the grid by."""


@dataclass(frozen=True)
class Band:
    """Frequencies a line can play, Hz."""

    minimum_hz: float
    maximum_hz: float


@dataclass
class _Snapped:
    """What a program is on instruments' grids, kept with it: whoever asks again gets what is laid out already."""

    by_step: dict[float, Program] = field(default_factory=dict)


@dataclass(frozen=True)
class Capabilities:
    """What an instrument can play and read."""

    bands: Mapping[str, Band]
    """Every line and readout channel, with its band."""
    sample_rate_hz: float
    duration_step_s: float
    """Every duration is a multiple of it."""
    max_shot_s: float
    """Longest shot, the readout included."""
    adc_full_scale: float
    """Amplitude beyond which the digitiser clips, in the unit of the data."""

    def problem(self, program: Program) -> str | None:
        """Why this program cannot be played, in one sentence; None: it can."""
        for what, line, hertz in _tones(program):
            band = self.bands.get(line)
            if band is None:
                known = ", ".join(sorted(self.bands))
                return f"{what} is on line {line!r}, this backend has {known}: correct the line"
            if not band.minimum_hz <= hertz <= band.maximum_hz:
                low, high = band.minimum_hz / 1e9, band.maximum_hz / 1e9
                return f"{what} is at {hertz / 1e9:.6g} GHz, {line!r} plays {low:g} ... {high:g} GHz: correct it"
        for what, amount in _durations(program):
            if not isinstance(amount, Swept) and not self._on_grid(amount):
                step = self.duration_step_s * 1e9
                return f"{what} lasts {amount * 1e9:.6g} ns, which is no multiple of {step:g} ns: round it"
        played = self.snapped(program)
        longest = max(timeline(played, point).end_s for point in played.points())
        if longest > self.max_shot_s:
            return f"one shot lasts {longest:.4g} s, the longest possible is {self.max_shot_s:g} s: sweep less far"
        return None

    def snapped(self, program: Program) -> Program:
        """The program with every swept duration on the instrument's grid: the axis moves, so data and axis agree."""
        known = program.kept(_Snapped).by_step
        if self.duration_step_s not in known:
            axes = tuple(self._snapped_axis(program, axis) for axis in program.axes)
            known[self.duration_step_s] = program if axes == program.axes else replace(program, axes=axes)
        return known[self.duration_step_s]

    def _on_grid(self, duration_s: float) -> bool:
        steps = duration_s / self.duration_step_s
        return abs(steps - round(steps)) <= _GRID_TOLERANCE

    def _snapped_axis(self, program: Program, axis: AnyAxis) -> AnyAxis:
        followers = [a for _, a in _durations(program) if isinstance(a, Swept) and a.axis == axis.name and a.scale]
        if not followers or not isinstance(axis, Axis):
            return axis
        # The slowest follower has the coarsest grid in terms of the axis; with scales like 1 and 1/2 the
        # faster ones are then on theirs too. Its offset shifts the grid.
        slowest = min(followers, key=lambda follower: abs(follower.scale))
        step, offset, scale = self.duration_step_s, slowest.offset, slowest.scale
        values = (max(round((scale * v + offset) / step), 0) * step for v in axis.values)
        # Rounding in steps and back leaves digits that no instrument has: a femtosecond is fine enough.
        return replace(axis, values=tuple(float(round((v - offset) / scale, 15)) for v in values))


def _tones(program: Program) -> Iterator[tuple[str, str, float]]:
    """(what, line, frequency) of everything that is played or read, at the ends of its range."""
    for frame in program.frames:
        for hertz in _ends(program, frame.frequency_hz):
            yield f"frame {frame.name!r}", frame.line, hertz
    for tone in program.readout.tones:
        for hertz in _ends(program, tone.frequency_hz):
            yield "the readout tone", tone.line, hertz


def _ends(program: Program, amount: Amount) -> tuple[float, ...]:
    if not isinstance(amount, Swept):
        return (float(amount),)
    values = next(axis.values for axis in program.axes if axis.name == amount.axis)
    return tuple(amount.at({amount.axis: value}) for value in (min(values), max(values)))


def _durations(program: Program) -> Iterator[tuple[str, Amount]]:
    """Every duration of a program and whose it is."""
    yield "the readout", program.readout.length_s
    if isinstance(program.acquisition, Trace):
        yield "a sample of the trace", program.acquisition.sample_s
        yield "the margin of the trace", program.acquisition.margin_s
    sequences = (s for axis in program.sequences.values() for s in axis.parts)
    for operations in (program.body, *sequences):
        yield from _durations_in(operations)


def _durations_in(operations: tuple[Operation, ...]) -> Iterator[tuple[str, Amount]]:
    for operation in operations:
        match operation:
            case Play() | Delay():
                yield f"{type(operation).__name__} on {operation.frame!r}", operation.duration_s
            case Repeat():
                yield from _durations_in(operation.body)
