"""Trains of one pulse, of several kinds, fitted together: what it turns too far and how its axis is tilted.

After n repetitions of nominal angle a, behind a lead,

    y(n) = ground + (excited - ground) (1 - d^(w n) cos(lead + n (a + x))) / 2

with x the error of one pulse's angle in some series, and in others what a pair of opposite pi rotations turns by,
4 times the tilt of their axis (physics.md, DRAG). w is how many pulses a repetition has, d what each keeps. A
quarter-turn lead is a pulse of its own: its error, the same for every n, is fitted too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kubecal_tasks.fits.batch import Solution, prepare, solve
from kubecal_tasks.fits.checks import Finding, believed, data_checks
from kubecal_tasks.fits.evidence import Chosen, choose, evidence
from kubecal_tasks.fits.model import Columns, Model, mesh
from kubecal_tasks.fits.values import Array, Fit, FitError, Measured

_LARGEST = 0.6
"""Errors up to so many rad a repetition are looked for: three times what a pulse without DRAG does."""
_STEP = 0.8
"""rad that neighbouring nodes differ by at the end of the train."""


@dataclass(frozen=True)
class Series:
    """One kind of train."""

    words: str
    angle: float = 0.0
    """Of one repetition, rad."""
    led: bool = False
    """Whether a quarter turn goes before."""
    tilts: bool = False
    """Whether it adds up the tilt of the axis rather than the error of the angle."""
    pulses: int = 1
    """Of one repetition."""


@dataclass(frozen=True)
class TrainFit(Fit):
    """Fitted trains."""

    series: tuple[Series, ...]
    error_angle: Measured
    """By how much one pulse turns too far, rad."""
    pair_angle: Measured
    """By how much a pair of opposite pi rotations turns, rad; NaN where no series tells."""
    loss: Measured
    """Part of the coherence that one pulse loses."""
    ground: Measured
    """Signal of |0>."""
    excited: Measured
    """Signal of |1>."""


def fit_train(n: Array, y: Array, variance: Array | None, series: Sequence[Series]) -> TrainFit:
    """Fit the trains of one qubit, y and variance (series, N); see :func:`fit_trains`."""
    own = None if variance is None else np.asarray(variance, dtype=float).reshape(1, -1)
    return fit_trains(n, np.asarray(y, dtype=float).reshape(1, -1), own, series)[0]


def fit_trains(n: Array, y: Array, variance: Array | None, series: Sequence[Series]) -> tuple[TrainFit, ...]:
    """Fit the trains of many qubits.

    Parameters
    ----------
    n
        (N,) numbers of repetitions, the same for every series.
    y, variance
        (Q, series x N), one series after the other.
    series
        What was measured. One of them must be without a lead and turn: only it shows what |0> and |1> look like.

    Raises
    ------
    FitError
        If none of the series shows the contrast, shapes do not fit together, or too few points are finite.
    """
    if not any(each.angle and not each.led for each in series):
        raise FitError("no train turns from |0>, so that nothing tells the contrast: add one without a lead")
    n = np.asarray(n, dtype=float)
    first = _model(n, tuple(series), _where_angles_lie(n, y, variance, tuple(series)))
    data = prepare(n, y, variance, first.parameters + 2)
    alternatives: list[Callable[[Solution], Model]] = [lambda solution: _skewed(n, tuple(series), first)]
    chosen = choose(first, data, alternatives, axes=len(series))
    return tuple(_read(each, n, tuple(series)) for each in chosen)


def train_checks(fit: TrainFit) -> list[Finding]:
    """The usual ones: the series without a lead goes up and down if there is anything to see."""
    return believed(data_checks(fit))


def _most(n: Array) -> float:
    return max(1.0, float(np.nanmax(n)))


def _excited_part(n: Array, theta: Array, most: float, series: Sequence[Series]) -> Array:
    """(..., series x N) of P(1).

    theta: error of the angle added up to the largest n, -log of what coherence is left there; where a series has a
    lead its error, and where one tilts what pairs add up to, last.
    """
    parts = []
    for each in series:
        turned = theta[..., -1:] if each.tilts else theta[..., :1]
        start = np.pi / 2 + theta[..., 2:3] if each.led else 0.0
        left = np.exp(-theta[..., 1:2] * each.pulses * n / most)
        parts.append((1 - left * np.cos(start + n * each.angle + turned * n / most)) / 2)
    return np.concatenate(parts, axis=-1)


def _levels(most: float, series: Sequence[Series]) -> Columns:
    def columns(n: Array, theta: Array) -> Array:
        p = _excited_part(n, theta, most, series)
        return np.stack([np.ones_like(p), p], axis=-1)

    return columns


def _errors(most: float) -> Array:
    """Errors that are looked at, added up to the largest n."""
    return np.arange(-_LARGEST * most, _LARGEST * most + _STEP / 2, _STEP)


def _where_angles_lie(n: Array, y: Array, variance: Array | None, series: tuple[Series, ...]) -> Array:
    """The errors near which those of the angle lie, found without the series that tilt: all pairs would be many."""
    errors = _errors(_most(n))
    told = np.repeat([not each.tilts for each in series], n.size)
    y = np.asarray(y, dtype=float)
    if told.all() or y.ndim != 2 or y.shape[1] != told.size:
        return errors  # shapes that do not fit are refused where all are looked at
    alone = _model(n, tuple(each for each in series if not each.tilts), errors)
    own = None if variance is None else np.asarray(variance, dtype=float)[:, told]
    found = solve(alone, prepare(n, y[:, told], own, alone.parameters + 2)).theta[:, 0]
    nearest: Array = np.unique(errors[np.abs(found[:, None] - errors).argmin(axis=1)])
    return nearest


def _model(n: Array, series: tuple[Series, ...], angles: Array) -> Model:
    """The grid holds these errors of the angle, and every one of what pairs turn by."""
    most = _most(n)
    errors = _errors(most)
    axes = [angles, np.asarray([0.0, 0.4])]
    ends = [(2 * errors[0], 2 * errors[-1]), (-0.5, 20.0)]
    if any(each.led for each in series):  # small, so that the search for the others finds it on its way
        axes, ends = [*axes, np.asarray([0.0])], [*ends, (-np.pi / 2, np.pi / 2)]
    if tilts := any(each.tilts for each in series):
        axes, ends = [*axes, errors], [*ends, ends[0]]
    lower, upper = np.asarray(ends, dtype=float).T
    trials = float(errors.size) * (errors.size if tilts else 1)
    return Model("train", _levels(most, series), mesh(*axes), lower, upper, trials=trials)


def _skewed(n: Array, series: tuple[Series, ...], first: Model) -> Model:
    """Shots that start before the qubit has relaxed see a signal bent towards |0>: p (1 - p) besides p."""
    most = _most(n)

    def columns(x: Array, theta: Array) -> Array:
        p = _excited_part(x, theta, most, series)
        return np.stack([np.ones_like(p), p, p * (1 - p)], axis=-1)

    return Model("second_harmonic", columns, first.grid, first.lower, first.upper, first.trials)


def _read(chosen: Chosen, n: Array, series: tuple[Series, ...]) -> TrainFit:
    p, linear, most = chosen.theta.size, chosen.linear, _most(n)
    unit = np.eye(p + linear.size)
    left = float(np.exp(-chosen.theta[1] / most))
    start = float(linear[0]) + chosen.shift
    pair = Measured(float("nan"), float("nan"))
    if any(each.tilts for each in series):
        pair = Measured(float(chosen.theta[-1]) / most, chosen.error(list(unit[p - 1] / most)))
    return TrainFit(
        evidence(chosen, axes=len(series)),
        series=series,
        error_angle=Measured(float(chosen.theta[0]) / most, chosen.error(list(unit[0] / most))),
        pair_angle=pair,
        loss=Measured(1 - left, chosen.error(list(unit[1] * left / most))),
        ground=Measured(start, chosen.error(list(unit[p]))),
        excited=Measured(start + float(linear[1]), chosen.error(list(unit[p] + unit[p + 1]))),
    )
