"""How far apart a readout tone sees |0> and |1>, against its amplitude a.

    |d|(a) = C a g / sqrt((1 + (x - h g)^2) (1 + (x + h g)^2)),   x = x0 + D (1 - g),   g = 1 / (1 + (a / a_c)^4)

The separation first grows with the amplitude. Then the photons take the resonator from where its qubit dresses it to
where it is bare: the lines, h from their middle, move by D and close up, all in units of half their width, and the tone
stands beside them (punch-out as in ``punch_out.py``, lines as in ``separation.py``).

The readout amplitude is where the separation has risen to ``SHARE`` of its largest: the largest itself is flat, hence
badly known, and beyond it the readout is no longer one of a dressed qubit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from kubecal_tasks.fits.batch import prepare
from kubecal_tasks.fits.checks import Finding, believed, data_checks
from kubecal_tasks.fits.evidence import FALSE_ALARM, Chosen, choose, evidence
from kubecal_tasks.fits.model import Model, mesh
from kubecal_tasks.fits.resonator_checks import window_finding
from kubecal_tasks.fits.separation import spikes
from kubecal_tasks.fits.values import Array, Fit, FitError, Measured

SHARE = 0.95
_STEP = 0.1
"""Of a sigma, for the slopes of what follows from the parameters."""
_FINE = 4000
_SHAPE = 4
"""Parameters that a straight line has not."""
_LOG_SHIFTS = np.log([3.0, 5.0, 8.0, 12.0, 18.0, 28.0])
_HALF_DISTANCES = np.asarray([0.3, 0.6, 0.9, 1.2, 1.6, 2.0])
_DETUNINGS = np.asarray([-0.6, -0.3, 0.0, 0.3, 0.6])
"""D, h and x0, in half line widths: where the grid looks."""


@dataclass(frozen=True)
class ReadoutPowerFit(Fit):
    """A fitted rise and fall of the separation; the curve is |d|."""

    amplitude: Measured
    """Where |d| has risen to ``SHARE`` of its largest."""
    peak_amplitude: float
    """Where it is largest, within the sweep."""

    def separation(self, a: Array) -> Array:
        """(n,) |d|."""
        return self.curve(a)


def fit_readout_power(a: Array, difference: Array, covariance: Array) -> ReadoutPowerFit:
    """Fit one sweep.

    Parameters
    ----------
    a
        (N,) amplitudes above 0.
    difference, covariance
        (N, 2) mean IQ points of |1> minus those of |0>, and (N, 2, 2) their covariance.

    Raises
    ------
    FitError
        If shapes do not fit together, an amplitude is not above 0, or too few points are finite.
    """
    a, difference = np.asarray(a, dtype=float), np.asarray(difference, dtype=float)
    if difference.shape != (a.size, 2):
        raise FitError(f"differences of shape {difference.shape} must be ({a.size}, 2)")
    if not np.all(a > 0):
        raise FitError("amplitude 0 reads nothing: start the sweep above it")
    difference = np.where(spikes(difference[None])[0, :, None], np.nan, difference)
    variance = np.einsum("nii->n", np.asarray(covariance, dtype=float)) / 2
    # Noise lengthens every difference: of its square, by the variance of both quadratures.
    size = np.sqrt(np.maximum(np.sum(difference**2, axis=1) - variance, 0.0))
    data = prepare(a, size[None], variance[None], 5, shift=0.0)
    return _read(choose(_model(a), data, [])[0], a)


def _columns(a: Array, theta: Array) -> Array:
    """theta: log a_c, log (D / a_c^4), h, x0; one column, |d| over C.

    Before the lines are bare they move as D (a / a_c)^4, so that the data tell this ratio far better than D.
    """
    ratio = np.clip(4.0 * (np.log(a) - theta[..., 0:1]), -100.0, 100.0)
    left = 1.0 / (1.0 + np.exp(ratio))
    x = theta[..., 3:4] + np.exp(theta[..., 1:2] + 4.0 * theta[..., 0:1]) * (1.0 - left)
    half = theta[..., 2:3] * left
    found = a * left / np.sqrt((1.0 + (x - half) ** 2) * (1.0 + (x + half) ** 2))
    return np.asarray(found[..., None])


def _model(a: Array) -> Model:
    critical = np.log(np.geomspace(1.5 * a.min(), 6.0 * a.max(), 24))
    grid = mesh(critical, _LOG_SHIFTS, _HALF_DISTANCES, _DETUNINGS)
    grid[:, 1] -= 4.0 * grid[:, 0]
    steepest, flattest = grid[:, 1].max(), grid[:, 1].min()
    return Model(
        "readout_power",
        _columns,
        grid,
        np.asarray([critical[0] - 2.0, flattest - 5.0, 0.0, -5.0]),
        np.asarray([critical[-1] + 3.0, steepest + 5.0, 6.0, 5.0]),
        trials=float(grid.shape[0]),
        level_known=True,
    )


def _read(chosen: Chosen, a: Array) -> ReadoutPowerFit:
    fine = np.linspace(float(a.min()), float(a.max()), _FINE)

    def risen(theta: Array) -> float:
        size = _columns(fine, theta)[:, 0]
        top = int(np.argmax(size))
        rising = size[: top + 1]
        return float(np.interp(SHARE * size[top], np.maximum.accumulate(rising), fine[: top + 1]))

    theta = chosen.theta
    gradient = np.zeros(chosen.covariance.shape[0])
    for i, sigma in enumerate(np.sqrt(np.diagonal(chosen.covariance)[: theta.size])):
        step = np.zeros(theta.size)
        step[i] = float(np.clip(_STEP * sigma, 1e-6, 0.05))
        gradient[i] = (risen(theta + step) - risen(theta - step)) / (2 * step[i])
    peak = float(fine[int(np.argmax(_columns(fine, theta)[:, 0]))])
    return ReadoutPowerFit(evidence(chosen), Measured(risen(theta), chosen.error(list(gradient))), peak)


def readout_power_checks(fit: ReadoutPowerFit) -> list[Finding]:
    """Data checks, and whether the sweep sees the separation stop rising, and fall again."""
    high = float(np.sort(fit.x)[-2])
    text = (
        f"the separation still rises where the sweep ends, at {fit.x.max():.3g}: sweep to higher amplitudes, as far as "
        "the ADC allows"
    )
    window = window_finding("window", fit.peak_amplitude, high, text)
    return believed([*data_checks(fit), window, _saturates(fit, text)])


def _saturates(fit: ReadoutPowerFit, text: str) -> Finding:
    """Whether the data say that the separation does not just go as the amplitude: noise puts a peak anywhere."""
    seen = fit.evidence
    weights = seen.kept / seen.sigma**2
    y = np.where(seen.kept, seen.y, 0.0)
    slope = float(weights @ (fit.x * y) / (weights @ fit.x**2))
    straight = float(weights @ (y - slope * fit.x) ** 2)
    gain = (straight - fit.statistics.chi2) / max(1.0, fit.statistics.reduced_chi2)
    limit = float(special.chdtri(_SHAPE, FALSE_ALARM))
    ok = gain > limit
    return Finding("saturates", gain, limit, ok, "window", "" if ok else text)
