"""What a program asks to be acquired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kubecal_tasks.programs.errors import ProgramError


@dataclass(frozen=True)
class Average:
    """Mean IQ of every point over its shots, with the covariance of that mean."""

    shots: int
    name: ClassVar[str] = "average"

    def __post_init__(self) -> None:
        _check_shots(self.shots)


@dataclass(frozen=True)
class Shots:
    """IQ of every single shot."""

    shots: int
    name: ClassVar[str] = "shots"

    def __post_init__(self) -> None:
        _check_shots(self.shots)


Wanted = Average | Shots


def _check_shots(shots: int) -> None:
    if shots < 2:
        raise ProgramError(f"{shots} shots have no scatter to judge by: take at least 2")
