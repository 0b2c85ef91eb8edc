"""A whole program, checked when it is built."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from kubecal_tasks.programs.axes import AnyAxis, AnySequences, Axis
from kubecal_tasks.programs.checks import check_program
from kubecal_tasks.programs.errors import ProgramError
from kubecal_tasks.programs.operations import Frame, Operation, Readout
from kubecal_tasks.programs.wanted import Wanted

__all__ = ["Point", "Program", "ProgramError"]

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Point:
    """One point of the sweep."""

    index: tuple[int, ...]
    """Position on every axis, outermost first."""
    values: Mapping[str, float]
    """Value of every axis under its name; of sequences their coordinate."""
    positions: Mapping[str, int]
    """Position on every axis under its name."""


@dataclass(frozen=True)
class Program:
    """What is played and read, at every point of nested axes, so many shots each.

    Raises
    ------
    ProgramError
        If it contradicts itself anywhere on its axes.
    """

    frames: tuple[Frame, ...]
    body: tuple[Operation, ...]
    readout: Readout
    acquisition: Wanted
    interval_s: float
    """Wait between the end of a readout and the next shot."""
    axes: tuple[AnyAxis, ...] = ()
    """Outermost first; every combination of their values is a point."""

    def __post_init__(self) -> None:
        check_program(self.frames, self.body, self.readout, self.acquisition, self.axes, self.interval_s)

    @cached_property
    def frame_by_name(self) -> Mapping[str, Frame]:
        """Frames under their names."""
        return {frame.name: frame for frame in self.frames}

    @cached_property
    def sequences(self) -> Mapping[str, AnySequences]:
        """Axes of explicit sequences under their names."""
        return {axis.name: axis for axis in self.axes if not isinstance(axis, Axis)}

    def kept(self, kind: type[Kept]) -> Kept:
        """What others worked out of this program and keep with it; empty when it is asked for first.

        As long as the program lives, which is as long as what it holds is right: it never changes.
        """
        if kind not in self._kept:
            self._kept[kind] = kind()
        found: Kept = self._kept[kind]
        return found

    @cached_property
    def _kept(self) -> dict[type[Any], Any]:
        """Any: each under its own class."""
        return {}

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of every axis."""
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def size(self) -> int:
        """Number of points."""
        return math.prod(self.shape)

    def points(self) -> Iterator[Point]:
        """Every point, the innermost axis fastest."""
        names = [axis.name for axis in self.axes]
        for index in itertools.product(*(range(n) for n in self.shape)):
            values = {axis.name: axis.values[i] for axis, i in zip(self.axes, index, strict=True)}
            yield Point(index, values, dict(zip(names, index, strict=True)))
