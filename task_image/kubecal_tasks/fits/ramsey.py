"""Ramsey fringes along X and Y, as one complex signal.

    X + iY = (offset_x + i offset_y) + C E(t) e^{2 pi i f t},   E = e^{-w t/T - (1 - w)(t/T)^2}

The sign of f comes from the two axes together. E is the product e^{-t/T2} e^{-(t/Tg)^2} written so that T is
the time after which it has fallen to 1/e, whatever the shape. Data rarely tell w, so that it is averaged over
0 ... 1, each value with its likelihood, and its ignorance shows in the error of T. Where chi2 fails, the second
harmonic that shots started before the qubit has relaxed bring, and two lines are tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.fits.batch import Data, Solution, finish, prepare
from kubecal_tasks.fits.evidence import Chosen, choose, evidence
from kubecal_tasks.fits.model import Model, mesh
from kubecal_tasks.fits.polish import polish
from kubecal_tasks.fits.values import Array, Fit, FitError, Measured

TWO_PI = 2 * np.pi
TWO_LINES = "two_lines"
HARMONIC = "second_harmonic"
_FREQUENCY_STEP = 0.4
_TIMES = np.log([0.04, 0.15, 0.6, 3.0])
"""T in windows."""
_SHAPES = 5
"""Values of w at which the rest is fitted again; between them chi2 and log T are interpolated."""
_SHAPE_SIGMAS = 3.5
_NODES, _FINE = np.linspace(-1.0, 1.0, _SHAPES), np.linspace(-1.0, 1.0, 81)
_INTERPOLATE = np.vander(_FINE, _SHAPES) @ np.linalg.inv(np.vander(_NODES, _SHAPES))
_BOUNDS_T = (np.log(0.005), np.log(100.0))


@dataclass(frozen=True)
class RamseyFit(Fit):
    """Fitted fringes; frequency in cycles per unit of x. The curve is (2, n): X and Y."""

    frequency: Measured
    """Signed: positive turns from X to Y."""
    t2_star: Measured
    """Time at which the envelope has fallen to 1/e."""
    shape: Measured
    """w: 0 Gaussian, 1 exponential; data that say nothing leave 0.5 +- 0.29."""
    amplitude: Measured
    """Radius at zero delay."""
    phase: Measured
    """Angle from X at zero delay, rad."""
    offset_x: Measured
    offset_y: Measured
    nyquist: float
    """Highest frequency that this spacing resolves."""
    half_distance: float
    """Of two lines, and part of the frequency's error then; 0 where there is one."""

    @property
    def periods(self) -> float:
        """How many periods the window holds."""
        return abs(self.frequency.value) * self.span


def fit_ramsey(
    t: Array, x_signal: Array, y_signal: Array, x_variance: Array | None = None, y_variance: Array | None = None
) -> RamseyFit:
    """Fit one pair of fringes; see :func:`fit_ramseys`."""
    pair = np.stack([np.asarray(x_signal, dtype=float), np.asarray(y_signal, dtype=float)])
    if (x_variance is None) != (y_variance is None):
        raise FitError("give the variances of both axes, or of none")
    if x_variance is None or y_variance is None:
        return fit_ramseys(t, pair[None])[0]
    return fit_ramseys(t, pair[None], np.stack([np.asarray(x_variance), np.asarray(y_variance)])[None])[0]


def fit_ramseys(t: Array, y: Array, variance: Array | None = None) -> tuple[RamseyFit, ...]:
    """Fit the fringes of many qubits measured at the same delays.

    Parameters
    ----------
    t
        (N,) delays.
    y, variance
        (Q, 2, N): along X and along Y.

    Raises
    ------
    FitError
        If shapes do not fit together or too few points are finite.
    """
    t, y = np.asarray(t, dtype=float), np.asarray(y, dtype=float)
    if y.ndim != 3 or y.shape[1:] != (2, t.size):
        raise FitError(f"fringes of shape {y.shape} must be (qubits, 2, {t.size})")
    flat = y.reshape(y.shape[0], -1)
    data = prepare(t, flat, None if variance is None else np.asarray(variance).reshape(flat.shape), 7)
    span = float(t.max() - t.min())
    nyquist = 0.5 / float(np.median(np.diff(np.sort(t))))
    first = _one_line(span, nyquist * span)
    alternatives: list[Callable[[Solution], Model]] = [
        lambda solution: _harmonic(span, solution),
        lambda solution: _two_lines(span, solution),
    ]
    chosen = choose(first, data, alternatives, axes=2)
    return tuple(_read(each, averaged, span, nyquist) for each, averaged in zip(chosen, _average(chosen), strict=True))


def _envelope(t: Array, log_time: Array, w: Array, span: float) -> Array:
    u = t / (span * np.exp(log_time))
    envelope: Array = np.exp(-w * u - (1 - w) * u * u)
    return envelope


