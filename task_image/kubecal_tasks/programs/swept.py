"""Numbers of an operation that change along a sweep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Swept:
    """``scale * x + offset``, x being the variable of the axis: affine, so that sequencers can step it in hardware.

    Arithmetic with numbers keeps it affine: ``Swept("delay") * 0.5`` is half the delay.
    """

    axis: str
    scale: float = 1.0
    offset: float = 0.0

    def at(self, point: Mapping[str, float]) -> float:
        """The number where every axis has the value that ``point`` says."""
        return self.scale * point[self.axis] + self.offset

    def __mul__(self, factor: float) -> Swept:
        return replace(self, scale=self.scale * factor, offset=self.offset * factor)

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> Swept:
        return self * (1.0 / divisor)

    def __neg__(self) -> Swept:
        return self * -1.0

    def __add__(self, other: float) -> Swept:
        return replace(self, offset=self.offset + other)

    __radd__ = __add__

    def __sub__(self, other: float) -> Swept:
        return self + -other

    def __rsub__(self, other: float) -> Swept:
        return -self + other


Amount = float | Swept
"""A number, or one that is swept."""


def amount_at(amount: Amount, point: Mapping[str, float]) -> float:
    """The number at one point of the sweep."""
    return amount.at(point) if isinstance(amount, Swept) else float(amount)
