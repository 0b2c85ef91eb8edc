"""Any model that is linear in all but a few parameters: for a task whose physics no other fit knows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kubecal_tasks.fits.batch import prepare
from kubecal_tasks.fits.evidence import Chosen, choose, evidence
from kubecal_tasks.fits.model import Columns, Model
from kubecal_tasks.fits.values import Array, Fit, FitError, Measured


@dataclass(frozen=True)
class SeparableFit(Fit):
    """A fitted model of the caller's own."""

    theta: Array
    """(p,) nonlinear parameters."""
    linear: Array
    """(k,) linear parameters, in units of y."""
    covariance: Array
    """(p + k, p + k) of both, theta first."""

    def nonlinear(self, index: int) -> Measured:
        """One nonlinear parameter with its error."""
        return Measured(float(self.theta[index]), float(np.sqrt(max(0.0, self.covariance[index, index]))))

    def coefficient(self, index: int) -> Measured:
        """One linear parameter with its error."""
        at = self.theta.size + index
        return Measured(float(self.linear[index]), float(np.sqrt(max(0.0, self.covariance[at, at]))))


def fit_separable(
    x: Array, y: Array, variance: Array | None, columns: Columns, grid: Array, lower: Array, upper: Array
) -> SeparableFit:
    """Fit one data set; see :func:`fit_separables`."""
    own = None if variance is None else np.asarray(variance)[None]
    return fit_separables(x, np.asarray(y)[None], own, columns, grid, lower, upper)[0]


def fit_separables(
    x: Array, y: Array, variance: Array | None, columns: Columns, grid: Array, lower: Array, upper: Array
) -> tuple[SeparableFit, ...]:
    """Fit a model given by its columns.

    Parameters
    ----------
    x
        (N,).
    y, variance
        (Q, N).
    columns
        (x (n,), theta (..., p)) to (..., n, k); the first column must be constant 1.
    grid
        (G, p) where to look first. Parameters should be of order one: logarithms, units of the window.
    lower, upper
        (p,) far beyond any true value.

    Raises
    ------
    FitError
        If shapes do not fit together, the first column is not constant, or too few points are finite.
    """
    x, grid = np.asarray(x, dtype=float), np.asarray(grid, dtype=float)
    sample = columns(x, grid[:1])
    if sample.ndim != 3 or sample.shape[1] != x.size or not np.allclose(sample[..., 0], 1.0):
        raise FitError(f"columns of shape {sample.shape[1:]} must be ({x.size}, k), the first of them constant 1")
    data = prepare(x, y, variance, grid.shape[1] + sample.shape[2])
    model = Model("separable", columns, grid, np.asarray(lower), np.asarray(upper), trials=float(grid.shape[0]))
    return tuple(_read(chosen) for chosen in choose(model, data, []))


def _read(chosen: Chosen) -> SeparableFit:
    linear = chosen.linear.copy()
    linear[0] += chosen.shift
    return SeparableFit(evidence(chosen), chosen.theta, linear, chosen.covariance)
