"""What a program sweeps: a variable that amounts follow, or explicit sequences, in full or as numbers of blocks."""

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

    @property
    def parts(self) -> tuple[tuple[Operation, ...], ...]:
        """All that may be played, each once."""
        return self.sequences


@dataclass(frozen=True)
class BlockAxis:
    """Long sequences of a few kinds of blocks, each written as the blocks' numbers.

    Randomized benchmarking plays a hundred thousand pulses of two dozen kinds of gates: written out, a program
    would be checked, stored and laid out a hundred thousand times. ``Choose`` puts the blocks into the body.
    """

    name: str
    values: tuple[float, ...]
    """Coordinates: number of gates."""
    blocks: tuple[tuple[Operation, ...], ...]
    words: tuple[tuple[int, ...], ...]
    """For each coordinate the blocks to play, in order, by their place in ``blocks``."""
    unit: str = ""

    def __post_init__(self) -> None:
        _check_coordinates(self.name, self.values)
        if len(self.words) != len(self.values):
            raise ProgramError(
                f"axis {self.name!r} has {len(self.values)} coordinates and {len(self.words)} words: "
                "give one coordinate to each word"
            )
        for number, word in enumerate(self.words):
            if not all(type(each) is int for each in word):
                raise ProgramError(f"word {number} of axis {self.name!r} is not made of whole numbers: give integers")
            if word and not (min(word) >= 0 and max(word) < len(self.blocks)):
                raise ProgramError(
                    f"word {number} of axis {self.name!r} names blocks {min(word)} ... {max(word)}, "
                    f"there are 0 ... {len(self.blocks) - 1}: correct it"
                )

    @property
    def parts(self) -> tuple[tuple[Operation, ...], ...]:
        """All that may be played, each once."""
        return self.blocks


AnySequences = SequenceAxis | BlockAxis
AnyAxis = Axis | SequenceAxis | BlockAxis


def _check_coordinates(name: str, values: tuple[float, ...]) -> None:
    if not name:
        raise ProgramError("an axis has no name: give it one")
    if not values:
        raise ProgramError(f"axis {name!r} has no values: give it at least one")
    for number, value in enumerate(values):
        if not math.isfinite(value):
            raise ProgramError(f"value {number} of axis {name!r} is {value}: give a finite number")
