"""Seeded data as an instrument gives them: means of shots from two blobs, with sample variances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LOW, HIGH = 0.01, 0.98
"""Signal of |0> and |1>: imperfect assignment."""
SNR = 5.0
"""Distance of the blobs over the width of one."""


@dataclass(frozen=True)
class Sampled:
    """Signal and variance of the mean, shape of the populations they were drawn from."""

    y: Array
    variance: Array


def sample(population: Array, shots: int, rng: np.random.Generator, glitches: float = 0.0) -> Sampled:
    """Draw each point from so many shots; a part of the points is then replaced by garbage.

    The variance is that of a sample, hence noisy and, as in the laboratory, correlated with the mean.
    """
    assigned = LOW + (HIGH - LOW) * np.asarray(population)
    counted = rng.binomial(shots, np.clip(assigned, 0, 1)) / shots
    y = counted + rng.normal(size=assigned.shape) / SNR / np.sqrt(shots)
    spread = counted * (1 - counted) + 1 / SNR**2
    variance = spread * rng.chisquare(shots - 1, assigned.shape) / (shots - 1) / shots
    garbage = rng.random(assigned.shape) < glitches
    y = np.where(garbage, rng.uniform(-1.5, 2.5, assigned.shape), y)
    return Sampled(y, variance)


def decays(t: Array, tau: Array) -> Array:
    """P(1) of a decay, (Q, N)."""
    return np.exp(-t / tau[:, None])


def rabi(t: Array, frequency: Array, coherence: float = 30e-6) -> Array:
    """P(1) of a damped Rabi oscillation, (Q, N)."""
    return (1 - np.exp(-t / coherence) * np.cos(2 * np.pi * frequency[:, None] * t)) / 2


def fringes(t: Array, frequency: Array, t2: Array, t2_star: Array, half_splitting: float = 0.0) -> Array:
    """P(1) along X and Y, (Q, 2, N), with an envelope that has fallen to 1/e at t2_star."""
    gaussian = (1 - t2_star / t2)[:, None]
    envelope = np.exp(-t / t2[:, None] - gaussian * (t / t2_star[:, None]) ** 2)
    envelope = envelope * np.cos(2 * np.pi * half_splitting * t)
    angle = 2 * np.pi * frequency[:, None] * t
    return (1 + envelope[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)) / 2