def _axes(parts: list[tuple[Array, Array]]) -> Array:
    """Columns (..., 2n, 2 + 2 lines) of stacked X and Y from the cosine and sine parts of each line."""
    shape = parts[0][0].shape
    n = shape[-1]
    columns = np.zeros((*shape[:-1], 2 * n, 2 + 2 * len(parts)))
    columns[..., :n, 0] = columns[..., n:, 1] = 1.0
    for i, (cosine, sine) in enumerate(parts):
        at = 2 + 2 * i
        columns[..., :n, at] = columns[..., n:, at + 1] = cosine
        columns[..., n:, at] = sine
        columns[..., :n, at + 1] = -sine
    return columns


def _one_line(span: float, highest: float) -> Model:
    """theta: frequency in cycles a window, log T in windows, w."""

    def columns(t: Array, theta: Array) -> Array:
        envelope = _envelope(t, theta[..., 1:2], theta[..., 2:3], span)
        angle = TWO_PI * theta[..., :1] * t / span
        return _axes([(envelope * np.cos(angle), envelope * np.sin(angle))])

    frequencies = np.arange(-highest, highest + _FREQUENCY_STEP, _FREQUENCY_STEP)

    def folded(t: Array, theta: Array) -> NDArray[Any]:
        # The grid is a product: each phasor and each envelope is computed once.
        phasors = np.exp(1j * TWO_PI * frequencies[:, None] * t / span).astype(np.complex64)
        envelopes = _envelope(t, _TIMES[:, None], np.asarray([[0.5]]), span).astype(np.float32)
        columns = np.ones((2, theta.shape[0], t.size), dtype=np.complex64)
        np.multiply(phasors[:, None], envelopes[None], out=columns[1].reshape(-1, _TIMES.size, t.size))
        return np.moveaxis(columns, 0, -1)

    lower = np.asarray([-1.05 * highest, _BOUNDS_T[0], 0.0])
    upper = np.asarray([1.05 * highest, _BOUNDS_T[1], 1.0])
    grid = mesh(frequencies, _TIMES, np.asarray([0.5]))
    return Model("fringes", columns, grid, lower, upper, trials=4.0 * frequencies.size, folded=folded)


def _harmonic(span: float, solution: Solution) -> Model:
    """The next shot's contrast falls with what this one left excited: E^2 cos^2 along X and E^2 sin^2 along Y besides.

    Looked for around the first solution: at half its frequency the harmonic would pass for the fringes.
    """
    base = solution.model.columns

    def columns(t: Array, theta: Array) -> Array:
        squared = _envelope(t, theta[..., 1:2], theta[..., 2:3], span) ** 2
        twice = 2 * TWO_PI * theta[..., :1] * t / span
        bent = [np.concatenate([squared, squared], axis=-1)]
        for part in (squared * np.cos(twice), squared * np.sin(twice)):
            bent.append(np.concatenate([part, -part], axis=-1))
        return np.concatenate([base(t, theta), np.stack(bent, axis=-1)], axis=-1)

    first = solution.model
    near = solution.theta[0, 0] + _FREQUENCY_STEP * np.arange(-2.0, 3.0)
    grid = mesh(near, _TIMES, np.asarray([0.5]))
    lower, upper = first.lower.copy(), first.upper.copy()
    lower[0], upper[0] = near[0] - _FREQUENCY_STEP, near[-1] + _FREQUENCY_STEP
    return Model(HARMONIC, columns, grid, lower, upper, first.trials)


def _two_lines(span: float, solution: Solution) -> Model:
    """theta: mean frequency, log T, w, half the distance; looked for around the line found first."""

    def columns(t: Array, theta: Array) -> Array:
        envelope = _envelope(t, theta[..., 1:2], theta[..., 2:3], span)
        parts = []
        for sign in (-1.0, 1.0):
            angle = TWO_PI * (theta[..., :1] + sign * theta[..., 3:4]) * t / span
            parts.append((envelope * np.cos(angle), envelope * np.sin(angle)))
        return _axes(parts)

    def folded(t: Array, theta: Array) -> NDArray[Any]:
        envelope = _envelope(t, theta[..., 1:2], theta[..., 2:3], span)
        lines = [envelope * np.exp(1j * TWO_PI * (theta[..., :1] + s * theta[..., 3:4]) * t / span) for s in (-1, 1)]
        return np.stack([np.ones_like(lines[0]), *lines], axis=-1)

    found = float(solution.theta[0, 0])
    offsets, halves = np.arange(-6.0, 6.1, 0.3), np.arange(0.2, 6.0, 0.3)
    grid = mesh(offsets, _TIMES[1:], np.asarray([0.5]), halves)
    # One of the two is the line found first, or they lie evenly about it.
    near = np.minimum(np.abs(grid[:, 0]), np.abs(np.abs(grid[:, 0]) - grid[:, 3])) < 0.5
    grid = grid[near] + np.asarray([found, 0, 0, 0])
    highest = solution.model.upper[0]
    lower = np.asarray([-highest, _BOUNDS_T[0], 0.0, 0.05])
    upper = np.asarray([highest, _BOUNDS_T[1], 1.0, highest])
    return Model(TWO_LINES, columns, grid, lower, upper, trials=float(grid.shape[0]), folded=folded)


@dataclass(frozen=True)
class _Averaged:
    """Moments over the shapes w of one qubit's envelope."""

    log_time: Measured
    w: Measured


