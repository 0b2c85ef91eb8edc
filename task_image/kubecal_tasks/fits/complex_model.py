"""Models of complex data, of which the linear parameters are complex too.

The machinery of fits is real: a complex sweep (N,) is handed over as 2 N numbers, real parts first, and each complex
column as two real ones, for the real and the imaginary part of its coefficient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kubecal_tasks.fits.batch import Data, Solution, prepare, solve
from kubecal_tasks.fits.evidence import FALSE_ALARM, LOUDEST, Chosen, evidence
from kubecal_tasks.fits.model import Columns, ComplexColumns, Model
from kubecal_tasks.fits.values import Array, Evidence, FitError, Measured
from kubecal_tasks.fits.weights import MAD_TO_SIGMA

Complex = NDArray[np.complex128]
_STEP = 1e-5


def prepare_complex(x: Array, iq: Array, covariance: Array | None, parameters: int) -> Data:
    """Sweeps as real numbers.

    Parameters
    ----------
    x
        (N,).
    iq, covariance
        (Q, ..., N, 2) and (Q, ..., N, 2, 2) of these means, or None; several sweeps (...) of one qubit are fitted
        together.
    parameters
        How many real numbers the model has.

    Raises
    ------
    FitError
        If shapes do not fit together or too few points are finite.
    """
    iq = np.asarray(iq, dtype=float)
    if iq.ndim < 3 or iq.shape[-2:] != (len(x), 2):
        raise FitError(f"IQ points of shape {iq.shape} must be (qubits, {len(x)}, 2)")
    variance = None
    if covariance is not None:
        variance = _flat(np.diagonal(np.asarray(covariance, dtype=float), axis1=-2, axis2=-1))
    return prepare(np.asarray(x, dtype=float), _flat(iq), variance, parameters, shift=0.0)


def _flat(parts: Array) -> Array:
    """(Q, ..., N, 2) to (Q, 2 ... N): the real parts of all sweeps first."""
    moved: Array = np.moveaxis(parts, -1, 1).reshape(parts.shape[0], -1)
    return moved


def real_columns(columns: ComplexColumns) -> Columns:
    """Real columns (..., 2 n, 2 k) of complex ones (..., n, k)."""

    def both(x: Array, theta: Array) -> Array:
        z = columns(x, theta)
        rows, k = z.shape[-2:]
        found = np.empty((*z.shape[:-2], 2 * rows, 2 * k))
        found[..., :rows, 0::2], found[..., rows:, 0::2] = z.real, z.imag
        found[..., :rows, 1::2], found[..., rows:, 1::2] = -z.imag, z.real
        return found

    return both


def complex_linear(linear: Array) -> Complex:
    """(k,) complex coefficients of 2 k real ones."""
    return np.asarray(linear[0::2] + 1j * linear[1::2])


def derived(chosen: Chosen, value: Callable[[Array, Complex], float]) -> Measured:
    """A quantity that follows from the parameters, with its error from their covariance.

    Parameters
    ----------
    value
        Of the nonlinear parameters (p,) and the complex linear ones (k,).
    """
    theta, linear = chosen.theta, chosen.linear
    point = np.concatenate([theta, linear])
    spread = np.sqrt(np.maximum(np.diagonal(chosen.covariance), 0.0))
    gradient = np.zeros(point.size)
    for i, sigma in enumerate(spread):
        # A small part of a sigma: as large as rounding allows, as small as the curvature wants.
        step = max(1e-3 * sigma, _STEP * 1e-3)
        up, down = point.copy(), point.copy()
        up[i], down[i] = up[i] + step, down[i] - step
        ends = [value(each[: theta.size], complex_linear(each[theta.size :])) for each in (up, down)]
        gradient[i] = (ends[0] - ends[1]) / (2 * step)
    return Measured(value(theta, complex_linear(linear)), chosen.error(list(gradient)))


def compared(chosen: Chosen, nothing: Solution, axes: int, extra: int) -> Evidence:
    """What a solution shows, its signal judged against a model of what is there without it.

    A cable turns the phase of whatever comes back, so that a flat line is no measure of whether there is a resonance.

    Parameters
    ----------
    nothing
        The same data fitted without the signal.
    axes
        Into how many rows data and curve are cut: 2, times the number of sweeps fitted together.
    extra
        Real parameters that the signal adds.
    """
    own = evidence(chosen, axes)
    solution, q = chosen.solution, chosen.index
    kept, weights = solution.kept[q], solution.kept[q] / solution.variance[q]
    without, with_it = nothing.residuals[0], solution.residuals[q]
    gains = np.sort(weights * (without**2 - with_it**2))
    support = float(gains[: gains.size - max(1, round(LOUDEST * gains.size))].sum())
    dof = max(1, int(solution.dof[q]))
    misfit = float(solution.chi2[q]) / dof
    level = FALSE_ALARM / solution.model.trials
    if solution.known:
        gain, limit = support / max(1.0, misfit), float(special.chdtri(extra, level))
        scatter = float(np.sqrt(np.median(weights[kept] * without[kept] ** 2)) * MAD_TO_SIGMA)
    else:
        gain = support / extra / misfit if misfit > 0 else np.inf
        limit, scatter = float(special.fdtri(extra, dof, 1 - level)), float("nan")
    total = float(np.sum(kept * without**2))
    r2 = 1 - float(np.sum(kept * with_it**2)) / total if total > 0 else float("nan")
    judged = replace(own.statistics, delta_chi2=gain, delta_chi2_limit=limit, r2=r2, flat_scatter=scatter)
    return replace(own, statistics=judged)


def without_signal(columns: ComplexColumns, grid: Array, bounds: tuple[Array, Array], chosen: Chosen) -> Solution:
    """The data of one qubit fitted by what is there without a signal."""
    model = Model("nothing", real_columns(columns), grid, *bounds)
    return solve(model, chosen.data.subset(np.asarray([chosen.index])))


def turned(u: Array, turns: Any) -> Complex:
    """e^{-2 pi i turns u}: what a delay makes of a phase; Any: numbers or arrays that broadcast."""
    return np.asarray(np.exp(-2j * np.pi * turns * u))


def rescaled(seen: Evidence, x: Array, to_own: Callable[[Array], Array]) -> Evidence:
    """The same evidence against the swept quantity as it was given.

    Parameters
    ----------
    x
        (N,) as given.
    to_own
        From that to what the model was fitted in.
    """
    curve = seen.curve
    return replace(seen, x=x, curve=lambda values: curve(to_own(np.asarray(values, dtype=float))))
