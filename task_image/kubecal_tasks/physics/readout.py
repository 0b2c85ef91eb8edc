"""Dispersive readout: where the states lie in the IQ plane, and what shots scatter around.

Reflection off the resonators of one cable, of which the qubit's own depends on its state. The field is taken to
follow at once (ringing up is left out), and a state changes at most once while it is read.

A readout may be swept, so frequency, amplitude and length are arrays of any shape; () is one point.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kubecal_tasks.physics.truth import DESIGN_READOUT_S, QubitTruth

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

ADC_FULL_SCALE = 1.0
_DESIGN_LEVEL = 0.2
"""Of the ADC's full scale that the design readout fills: the four of a cable fit at once."""
_JUMP_BINS = 16
"""Parts of the readout in which a state may change; within one, a change counts as made in its middle."""


def line_frequencies(truth: QubitTruth, amplitude: ArrayLike) -> Real:
    """(..., 3) resonator frequency with the qubit in |0>, |1>, |2>, Hz, at tones of amplitude (...).

    A strong tone pulls all towards the bare one: f_bare + (f_dressed - f_bare) / (1 + (n / n_crit)^2) with n photons
    and n_crit = Delta^2 / 4 g^2 (phenomenological).
    """
    resonator = truth.resonator
    square, distance = resonator.coupling_hz**2, truth.frequency_hz - resonator.bare_hz
    up = [(j + 1) * square / (distance + j * truth.anharmonicity_hz) for j in range(3)]
    shifts = np.asarray([-up[0], up[0] - up[1], up[1] - up[2]])
    critical = distance**2 / (4.0 * square)
    photons = resonator.photons * (np.asarray(amplitude, dtype=np.float64) / resonator.design_amplitude) ** 2
    return np.asarray(resonator.bare_hz + shifts / (1.0 + (photons / critical) ** 2)[..., None])


def design_readout_hz(truth: QubitTruth) -> float:
    """Where |0> and |1> differ most: half-way between their lines, at the design amplitude."""
    lines = line_frequencies(truth, truth.resonator.design_amplitude)
    return float((lines[0] + lines[1]) / 2)


@dataclass(frozen=True)
class Resonator:
    """A resonator on a readout cable, with its qubit."""

    truth: QubitTruth
    alive: bool = True
    """False: the bare resonator is seen, whatever the qubit's state."""

    def reflection(self, frequency_hz: Real, amplitude: Real) -> Complex:
        """(..., 3) what it makes of a tone, with its qubit in |0>, |1>, |2>."""
        if self.alive:
            return reflection(self.truth, frequency_hz, line_frequencies(self.truth, amplitude))
        return reflection(self.truth, frequency_hz, np.full((*frequency_hz.shape, 3), self.truth.resonator.bare_hz))


