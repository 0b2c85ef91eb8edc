"""Error amplification: the same pulse many times over.

n pulses of nominal angle a, each off by eps, after a lead angle (a half-pi pulse before pi pulses):

    y(n) = ground + (excited - ground) (1 - d^n cos(lead + n (a + eps))) / 2

For half-pi pulses without a lead this is sin^2(n (pi/4 + eps/2)). The error eps grows with n, so that
sigma(eps) ~ 1/(n sqrt(shots)); what one pulse loses, 1 - d, is fitted too. |0> and |1> are measured as well,
because pulses that are right leave a signal that says nothing about contrast.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kubecal_tasks.fits.batch import Solution, prepare
from kubecal_tasks.fits.evidence import Chosen, choose, evidence
from kubecal_tasks.fits.model import Columns, Model, mesh
from kubecal_tasks.fits.values import Array, Fit, FitError, Measured

_LARGEST = 0.6
"""Errors up to so many rad are looked for; the first sweep of an amplitude is right to far better."""


@dataclass(frozen=True)
class RepetitionFit(Fit):
    """A fitted series of repeated pulses."""

    error_angle: Measured
    """By how much one pulse turns too far, rad."""
    loss: Measured
    """Part of the coherence that one pulse loses."""
    ground: Measured
    """Signal of |0>."""
    excited: Measured
    """Signal of |1>."""


Level = tuple[float, float]
"""Signal of a prepared state and its variance."""


def fit_repetition(
    n: Array,
    y: Array,
    variance: Array | None = None,
    angle: float = np.pi / 2,
    lead: float = 0.0,
    ground: Level | None = None,
    excited: Level | None = None,
) -> RepetitionFit:
    """Fit one series; see :func:`fit_repetitions`.

    Parameters
    ----------
    ground, excited
        Separately measured signals of |0> and |1> with their variances, both or none. They join the data as
        two further points, so ``fit.x`` ends with two values of NaN that stand for them.
    """
    if (ground is None) != (excited is None):
        raise FitError("give both references, of |0> and of |1>, or none")
    n, y = np.asarray(n, dtype=float), np.asarray(y, dtype=float)
    if ground is not None and excited is not None:
        n = np.append(n, [np.nan, np.nan])
        y = np.append(y, [ground[0], excited[0]])
        variance = None if variance is None else np.append(variance, [ground[1], excited[1]])
    return fit_repetitions(n, y[None], None if variance is None else np.asarray(variance)[None], angle, lead)[0]


def fit_repetitions(
    n: Array, y: Array, variance: Array | None = None, angle: float = np.pi / 2, lead: float = 0.0
) -> tuple[RepetitionFit, ...]:
    """Fit the repeated pulses of many qubits.

    Parameters
    ----------
    n
        (N,) numbers of pulses. Where the last two are NaN, the last two points are |0> and |1>.
    y, variance
        (Q, N).
    angle, lead
        Nominal angle of one pulse and what was turned before the first, rad.

    Raises
    ------
    FitError
        If shapes do not fit together or too few points are finite.
    """
    n = np.asarray(n, dtype=float)
    data = prepare(n, y, variance, 4)
    most = max(1.0, float(np.nanmax(n)))
    first = _model(most, angle, lead)
    alternatives: list[Callable[[Solution], Model]] = [lambda solution: _skewed(most, angle, lead, first)]
    return tuple(_read(chosen, most) for chosen in choose(first, data, alternatives))


def _excited_part(n: Array, theta: Array, most: float, angle: float, lead: float) -> Array:
    """P(1); theta[0]: accumulated error at the largest n, theta[1]: -log of what coherence is left there."""
    count = np.nan_to_num(n)
    turned = np.cos(lead + count * angle + theta[..., :1] * count / most)
    p: Array = (1 - np.exp(-theta[..., 1:2] * count / most) * turned) / 2
    if n.size > 2 and np.isnan(n[-1]):
        p[..., -2], p[..., -1] = 0.0, 1.0
    return p


def _levels(most: float, angle: float, lead: float) -> Columns:
    def columns(n: Array, theta: Array) -> Array:
        p = _excited_part(n, theta, most, angle, lead)
        return np.stack([np.ones_like(p), p], axis=-1)

    return columns


def _model(most: float, angle: float, lead: float) -> Model:
    reach = min(_LARGEST, angle / 2) * most
    errors = np.arange(-reach, reach + 0.3, 0.6)
    grid = mesh(errors, np.asarray([0.0, 0.3, 1.0]))
    lower, upper = np.asarray([-2 * reach, -0.5]), np.asarray([2 * reach, 20.0])
    return Model("repetition", _levels(most, angle, lead), grid, lower, upper, trials=errors.size)


def _skewed(most: float, angle: float, lead: float, first: Model) -> Model:
    """Shots that start before the qubit has relaxed see a signal bent towards |0>: p (1 - p) besides p."""

    def columns(n: Array, theta: Array) -> Array:
        p = _excited_part(n, theta, most, angle, lead)
        return np.stack([np.ones_like(p), p, p * (1 - p)], axis=-1)

    return Model("second_harmonic", columns, first.grid, first.lower, first.upper, first.trials)


def _read(chosen: Chosen, most: float) -> RepetitionFit:
    p, linear = chosen.theta.size, chosen.linear
    unit = np.eye(p + linear.size)
    left = float(np.exp(-chosen.theta[1] / most))
    start = float(linear[0]) + chosen.shift
    return RepetitionFit(
        evidence(chosen),
        error_angle=Measured(float(chosen.theta[0]) / most, chosen.error(list(unit[0] / most))),
        loss=Measured(1 - left, chosen.error(list(unit[1] * left / most))),
        ground=Measured(start, chosen.error(list(unit[p]))),
        excited=Measured(start + float(linear[1]), chosen.error(list(unit[p] + unit[p + 1]))),
    )
