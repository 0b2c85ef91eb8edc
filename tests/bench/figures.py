"""What a benchmark found beside what it may be.

A benchmark generates its load, runs it and yields figures; here they are held against their ranges. A range says
why it is what it is, so that who moves it knows what is given up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True)
class Figure:
    """One measured number and the range it must be in."""

    name: str
    value: float
    unit: str = ""
    least: float = -inf
    most: float = inf
    why: str = ""
    """What the range follows from; empty for a figure that is only shown."""

    @property
    def in_range(self) -> bool:
        """Whether it is as it must be; a value that is no number is not."""
        return self.least <= self.value <= self.most

    def __str__(self) -> str:
        ends = " ... ".join(f"{end:g}" for end in (self.least, self.most) if abs(end) < inf)
        wanted = "" if not ends else ends if " ... " in ends else f"{'<=' if self.most < inf else '>='} {ends}"
        mark = "" if self.in_range else "  OUT OF RANGE"
        value = f"{self.value:,.4g} {self.unit}".rstrip()
        return f"{self.name:58} {value:>14}  {wanted:12} {self.why}{mark}".rstrip()


def check(figures: Iterable[Figure]) -> int:
    """Print every figure as it comes; the exit code is 1 if one was out of its range."""
    missed = 0
    for figure in figures:
        print(figure, flush=True)
        missed += not figure.in_range
    return 1 if missed else 0
