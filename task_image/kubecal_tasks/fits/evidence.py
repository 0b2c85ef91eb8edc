"""Statistics of a solved batch, and the choice of a richer model where the first one fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import special

from kubecal_tasks.fits.batch import Data, Solution, solve
from kubecal_tasks.fits.model import Model
from kubecal_tasks.fits.values import Array, Evidence, Mask, Statistics
from kubecal_tasks.fits.weights import MAD_TO_SIGMA

FALSE_ALARM = 1e-4
"""How often pure noise may pass for a signal."""
FIRST_MODEL_FAILS = 0.002
"""p-value below which richer models are tried."""
BIC_GAIN = 10.0
"""How much better a richer model must be."""
LOUDEST = 0.1
"""Part of the points that a signal must not rest on: the few glitches that a model happens to bend through."""


@dataclass(frozen=True)
class Chosen:
    """The solution that stands for one qubit."""

    solution: Solution
    index: int
    data: Data
    alternative: str
    flags: frozenset[str] = frozenset()

    @property
    def theta(self) -> Array:
        """(p,) nonlinear parameters."""
        theta: Array = self.solution.theta[self.index]
        return theta

    @property
    def linear(self) -> Array:
        """(k,) linear parameters in the data's own units, the offset still without the shift."""
        linear: Array = self.solution.linear[self.index] * self.data.scale[self.index]
        return linear

    @property
    def shift(self) -> float:
        """What was subtracted from the data; belongs to whatever column is constant."""
        return float(self.data.shift[self.index, 0])

    @cached_property
    def covariance(self) -> Array:
        """(p + k, p + k), theta first, in the data's own units."""
        p = self.theta.size
        factors = np.ones(self.solution.covariance.shape[1])
        factors[p:] = self.data.scale[self.index, 0]
        covariance: Array = self.solution.covariance[self.index] * factors[:, None] * factors
        return covariance

    def error(self, gradient: Sequence[float]) -> float:
        """One-sigma error of a quantity with this gradient in (theta, linear)."""
        g = np.asarray(gradient, dtype=float)
        return float(np.sqrt(max(0.0, g @ self.covariance @ g)))


def choose(
    first: Model, data: Data, alternatives: Sequence[Callable[[Solution], Model]], axes: int = 1
) -> list[Chosen]:
    """Fit the first model; where its chi2 fails, the alternatives, of which one must win by its BIC.

    Parameters
    ----------
    alternatives
        Each makes its model from the first solution of the failing qubit alone.
    """
    solution = solve(first, data)
    chosen = [Chosen(solution, q, data, "") for q in range(data.y.shape[0])]
    for q in range(data.y.shape[0]):
        if misfit_p(solution, q, axes) >= FIRST_MODEL_FAILS:
            continue
        own = data.subset(np.asarray([q]))
        alone = solve(first, own)
        best, best_bic = chosen[q], float(alone.bic[0]) - BIC_GAIN
        for make in alternatives:
            model = make(alone)
            if own.y.shape[1] <= model.parameters + 4:
                continue
            richer = solve(model, own, alone.residuals)
            if np.all(np.isfinite(richer.theta)) and float(richer.bic[0]) < best_bic:
                best, best_bic = Chosen(richer, 0, own, model.name), float(richer.bic[0])
        chosen[q] = best
    return chosen


def misfit_p(solution: Solution, q: int, axes: int) -> float:
    """How likely residuals this bad are if the model is right."""
    if solution.known:
        return float(special.chdtrc(solution.dof[q], solution.chi2[q]))
    return _neighbour_p(solution.residuals[q], solution.kept[q], axes)


def _neighbour_p(residuals: Array, kept: Mask, axes: int) -> float:
    """Neighbouring residuals of a right model are independent; a wrong one leaves them alike."""
    pairs = squares = 0.0
    count = 0
    for r, k in zip(residuals.reshape(axes, -1), kept.reshape(axes, -1), strict=True):
        own = r[k]
        pairs += float(np.sum(own[1:] * own[:-1]))
        squares += float(np.sum(own**2))
        count += max(0, own.size - 1)
    if count < 8 or squares <= 0:
        return 1.0
    return float(special.ndtr(-pairs / squares * np.sqrt(count)))