def _average(chosen: list[Chosen]) -> list[_Averaged]:
    """Marginalise over w: at each of its values the others are fitted again, and count by their likelihood."""
    averaged: dict[int, _Averaged] = {}
    for solution in {id(each.solution): each for each in chosen}.values():
        mine = [i for i, each in enumerate(chosen) if each.solution is solution.solution]
        qubits = np.asarray([chosen[i].index for i in mine])
        for i, result in zip(mine, _over_shapes(solution.solution, solution.data, qubits), strict=True):
            averaged[i] = result
    return [averaged[i] for i in range(len(chosen))]


def _over_shapes(solution: Solution, data: Data, qubits: NDArray[np.intp]) -> list[_Averaged]:
    rows = np.repeat(qubits, _SHAPES)
    start = solution.theta[rows].copy()
    w, sigma = solution.theta[qubits, 2], np.sqrt(solution.covariance[qubits, 2, 2])
    lowest = np.clip(w - _SHAPE_SIGMAS * sigma, 0.0, 0.98)
    highest = np.clip(w + _SHAPE_SIGMAS * sigma, lowest + 0.02, 1.0)
    shapes = np.linspace(lowest, highest, _SHAPES, axis=1).ravel()
    # Along the valley that the covariance shows, the start is all but the end.
    valley = solution.covariance[rows, :, 2] / solution.covariance[rows, 2, 2][:, None]
    others = [j for j in range(start.shape[1]) if j != 2]
    start[:, others] += np.clip(valley[:, others] * (shapes - start[:, 2])[:, None], -0.5, 0.5)
    start[:, 2] = shapes
    free = np.ones(start.shape[1], dtype=bool)
    free[2] = False
    part = data.subset(rows)
    weights = solution.kept[rows] / solution.variance[rows]
    bounds = (solution.model.lower, solution.model.upper)
    state = polish(solution.model.columns, data.x, part.y, weights, start, bounds, free, 12)
    weighing = (solution.variance[rows], solution.kept[rows], solution.suspicious[rows])
    ends = finish(solution.model, part, state, weighing, free)
    return [_moments(ends, slice(i * _SHAPES, (i + 1) * _SHAPES)) for i in range(qubits.size)]


def _moments(ends: Solution, rows: slice) -> _Averaged:
    chi2, w = ends.chi2[rows], ends.theta[rows, 2]
    misfit = float(chi2.min() / ends.dof[rows][0])
    inflation = max(1.0, misfit) if ends.known else max(misfit, 1e-300)
    between = _INTERPOLATE @ np.stack([chi2 - chi2.min(), ends.theta[rows, 1], w], axis=1)
    # Times and chi2 are smooth in w; the variance changes little, and must not be extrapolated below zero.
    variances = np.interp(_FINE, _NODES, ends.covariance[rows, 1, 1])
    probability = np.exp(-(between[:, 0] - between[:, 0].min()) / 2 / inflation)
    probability /= probability.sum()
    mean, w_mean = probability @ between[:, 1:]
    spread = float(probability @ (variances + (between[:, 1] - mean) ** 2))
    w_spread = float(probability @ (between[:, 2] - w_mean) ** 2)
    return _Averaged(Measured(float(mean), float(np.sqrt(spread))), Measured(float(w_mean), float(np.sqrt(w_spread))))


def _read(chosen: Chosen, averaged: _Averaged, span: float, nyquist: float) -> RamseyFit:
    two = chosen.alternative == TWO_LINES
    if two:
        chosen = replace(chosen, flags=frozenset({TWO_LINES}))
    p, linear = chosen.theta.size, chosen.linear
    unit = np.eye(p + linear.size)
    shift = chosen.shift
    lines = (2, 4) if two else (2,)
    radii = [max(float(np.hypot(linear[i], linear[i + 1])), 1e-300) for i in lines]
    outwards = sum(
        ((linear[i] * unit[p + i] + linear[i + 1] * unit[p + i + 1]) / r for i, r in zip(lines, radii, strict=True)),
        np.zeros(p + linear.size),
    )
    sideways = (linear[2] * unit[p + 3] - linear[3] * unit[p + 2]) / radii[0] ** 2
    frequency_error = chosen.error(list(unit[0] / span))
    half_distance = abs(float(chosen.theta[3])) / span if two else 0.0
    frequency_error = float(np.hypot(frequency_error, half_distance))
    time = span * float(np.exp(averaged.log_time.value))
    return RamseyFit(
        evidence(chosen, axes=2),
        frequency=Measured(float(chosen.theta[0]) / span, frequency_error),
        t2_star=Measured(time, time * averaged.log_time.error),
        shape=averaged.w,
        amplitude=Measured(float(sum(radii)), chosen.error(list(outwards))),
        phase=Measured(float(np.arctan2(linear[3], linear[2])), chosen.error(list(sideways))),
        offset_x=Measured(float(linear[0]) + shift, chosen.error(list(unit[p]))),
        offset_y=Measured(float(linear[1]) + shift, chosen.error(list(unit[p + 1]))),
        nyquist=nyquist,
        half_distance=half_distance,
    )
