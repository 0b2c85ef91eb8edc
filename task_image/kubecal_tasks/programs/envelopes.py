"""The shapes a pulse's amplitude takes: all between 0 and 1, over the fraction of the pulse that has passed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.programs.errors import ProgramError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Gaussian:
    """Gaussian with sigma = duration / 4, lifted so that it starts and ends at 0 and its peak stays 1."""

    name: ClassVar[str] = "gaussian"
    _EDGE: ClassVar[float] = math.exp(-2.0)
    """The bare Gaussian at its ends, two sigmas out."""

    def values(self, x: Array, duration_s: float) -> Array:
        """Envelope at fractions x (N,) of the duration."""
        bare = np.exp(-8.0 * (x - 0.5) ** 2)
        return np.asarray((bare - self._EDGE) / (1 - self._EDGE))

    def slopes(self, x: Array, duration_s: float) -> Array:
        """Time derivative, 1/s."""
        if duration_s == 0.0:
            return np.zeros_like(x)
        bare = np.exp(-8.0 * (x - 0.5) ** 2)
        return np.asarray(-16.0 * (x - 0.5) * bare / (1 - self._EDGE) / duration_s)

    def area_s(self, duration_s: float) -> float:
        """Integral over the pulse, s."""
        bare = math.sqrt(math.pi / 8.0) * math.erf(math.sqrt(2.0))
        return duration_s * (bare - self._EDGE) / (1 - self._EDGE)


@dataclass(frozen=True)
class Flat:
    """Constant from beginning to end."""

    name: ClassVar[str] = "flat"

    def values(self, x: Array, duration_s: float) -> Array:
        """Envelope at fractions x (N,) of the duration."""
        return np.ones_like(x)

    def slopes(self, x: Array, duration_s: float) -> Array:
        """Time derivative, 1/s; the edges are left out."""
        return np.zeros_like(x)

    def area_s(self, duration_s: float) -> float:
        """Integral over the pulse, s."""
        return duration_s


@dataclass(frozen=True)
class FlatTop:
    """Constant with raised-cosine ramps of a stated length at both ends."""

    ramp_s: float
    name: ClassVar[str] = "flat_top"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.ramp_s) and self.ramp_s > 0):
            raise ProgramError(f"a flat-top's ramp of {self.ramp_s} s is no positive time: use Flat for none")

    def _ramp(self, x: Array, duration_s: float) -> tuple[Array, Array, float]:
        """Progress along the nearer ramp (0 ... 1), its sign, and the ramp's length in this pulse."""
        ramp = min(self.ramp_s, duration_s / 2)
        from_edge = np.minimum(x, 1 - x) * duration_s
        return np.clip(from_edge / ramp, 0, 1), np.where(x < 0.5, 1.0, -1.0), ramp

    def values(self, x: Array, duration_s: float) -> Array:
        """Envelope at fractions x (N,) of the duration."""
        if duration_s == 0.0:
            return np.zeros_like(x)
        progress, _, _ = self._ramp(x, duration_s)
        return np.asarray((1 - np.cos(np.pi * progress)) / 2)

    def slopes(self, x: Array, duration_s: float) -> Array:
        """Time derivative, 1/s."""
        if duration_s == 0.0:
            return np.zeros_like(x)
        progress, sign, ramp = self._ramp(x, duration_s)
        return np.asarray(sign * np.pi / 2 * np.sin(np.pi * progress) / ramp)

    def area_s(self, duration_s: float) -> float:
        """Integral over the pulse, s."""
        return duration_s - min(self.ramp_s, duration_s / 2)


Envelope = Gaussian | Flat | FlatTop
"""DRAG is ``beta_s`` of Play: a quadrature of beta times the slope, whatever the envelope."""