def evidence(chosen: Chosen, axes: int = 1) -> Evidence:
    """What one qubit's solution shows."""
    solution, q, data = chosen.solution, chosen.index, chosen.data
    scale, shift = float(data.scale[q, 0]), chosen.shift
    shape: tuple[int, ...] = (data.x.size,) if axes == 1 else (axes, data.x.size)
    columns, theta, linear = solution.model.columns, chosen.theta, chosen.linear

    def curve(x: Array) -> Array:
        values: Array = columns(x, theta) @ linear + shift
        return values if axes == 1 else values.reshape(axes, -1)

    sigma = np.sqrt(solution.variance[q])
    if not solution.known:
        sigma = sigma * np.sqrt(solution.chi2[q] / solution.dof[q])
    y = np.where(data.finite[q], data.y[q] * scale + shift, np.nan)
    return Evidence(
        x=data.x,
        y=y.reshape(shape),
        sigma=(sigma * scale).reshape(shape),
        kept=solution.kept[q].reshape(shape),
        residuals=np.where(data.finite[q], solution.residuals[q] * scale, np.nan).reshape(shape),
        curve=curve,
        statistics=statistics(chosen, axes),
        alternative=chosen.alternative,
        flags=chosen.flags,
    )


def statistics(chosen: Chosen, axes: int) -> Statistics:
    """chi2, R2 and the comparison with a flat line."""
    solution, q, data = chosen.solution, chosen.index, chosen.data
    kept, y, residuals = solution.kept[q], data.y[q], solution.residuals[q]
    weights = kept / solution.variance[q]
    chi2, dof = float(solution.chi2[q]), int(solution.dof[q])
    # Where the offset is known, data are scaled about it: a signal that never leaves another level is one that lasts.
    level_known = solution.model.level_known
    flat = y if level_known else _from_level(y, kept, axes, np.median)
    support = _support(flat, residuals, weights)
    total = float(np.sum(kept * _from_level(y, kept, axes, np.mean) ** 2))
    extra = solution.covariance.shape[1] - (0 if level_known else axes)
    misfit = chi2 / dof if dof else 1.0
    level = FALSE_ALARM / solution.model.trials
    if solution.known:
        gain, limit = support / max(1.0, misfit), float(special.chdtri(extra, level))
    else:
        gain = support / extra / misfit if misfit > 0 else np.inf
        limit = float(special.fdtri(extra, dof, 1 - level))
    unit = float(data.scale[q, 0]) ** 2
    return Statistics(
        chi2=chi2 if solution.known else chi2 * unit,
        dof=dof,
        p_value=misfit_p(solution, q, axes),
        delta_chi2=float(gain),
        delta_chi2_limit=limit,
        r2=1 - float(np.sum(kept * residuals**2)) / total if total > 0 else float("nan"),
        clipped_fraction=float(solution.suspicious[q]),
        sigma_known=solution.known,
        flat_scatter=float(np.sqrt(np.median(weights[kept] * flat[kept] ** 2)) * MAD_TO_SIGMA)
        if solution.known
        else float("nan"),
    )


def _from_level(y: Array, kept: Mask, axes: int, level: Callable[[Array], Any]) -> Array:
    """Residuals of a flat line, at its own level for each axis; Any: numpy's float."""
    away = np.zeros_like(y)
    for own, k, out in zip(y.reshape(axes, -1), kept.reshape(axes, -1), away.reshape(axes, -1), strict=True):
        if k.any():
            out[:] = own - level(own[k])
    return away


def _support(flat: Array, residuals: Array, weights: Array) -> float:
    """How much chi2 gains over a flat line without the points that gain most.

    The line lies at the median: at the mean, one glitch would move it away from all points and make all of them
    speak for the model.
    """
    gains = np.sort(weights * (flat**2 - residuals**2))
    return float(gains[: gains.size - max(1, round(LOUDEST * gains.size))].sum())
