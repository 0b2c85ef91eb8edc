"""Signal-to-noise ratio of one shot against the amplitude of the tone, and where it crosses a threshold.

The magnitude of the mean grows in proportion to the amplitude as long as the tone is weak, so the line is fitted up
to twice the threshold. The noise is what shots scatter by without a tone: with one, the states' own distance adds
to it, in proportion to the square of the amplitude.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from kubecal_tasks.fits.checks import Finding, believed, chi2_check, glitch_check
from kubecal_tasks.fits.suggestions import Proposal, Sweep
from kubecal_tasks.fits.values import Array, Evidence, Fit, FitError, Mask, Measured, Statistics
from kubecal_tasks.fits.weights import CLIP_SIGMAS, MAD_TO_SIGMA

FEWEST_POINTS = 5
_UP_TO = 2.0
"""Thresholds up to which the line is fitted."""
_QUARTER, _ROUNDS = 0.25, 2
"""The noise is first read off the weakest quarter of the tones, then off those the line is fitted to."""
_TINY = float(np.finfo(np.float64).tiny)
_SIGNAL = 25.0
"""By how much chi2 of the ratios against nothing exceeds their number, where it is no chance: of fifty, five sigmas."""
_WIDER = 2.0
_ROOM = 4.0
"""A finer sweep ends at so many times the crossing."""


@dataclass(frozen=True)
class SnrFit(Fit):
    """A line through the origin: the data are the ratio (N,) against the amplitude."""

    slope: Measured
    """Ratio per amplitude; its error includes that of the noise."""
    noise: Measured
    """Scatter of one shot in each quadrature, in the unit of the data."""
    crossing: Measured
    """Amplitude at which the ratio is the threshold."""
    threshold: float
    points_used: int
    """Points with an amplitude above 0 and a ratio of at most twice the threshold."""
    reach: float
    """Up to which amplitude the line is fitted."""


def fit_snr(amplitudes: Array, iq: Array, covariance: Array, shots: int, threshold: float) -> SnrFit:
    """Fit the ratio of one shot.

    Parameters
    ----------
    amplitudes
        (N,) of the tone, 0 or more.
    iq, covariance
        (N, 2) means and their (N, 2, 2) covariances.
    shots
        That each mean is of.
    threshold
        Ratio that is looked for.

    Raises
    ------
    FitError
        If fewer than five points are numbers.
    """
    amplitudes, iq, covariance = (np.asarray(each, dtype=np.float64) for each in (amplitudes, iq, covariance))
    finite = np.isfinite(iq).all(axis=1) & np.isfinite(covariance).all(axis=(1, 2))
    if np.count_nonzero(finite & (amplitudes > 0)) < FEWEST_POINTS:
        raise FitError(f"{np.count_nonzero(finite)} points with a tone are numbers, {FEWEST_POINTS} are needed")
    seen = finite & (amplitudes > 0)
    weak = finite & (amplitudes <= np.quantile(amplitudes[finite], _QUARTER))
    for _ in range(_ROUNDS):
        noise = _noise(amplitudes[weak], covariance[weak], shots)
        ratio, sigma = _ratios(iq, covariance, noise.value, shots)
        rough = float(np.median(ratio[seen] / amplitudes[seen]))
        low = seen & (rough * amplitudes <= _UP_TO * threshold)
        weak = low if np.count_nonzero(low) >= FEWEST_POINTS else weak
    kept, clipped = _clipped(ratio - rough * amplitudes, sigma, low)
    # Where the line is steep no point may be left below twice the threshold: then there is nothing to weigh.
    used = kept if kept.any() else seen
    weight = amplitudes[used] / sigma[used] ** 2
    slope = float(weight @ ratio[used] / (weight @ amplitudes[used]))
    signal = _above_noise(ratio[seen] / sigma[seen])
    statistics = _statistics(amplitudes, ratio, sigma, used, slope, clipped, signal)
    stretched = max(1.0, statistics.reduced_chi2)
    relative = np.hypot(
        np.sqrt(stretched / (weight @ amplitudes[used])) / abs(slope) if slope else np.inf, noise.error / noise.value
    )
    crossing = threshold / slope if slope > 0 else np.inf
    return SnrFit(
        evidence=Evidence(
            x=amplitudes,
            y=ratio,
            sigma=sigma,
            kept=finite & ~(low & ~kept),
            residuals=ratio - slope * amplitudes,
            curve=lambda x: slope * x,
            statistics=statistics,
        ),
        slope=Measured(slope, float(abs(slope) * relative)),
        noise=noise,
        crossing=Measured(float(crossing), float(crossing * relative)),
        threshold=threshold,
        points_used=int(np.count_nonzero(low)),
        reach=float(np.max(amplitudes[used])),
    )


def snr_checks(fit: SnrFit) -> list[Finding]:
    """Data checks, and whether the sweep reaches the crossing and resolves what lies below it."""
    reach, found = float(np.max(fit.x)), fit.crossing.value
    beyond = (
        f"the signal-to-noise ratio reaches {fit.slope.value * reach:.3g} at the strongest tone, {fit.threshold:g} is "
        "wanted: sweep further, or read out longer"
    )
    coarse = (
        f"only {fit.points_used} points lie below twice the threshold, {FEWEST_POINTS} are needed: sweep less far, in "
        "finer steps"
    )
    return believed(
        [
            _signal_check(fit),
            chi2_check(fit),
            glitch_check(fit),
            Finding("window", found, reach, found <= reach, "window", beyond),
            Finding("resolution", fit.points_used, FEWEST_POINTS, fit.points_used >= FEWEST_POINTS, "window", coarse),
        ]
    )


def _signal_check(fit: SnrFit) -> Finding:
    value, limit = fit.statistics.delta_chi2, fit.statistics.delta_chi2_limit
    text = (
        "no signal: whatever the amplitude of the tone, nothing but noise comes back; check the readout line, sweep "
        "further, or take more shots"
    )
    return Finding("no_signal", value, limit, value > limit, "no_signal", text)


def snr_window(fit: SnrFit, largest: float) -> Proposal | None:
    """A sweep that ends where the ratio is a few thresholds; None where the limits leave no room for it."""
    own = Sweep(0.0, float(np.max(fit.x)), len(fit.x), "linear")
    wanted = min(_ROOM * fit.crossing.value, _WIDER * own.stop, largest)
    if not np.isfinite(wanted) or abs(wanted - own.stop) < 0.05 * own.stop:
        return None
    sweep = Sweep(0.0, wanted, own.num, "linear")
    return Proposal(f"the crossing is expected near {fit.crossing.value:.3g}", sweep=sweep)


def _noise(amplitudes: Array, covariance: Array, shots: int) -> Measured:
    """Scatter of a shot without a tone: the variance's intercept over the square of the amplitude."""
    variance = shots * np.trace(covariance, axis1=1, axis2=2) / 2
    weight = 1.0 / variance**2  # of n shots a variance is known to 1 / sqrt(n) of itself: two quadratures
    design = np.stack([np.ones_like(amplitudes), (amplitudes / np.max(amplitudes, initial=_TINY)) ** 2], axis=1)
    inverse = np.linalg.pinv(design.T @ (weight[:, None] * design), hermitian=True)
    intercept = float((inverse @ (design.T @ (weight * variance)))[0])
    value = intercept if intercept > 0 else float(np.min(variance))
    return Measured(float(np.sqrt(value)), float(np.sqrt(inverse[0, 0] / shots) / (2 * np.sqrt(value))))


