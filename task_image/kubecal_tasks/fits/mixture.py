"""Single shots of |0> and of |1>: where their blobs lie, and how often a shot is taken for the other state.

Along the line between the blobs, in units in which |0> lies at 0 and |1> at 1, a shot of a qubit in |0> is a Gaussian
G(s), and one in |1>, which decays at a rate r per readout while it is read (physics.md, IQ blobs),

    E(s) = e^{-r} G(s - 1) + int_0^1 r e^{-r t} G(s - t) dt

What was prepared is not always there: p(s | 0) = (1 - a) G + a E, p(s | 1) = (1 - b) E + b G. Maximum likelihood of
all shots; the width comes from across the line, where the state plays no part.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

from kubecal_tasks.fits.checks import FEWEST_SIGMAS, POOR_P, TOLERATED_CHI2, Finding
from kubecal_tasks.fits.values import Array, FitError, Mask, Measured
from kubecal_tasks.fits.weights import MAD_TO_SIGMA, MAX_CLIPPED

FEWEST_WIDTHS = 1.0
"""Distance of the blobs over the width of one below which nothing tells them apart."""
_FEWEST_SHOTS = 20
_FAR = 5.0
"""Sigmas off the line from which a shot is garbage."""
_TYPICAL_RATE, _RATE_SPREAD = 0.01, 2.0
"""Where too few shots decay to tell the rate: what it is like, and the sigma of its logarithm."""
_STEP = 1e-3
"""For derivatives, in units of parameters of order one."""
_FEWEST_IN_BIN = 12
_BINS_PER_SIGMA = 12.0
"""So fine that what binning adds to the width is less than its error."""


@dataclass(frozen=True)
class Prepared:
    """The shots of one prepared state, in the turned frame."""

    along: Array
    """(N,) coordinate along the line, unit of the data."""
    kept: Mask
    """(N,) not garbage."""
    correct: Measured
    """How often it is assigned to what was prepared."""


@dataclass(frozen=True)
class MixtureFit:
    """Two blobs and a classifier."""

    ground: tuple[Measured, Measured]
    """Centre of |0>: I and Q."""
    excited: tuple[Measured, Measured]
    sigma: Measured
    """Width of one blob."""
    angle: Measured
    """Direction from |0> to |1> in the IQ plane, rad."""
    threshold: Measured
    """Shots with I cos(angle) + Q sin(angle) above it are |1>."""
    states: tuple[Prepared, Prepared]
    levels: tuple[float, float]
    """Coordinates of the centres along the line."""
    wrong: tuple[float, float]
    """Parts of the shots in which |0> and |1> were not there when the readout began."""
    rate: float
    """Decays per readout."""
    separation: Measured
    """Distance of the blobs over the width of one."""
    contrast_sigmas: float
    """Distance of the means of both preparations, in its own errors."""
    chi2: float
    """Of the histograms."""
    dof: int

    def density(self, state: int, along: Array) -> Array:
        """Probability density of the shots of a prepared state, per unit of the data."""
        ground, excited = self.levels
        distance = excited - ground
        s = (np.asarray(along, dtype=float) - ground) / distance
        parameters = _Parameters(0.0, 1.0, *self.wrong, self.rate)
        found: Array = _densities(s, parameters, self.sigma.value / distance)[state] / distance
        return found

    @property
    def fidelity(self) -> Measured:
        """Mean of both."""
        zero, one = (state.correct for state in self.states)
        return Measured((zero.value + one.value) / 2, math.hypot(zero.error, one.error) / 2)


class _Parameters(NamedTuple):
    low: float
    high: float
    wrong_0: float
    wrong_1: float
    rate: float


def fit_mixture(ground: Array, excited: Array) -> MixtureFit:
    """Fit the shots of one qubit.

    Parameters
    ----------
    ground, excited
        (N, 2) and (M, 2) IQ of single shots after |0> and |1> were prepared.

    Raises
    ------
    FitError
        If there are too few shots, or all of them are the same.
    """
    shots = tuple(np.asarray(each, dtype=float) for each in (ground, excited))
    if any(each.ndim != 2 or each.shape[1] != 2 or len(each) < _FEWEST_SHOTS for each in shots):
        raise FitError(
            f"shots of shapes {shots[0].shape} and {shots[1].shape}: give (N, 2), at least {_FEWEST_SHOTS} of each"
        )
    direction, kept = _line(*shots)
    across = np.asarray([-direction[1], direction[0]])
    v = np.concatenate([each[good] @ across for each, good in zip(shots, kept, strict=True)])
    number = len(v)
    sigma = Measured(float(np.std(v, ddof=2)), float(np.std(v)) / math.sqrt(2.0 * number))
    along = tuple(each @ direction for each in shots)
    used = tuple(each[good] for each, good in zip(along, kept, strict=True))
    found, covariance = _most_likely(used[0], used[1], sigma.value)
    threshold = _threshold(found, sigma.value)
    means = [float(np.mean(each)) for each in used]
    apart = (means[1] - means[0]) / math.sqrt(sum(float(np.var(each)) / len(each) for each in used))
    distance = found.high - found.low
    chi2, dof = _histograms(used, found, sigma.value)
    low, high = (math.sqrt(max(covariance[k, k], 0.0)) for k in (0, 1))
    sideways = float(np.mean(v))
    return MixtureFit(
        ground=_centre(found.low, low, sideways, sigma.value / math.sqrt(len(used[0])), direction),
        excited=_centre(found.high, high, sideways, sigma.value / math.sqrt(len(used[1])), direction),
        sigma=sigma,
        angle=Measured(
            float(np.arctan2(direction[1], direction[0])),
            sigma.value * math.sqrt(1 / len(used[0]) + 1 / len(used[1])) / (means[1] - means[0]),
        ),
        threshold=Measured(threshold, math.hypot(low, high) / 2),
        states=(
            Prepared(along[0], kept[0], _part(int(np.sum(along[0] <= threshold)), len(along[0]))),
            Prepared(along[1], kept[1], _part(int(np.sum(along[1] > threshold)), len(along[1]))),
        ),
        levels=(found.low, found.high),
        wrong=(found.wrong_0, found.wrong_1),
        rate=found.rate,
        separation=_separation(distance, covariance, sigma),
        contrast_sigmas=apart,
        chi2=chi2,
        dof=dof,
    )


def mixture_checks(fit: MixtureFit) -> list[Finding]:
    """Do the preparations differ, are the blobs apart, does the model describe the shots, are few of them garbage."""
    garbage = 1.0 - float(np.mean(np.concatenate([state.kept for state in fit.states])))
    reduced = fit.chi2 / fit.dof
    limit = max(TOLERATED_CHI2, float(special.chdtri(fit.dof, POOR_P)) / fit.dof)
    rows: list[tuple[str, float, float, bool, str, str]] = [
        (
            "no_signal",
            fit.contrast_sigmas,
            FEWEST_SIGMAS,
            fit.contrast_sigmas >= FEWEST_SIGMAS,
            "no_signal",
            f"no signal: the shots of |0> and of |1> differ by {fit.contrast_sigmas:.2g} sigmas, {FEWEST_SIGMAS:g} are "
            "needed; check the pulse, or run CheckRabi",
        ),
        (
            "separation",
            fit.separation.value,
            FEWEST_WIDTHS,
            fit.separation.value >= FEWEST_WIDTHS,
            "poor_fit",
            f"the blobs lie {fit.separation.value:.2g} widths apart, {FEWEST_WIDTHS:g} are needed to tell them: "
            "calibrate readout_frequency and readout_amplitude",
        ),
        (
            "poor_fit",
            reduced,
            limit,
            reduced <= limit,
            "poor_fit",
            f"two blobs and a decay do not describe the shots: chi2/dof is {reduced:.3g}, the limit {limit:.3g}; look "
            "at the figure",
        ),
        (
            "glitches",
            garbage,
            MAX_CLIPPED,
            garbage <= MAX_CLIPPED,
            "poor_fit",
            f"{garbage:.0%} of the shots lie off the line of |0> and |1>, at most {MAX_CLIPPED:.0%} may: look for "
            "instrument glitches",
        ),
    ]
    return [
        Finding(name, value, limit, ok, "no_signal" if verdict == "no_signal" else "poor_fit", "" if ok else text)
        for name, value, limit, ok, verdict, text in rows
    ]


def _line(ground: Array, excited: Array) -> tuple[Array, tuple[Mask, Mask]]:
    """Unit vector from |0> to |1>, and which shots lie on that line: first by medians, then by means of the latter."""
    away = np.median(excited, axis=0) - np.median(ground, axis=0)
    kept = (np.ones(len(ground), dtype=bool), np.ones(len(excited), dtype=bool))
    for _ in range(2):
        length = float(np.hypot(*away))
        direction = away / length if length > 0 else np.asarray([1.0, 0.0])
        across = np.asarray([-direction[1], direction[0]])
        both = np.concatenate([ground, excited]) @ across
        middle = float(np.median(both))
        sigma = MAD_TO_SIGMA * float(np.median(np.abs(both - middle)))
        if not sigma > 0:
            raise FitError("the shots do not scatter, so that they are no single shots: measure again")
        near = [np.abs(each @ across - middle) <= _FAR * sigma for each in (ground, excited)]
        kept = (near[0], near[1])
        away = excited[kept[1]].mean(axis=0) - ground[kept[0]].mean(axis=0)
    return away / float(np.hypot(*away)), kept


def _gauss(s: Array, sigma: float) -> Array:
    return np.asarray(np.exp(-0.5 * (s / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi)))


def _excited_density(s: Array, sigma: float, rate: float) -> Array:
    """E(s): those that survive, and the tail of those that decay."""
    middle = s - rate * sigma**2
    inside = special.ndtr(middle / sigma) - special.ndtr((middle - 1.0) / sigma)
    # Far from both blobs the exponential would overflow where the difference beside it is nothing.
    tail = rate * np.exp(np.clip(0.5 * (rate * sigma) ** 2 - rate * s, -300.0, 300.0)) * inside
    return np.asarray(math.exp(-rate) * _gauss(s - 1.0, sigma) + tail)


def _densities(s: Array, parameters: _Parameters, sigma: float) -> tuple[Array, Array]:
    """Of both preparations, with the blobs at 0 and 1."""
    zero, one = _gauss(s, sigma), _excited_density(s, sigma, parameters.rate)
    a, b = parameters.wrong_0, parameters.wrong_1
    return (1 - a) * zero + a * one, (1 - b) * one + b * zero


def _most_likely(ground: Array, excited: Array, sigma: float) -> tuple[_Parameters, Array]:
    """Parameters, in the data's unit along the line, and the (2, 2) covariance of both centres.

    Worked in units of the blobs' first guess, with logarithms of what is positive. The weak priors (half a shot of
    each state in the other preparation; decays as a readout has them) only speak where the shots say nothing.
    """
    start = float(np.median(ground))
    unit = max(float(np.median(excited)) - start, sigma)
    width = sigma / unit
    binned = tuple(_binned((each - start) / unit, _BINS_PER_SIGMA / width) for each in (ground, excited))

    def unpack(theta: Array) -> _Parameters:
        a, b = special.expit(theta[2:4])
        return _Parameters(float(theta[0]), float(theta[1]), float(a), float(b), math.exp(float(theta[4])))

    def unlikely(theta: Array) -> float:
        found = unpack(theta)
        distance = max(found.high - found.low, 1e-3)
        total = 0.0
        for state, (middles, counts) in enumerate(binned):
            density = _densities((middles - found.low) / distance, found, width / distance)[state] / distance
            total -= float(counts @ np.log(np.maximum(density, 1e-300)))
        prior = 0.5 * sum(math.log(max(p * (1 - p), 1e-300)) for p in (found.wrong_0, found.wrong_1))
        prior -= 0.5 * ((float(theta[4]) - math.log(_TYPICAL_RATE)) / _RATE_SPREAD) ** 2
        return total - prior

    bounds = [(-1.0, 1.0), (0.0, 3.0), (-12.0, 0.0), (-12.0, 0.0), (-8.0, 1.0)]
    first = np.asarray([0.0, 1.0, -4.0, -3.0, math.log(_TYPICAL_RATE)])
    from scipy.optimize import minimize  # a seventh of a second, which no other task of those that start waits for

    best = minimize(unlikely, first, method="L-BFGS-B", bounds=bounds)
    covariance = np.asarray(np.linalg.pinv(_curvature(unlikely, best.x))[:2, :2] * unit**2, dtype=np.float64)
    found = unpack(best.x)
    return found._replace(low=start + unit * found.low, high=start + unit * found.high), covariance


def _binned(values: Array, per_unit: float) -> tuple[Array, Array]:
    """Middles and counts of fine bins: as good as the shots themselves, and far fewer."""
    places, counts = np.unique(np.floor(values * per_unit), return_counts=True)
    return np.asarray((places + 0.5) / per_unit), counts.astype(np.float64)


def _curvature(function: Callable[[Array], float], at: Array) -> Array:
    """Matrix of second derivatives, by central differences."""
    steps = np.eye(len(at)) * _STEP
    found = np.empty((len(at), len(at)))
    for i, one in enumerate(steps):
        for j, other in enumerate(steps[: i + 1]):
            corners = (
                function(at + one + other)
                - function(at + one - other)
                - function(at - one + other)
                + function(at - one - other)
            )
            found[i, j] = found[j, i] = corners / (4 * _STEP**2)
    return found


def _threshold(parameters: _Parameters, sigma: float) -> float:
    """Where a shot is as likely of |0> as of |1>: the mean of both fidelities is largest there."""
    distance = parameters.high - parameters.low
    width = sigma / distance
    pure = parameters._replace(wrong_0=0.0, wrong_1=0.0)

    def balance(s: float) -> float:
        zero, one = _densities(np.asarray([s]), pure, width)
        return float(one[0] - zero[0])

    from scipy.optimize import brentq

    crossing = brentq(balance, 0.0, 1.0) if balance(0.0) < 0 < balance(1.0) else 0.5
    return parameters.low + distance * float(crossing)


def _histograms(shots: tuple[Array, ...], parameters: _Parameters, sigma: float) -> tuple[float, int]:
    """chi2 of both histograms, and its degrees of freedom, in bins that each hold enough."""
    chi2, cells = 0.0, 0
    distance = parameters.high - parameters.low
    fine = np.linspace(parameters.low - 6 * sigma, parameters.high + 6 * sigma, 2001)
    for state, each in enumerate(shots):
        density = _densities((fine - parameters.low) / distance, parameters, sigma / distance)[state] / distance
        below = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2) * (fine[1] - fine[0])])
        bins = int(np.clip(len(each) // (4 * _FEWEST_IN_BIN), 5, 40))
        edges = np.interp(np.arange(1, bins) / bins, below / below[-1], fine)
        counts = np.bincount(np.searchsorted(edges, each), minlength=bins)
        expected = len(each) / bins
        chi2 += float(np.sum((counts - expected) ** 2 / expected))
        cells += bins - 1
    return chi2, max(cells - len(_Parameters._fields), 1)


def _separation(distance: float, covariance: Array, sigma: Measured) -> Measured:
    """The distance over the width: both centres have errors, which go together, and so has the width."""
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    found = distance / sigma.value
    return Measured(found, math.hypot(math.sqrt(max(variance, 0.0)), found * sigma.error) / sigma.value)


def _centre(
    level: float, error: float, sideways: float, error_sideways: float, direction: Array
) -> tuple[Measured, Measured]:
    """I and Q of a centre, from its coordinates along and across the line."""
    cosine, sine = float(direction[0]), float(direction[1])
    return (
        Measured(level * cosine - sideways * sine, math.hypot(error * cosine, error_sideways * sine)),
        Measured(level * sine + sideways * cosine, math.hypot(error * sine, error_sideways * cosine)),
    )


def _part(successes: int, shots: int) -> Measured:
    """A fraction; its error is that of a posterior, which is never 0."""
    smooth = (successes + 0.5) / (shots + 1.0)
    return Measured(successes / shots, math.sqrt(smooth * (1 - smooth) / shots))
