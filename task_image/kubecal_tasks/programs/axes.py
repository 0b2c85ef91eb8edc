"""What a program sweeps: a variable that amounts follow, or explicit sequences."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kubecal_tasks.programs.errors import ProgramError
from kubecal_tasks.programs.operations import Operation


@dataclass(frozen=True)
class Axis:
    """A variable and its values; every Swept of this name follows it, so that one axis zips many parameters."""

    name: str
    values: tuple[float, ...]
    unit: str = ""
    """SI unit, for descriptions: ``s``, ``Hz``, ``rad``, ``a.u.`` or nothing."""

    def __post_init__(self) -> None:
        _check_coordinates(self.name, self.values)


@dataclass(frozen=True)
class SequenceAxis:
    """A list of sequences, each with the coordinate it is plotted at; ``Choose`` puts them into the body."""

    name: str
    values: tuple[float, ...]
    """Coordinates: number of repetitions, length, index of a setting."""
    sequences: tuple[tuple[Operation, ...], ...]
    unit: str = ""

    def __post_init__(self) -> None:
        _check_coordinates(self.name, self.values)
        if len(self.sequences) != len(self.values):
            raise ProgramError(
                f"axis {self.name!r} has {len(self.values)} coordinates and {len(self.sequences)} sequences: "
                "give one coordinate to each sequence"
            )


AnyAxis = Axis | SequenceAxis


def _check_coordinates(name: str, values: tuple[float, ...]) -> None:
    if not name:
        raise ProgramError("an axis has no name: give it one")
    if not values:
        raise ProgramError(f"axis {name!r} has no values: give it at least one")
    for number, value in enumerate(values):
        if not math.isfinite(value):
            raise ProgramError(f"value {number} of axis {name!r} is {value}: give a finite number")
