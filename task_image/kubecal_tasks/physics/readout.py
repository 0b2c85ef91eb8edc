"""Dispersive readout: where the states lie in the IQ plane, and what shots scatter around.

Reflection off a resonator whose line depends on the state. The field is taken to follow at once (ringing up
is left out), and a state changes at most once while it is read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.physics.truth import DESIGN_READOUT_S, QubitTruth

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

ADC_FULL_SCALE = 1.0
_DESIGN_LEVEL = 0.3
"""Of the ADC's full scale that the design readout fills."""
_JUMP_BINS = 16
"""Parts of the readout in which a state may change; within one, a change counts as made in its middle."""


def line_frequencies(truth: QubitTruth, amplitude: float) -> Real:
    """(3,) resonator frequency with the qubit in |0>, |1>, |2>, Hz; a strong tone pulls all towards the bare one."""
    resonator = truth.resonator
    square, distance = resonator.coupling_hz**2, truth.frequency_hz - resonator.bare_hz
    up = [(j + 1) * square / (distance + j * truth.anharmonicity_hz) for j in range(3)]
    shifts = np.asarray([-up[0], up[0] - up[1], up[1] - up[2]])
    critical = distance**2 / (4.0 * square)
    photons = resonator.photons * (amplitude / resonator.design_amplitude) ** 2
    return resonator.bare_hz + shifts / (1.0 + (photons / critical) ** 2)


def design_readout_hz(truth: QubitTruth) -> float:
    """Where |0> and |1> differ most: half-way between their lines, at the design amplitude."""
    lines = line_frequencies(truth, truth.resonator.design_amplitude)
    return float((lines[0] + lines[1]) / 2)


@dataclass(frozen=True)
class Readout:
    """One tone on one qubit's resonator."""

    centres: Complex
    """(3,) of |0>, |1>, |2>, in ADC full scales, clipped as the ADC does."""
    clipping: NDArray[np.bool_]
    """(3,) whether a centre lies beyond the full scale."""
    sigma: float
    """Of one shot, in each quadrature."""
    jumps: Real
    """(3,) rates at which each state changes: to |1>, |0>, |1>; 1/s."""
    length_s: float

    @classmethod
    def of(
        cls, truth: QubitTruth, frequency_hz: float, amplitude: float, length_s: float, alive: bool = True
    ) -> Readout:
        """What a tone makes of a qubit; of a dead one the bare resonator is seen, whatever its state."""
        resonator = truth.resonator
        lines = line_frequencies(truth, amplitude) if alive else np.full(3, resonator.bare_hz)
        away = frequency_hz - design_readout_hz(truth)
        level = _DESIGN_LEVEL * amplitude / resonator.design_amplitude * (1.0 + resonator.slope_per_hz * away)
        turned = np.exp(1j * (resonator.phase_rad - 2 * math.pi * away * resonator.delay_s))
        free = level * turned * reflection(truth, frequency_hz, lines)
        limited = np.clip(free.real, -ADC_FULL_SCALE, ADC_FULL_SCALE) + 1j * np.clip(
            free.imag, -ADC_FULL_SCALE, ADC_FULL_SCALE
        )
        down = (1.0 - truth.thermal) / truth.t1_s
        return cls(
            centres=limited,
            clipping=limited != free,
            sigma=shot_sigma(truth) * math.sqrt(DESIGN_READOUT_S / length_s),
            jumps=np.asarray([truth.thermal / truth.t1_s, down, 2.0 * down]),
            length_s=length_s,
        )

    def classes(self) -> tuple[Complex, Real, NDArray[np.bool_]]:
        """Kinds of shots: (C,) centres, (3, C) probabilities given the state, (C,) whether they clip."""
        edges = np.linspace(0.0, 1.0, _JUMP_BINS + 1)
        middles = (edges[1:] + edges[:-1]) / 2
        centres, clipping = [self.centres], [self.clipping]
        probabilities = np.zeros((3, 3 + 3 * _JUMP_BINS))
        for state, other in enumerate((1, 0, 1)):
            left = np.exp(-self.jumps[state] * self.length_s * edges)
            probabilities[state, state] = left[-1]
            start = 3 + state * _JUMP_BINS
            probabilities[state, start : start + _JUMP_BINS] = left[:-1] - left[1:]
            centres.append(self.centres[state] * middles + self.centres[other] * (1 - middles))
            clipping.append(np.full(_JUMP_BINS, bool(self.clipping[state] or self.clipping[other])))
        return np.concatenate(centres), probabilities, np.concatenate(clipping)