@dataclass(frozen=True)
class Readout:
    """One tone on one qubit's resonator, at one or more points (...)."""

    frequency_hz: Real
    """(...)."""
    length_s: Real
    """(...)."""
    centres: Complex
    """(..., 3) of |0>, |1>, |2>, in ADC full scales."""
    sigma: Real
    """(...) of one shot, in each quadrature."""
    jumps: Real
    """(3,) rates at which each state changes: to |1>, |0>, |1>; 1/s."""
    clipped: NDArray[np.bool_]
    """(...) whether the ADC cut it off."""

    @classmethod
    def of(
        cls,
        truth: QubitTruth,
        frequency_hz: ArrayLike,
        amplitude: ArrayLike,
        length_s: ArrayLike,
        alive: bool = True,
        others: Sequence[Resonator] = (),
    ) -> Readout:
        """What a tone makes of a qubit, before it is digitised.

        Parameters
        ----------
        truth, alive
            The qubit, and whether it is one.
        frequency_hz, amplitude, length_s
            The tone: numbers, or arrays of one shape.
        others
            The other resonators of the cable, their qubits in |0>: the tone passes the tails of their lines, so the
            reflections multiply.
        """
        given = (np.asarray(each, dtype=np.float64) for each in (frequency_hz, amplitude, length_s))
        frequency, tone, length = np.broadcast_arrays(*given)
        seen = Resonator(truth, alive).reflection(frequency, tone)
        for other in others:
            seen = seen * other.reflection(frequency, tone)[..., :1]
        down = (1.0 - truth.thermal) / truth.t1_s
        return cls(
            frequency_hz=frequency,
            length_s=length,
            centres=_cable(truth, frequency, tone)[..., None] * seen,
            sigma=np.asarray(shot_sigma(truth) * np.sqrt(DESIGN_READOUT_S / length)),
            jumps=np.asarray([truth.thermal / truth.t1_s, down, 2.0 * down]),
            clipped=np.zeros(frequency.shape, dtype=np.bool_),
        )

    def amplified(self, gain: float) -> Readout:
        """Signal and noise that many times as large."""
        return replace(self, centres=gain * self.centres, sigma=gain * self.sigma)

    def classes(self) -> tuple[Complex, Real]:
        """Kinds of shots: (..., C) centres, and (..., 3, C) probabilities given the state."""
        edges = np.linspace(0.0, 1.0, _JUMP_BINS + 1)
        middles = (edges[1:] + edges[:-1]) / 2
        centres = [self.centres]
        probabilities = np.zeros((*self.length_s.shape, 3, 3 + 3 * _JUMP_BINS))
        for state, other in enumerate((1, 0, 1)):
            left = np.exp(-self.jumps[state] * self.length_s[..., None] * edges)
            probabilities[..., state, state] = left[..., -1]
            start = 3 + state * _JUMP_BINS
            probabilities[..., state, start : start + _JUMP_BINS] = left[..., :-1] - left[..., 1:]
            before, after = self.centres[..., state, None], self.centres[..., other, None]
            centres.append(before * middles + after * (1 - middles))
        return np.concatenate(centres, axis=-1), probabilities

    def classes_at(self, times_s: Real, sample_s: float) -> Complex:
        """(..., K, C) where each kind of shot is in a sample: its middle, after the readout's start, and its length.

        Outside of the readout there is nothing, and of a sample across its edge the part within.
        """
        share = times_s / self.length_s[..., None]
        middles = (np.arange(_JUMP_BINS) + 0.5) / _JUMP_BINS
        centres = [np.broadcast_to(self.centres[..., None, :], (*self.centres.shape[:-1], len(times_s), 3))]
        for state, other in enumerate((1, 0, 1)):
            before, after = self.centres[..., state, None, None], self.centres[..., other, None, None]
            centres.append(np.where(share[..., None] < middles, before, after))
        ends = np.minimum(times_s + sample_s / 2, self.length_s[..., None])
        within = np.clip((ends - np.maximum(times_s - sample_s / 2, 0.0)) / sample_s, 0.0, 1.0)
        return np.asarray(np.concatenate(centres, axis=-1) * within[..., None])


def _cable(truth: QubitTruth, frequency_hz: Real, amplitude: Real) -> Complex:
    """(...) what cable and electronics make of a tone: its level, its phase, its delay, a background with a slope."""
    resonator = truth.resonator
    away = frequency_hz - design_readout_hz(truth)
    level = _DESIGN_LEVEL * amplitude / resonator.design_amplitude * (1.0 + resonator.slope_per_hz * away)
    return np.asarray(level * np.exp(1j * (resonator.phase_rad - 2 * math.pi * away * resonator.delay_s)))


def digitised(readouts: Sequence[Readout]) -> tuple[Readout, ...]:
    """The tones of one cable as its ADC sees them.

    Tones of different frequencies beat, so their sum peaks at the sum of their magnitudes; where that exceeds the
    full scale, all are cut down by the same factor, and counted as clipped.
    """
    peak = np.asarray(sum(np.abs(each.centres).max(axis=-1) for each in readouts))
    factor = np.minimum(1.0, ADC_FULL_SCALE / np.maximum(peak, np.finfo(np.float64).tiny))
    clipped = np.asarray(peak > ADC_FULL_SCALE)
    return tuple(replace(each, centres=each.centres * factor[..., None], clipped=clipped) for each in readouts)


def leakage(of: Readout, into: Readout) -> Complex:
    """(...) part of one tone's signal that another channel of its cable integrates as its own.

    A channel multiplies with its tone and averages over the readout's length T, so one that is D away leaves
    exp(i pi D T) sin(pi D T) / (pi D T): half a hundredth at 70 MHz and 384 ns.
    """
    away = (of.frequency_hz - into.frequency_hz) * into.length_s
    return np.asarray(np.exp(1j * math.pi * away) * np.sinc(away))


def reflection(truth: QubitTruth, frequency_hz: ArrayLike, lines: Real) -> Complex:
    """(..., n) S11 = 1 - 2 kappa_e / (kappa + 2 i (f - f_r)) at frequencies (...) of lines (..., n)."""
    external = truth.resonator.kappa_hz
    total = external + truth.resonator.loss_hz
    away = np.asarray(frequency_hz, dtype=np.float64)[..., None] - lines
    return np.asarray(1.0 - 2.0 * external / (total + 2j * away))


def shot_sigma(truth: QubitTruth) -> float:
    """Scatter of one shot at the design length: what gives the drawn signal-to-noise ratio at the design readout."""
    lines = line_frequencies(truth, truth.resonator.design_amplitude)
    ground, excited = reflection(truth, design_readout_hz(truth), lines)[:2]
    return float(_DESIGN_LEVEL * abs(excited - ground) / truth.resonator.snr)
