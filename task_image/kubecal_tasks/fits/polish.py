"""The local polish: Levenberg-Marquardt steps in the nonlinear parameters, linear ones solved exactly.

Runs for a whole batch at once; a qubit that has converged leaves the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kubecal_tasks.fits.model import Columns
from kubecal_tasks.fits.values import Array, Mask

_STEP = 1e-6
"""For differences in parameters of order one: slopes are good to six digits, far better than any step needs."""
_CONVERGED = 1e-4
"""Predicted improvement of chi2 as a fraction of chi2/dof: a hundredth of a sigma."""
_RIDGE = 1e-13
_FIELDS = ("theta", "linear", "residuals", "columns")


@dataclass
class State:
    """Where a batch of fits stands; changed in place."""

    theta: Array
    """(Q, p)."""
    linear: Array
    """(Q, k)."""
    residuals: Array
    """(Q, M)."""
    columns: Array
    """(Q, M, k) at theta."""


def polish(
    columns: Columns,
    x: Array,
    y: Array,
    weights: Array | Callable[[Array], Array],
    theta: Array,
    bounds: tuple[Array, Array],
    free: Mask,
    rounds: int,
) -> State:
    """Minimise the weighted sum of squares from a start near the optimum.

    Parameters
    ----------
    y
        (Q, M).
    weights
        (Q, M), or what makes them of residuals (Q, M): then they are renewed before each round.
    theta
        (Q, p) start.
    free
        (p,) False: this parameter stays where it is.
    rounds
        At most so many steps are tried.
    """
    renewed = weights if callable(weights) else None
    fixed_weights = np.ones_like(y) if callable(weights) else weights
    state = _start(columns, x, y, fixed_weights, theta)
    active = np.arange(y.shape[0])
    damping = np.full(y.shape[0], 1e-3)
    for _ in range(rounds):
        w = renewed(state.residuals)[active] if renewed else fixed_weights[active]
        part = State(*(getattr(state, name)[active] for name in _FIELDS))
        done = _step(columns, x, y[active], w, part, damping, bounds, free)
        for name in _FIELDS:
            getattr(state, name)[active] = getattr(part, name)
        active, damping = active[~done], damping[~done]
        if not active.size:
            break
    return state


def slopes(columns: Columns, x: Array, state: State, free: Mask) -> Array:
    """The model's derivatives (Q, M, p) in the nonlinear parameters; zero in those that are not free."""
    p = state.theta.shape[1]
    moved = np.flatnonzero(free)
    shifted = columns(x, state.theta[None] + _STEP * np.eye(p)[moved][:, None])
    change = np.matmul(shifted - state.columns[None], state.linear[None, :, :, None])[..., 0] / _STEP
    found = np.zeros((*state.residuals.shape, p))
    found[..., moved] = np.moveaxis(change, 0, -1)
    return found


def solve_linear(columns: Array, y: Array, weights: Array) -> Array:
    """Weighted least squares (Q, k) for given columns (Q, M, k)."""
    weighted = columns * weights[..., None]
    normal = np.swapaxes(weighted, 1, 2) @ columns
    right = np.swapaxes(weighted, 1, 2) @ y[..., None]
    solution: Array = solve_positive(normal, right)[..., 0]
    return solution


def solve_positive(matrix: Array, right: Array) -> Array:
    """Solve with each matrix scaled to a unit diagonal and a ridge at rounding level, so that none is singular."""
    diagonal = np.diagonal(matrix, axis1=1, axis2=2)
    scale = np.sqrt(np.where(diagonal > 1e-100, diagonal, 1.0))
    scaled = matrix / scale[:, :, None] / scale[:, None, :] + _RIDGE * np.eye(matrix.shape[1])
    solution: Array = np.linalg.solve(scaled, right / scale[..., None]) / scale[..., None]
    return solution


def _start(columns: Columns, x: Array, y: Array, weights: Array, theta: Array) -> State:
    phi = columns(x, theta)
    linear = solve_linear(phi, y, weights)
    return State(theta.copy(), linear, y - np.matmul(phi, linear[..., None])[..., 0], phi)


def _step(
    columns: Columns,
    x: Array,
    y: Array,
    weights: Array,
    state: State,
    damping: Array,
    bounds: tuple[Array, Array],
    free: Mask,
) -> Mask:
    """Try one step for every qubit of the batch; returns who has converged."""
    full = np.concatenate([slopes(columns, x, state, free), state.columns], axis=2)
    weighted = np.swapaxes(full * weights[..., None], 1, 2)
    normal = weighted @ full
    gradient = (weighted @ state.residuals[..., None])[..., 0]
    p = state.theta.shape[1]
    diagonal = np.diagonal(normal, axis1=1, axis2=2).copy()
    diagonal[:, p:] = 0.0
    damped = normal + (damping[:, None] * diagonal)[:, :, None] * np.eye(normal.shape[1])
    move = solve_positive(damped, gradient[..., None])[..., 0]
    chi2 = np.sum(weights * state.residuals**2, axis=1)
    predicted = np.sum(move * gradient, axis=1)
    theta = np.where(free, np.clip(state.theta + move[:, :p], *bounds), state.theta)
    tried = _start(columns, x, y, weights, theta)
    better = np.sum(weights * tried.residuals**2, axis=1) <= chi2 * (1 + 1e-12)
    for name in _FIELDS:
        getattr(state, name)[better] = getattr(tried, name)[better]
    damping[:] = np.where(better, damping * 0.1, damping * 10)
    scale = np.maximum(chi2 / max(1, y.shape[1] - full.shape[2]), 1e-26)
    done: Mask = (predicted <= _CONVERGED * scale) | (damping > 1e8)
    return done
