"""What a fit says: measured values with errors, statistics, and the fitted curve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


class FitError(ValueError):
    """The data cannot be fitted at all: too few finite points, or shapes that do not belong together."""


@dataclass(frozen=True)
class Measured:
    """A value and its one-sigma error."""

    value: float
    error: float


@dataclass(frozen=True)
class Statistics:
    """How well a model describes the data it kept."""

    chi2: float
    """Sum of squared residuals over their variances; without known variances, of the plain residuals."""
    dof: int
    p_value: float
    """Of chi2. Without known variances: of the correlation of neighbouring residuals, which a wrong model leaves."""
    delta_chi2: float
    """How much better than a flat line, divided by max(1, chi2/dof); without known variances: the F statistic. The
    tenth of the points that speaks loudest for the model does not count: glitches must not make a signal."""
    delta_chi2_limit: float
    """What pure noise exceeds once in ten thousand data sets, the number of shapes tried included."""
    r2: float
    """Coefficient of determination of the kept points, each counted alike."""
    clipped_fraction: float
    """Points beyond four robust sigmas or not finite. They are left out; more than 15 % of them make a poor fit."""
    sigma_known: bool
    flat_scatter: float
    """Robust scatter of the points about a flat line, in their own sigmas: 1 where there is nothing but noise. NaN
    without known variances."""

    @property
    def reduced_chi2(self) -> float:
        """chi2 per degree of freedom; NaN without known variances, where it would say nothing."""
        return self.chi2 / self.dof if self.sigma_known and self.dof > 0 else float("nan")


@dataclass(frozen=True)
class Evidence:
    """Data, model curve and statistics of one fit. Arrays are in the units the data came in."""

    x: Array
    """(N,) the swept quantity."""
    y: Array
    """(N,), or (2, N) where two axes are fitted together."""
    sigma: Array
    """One-sigma errors used for the fit, shape of y: smoothed over the sweep, or estimated from the residuals."""
    kept: Mask
    """Shape of y; False: clipped as a glitch."""
    residuals: Array
    """y minus the model, shape of y."""
    curve: Callable[[Array], Array] = field(repr=False)
    """The model at any x."""
    statistics: Statistics
    alternative: str = ""
    """Name of the richer model that won because the first one failed; empty: the first one stands."""
    flags: frozenset[str] = frozenset()
    """``two_lines``: the frequency is the mean of two, its error at least half their distance."""


@dataclass(frozen=True)
class Fit:
    """What all fits have in common: the evidence, and the parts of it that are asked for most."""

    evidence: Evidence

    @property
    def x(self) -> Array:
        """(N,) the swept quantity."""
        return self.evidence.x

    @property
    def statistics(self) -> Statistics:
        """How well the model describes the data."""
        return self.evidence.statistics

    @property
    def alternative(self) -> str:
        """Name of the richer model that won; empty: the first one stands."""
        return self.evidence.alternative

    @property
    def flags(self) -> frozenset[str]:
        """What a reader should know besides the verdict."""
        return self.evidence.flags

    def curve(self, x: Array) -> Array:
        """The model at any x."""
        return self.evidence.curve(x)

    @property
    def span(self) -> float:
        """From the first to the last point."""
        return float(np.nanmax(self.x) - np.nanmin(self.x))

    @property
    def spacing(self) -> float:
        """Median distance between neighbouring points."""
        return float(np.median(np.diff(np.sort(self.x[np.isfinite(self.x)]))))
