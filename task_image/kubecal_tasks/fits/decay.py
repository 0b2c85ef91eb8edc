"""Exponential decays: T1 and echo.

    y(t) = offset + contrast e^{-t/tau}

With a finite interval between shots the next shot starts before the qubit has relaxed; for T1 the steady state
of that gives e^{-t/tau} / (1 + e^{-(t + interval)/tau}) instead. Where a plain decay fails its chi2, a
stretched one, e^{-(t/tau)^n}, and a sum of two are tried; tau is then the time at which the curve has fallen
to 1/e of its start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kubecal_tasks.fits.batch import Solution, prepare
from kubecal_tasks.fits.evidence import Chosen, choose, evidence
from kubecal_tasks.fits.model import Columns, Model, mesh
from kubecal_tasks.fits.values import Array, Fit, Measured

_SHORTEST, _LONGEST = 0.2, 30.0
"""Decay times looked at: from this part of the first gap to this many windows."""


@dataclass(frozen=True)
class DecayFit(Fit):
    """A fitted decay."""

    tau: Measured
    """Decay time, unit of x."""
    contrast: Measured
    """Signal at zero delay minus that at infinite delay."""
    offset: Measured
    """Signal at infinite delay."""


def fit_decay(
    t: Array, y: Array, variance: Array | None = None, interval: float | None = None, offset: float | None = None
) -> DecayFit:
    """Fit one decay; see :func:`fit_decays`."""
    own = None if variance is None else np.asarray(variance)[None]
    return fit_decays(t, np.asarray(y)[None], own, interval, offset)[0]


def fit_decays(
    t: Array, y: Array, variance: Array | None = None, interval: float | None = None, offset: float | None = None
) -> tuple[DecayFit, ...]:
    """Fit the decays of many qubits measured at the same delays.

    Parameters
    ----------
    t
        (N,) delays, at least 0.
    y, variance
        (Q, N) signal and the variance of each point; None: estimated from the residuals.
    interval
        Wait between shots, unit of t, for T1 alone; None: shots start relaxed.
    offset
        The signal at infinite delay where it is known, as that of an echo whose sign was alternated; None: fitted.

    Raises
    ------
    FitError
        If shapes do not fit together or too few points are finite.
    """
    t = np.asarray(t, dtype=float)
    data = prepare(t, y, variance, 3, offset)
    free = offset is None
    span = float(t.max())
    times = _times(t)
    first = Model(
        "exponential",
        _columns(span, interval, free),
        np.log(times / span)[:, None],
        np.log(times[:1] / span) - 3,
        np.log(times[-1:] / span) + 3,
        trials=5.0,
        level_known=not free,
    )
    alternatives: list[Callable[[Solution], Model]] = [
        lambda solution: _stretched(span, first, free),
        lambda solution: _biexponential(span, first, free),
    ]
    return tuple(_read(chosen, span, free) for chosen in choose(first, data, alternatives))


def _times(t: Array) -> Array:
    gap = float(np.min(np.diff(np.unique(t)), initial=t.max()))
    return np.geomspace(_SHORTEST * gap, _LONGEST * t.max(), 40)


def _columns(span: float, interval: float | None, free: bool) -> Columns:
    def columns(t: Array, theta: Array) -> Array:
        tau = span * np.exp(theta)
        decay = np.exp(-t / tau)
        if interval is not None:
            decay = decay / (1 + decay * np.exp(-interval / tau))
        return _with_offset(free, decay)

    return columns


def _with_offset(free: bool, *parts: Array) -> Array:
    constant = (np.ones_like(parts[0]),) if free else ()
    return np.stack([*constant, *parts], axis=-1)


def _stretched(span: float, first: Model, free: bool) -> Model:
    def columns(t: Array, theta: Array) -> Array:
        decay = np.exp(-((np.maximum(t, 0) / (span * np.exp(theta[..., :1]))) ** np.exp(theta[..., 1:])))
        return _with_offset(free, decay)

    grid = mesh(first.grid[:, 0], np.log([0.4, 0.6, 0.8, 1.25, 1.6, 2.0]))
    lower, upper = np.append(first.lower, np.log(0.2)), np.append(first.upper, np.log(4.0))
    return Model("stretched", columns, grid, lower, upper, trials=20.0, level_known=not free)


def _biexponential(span: float, first: Model, free: bool) -> Model:
    def columns(t: Array, theta: Array) -> Array:
        slow = np.exp(-t / (span * np.exp(theta[..., :1])))
        fast = np.exp(-t / (span * np.exp(theta[..., :1] - np.exp(theta[..., 1:]))))
        return _with_offset(free, slow, fast)

    grid = mesh(first.grid[::2, 0], np.log([0.7, 1.2, 2.0, 3.5]))
    lower, upper = np.append(first.lower, np.log(0.2)), np.append(first.upper, np.log(8.0))
    return Model("biexponential", columns, grid, lower, upper, trials=20.0, level_known=not free)


def _read(chosen: Chosen, span: float, free: bool) -> DecayFit:
    linear = chosen.linear
    p, k = chosen.theta.size, linear.size
    constants = int(free)
    base = np.zeros(p + k)
    base[p : p + constants] = 1.0
    fall = np.zeros(p + k)
    fall[p + constants :] = 1.0
    return DecayFit(
        evidence(chosen),
        tau=_tau(chosen, span, linear[constants:]),
        contrast=Measured(float(linear[constants:].sum()), chosen.error(list(fall))),
        offset=Measured(float(linear[:constants].sum()) + chosen.shift, chosen.error(list(base))),
    )


def _tau(chosen: Chosen, span: float, parts: Array) -> Measured:
    """The 1/e time. Of a sum of two decays it is found on the curve and its error by differences."""
    size = chosen.theta.size + chosen.linear.size
    if chosen.alternative != "biexponential":
        tau = span * float(np.exp(chosen.theta[0]))
        gradient = np.zeros(size)
        gradient[0] = tau
        return Measured(tau, chosen.error(list(gradient)))
    start = np.concatenate([chosen.theta, parts])
    involved = [0, 1, *range(size - parts.size, size)]
    steps = 1e-4 * np.sqrt(np.maximum(np.diagonal(chosen.covariance)[involved], 1e-30))
    gradient = np.zeros(size)
    gradient[involved] = [
        (_one_over_e(start + move, span) - _one_over_e(start - move, span)) / (2 * step)
        for step, move in zip(steps, np.diag(steps), strict=True)
    ]
    return Measured(_one_over_e(start, span), chosen.error(list(gradient)))


def _one_over_e(parameters: Array, span: float) -> float:
    """parameters: both of theta, then the slow and the fast part."""
    theta, slow_part, fast_part = parameters[:2], parameters[2], parameters[3]
    slow = span * np.exp(theta[0])
    fast = slow * np.exp(-np.exp(theta[1]))
    total = slow_part + fast_part
    low, high = 0.0, 50.0 * slow
    for _ in range(80):
        middle = (low + high) / 2
        left = (slow_part * np.exp(-middle / slow) + fast_part * np.exp(-middle / fast)) / total
        low, high = (middle, high) if left > np.exp(-1) else (low, middle)
    return float((low + high) / 2)
