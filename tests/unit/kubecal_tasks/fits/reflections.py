"""Reflections of resonators as the formulas of docs/design have them, with noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
SHOT_SIGMA = 0.2
"""Of one shot in each quadrature, in units of the level that comes back."""


@dataclass(frozen=True)
class Resonator:
    """A line and its cable, Hz and s."""

    frequency: float = 7.0e9
    external: float = 2.5e6
    internal: float = 0.1e6
    delay: float = 50e-9
    phase: float = 1.0
    slope: float = 0.3e-9
    shift: float = -3e6
    """From |0> to |1>."""

    def background(self, f: Array) -> Complex:
        """What comes back of the cable alone; the level is 1."""
        away = f - self.frequency
        return np.asarray((1 + self.slope * away) * np.exp(1j * (self.phase - 2 * np.pi * away * self.delay)))

    def reflection(self, f: Array, excited: float = 0.0) -> Complex:
        """With so much of the qubit in |1>."""
        total = self.external + self.internal
        lines = [1 - 2 * self.external / (total + 2j * (f - self.frequency - s)) for s in (0.0, self.shift)]
        return np.asarray(self.background(f) * ((1 - excited) * lines[0] + excited * lines[1]))


@dataclass(frozen=True)
class Sampled:
    """Means and their covariance."""

    iq: Array
    covariance: Array


def sample(signal: Complex, shots: int, rng: np.random.Generator, glitches: float = 0.0) -> Sampled:
    """Means of so many shots, some points garbage."""
    sigma = SHOT_SIGMA / np.sqrt(shots)
    iq = np.stack([signal.real, signal.imag], axis=-1) + sigma * rng.standard_normal((*signal.shape, 2))
    hit = rng.permutation(signal.shape[-1])[: round(glitches * signal.shape[-1])]
    iq[..., hit, :] = rng.uniform(-3, 3, iq[..., hit, :].shape)
    return Sampled(iq, np.broadcast_to(sigma**2 * np.eye(2), (*signal.shape, 2, 2)))
