"""Fits one model to the data of many qubits: grid, robust pass, polish, clipping, polish."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.fits.grid import search
from kubecal_tasks.fits.model import Model
from kubecal_tasks.fits.polish import State, polish, slopes, solve_positive
from kubecal_tasks.fits.values import Array, FitError, Mask
from kubecal_tasks.fits.weights import CLIP_SIGMAS, clip, huber, median, robust_sigma, smooth_variance

_ROBUST_ROUNDS = 3
_SUSPICIOUS = 4.0
"""Sigmas from which the grid is searched again; among 200 good points one in a hundred sets has such a one."""
_SUSPICIOUS_UNKNOWN = 3.0
"""The same where the only sigma is that of the residuals, which a wrong first node makes large."""


@dataclass(frozen=True)
class Data:
    """What is fitted, scaled to order one."""

    x: Array
    """(N,)."""
    y: Array
    """(Q, M); 0 where not finite."""
    variance: Array | None
    """(Q, M)."""
    finite: Mask
    """(Q, M)."""
    shift: Array
    """(Q, 1) was subtracted."""
    scale: Array
    """(Q, 1) was divided by."""

    def subset(self, which: NDArray[np.intp]) -> Data:
        """Some of the qubits."""
        variance = None if self.variance is None else self.variance[which]
        return Data(self.x, self.y[which], variance, self.finite[which], self.shift[which], self.scale[which])


@dataclass(frozen=True)
class Solution:
    """A fitted batch, in the scaled units of its data."""

    model: Model
    theta: Array
    """(Q, p)."""
    linear: Array
    """(Q, k)."""
    covariance: Array
    """(Q, p + k, p + k), theta first, scaled by max(1, chi2/dof) or by chi2/dof where variances are unknown."""
    variance: Array
    """(Q, M) as used; ones where unknown."""
    kept: Mask
    suspicious: Array
    """(Q,) fraction of points that look like garbage."""
    residuals: Array
    """(Q, M)."""
    chi2: Array
    """(Q,) of the kept points."""
    dof: Array
    """(Q,)."""
    known: bool

    @property
    def bic(self) -> Array:
        """Bayesian information criterion; a clipped point costs what it would at the clipping limit."""
        points, parameters = self.residuals.shape[1], self.covariance.shape[1]
        squares = self.residuals**2 / self.variance
        if not self.known:
            typical = np.maximum(robust_sigma(self.residuals, self.kept), 1e-12) ** 2
            squares = np.minimum(squares, CLIP_SIGMAS**2 * typical)
            information: Array = points * np.log(squares.mean(axis=1)) + parameters * np.log(points)
            return information
        known: Array = np.minimum(squares, CLIP_SIGMAS**2).sum(axis=1) + parameters * np.log(points)
        return known


def prepare(x: Array, y: Array, variance: Array | None, parameters: int, shift: float | None = None) -> Data:
    """Check shapes, mark what is not finite, scale to order one.

    Parameters
    ----------
    parameters
        How many the model has, linear ones included.
    shift
        Subtracted from the data; None: their median.

    Raises
    ------
    FitError
        If the shapes do not fit together or too few points are finite.
    """
    x = np.asarray(x, dtype=float)
    y = np.asarray(y, dtype=float)
    same = variance is None or variance.shape == y.shape
    if x.ndim != 1 or x.size == 0 or y.ndim != 2 or y.shape[1] % x.size or not same:
        raise FitError(f"data of shape {y.shape} do not belong to a sweep of shape {x.shape}")
    usable = np.isfinite(y)
    if variance is not None:
        variance = np.asarray(variance, dtype=float)
        usable &= np.isfinite(variance) & (variance >= 0)
    fewest = int(usable.sum(axis=1).min(initial=y.shape[1]))
    if fewest <= parameters:
        raise FitError(f"{fewest} finite points of {y.shape[1]} cannot determine {parameters} parameters: sweep more")
    if usable.all():
        low, middle, high = np.percentile(y, [5, 50, 95], axis=1, keepdims=True)
    else:
        low, middle, high = np.nanpercentile(np.where(usable, y, np.nan), [5, 50, 95], axis=1, keepdims=True)
    scale = np.where(high > low, (high - low) / 2, 1.0)
    base = middle if shift is None else np.full_like(middle, shift)
    scaled = np.where(usable, (y - base) / scale, 0.0)
    return Data(x, scaled, _scaled_variance(variance, usable, scale), usable, base, scale)


def _scaled_variance(variance: Array | None, usable: Mask, scale: Array) -> Array | None:
    """A point that claims no noise at all is given a tenth of what its neighbours have; none at all: unknown."""
    if variance is None:
        return None
    typical = median(variance, usable)
    if not np.all(typical > 0):
        return None
    scaled: Array = np.where(usable, np.maximum(variance, 0.1 * typical), typical) / scale**2
    return scaled


def solve(model: Model, data: Data, before: Array | None = None) -> Solution:
    """Fit the model to every qubit of the data.

    Parameters
    ----------
    before
        (Q, M) residuals of a simpler model: what lay far off it is held down in the first search of the grid, since
        among few points a single glitch can make the wrong node the best.
    """
    even = np.ones_like(data.y) if data.variance is None else 1 / np.median(data.variance, axis=1, keepdims=True)
    even = np.broadcast_to(even, data.y.shape) * data.finite
    held = even if before is None else even * huber(before, robust_sigma(before, data.finite))
    theta = _robust_start(model, data, even, held)
    return refine(model, data, theta, even)


def refine(model: Model, data: Data, theta: Array, even: Array) -> Solution:
    """From a start in the right basin to the end."""
    free = np.ones(theta.shape[1], dtype=bool)
    bounds = (model.lower, model.upper)

    def robust(residuals: Array) -> Array:
        return even * huber(residuals, robust_sigma(residuals, data.finite))

    state = polish(model.columns, data.x, data.y, robust, theta, bounds, free, rounds=4)
    variance, kept, suspicious = _weigh(data, state.residuals)
    for rounds in (6, 20):
        state = polish(model.columns, data.x, data.y, kept / variance, state.theta, bounds, free, rounds)
        previous = kept
        variance, kept, suspicious = _weigh(data, state.residuals)
    if not np.array_equal(previous, kept):
        state = polish(model.columns, data.x, data.y, kept / variance, state.theta, bounds, free, 20)
    return finish(model, data, state, (variance, kept, suspicious), free)


def finish(
    model: Model,
    data: Data,
    state: State,
    weighing: tuple[Array, Mask, Array],
    free: Mask,
) -> Solution:
    """Errors and chi2 at the optimum; nonlinear parameters that are not free count as known."""
    variance, kept, suspicious = weighing
    full = np.concatenate([slopes(model.columns, data.x, state, free), state.columns], axis=2)
    weights = kept / variance
    normal = np.swapaxes(full * weights[..., None], 1, 2) @ full
    identity = np.broadcast_to(np.eye(full.shape[2]), normal.shape)
    residuals = state.residuals
    chi2 = np.sum(weights * residuals**2, axis=1)
    dof = np.maximum(kept.sum(axis=1) - full.shape[2], 1)
    known = data.variance is not None
    inflation = np.maximum(1.0, chi2 / dof) if known else chi2 / dof
    covariance = solve_positive(normal, identity) * inflation[:, None, None]
    return Solution(
        model, state.theta, state.linear, covariance, variance, kept, suspicious, residuals, chi2, dof, known
    )


def _weigh(data: Data, residuals: Array) -> tuple[Array, Mask, Array]:
    """Variances, kept points and the fraction of suspicious ones, from residuals of a fit."""
    if data.variance is None:
        sigma = np.maximum(robust_sigma(residuals, data.finite), 1e-12)
        kept, suspicious = clip(residuals / sigma, data.finite)
        return np.ones_like(residuals), kept, suspicious
    variance = smooth_variance(data.variance, data.y - residuals, data.finite)
    kept, suspicious = clip(residuals / np.sqrt(variance), data.finite)
    return variance, kept, suspicious


def _robust_start(model: Model, data: Data, even: Array, weights: Array) -> Array:
    """The grid's best node; searched again with far points held down where there are any."""
    node = search(model, data.x, data.y, weights)
    theta = model.grid[node]
    todo = np.arange(data.y.shape[0])
    for _ in range(_ROBUST_ROUNDS):
        phi = model.columns(data.x, theta[todo])
        residuals = _residuals(phi, data.y[todo], weights[todo])
        sigma = robust_sigma(residuals, data.finite[todo])
        far = np.any((np.abs(residuals) > _far_from(data, todo, sigma)) & data.finite[todo], axis=1)
        if not far.any():
            break
        weights = weights.copy()
        weights[todo] = even[todo] * huber(residuals, sigma)
        todo = todo[far]
        theta[todo] = model.grid[search(model, data.x, data.y[todo], weights[todo])]
    return theta


def _far_from(data: Data, qubits: NDArray[np.intp], sigma: Array) -> Array:
    """Distance (Q, 1) from which a point is suspicious of having pulled the fit to a wrong node."""
    if data.variance is None:
        return _SUSPICIOUS_UNKNOWN * sigma
    claimed = np.sqrt(np.median(data.variance[qubits], axis=1, keepdims=True))
    distance: Array = _SUSPICIOUS * np.minimum(sigma, claimed)
    return distance


def _residuals(phi: Array, y: Array, weights: Array) -> Array:
    weighted = np.swapaxes(phi * weights[..., None], 1, 2)
    linear = solve_positive(weighted @ phi, weighted @ y[..., None])
    return y - (phi @ linear)[..., 0]
