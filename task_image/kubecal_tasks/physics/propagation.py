"""What a pulse, or waiting, does to a transmon of three levels.

States are density matrices, written as vectors row by row: A rho B becomes (A x B^T) rho. Angular
frequencies are in rad/s. Coherent evolution and relaxation alternate slice by slice (Strang), which is exact
to the second order of a slice; waiting is exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kubecal_tasks.physics.truth import QubitTruth
from kubecal_tasks.programs.envelopes import Envelope, Flat

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]

LEVELS = 3
_N = np.arange(LEVELS, dtype=np.float64)
_LOWER = np.diag(np.sqrt(_N[1:]), k=1).astype(np.complex128)
_SLICE_S = 1e-9
_MIN_SLICES, _MAX_SLICES = 32, 400
_ORDER = _N[:, None] - _N[None, :]
"""m - n of each element of the density matrix: how fast its phase turns."""


@dataclass(frozen=True)
class Relaxation:
    """What the environment does: populations by rates, coherences by decay."""

    rates: Real
    """(3, 3) of the populations, 1/s; columns sum to 0."""
    decay: Real
    """(3, 3) of the coherences, 1/s; 0 on the diagonal."""

    @classmethod
    def of(cls, truth: QubitTruth) -> Relaxation:
        """|2> decays twice as fast as |1>.

        Heating out of |1> is left out: it would make P(1) decay with more than one rate, by parts in a thousand.
        """
        up, down = truth.thermal / truth.t1_s, (1.0 - truth.thermal) / truth.t1_s
        jumps = np.zeros((LEVELS, LEVELS))
        jumps[1, 0], jumps[0, 1], jumps[1, 2] = up, down, 2.0 * down
        leaving = jumps.sum(axis=0)
        decay = (leaving[:, None] + leaving[None, :]) / 2.0 + truth.pure_dephasing_per_s * _ORDER**2
        np.fill_diagonal(decay, 0.0)
        return cls(jumps - np.diag(leaving), decay)

    def populations(self, duration_s: ArrayLike) -> Real:
        """(..., 3, 3) maps of the populations over times (...)."""
        values, vectors, inverse = self._modes
        lasting = np.exp(values * np.asarray(duration_s)[..., None])
        return np.asarray(((vectors * lasting[..., None, :]) @ inverse).real)

    @cached_property
    def _modes(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Rates (3,) with which combinations of populations decay, these in columns (3, 3), and the way back.

        Any: real where the rates are, complex where they are not.
        """
        values, vectors = np.linalg.eig(self.rates)
        return values, vectors, np.linalg.inv(vectors)

    def superoperator(self, duration_s: float) -> Complex:
        """(9, 9) map of the density matrix over a time, without any turning."""
        full = np.diag(np.exp(-self.decay * duration_s).ravel()).astype(np.complex128)
        diagonal = np.arange(LEVELS) * (LEVELS + 1)
        full[np.ix_(diagonal, diagonal)] = self.populations(duration_s)
        return full


def level_energies(detuning: Real, anharmonicity: float) -> Real:
    """(..., 3) energies in rad/s in a frame that the qubit is ahead of by ``detuning`` (...,)."""
    return np.asarray(detuning[..., None] * _N + anharmonicity * _N * (_N - 1) / 2)


def phase_factors(angle: Real) -> Complex:
    """(..., 9) what turning a frame by ``angle`` (...,) does to each element of the density matrix."""
    return np.asarray(np.exp(-1j * angle[..., None, None] * _ORDER)).reshape(*angle.shape, LEVELS**2)


def waiting(energies: Real, relaxation: Relaxation, duration_s: ArrayLike) -> tuple[Complex, Real]:
    """(..., 9) factors of the coherences and (..., 3, 3) maps of the populations over waits (...).

    The durations broadcast against all but the last axis of the energies (..., 3).
    """
    times = np.asarray(duration_s)[..., None]
    phases = np.exp(-1j * energies * times)
    turned = phases[..., :, None] * phases[..., None, :].conj()
    kept = turned * np.exp(-relaxation.decay * times[..., None])
    return kept.reshape(*energies.shape[:-1], LEVELS**2), relaxation.populations(duration_s)


