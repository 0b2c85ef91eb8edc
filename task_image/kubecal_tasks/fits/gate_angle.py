"""The angle of a gate against the amplitude of its pulse, amplified by repeating it an odd number of times.

n gates, each of pi/2 + e + (pi/2) k (s - 1) at an amplitude s times the nominal one, leave

    y(n, s) = ground + contrast (1 - d^n cos(n (pi/2 + e + (pi/2) k (s - 1)) + o_n)) / 2

An odd number of right gates ends half-way between |0> and |1>, where the signal says most of the angle: n times as
much as one gate does. One gate tells which of the many angles that fit n gates is meant.

The o_n are 0 unless that fails. A short pulse on one qubit of a pair turns the other a little, about an axis that goes
round with the distance of their frequencies: of n gates that makes a small angle of its own for each n, no multiple of
the first. Such angles are no part of e; how much they differ says how well e is known. The signals of |0> and of |1>
are measured beside, or levels that are a little off would pass for angles.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kubecal_tasks.fits.batch import Solution, prepare
from kubecal_tasks.fits.checks import Finding, data_checks
from kubecal_tasks.fits.evidence import Chosen, choose, evidence
from kubecal_tasks.fits.model import Columns, Model, mesh
from kubecal_tasks.fits.repetition import Level
from kubecal_tasks.fits.values import Array, Fit, FitError, Measured

HALF_PI = np.pi / 2
OWN_ANGLES = "own_angles"
LARGEST_OWN_ANGLE = 0.18
"""Of what n gates turn beyond n times one, rms, rad: a gate that is off by so much loses half a per cent."""
_ERRORS = np.linspace(-1.0, 1.0, 26)
_SLOPES = np.asarray([0.5, 0.75, 1.0, 1.25])
_LOSSES = np.asarray([0.0, 0.1])
_OWN_ANGLES = np.linspace(-0.3, 0.3, 5)


@dataclass(frozen=True)
class GateAngleFit(Fit):
    """Fitted angles; x counts the points."""

    repetitions: Array
    """(N,) number of gates at each point; NaN for the last two where these are |0> and |1>."""
    scales: Array
    """(N,) amplitude over the nominal one; NaN likewise."""
    error_angle: Measured
    """e: of the gate at its nominal amplitude, rad."""
    slope: Measured
    """k: 1 where the angle goes as the amplitude."""
    right_scale: Measured
    """Amplitude over the nominal one at which the gate turns by pi/2."""
    levels: tuple[float, float]
    """Signal of |0>, and how much more that of |1> is."""
    loss: float
    """-log d."""
    own_angles: Array
    """o_n (K,) of the K different numbers of gates, the smallest first, rad."""

    def signal(self, count: int, scales: Array) -> Array:
        """The model for a number of gates that was measured."""
        ground, contrast = self.levels
        own = self.own_angles[np.searchsorted(_counts(self.repetitions), count)]
        angle = count * _angle(scales, self.error_angle.value, self.slope.value) + own
        return np.asarray(ground + contrast * (1 - np.exp(-self.loss * count) * np.cos(angle)) / 2)

    @property
    def own_angle(self) -> float:
        """Of the o_n, rms, rad."""
        return _scatter(self.own_angles)


def fit_gate_angle(
    repetitions: Array,
    scales: Array,
    y: Array,
    variance: Array,
    ground: Level | None = None,
    excited: Level | None = None,
) -> GateAngleFit:
    """Fit the signals of a gate at several amplitudes and numbers of repetitions.

    Parameters
    ----------
    repetitions, scales, y, variance
        (N,) each: a point's number of gates, its amplitude over the nominal one, its signal and that one's variance.
    ground, excited
        Signals of |0> and |1> with their variances, both or none. They join the data as two further points; without
        them no angles of their own can be told.

    Raises
    ------
    FitError
        If shapes do not fit together or too few points are finite.
    """
    n, s, y = (np.asarray(each, dtype=float) for each in (repetitions, scales, y))
    if (ground is None) != (excited is None):
        raise FitError("give both references, of |0> and of |1>, or none")
    if not n.shape == s.shape == y.shape:
        raise FitError(f"{y.shape} signals of {n.shape} repetitions at {s.shape} amplitudes: give one of each")
    variance = np.asarray(variance, dtype=float)
    if ground is not None and excited is not None:
        n, s = (np.append(each, [np.nan, np.nan]) for each in (n, s))
        y, variance = np.append(y, [ground[0], excited[0]]), np.append(variance, [ground[1], excited[1]])
    data = prepare(np.arange(n.size, dtype=float), y[None], variance[None], 5)
    grid = mesh(_ERRORS, _SLOPES, _LOSSES)
    first = Model(
        "gate angle",
        _columns(n, s, lambda theta: theta[..., :1] * np.nan_to_num(n)),
        grid,
        np.asarray([-2.0, -1.0, -0.2]),
        np.asarray([2.0, 4.0, 3.0]),
        trials=float(grid.shape[0]),
    )
    alternatives: list[Callable[[Solution], Model]] = []
    if np.isnan(n[-1]) and _counts(n).size > 2:
        alternatives.append(lambda solution: _with_own_angles(n, s, solution))
    return _read(choose(first, data, alternatives)[0], n, s)


def _counts(repetitions: Array) -> Array:
    """The different numbers of gates."""
    return np.unique(repetitions[np.isfinite(repetitions)])


def _columns(n: Array, s: Array, beyond: Callable[[Array], Array]) -> Columns:
    """theta ends with k and -log d; ``beyond`` makes of it (..., N) what all gates of a point turn too far at s = 1."""
    gates, scales = np.nan_to_num(n), np.nan_to_num(s)

    def columns(x: Array, theta: Array) -> Array:
        angle = gates * _angle(scales, 0.0, theta[..., -2:-1]) + beyond(theta)
        excited = (1 - np.exp(-theta[..., -1:] * gates) * np.cos(angle)) / 2
        if np.isnan(n[-1]):
            excited[..., -2], excited[..., -1] = 0.0, 1.0
        excited = excited[..., np.round(x).astype(int)]
        return np.stack([np.ones_like(excited), excited], axis=-1)

    return columns


def _with_own_angles(n: Array, s: Array, solution: Solution) -> Model:
    """theta: what each number of gates turns too far in all, then k and -log d; looked for around the first fit."""
    counts = _counts(n)
    place = np.searchsorted(counts[:-1], n)  # NaN sorts last: |0> and |1> have a place, and no use for it
    error, slope, loss = (float(each) for each in solution.theta[0])
    grid = mesh(*(count * error + _OWN_ANGLES for count in counts), np.asarray([slope]), np.asarray([loss]))
    lower, upper = (
        np.concatenate([sign * (2.0 * counts + 1.0), bounds]) for sign, bounds in ((-1, [-1.0, -0.2]), (1, [4.0, 3.0]))
    )
    return Model(OWN_ANGLES, _columns(n, s, lambda theta: theta[..., place]), grid, lower, upper, grid.shape[0])


def _read(chosen: Chosen, n: Array, s: Array) -> GateAngleFit:
    counts = _counts(n)
    size = chosen.theta.size + chosen.linear.size
    at_slope = chosen.theta.size - 2
    slope = float(chosen.theta[at_slope])
    of_error, of_slope = np.zeros(size), np.zeros(size)
    of_slope[at_slope] = 1.0
    if chosen.alternative == OWN_ANGLES:
        # What is common to all numbers of gates, as the longest train knows it best.
        of_error[: counts.size] = counts / float(counts @ counts)
        error = float(of_error[: counts.size] @ chosen.theta[: counts.size])
        own = np.asarray(chosen.theta[: counts.size] - counts * error)
    else:
        of_error[0] = 1.0
        error, own = float(chosen.theta[0]), np.zeros(counts.size)
    doubt = _scatter(own) / math.sqrt(float(counts @ counts))
    scale = 1 - error / (HALF_PI * slope) if slope else math.nan
    gradient = -of_error / (HALF_PI * slope) + of_slope * error / (HALF_PI * slope**2) if slope else of_error
    uncertain = math.hypot(chosen.error(list(gradient)), doubt / (HALF_PI * slope)) if slope else math.inf
    return GateAngleFit(
        evidence(chosen),
        repetitions=n,
        scales=s,
        error_angle=Measured(error, math.hypot(chosen.error(list(of_error)), doubt)),
        slope=Measured(slope, chosen.error(list(of_slope))),
        right_scale=Measured(scale, uncertain),
        levels=(float(chosen.linear[0]) + chosen.shift, float(chosen.linear[1])),
        loss=float(chosen.theta[-1]),
        own_angles=own,
    )


def _scatter(own_angles: Array) -> float:
    """Of angles of which one combination was taken out, rms."""
    return float(np.sqrt(own_angles @ own_angles / max(own_angles.size - 1, 1)))


def _angle(scales: Array, error: Array | float, slope: Array | float) -> Array:
    return np.asarray(HALF_PI + error + HALF_PI * slope * (scales - 1))


def gate_angle_checks(fit: GateAngleFit) -> list[Finding]:
    """Data checks, whether the right amplitude lies within those that were tried, and whether gates are alike."""
    low, high = float(np.nanmin(fit.scales)), float(np.nanmax(fit.scales))
    value = fit.right_scale.value
    limit = high if value > (low + high) / 2 else low
    text = (
        f"the gate would turn by pi/2 at {value:.3g} times its amplitude, outside {low:.3g} ... {high:.3g}: "
        "run CheckCrossResonance again"
    )
    ok = low <= value <= high
    window = Finding("window", value, limit, ok, "window", "" if ok else text)
    return [*data_checks(fit), window, _alike(fit.own_angle)]


def _alike(angle: float) -> Finding:
    text = (
        f"several gates turn by {angle:.2g} rad more or less than as many single ones, at most {LARGEST_OWN_ANGLE} may "
        "be: the flips of the control reach the target; make its pi pulse longer (drag_pi_duration)"
    )
    ok = angle <= LARGEST_OWN_ANGLE
    return Finding("alike", angle, LARGEST_OWN_ANGLE, ok, "poor_fit", "" if ok else text)