def reflection(truth: QubitTruth, frequency_hz: float, lines: Real) -> Complex:
    """S11 = 1 - 2 kappa_e / (kappa + 2 i (f - f_r)) at each line."""
    external = truth.resonator.kappa_hz
    total = external + truth.resonator.loss_hz
    return np.asarray(1.0 - 2.0 * external / (total + 2j * (frequency_hz - lines)))


def shot_sigma(truth: QubitTruth) -> float:
    """Scatter of one shot at the design length: what gives the drawn signal-to-noise ratio at the design readout."""
    lines = line_frequencies(truth, truth.resonator.design_amplitude)
    ground, excited = reflection(truth, design_readout_hz(truth), lines)[:2]
    return float(_DESIGN_LEVEL * abs(excited - ground) / truth.resonator.snr)


@dataclass(frozen=True)
class Averages:
    """Means over shots as an instrument would report them."""

    iq: Real
    """(points, 2)."""
    covariance: Real
    """(points, 2, 2) of the means, from the shots' own scatter."""
    clipped: float
    """Fraction of shots beyond the ADC's full scale."""


def sample_averages(readout: Readout, populations: Real, shots: int, rng: np.random.Generator) -> Averages:
    """Means and covariances of so many shots, drawn from their exact distribution without drawing each shot."""
    centres, given, clipping = readout.classes()
    counts = rng.multinomial(shots, _probabilities(populations, given))
    spread = readout.sigma / np.sqrt(np.maximum(counts, 1))
    means = np.stack([centres.real, centres.imag], axis=-1) + spread[..., None] * rng.standard_normal(
        (*counts.shape, 2)
    )
    mean = np.einsum("pc,pcx->px", counts, means) / shots
    away = means - mean[:, None]
    scatter = np.einsum("pc,pcx,pcy->pxy", counts, away, away)
    scatter += readout.sigma**2 * _wishart(shots - np.count_nonzero(counts, axis=1), rng)
    covariance = scatter / (shots * (shots - 1.0))
    return Averages(mean, covariance, float(counts[:, clipping].sum() / counts.sum()))


def sample_shots(readout: Readout, populations: Real, shots: int, rng: np.random.Generator) -> tuple[Real, float]:
    """(points, shots, 2) of every shot, and the fraction beyond the ADC's full scale."""
    centres, given, clipping = readout.classes()
    counts = rng.multinomial(shots, _probabilities(populations, given))
    which = np.stack([rng.permutation(np.repeat(np.arange(len(centres)), row)) for row in counts])
    iq = np.stack([centres.real, centres.imag], axis=-1)[which]
    iq += readout.sigma * rng.standard_normal(iq.shape)
    return iq, float(counts[:, clipping].sum() / counts.sum())


def _probabilities(populations: Real, given: Real) -> Real:
    """(points, C); rounded, so that the last digits of another processor's arithmetic change no draw."""
    rounded = np.clip(np.round(populations, 9), 0.0, None)
    return np.asarray((rounded / rounded.sum(axis=1, keepdims=True)) @ given)


def _wishart(freedom: NDArray[np.int_], rng: np.random.Generator) -> Real:
    """(points, 2, 2) scatter of that many independent standard normal pairs, by Bartlett's decomposition."""
    first = np.sqrt(2.0 * rng.standard_gamma(np.maximum(freedom, 0) / 2.0))
    second = np.sqrt(2.0 * rng.standard_gamma(np.maximum(freedom - 1, 0) / 2.0))
    across = np.where(freedom > 0, rng.standard_normal(len(freedom)), 0.0)
    lower = np.zeros((len(freedom), 2, 2))
    lower[:, 0, 0], lower[:, 1, 0], lower[:, 1, 1] = first, across, second
    return np.asarray(lower @ np.swapaxes(lower, 1, 2))
