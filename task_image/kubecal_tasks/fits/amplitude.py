"""The amplitude sweep of a pulse: a resonant pulse of amplitude a turns by pi a / a_pi.

    y(a) = ground + contrast sin^2(pi a / (2 a_pi))

Nonlinear: a_pi alone. Where chi2 fails: the second harmonic that shots started before the qubit has relaxed
bring (a ground state that is not quite empty), and a loss of contrast with amplitude.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kubecal_tasks.fits.batch import Solution, prepare
from kubecal_tasks.fits.evidence import Chosen, choose, evidence
from kubecal_tasks.fits.model import Columns, Model, mesh
from kubecal_tasks.fits.values import Array, Fit, Measured


@dataclass(frozen=True)
class AmplitudeFit(Fit):
    """A fitted amplitude sweep."""

    pi_amplitude: Measured
    half_pi_amplitude: Measured
    ground: Measured
    """Signal without a pulse."""
    contrast: Measured
    """Signal of |1> minus signal of |0>; may be negative."""


def fit_amplitude(a: Array, y: Array, variance: Array | None = None) -> AmplitudeFit:
    """Fit one sweep; see :func:`fit_amplitudes`."""
    return fit_amplitudes(a, np.asarray(y)[None], None if variance is None else np.asarray(variance)[None])[0]


def fit_amplitudes(a: Array, y: Array, variance: Array | None = None) -> tuple[AmplitudeFit, ...]:
    """Fit the amplitude sweeps of many qubits measured at the same amplitudes.

    Parameters
    ----------
    a
        (N,) amplitudes; 0 need not be among them.
    y, variance
        (Q, N) signal and the variance of each point; None: estimated from the residuals.

    Raises
    ------
    FitError
        If shapes do not fit together or too few points are finite.
    """
    a = np.asarray(a, dtype=float)
    data = prepare(a, y, variance, 3)
    reach = float(np.abs(a).max())
    spacing = float(np.median(np.diff(np.sort(a))))
    highest = reach / spacing
    turns = np.concatenate([np.geomspace(0.05, 0.4, 7), np.arange(0.5, max(1.0, highest), 0.2)])
    first = Model(
        "sin2", _sine(reach), turns[:, None], np.asarray([1e-3]), np.asarray([1.1 * turns[-1]]), trials=turns.size
    )
    alternatives: list[Callable[[Solution], Model]] = [
        lambda solution: _harmonic(reach, solution),
        lambda solution: _damped(reach, first),
    ]
    return tuple(_read(chosen, reach) for chosen in choose(first, data, alternatives))


def _half(a: Array, theta: Array, reach: float) -> Array:
    """Rotation angle; theta[0]: half turns at the largest amplitude."""
    angle: Array = np.pi * theta[..., :1] * a / reach
    return angle


def _sine(reach: float) -> Columns:
    def columns(a: Array, theta: Array) -> Array:
        angle = _half(a, theta, reach)
        return np.stack([np.ones_like(angle), np.sin(angle / 2) ** 2], axis=-1)

    return columns


def _harmonic(reach: float, solution: Solution) -> Model:
    """Looked for around the first solution: at half its turns the harmonic would pass for the fundamental."""

    def columns(a: Array, theta: Array) -> Array:
        angle = _half(a, theta, reach)
        return np.stack([np.ones_like(angle), np.sin(angle / 2) ** 2, np.sin(angle) ** 2], axis=-1)

    near = solution.theta[0] * np.asarray([0.8, 0.9, 1.0, 1.1, 1.2])[:, None]
    return Model("second_harmonic", columns, near, 0.9 * near[0], 1.1 * near[-1], solution.model.trials)


def _damped(reach: float, first: Model) -> Model:
    def columns(a: Array, theta: Array) -> Array:
        angle = _half(a, theta, reach)
        left = np.exp(-theta[..., 1:] * np.abs(a) / reach)
        return np.stack([np.ones_like(angle), (1 - left * np.cos(angle)) / 2], axis=-1)

    grid = mesh(first.grid[:, 0], np.asarray([0.1, 0.4, 1.2, 3.0]))
    return Model("damped", columns, grid, np.append(first.lower, -1.0), np.append(first.upper, 30.0), 4 * first.trials)


def _read(chosen: Chosen, reach: float) -> AmplitudeFit:
    p, linear = chosen.theta.size, chosen.linear
    turns = float(chosen.theta[0])
    unit = np.eye(p + linear.size)
    slope = -reach / turns**2
    return AmplitudeFit(
        evidence(chosen),
        pi_amplitude=Measured(reach / turns, chosen.error(list(slope * unit[0]))),
        half_pi_amplitude=Measured(reach / turns / 2, chosen.error(list(slope * unit[0] / 2))),
        ground=Measured(float(linear[0]) + chosen.shift, chosen.error(list(unit[p]))),
        contrast=Measured(float(linear[1]), chosen.error(list(unit[p + 1]))),
    )
