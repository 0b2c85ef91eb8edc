"""A captured readout: is there a tone, is it level while it is read, and is it over when the readout is."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

import numpy as np
from scipy import special

from kubecal_tasks.fits.checks import POOR_P, TOLERATED_CHI2, Finding, believed
from kubecal_tasks.fits.values import Array, FitError, Mask, Measured
from kubecal_tasks.fits.weights import CLIP_SIGMAS, MAX_CLIPPED

FEWEST_SAMPLES = 4
FEWEST_DISPLACED = 3
"""Samples in a row that are no chance garbage but a tone at another time."""
_HALF_WITHIN = 1.052
"""Sigmas within which half of the samples lie with both their quadratures."""
_EDGE = 0.01
"""Of half a sample: what rounding may do to times."""
_CHANCE = 1e-4
"""What noise alone exceeds once in ten thousand captures."""


@dataclass(frozen=True)
class Waveform:
    """A capture and what is seen in it."""

    times_s: Array
    """(K,) after the start of the readout."""
    iq: Array
    """(K, 2)."""
    sigma: Array
    """(K, 2)."""
    inside: Mask
    """(K,) wholly within the readout."""
    kept: Mask
    """(K,) False: garbage."""
    level: Array
    """(2,) mean of the readout."""
    magnitude: Measured
    signal_chi2: float
    """Of the readout's mean against nothing, with two degrees of freedom."""
    ripple_chi2: float
    """Of its samples against their mean."""
    ripple_dof: int
    outside_chi2: float
    """Of the samples before and after against nothing."""
    outside_dof: int
    displaced: int
    """Most samples in a row, from an edge of the readout on, that do not belong to their side of it."""
    clipped_fraction: float
    """Samples that are garbage; what is displaced is none."""

    @property
    def ripple(self) -> float:
        """chi2/dof of the samples against their mean."""
        return self.ripple_chi2 / self.ripple_dof


def fit_waveform(times_s: Array, iq: Array, covariance: Array, length_s: float) -> Waveform:
    """Look at a capture.

    Parameters
    ----------
    times_s
        (K,) middles of the samples after the readout's start.
    iq, covariance
        (K, 2) means and their (K, 2, 2) covariances.
    length_s
        Of the readout.

    Raises
    ------
    FitError
        If fewer than four samples of the readout are numbers.
    """
    times_s, iq, covariance = (np.asarray(each, dtype=np.float64) for each in (times_s, iq, covariance))
    finite = np.asarray(np.isfinite(iq).all(axis=1) & np.isfinite(covariance).all(axis=(1, 2)))
    half = float(np.median(np.diff(times_s))) / 2 if len(times_s) > 1 else 0.0
    # A sample across an edge has a part of the tone: it says nothing of either side.
    inside = np.asarray((times_s - half >= -_EDGE * half) & (times_s + half <= length_s + _EDGE * half))
    beyond = np.asarray((times_s + half <= _EDGE * half) | (times_s - half >= length_s - _EDGE * half))
    if np.count_nonzero(finite & inside) < FEWEST_SAMPLES:
        raise FitError(f"{np.count_nonzero(finite & inside)} samples of the readout are numbers: capture more of it")
    sigma = np.sqrt(np.where(finite[:, None], np.diagonal(covariance, axis1=1, axis2=2), np.nan))
    kept = finite.copy()
    for part in (finite & inside, finite & beyond):
        if part.any():
            away = np.max(np.abs(iq[part] - np.median(iq[part], axis=0)) / sigma[part], axis=1)
            kept[part] = away <= CLIP_SIGMAS * max(1.0, float(np.median(away)) / _HALF_WITHIN)
    top, around = kept & inside, kept & beyond
    runs = [
        run
        for edge, other in ((0.0, length_s), (length_s, 0.0))
        for part in (finite & inside, finite & beyond)
        if len(run := _run(times_s, edge, other, part, ~kept)) >= FEWEST_DISPLACED
    ]
    garbage = ~kept
    for run in runs:
        garbage[run] = False
    weight = 1.0 / sigma[top] ** 2
    level = np.sum(weight * iq[top], axis=0) / np.sum(weight, axis=0)
    error = 1.0 / np.sqrt(np.sum(weight, axis=0))
    size = float(np.hypot(*level))
    return Waveform(
        times_s=times_s,
        iq=iq,
        sigma=sigma,
        inside=inside,
        kept=kept,
        level=level,
        magnitude=Measured(size, float(np.hypot(*(level * error)) / size) if size > 0 else float(np.max(error))),
        signal_chi2=float(np.sum((level / error) ** 2)),
        ripple_chi2=float(np.sum(((iq[top] - level) / sigma[top]) ** 2)),
        ripple_dof=max(2 * int(np.count_nonzero(top)) - 2, 1),
        outside_chi2=float(np.sum((iq[around] / sigma[around]) ** 2)),
        outside_dof=2 * int(np.count_nonzero(around)),
        displaced=max((len(run) for run in runs), default=0),
        clipped_fraction=float(np.count_nonzero(garbage)) / len(kept),
    )


def _run(times_s: Array, edge: float, other: float, part: Mask, wrong: Mask) -> list[int]:
    """Samples in a row from an edge of the readout on, within a part of the capture, that do not belong there."""
    from_edge, from_other = np.abs(times_s - edge), np.abs(times_s - other)
    ordered = [int(each) for each in np.argsort(from_edge, kind="stable") if part[each]]
    near = [each for each in ordered if from_edge[each] <= from_other[each]]
    return list(takewhile(lambda each: bool(wrong[each]), near))


def waveform_checks(seen: Waveform) -> list[Finding]:
    """A tone is there, level, where it should be, and mostly free of garbage."""
    needed = float(special.chdtri(2, _CHANCE))
    nothing = (
        f"no signal: the mean of the readout is {seen.magnitude.value:.2g} +- {seen.magnitude.error:.1g}; check "
        "readout_amplitude and the readout line, or take more shots"
    )
    level = max(TOLERATED_CHI2, float(special.chdtri(seen.ripple_dof, POOR_P)) / seen.ripple_dof)
    ripples = (
        f"the tone is not level while it is read (chi2/dof {seen.ripple:.3g}, the limit is {level:.3g}): look at the "
        "figure for where it rises and ends"
    )
    garbage = (
        f"{seen.clipped_fraction:.0%} of the samples lie beyond four sigmas, at most {MAX_CLIPPED:.0%} may: look for "
        "instrument glitches"
    )
    found = [
        Finding("no_signal", seen.signal_chi2, needed, seen.signal_chi2 > needed, "no_signal", nothing),
        Finding("poor_fit", seen.ripple, level, seen.ripple <= level, "poor_fit", ripples),
        Finding(
            "glitches", seen.clipped_fraction, MAX_CLIPPED, seen.clipped_fraction <= MAX_CLIPPED, "poor_fit", garbage
        ),
    ]
    late = (
        f"the tone begins or ends {seen.displaced} samples away from where the readout does: correct the delay of the "
        "readout line"
    )
    most = FEWEST_DISPLACED - 1
    found.append(Finding("window", seen.displaced, most, seen.displaced <= most, "window", late))
    if seen.outside_dof:
        limit = max(TOLERATED_CHI2 * seen.outside_dof, float(special.chdtri(seen.outside_dof, POOR_P)))
        beyond = (
            "a signal is seen before or after the readout: correct the delay of the readout line, or look for what "
            "else sends on it"
        )
        found.append(Finding("outside", seen.outside_chi2, limit, seen.outside_chi2 <= limit, "window", beyond))
    return believed(found)
