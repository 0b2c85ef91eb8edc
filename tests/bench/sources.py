"""Where the data sets of the bench of fits come from: seeded, as an instrument would give them, or with no signal.

A source draws for many qubits at once: means of shots of a qubit with given populations, reflections of a resonator,
or single shots. Each can also draw the same without any signal.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from scipy.special import erf

from tests.unit.kubecal_tasks.fits.reflections import Resonator
from tests.unit.kubecal_tasks.fits.reflections import sample as sample_reflection
from tests.unit.kubecal_tasks.fits.synthetic import HIGH, LOW, SNR, Array, Sampled, sample

Model = Callable[[np.random.Generator, Array], Array]
"""(Q, ...) P(1) of qubits with a truth (Q,)."""
USEFUL = 0.05
"""Part of the truth within which a relative output is good."""


class Source(Protocol):
    """Draws data sets of (Q,) truths."""

    def __call__(self, rng: np.random.Generator, truth: Array, shots: int, glitches: float) -> Sampled:
        """(Q, ...) data, a part of the points garbage."""

    @property
    def nothing(self) -> Source:
        """The same without a signal."""


@dataclass(frozen=True)
class Populations:
    """Means of shots of qubits in such states."""

    model: Model
    alternated: bool = False
    """Half of the shots measure the signal turned over, and the difference is fitted."""

    def __call__(self, rng: np.random.Generator, truth: Array, shots: int, glitches: float) -> Sampled:
        """See ``Source``."""
        population = self.model(rng, truth)
        if not self.alternated:
            return sample(population, shots, rng, glitches)
        up, down = (sample(each, shots // 2, rng, glitches / 2) for each in (population, 1 - population))
        return Sampled(up.y - down.y, up.variance + down.variance)

    @property
    def nothing(self) -> Populations:
        """All in |0>, or half-way."""
        return replace(self, model=lambda rng, truth: np.zeros_like(self.model(rng, truth)) + rng.choice([0.0, 0.5]))


@dataclass(frozen=True)
class Sequences:
    """Randomized benchmarking: the truth is the error per Clifford."""

    lengths: Array
    """(N,) of each sequence."""
    scatter: float = 0.0
    """By how much sequences of one length differ half-way down."""

    def __call__(self, rng: np.random.Generator, truth: Array, shots: int, glitches: float) -> Sampled:
        """See ``Source``."""
        return Populations(self._drawn)(rng, truth, shots, glitches)

    @property
    def nothing(self) -> Populations:
        """See ``Source``."""
        return Populations(self._drawn).nothing

    def informed(self, truth: Array, shots: int, glitches: float) -> float:
        """Part of the data sets that the best possible method would get within 5 %.

        From the Cramer-Rao bound of y = A a^m + B with the data's own variances, garbage known as such and left out.
        """
        parts = []
        for epc in truth:
            step = 1e-4 * epc
            p, up = (self._mean(np.asarray([e]))[0] for e in (epc, epc + step))
            columns = np.stack([np.ones_like(p), p, (HIGH - LOW) * (up - p) / step], axis=1)
            assigned = LOW + (HIGH - LOW) * p
            shot = (assigned * (1 - assigned) + 1 / SNR**2) / shots
            between = ((HIGH - LOW) * self.scatter * 2) ** 2 * p * (1 - p)
            information = (1 - glitches) * (columns / (shot + between)[:, None]).T @ columns
            sigma = math.sqrt(float(np.linalg.inv(information)[2, 2]))
            parts.append(erf(USEFUL * epc / sigma / math.sqrt(2)))
        return float(np.mean(parts))

    def _mean(self, epc: Array) -> Array:
        return np.asarray(0.5 - 0.5 * (1 - 2 * epc[:, None]) ** self.lengths)

    def _drawn(self, rng: np.random.Generator, epc: Array) -> Array:
        p = self._mean(epc)
        away = 2 * self.scatter * np.sqrt(p * (1 - p)) * rng.standard_normal(p.shape)
        return np.clip(p + away, 0.0, 1.0)


@dataclass(frozen=True)
class Reflections:
    """Means of shots of resonators: the truth is the frequency of the line of |0>, Hz."""

    frequencies: Array
    """(N,) swept, Hz."""
    present: bool = True
    beside: float = 0.0
    """Distance of a second line of the same width on the cable, Hz; 0: none."""

    def __call__(self, rng: np.random.Generator, truth: Array, shots: int, glitches: float) -> Sampled:
        """See ``Source``. Qubits at rest are a little in |1>, which no fit is told."""
        iq, covariance = [], []
        for frequency in truth:
            line = Resonator(
                frequency=float(frequency),
                external=rng.uniform(1.5e6, 4e6),
                delay=rng.uniform(40e-9, 60e-9),
                phase=rng.uniform(0.0, 2 * math.pi),
            )
            excited = abs(rng.normal(0.0, 0.01))
            signal = line.reflection(self.frequencies, excited) if self.present else line.background(self.frequencies)
            if self.beside:
                other = replace(line, frequency=line.frequency + self.beside)
                signal = signal * other.reflection(self.frequencies) / other.background(self.frequencies)
            drawn = sample_reflection(signal, shots, rng, glitches)
            iq.append(drawn.iq)
            covariance.append(drawn.covariance)
        return Sampled(np.stack(iq), np.stack(covariance))

    @property
    def nothing(self) -> Reflections:
        """A cable without a resonator."""
        return replace(self, present=False)


@dataclass(frozen=True)
class Blobs:
    """Single shots of |0> and |1>, (Q, 2, shots, 2): the truth is the distance of the blobs over the width of one."""

    wrong: tuple[float, float] = (0.02, 0.04)
    rate: float = 0.02
    present: bool = True
    ends: tuple[complex, complex] = field(default=(0.2 - 0.1j, -0.1 + 0.25j))

    def __call__(self, rng: np.random.Generator, truth: Array, shots: int, glitches: float) -> Sampled:
        """See ``Source``. A shot of |1> decays at a random time while it is read."""
        ground, excited = self.ends
        found = np.empty((truth.size, 2, shots, 2))
        for q, distance in enumerate(truth):
            sigma = abs(excited - ground) / distance
            for state in (0, 1):
                there = rng.random(shots) < (self.wrong[0] if state == 0 else 1 - self.wrong[1])
                lasted = np.minimum(rng.exponential(1 / self.rate, shots), 1.0) * there * self.present
                centre = ground + (excited - ground) * lasted
                points = np.stack([centre.real, centre.imag], axis=-1) + sigma * rng.standard_normal((shots, 2))
                garbage = rng.random(shots) < glitches
                found[q, state] = np.where(garbage[:, None], rng.uniform(-1, 1, points.shape), points)
        return Sampled(found, np.zeros(truth.size))

    @property
    def nothing(self) -> Blobs:
        """A readout that does not see the qubit."""
        return replace(self, present=False)
