"""What must hold of a program at every point of its axes, whatever instrument it is for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kubecal_tasks.programs.axes import AnyAxis, Axis
from kubecal_tasks.programs.errors import ProgramError
from kubecal_tasks.programs.operations import (
    Barrier,
    Choose,
    Delay,
    Frame,
    Operation,
    Play,
    Readout,
    Repeat,
    ShiftPhase,
)
from kubecal_tasks.programs.swept import Amount, Swept
from kubecal_tasks.programs.wanted import Trace, Wanted

MAX_POINTS = 1_000_000
MAX_DEPTH = 8
"""Of repetitions and choices within each other."""
_WHOLE = 1e-9


def check_program(
    frames: Sequence[Frame],
    body: Sequence[Operation],
    readout: Readout,
    wanted: Wanted,
    axes: Sequence[AnyAxis],
    interval_s: float,
) -> None:
    """Refuse a program that contradicts itself; its parts are named as its fields.

    Raises
    ------
    ProgramError
        With the operation and the number that are wrong.
    """
    _check_frames(frames)
    by_name: dict[str, AnyAxis] = {}
    for axis in axes:
        if axis.name in by_name:
            raise ProgramError(f"two axes are called {axis.name!r}: rename one")
        by_name[axis.name] = axis
    size = math.prod(len(axis.values) for axis in axes)
    if size > MAX_POINTS:
        raise ProgramError(f"the axes have {size} points together, more than {MAX_POINTS}: sweep less")
    if not (math.isfinite(interval_s) and interval_s >= 0):
        raise ProgramError(f"an interval of {interval_s} s between shots: give a time, 0 or longer")
    context = _Context({frame.name for frame in frames}, by_name)
    for frame in frames:
        context.amount(frame, "frequency_hz", frame.frequency_hz, math.ulp(0.0))
    for operation in body:
        context.check(operation, 0)
    for axis in axes:
        if not isinstance(axis, Axis):
            for part in axis.parts:
                for operation in part:
                    context.check(operation, 0)
    context.check_readout(readout)
    context.check_wanted(readout, wanted)


def _check_frames(frames: Sequence[Frame]) -> None:
    names = [frame.name for frame in frames]
    for name in names:
        if names.count(name) > 1:
            raise ProgramError(f"two frames are called {name!r}: rename one")


@dataclass(frozen=True)
class _Context:
    frames: set[str]
    axes: Mapping[str, AnyAxis]

    def check(self, operation: Operation, depth: int) -> None:
        """Check one operation and what is in it."""
        if depth > MAX_DEPTH:
            raise ProgramError(f"repetitions and choices are nested deeper than {MAX_DEPTH}: write them out")
        match operation:
            case Play():
                self.frame(operation, operation.frame)
                self.amount(operation, "amplitude", operation.amplitude, -1.0, 1.0)
                self.amount(operation, "duration_s", operation.duration_s, 0.0)
                self.amount(operation, "phase_rad", operation.phase_rad)
                self.amount(operation, "beta_s", operation.beta_s)
            case Delay():
                self.frame(operation, operation.frame)
                self.amount(operation, "duration_s", operation.duration_s, 0.0)
            case ShiftPhase():
                self.frame(operation, operation.frame)
                self.amount(operation, "phase_rad", operation.phase_rad)
            case Barrier():
                for name in operation.frames:
                    self.frame(operation, name)
            case Repeat():
                self.count(operation)
                for inner in operation.body:
                    self.check(inner, depth + 1)
            case Choose():
                self.choice(operation, depth)
            case _:
                raise ProgramError(f"{operation!r} is no operation of a body: a readout is given as `readout`")

    def check_readout(self, readout: Readout) -> None:
        """A program reads something, each channel once."""
        lines = [tone.line for tone in readout.tones]
        if not lines:
            raise ProgramError("the readout has no tones: a program that reads nothing measures nothing")
        for line in lines:
            if lines.count(line) > 1:
                raise ProgramError(f"the readout has two tones on {line!r}: give each channel one")
        self.amount(readout, "length_s", readout.length_s, math.ulp(0.0))
        for tone in readout.tones:
            self.amount(tone, "frequency_hz", tone.frequency_hz, math.ulp(0.0))
            self.amount(tone, "amplitude", tone.amplitude, 0.0, 1.0)

    def check_wanted(self, readout: Readout, wanted: Wanted) -> None:
        """Traces of a sweep have one number of samples."""
        if isinstance(wanted, Trace) and isinstance(readout.length_s, Swept):
            raise ProgramError(
                f"length_s of Readout follows axis {readout.length_s.axis!r}, but traces of different lengths do not "
                "fit into one array: make a program for each length"
            )

    def frame(self, where: Operation, name: str) -> None:
        """A frame that is used is one of the program's."""
        if name not in self.frames:
            known = ", ".join(sorted(self.frames)) or "none"
            raise ProgramError(f"{_name(where)} uses frame {name!r}, the program's frames are {known}: add it")

    def amount(
        self, where: object, field: str, amount: Amount, least: float = -math.inf, most: float = math.inf
    ) -> None:
        """A number is finite and within its range, everywhere on its axis."""
        for value in self.extremes(where, field, amount):
            if not math.isfinite(value):
                raise ProgramError(f"{field} of {_name(where)} is {value}: give a finite number")
            if not least <= value <= most:
                limits = f"{least:g} or more" if math.isinf(most) else f"{least:g} ... {most:g}"
                raise ProgramError(f"{field} of {_name(where)} is {value:.6g}: it must be {limits}")

    def extremes(self, where: object, field: str, amount: Amount) -> tuple[float, ...]:
        """The least and the greatest value: affine, so they lie at the ends of the axis' range."""
        if isinstance(amount, Swept):
            values = self.axis(where, amount.axis).values
            return tuple(amount.at({amount.axis: value}) for value in (min(values), max(values)))
        if isinstance(amount, bool) or not isinstance(amount, int | float):
            raise ProgramError(f"{field} of {_name(where)} is {amount!r}: give a number or a Swept")
        return (float(amount),)

    def axis(self, where: object, name: str) -> AnyAxis:
        """An axis that is followed is one of the program's."""
        if name not in self.axes:
            known = ", ".join(self.axes) or "none"
            raise ProgramError(f"{_name(where)} follows axis {name!r}, the program's axes are {known}: add it")
        return self.axes[name]

    def count(self, repeat: Repeat) -> None:
        """Counts are whole and not negative, everywhere on their axis."""
        count = repeat.count
        self.amount(repeat, "count", count, 0.0)
        values = self.axis(repeat, count.axis).values if isinstance(count, Swept) else (0.0,)
        for value in values:
            number = count.at({count.axis: value}) if isinstance(count, Swept) else float(count)
            if abs(number - round(number)) > _WHOLE:
                raise ProgramError(f"count of Repeat is {number:.6g}: give a whole number")

    def choice(self, choose: Choose, depth: int) -> None:
        """What is chosen from is a list of sequences, and does not choose from itself."""
        axis = self.axis(choose, choose.axis)
        if isinstance(axis, Axis):
            raise ProgramError(f"Choose needs a SequenceAxis, {choose.axis!r} is a plain axis: give it sequences")
        for part in axis.parts:
            for operation in part:
                self.check(operation, depth + 1)


def _name(where: object) -> str:
    named = getattr(where, "frame", None) or getattr(where, "line", None)
    return type(where).__name__ + (f" on {named!r}" if named else "")