def slice_unitaries(detunings: Real, anharmonicity: float, drives: Complex, slice_s: Real) -> Complex:
    """(P, S, K, 3, 3) coherent evolution over each slice; see ``pulse_superoperators`` for the parameters."""
    free = np.einsum("...kn,nm->...knm", level_energies(detunings, anharmonicity), np.eye(LEVELS))
    # A signal cos(w t + phase) turns |0><1| by exp(i phase): a later phase is behind, as a slower qubit is.
    raised = np.einsum("ps,nm->psnm", drives / 2, _LOWER)
    driven = raised + np.conj(np.swapaxes(raised, -1, -2))
    if free.ndim == 4:  # each pulse has detunings of its own, the same for all its slices
        free = free[:, None]
    energies, states = np.linalg.eigh(driven[:, :, None] + free)
    turned = np.exp(-1j * energies * slice_s[:, None, None, None])
    return np.asarray((states * turned[..., None, :]) @ np.conj(np.swapaxes(states, -1, -2)))


def pulse_superoperators(
    detunings: Real, anharmonicity: float, drives: Complex, slice_s: Real, relaxation: Relaxation
) -> Complex:
    """(P, K, 9, 9) maps of P pulses at K detunings, phase 0, in the frame of the drive.

    Parameters
    ----------
    detunings
        (K,) qubit minus drive, rad/s; or (P, K), of each pulse its own.
    anharmonicity
        rad/s.
    drives
        (P, S) Rabi rate of every slice, rad/s; the imaginary part drives along Y.
    slice_s
        (P,) length of the slices of each pulse.
    relaxation
        What the environment does meanwhile.
    """
    unitaries = slice_unitaries(detunings, anharmonicity, drives, slice_s)
    maps = np.einsum("...ij,...kl->...ikjl", unitaries, unitaries.conj())
    maps = maps.reshape(*unitaries.shape[:-2], LEVELS**2, LEVELS**2)
    halves = np.stack([relaxation.superoperator(float(each) / 2) for each in slice_s])[:, None]
    wholes = np.stack([relaxation.superoperator(float(each)) for each in slice_s])[:, None]
    total: Complex = maps[:, 0] @ halves
    for number in range(1, drives.shape[1]):
        total = maps[:, number] @ (wholes @ total)
    return np.asarray(halves @ total)


def flat_superoperators(
    detunings: Real, anharmonicity: float, drives: Complex, durations_s: Real, relaxation: Relaxation
) -> Complex:
    """(P, K, 9, 9) maps of P drives of constant rate (P,) at detunings (K,) or (P, K): exact, whatever the duration."""
    free = level_energies(detunings, anharmonicity)
    raised = drives[:, None, None] / 2 * _LOWER
    hamiltonians = (raised + np.conj(np.swapaxes(raised, -1, -2)))[:, None] + np.einsum(
        "...kn,nm->...knm", free, np.eye(LEVELS)
    )
    identity = np.eye(LEVELS)
    generators = -1j * (
        np.einsum("...ij,kl->...ikjl", hamiltonians, identity) - np.einsum("ij,...lk->...ikjl", identity, hamiltonians)
    ).reshape(*hamiltonians.shape[:-2], LEVELS**2, LEVELS**2)
    generators += _relaxation_generator(relaxation)
    return exponentials(generators * durations_s[:, None, None, None])


def _relaxation_generator(relaxation: Relaxation) -> Complex:
    full = np.diag(-relaxation.decay.ravel()).astype(np.complex128)
    diagonal = np.arange(LEVELS) * (LEVELS + 1)
    full[np.ix_(diagonal, diagonal)] = relaxation.rates
    return full


def exponentials(matrices: Complex) -> Complex:
    """Exponentials of (..., n, n) matrices by scaling, a Taylor sum and squaring, all at once."""
    size = float(np.abs(matrices).sum(axis=-1).max(initial=0.0))
    squarings = max(0, math.ceil(math.log2(size / 0.25))) if size > 0 else 0
    scaled = matrices / 2.0**squarings
    identity = np.eye(matrices.shape[-1])
    total = identity + scaled / 12
    for order in range(11, 0, -1):
        total = identity + scaled @ total / order
    for _ in range(squarings):
        total = total @ total
    return np.asarray(total)


def slices(envelope: Envelope, amplitude: float, duration_s: float, beta_s: float) -> tuple[Complex, float]:
    """(S,) complex amplitude of every slice of a pulse at its middle, and the slices' length.

    The quadrature of DRAG has the sign with which a positive beta undoes what a negative anharmonicity does.
    """
    number = slice_count(envelope, duration_s)
    middles = (np.arange(number) + 0.5) / number
    shape = envelope.values(middles, duration_s) - 1j * beta_s * envelope.slopes(middles, duration_s)
    return np.asarray(amplitude * shape, dtype=np.complex128), duration_s / number


def slice_count(envelope: Envelope, duration_s: float) -> int:
    """How finely a pulse is cut; a constant one is not cut at all."""
    if isinstance(envelope, Flat):
        return 1
    return min(max(math.ceil(duration_s / _SLICE_S), _MIN_SLICES), _MAX_SLICES)