def _ratios(iq: Array, covariance: Array, noise: float, shots: int) -> tuple[Array, Array]:
    """(N,) ratios and their errors; noise makes a magnitude longer by half its variance over the magnitude."""
    size = np.linalg.norm(iq, axis=1)
    along = iq / np.where(size > 0, size, 1.0)[:, None]
    variance = np.einsum("ni,nij,nj->n", along, covariance, along)
    ratio = np.sqrt(np.maximum((size / noise) ** 2 - 1.0 / shots, 0.0))
    return ratio, np.where(size > 0, np.sqrt(np.maximum(variance, 0.0)), noise / np.sqrt(shots)) / noise


def _clipped(residuals: Array, sigma: Array, among: Mask) -> tuple[Mask, float]:
    """Which of some points to keep, and the fraction that looks like garbage."""
    if not among.any():
        return among, 0.0
    normalised = residuals / sigma
    scale = max(1.0, MAD_TO_SIGMA * float(np.median(np.abs(normalised[among]))))
    kept = among & (np.abs(normalised) <= CLIP_SIGMAS * scale)
    return kept, 1.0 - float(np.count_nonzero(kept)) / float(np.count_nonzero(among))


def _above_noise(normalised: Array) -> float:
    """By how much ratios (N,), in their errors, exceed what noise alone makes of them.

    The tenth that speaks loudest does not count: glitches must not make a signal.
    """
    square = np.sort(normalised**2)
    quiet = square[: len(square) - len(square) // 10]
    return float(np.sum(quiet) - len(quiet))


def _statistics(
    amplitudes: Array, ratio: Array, sigma: Array, used: Mask, slope: float, clipped: float, signal: float
) -> Statistics:
    x, y, s = amplitudes[used], ratio[used], sigma[used]
    chi2 = float(np.sum(((y - slope * x) / s) ** 2))
    dof = max(len(x) - 1, 1)
    spread = float(np.sum((y - y.mean()) ** 2))
    middle = float(np.median(y))
    return Statistics(
        chi2=chi2,
        dof=dof,
        p_value=float(special.chdtrc(dof, chi2)),
        delta_chi2=signal,
        delta_chi2_limit=_SIGNAL,
        r2=1.0 - float(np.sum((y - slope * x) ** 2)) / spread if spread > 0 else float("nan"),
        clipped_fraction=clipped,
        sigma_known=True,
        flat_scatter=MAD_TO_SIGMA * float(np.median(np.abs((y - middle) / s))),
    )
