"""A line somewhere in a wide scan: where the IQ points leave the place at which most of them lie.

In a scan that is mostly noise no direction of the IQ plane stands out, so nothing can be projected; what is compared
is the distance from the median point, in units of the noise in both directions. Of every point and its neighbours all
but a sixth have to be so far away: a line is broader than the steps of the scan, a few glitches are not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kubecal_tasks.fits.checks import Finding
from kubecal_tasks.fits.evidence import FALSE_ALARM
from kubecal_tasks.fits.values import Array, FitError

_NEIGHBOURS = 1
_SPARED = 6
"""One in so many points may be nearer."""
_FEWEST = 5


@dataclass(frozen=True)
class LineFound:
    """The strongest line of a scan."""

    x: Array
    """(F,) sorted."""
    distance: Array
    """(F,) of each point and its neighbours from the median point, in sigmas: almost all of them are so far away."""
    at: float
    """Where the strongest line is, in units of x."""
    limit: float
    """Distance that noise exceeds once in ten thousand scans."""

    @property
    def strength(self) -> float:
        """Distance of the strongest line, in sigmas."""
        return float(np.nanmax(self.distance))

    @property
    def found(self) -> bool:
        """Whether it is no noise."""
        return self.strength > self.limit


def find_line(x: Array, iq: Array, covariance: Array) -> LineFound:
    """Look for the strongest line.

    Parameters
    ----------
    x
        (F,) frequencies, in any order.
    iq
        (F, K, 2) mean points, of K repetitions at every frequency.
    covariance
        (F, K, 2, 2) of these means.

    Raises
    ------
    FitError
        If shapes do not fit together or too few points are finite.
    """
    x, iq, covariance = (np.asarray(each, dtype=float) for each in (x, iq, covariance))
    if x.size < _FEWEST or iq.shape[:1] != x.shape or iq.shape[2:] != (2,) or covariance.shape != (*iq.shape, 2):
        raise FitError(f"points of shape {iq.shape} are no scan of {x.size} frequencies: scan at least {_FEWEST}")
    order = np.argsort(x)
    x, iq, covariance = x[order], iq[order], covariance[order]
    if np.isfinite(iq).all(axis=-1).mean() < 0.5:
        raise FitError("less than half of the points of the scan are numbers: measure again")
    middle = np.nanmedian(iq.reshape(-1, 2), axis=0)
    noise = np.nanmedian(covariance.reshape(-1, 2, 2), axis=0)
    if not np.linalg.det(noise) > 0:
        raise FitError("the points of the scan claim no noise: average at least two shots")
    away = iq - middle
    squares = np.einsum("fki,ij,fkj->fk", away, np.linalg.inv(noise), away)
    distance = _among_neighbours(squares)
    best = int(np.nanargmax(distance))
    return LineFound(x, distance, _centre(x, distance, best), _limit(x.size, (2 * _NEIGHBOURS + 1) * iq.shape[1]))


def _among_neighbours(squares: Array) -> Array:
    """(F,) distance that all but a sixth of each frequency's and its neighbours' points have; at the ends are fewer."""
    frequencies = len(squares)
    found = np.zeros(frequencies)
    for number in range(frequencies):
        around = squares[max(0, number - _NEIGHBOURS) : number + _NEIGHBOURS + 1]
        ranked = np.sort(around[np.isfinite(around)])
        found[number] = math.sqrt(float(ranked[ranked.size // _SPARED])) if ranked.size else 0.0
    return found


def _centre(x: Array, distance: Array, best: int) -> float:
    """The middle of the stretch about the best point that is at least half as far away."""
    low = high = best
    while low > 0 and distance[low - 1] > distance[best] / 2:
        low -= 1
    while high < x.size - 1 and distance[high + 1] > distance[best] / 2:
        high += 1
    weights = distance[low : high + 1] ** 2
    return float(np.sum(weights * x[low : high + 1]) / np.sum(weights))


def _limit(frequencies: int, number: int) -> float:
    """Squared distances of noise in two dimensions fall off as exp(-s / 2); all of ``number`` but some are beyond."""
    spared = number // _SPARED
    ways = math.comb(number, spared) * frequencies / FALSE_ALARM
    return math.sqrt(2.0 * math.log(ways) / (number - spared))


def line_check(line: LineFound, where: str) -> Finding:
    """Whether there is a line at all."""
    text = (
        f"no line {where}: no group of points is more than {line.strength:.3g} sigmas away from the others, noise "
        f"alone reaches {line.limit:.3g}; check drive and readout, widen the range or take more shots"
    )
    return Finding("no_signal", line.strength, line.limit, line.found, "no_signal", "" if line.found else text)
