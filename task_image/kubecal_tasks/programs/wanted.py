"""What a program asks to be acquired."""

from __future__ import annotations

import math
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


@dataclass(frozen=True)
class Trace:
    """The captured signal of the readout over time, demodulated, as the mean over the shots."""

    shots: int
    sample_s: float
    """Length of one sample, over which the signal is averaged."""
    margin_s: float = 0.0
    """How long before the readout the capture begins, and how long after it it ends."""
    name: ClassVar[str] = "trace"

    def __post_init__(self) -> None:
        _check_shots(self.shots)
        if not (math.isfinite(self.sample_s) and self.sample_s > 0):
            raise ProgramError(f"samples of {self.sample_s} s: give a time longer than 0")
        if not (math.isfinite(self.margin_s) and self.margin_s >= 0):
            raise ProgramError(f"a margin of {self.margin_s} s around a trace: give a time, 0 or longer")

    def times_s(self, length_s: float) -> tuple[float, ...]:
        """The middle of every sample, s after the start of a readout of this length."""
        number = max(1, round((length_s + 2 * self.margin_s) / self.sample_s))
        return tuple((k + 0.5) * self.sample_s - self.margin_s for k in range(number))


Wanted = Average | Shots | Trace


def _check_shots(shots: int) -> None:
    if shots < 2:
        raise ProgramError(f"{shots} shots have no scatter to judge by: take at least 2")
