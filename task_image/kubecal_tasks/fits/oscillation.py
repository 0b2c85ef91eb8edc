"""Damped oscillations: Rabi and whatever else turns at one rate.

    y(t) = offset + e^{-rate t} amplitude cos(2 pi frequency t + phase)

Nonlinear: frequency and rate, both in units of the window; the rate may come out slightly negative, since a
bound at zero would touch the truth of an undamped oscillation. Where chi2 fails, a second harmonic (shots that
start before the qubit has relaxed), an offset that relaxes with the oscillation (drive off resonance), a
Gaussian envelope and two lines are tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from kubecal_tasks.fits.batch import Solution, prepare
from kubecal_tasks.fits.evidence import Chosen, choose, evidence
from kubecal_tasks.fits.model import Columns, Model, mesh
from kubecal_tasks.fits.values import Array, Fit, Measured

TWO_PI = 2 * np.pi
_FREQUENCY_STEP = 0.4
"""In cycles a window: phases at both ends are then off by at most a seventh of a turn."""
_RATES = np.asarray([0.0, 0.7, 2.0, 5.0, 12.0])
TWO_LINES = "two_lines"
_CLOSE = 0.3
"""Half the distance of two lines is below this part of their mean."""


@dataclass(frozen=True)
class OscillationFit(Fit):
    """A fitted oscillation; frequency in cycles per unit of x."""

    frequency: Measured
    amplitude: Measured
    """At x = 0, positive: half the distance between the extremes."""
    phase: Measured
    """Of the cosine at x = 0, in (-pi, pi]: near pi or -pi if the signal starts at its lowest."""
    offset: Measured
    rate: Measured
    """Of the envelope, per unit of x; may be slightly negative where there is no damping."""
    ground: Measured
    """The extreme at which the oscillation starts, without damping: the signal of |0>."""
    excited: Measured
    """The other extreme: the signal of |1>."""
    nyquist: float
    """Highest frequency that this spacing resolves."""

    @property
    def periods(self) -> float:
        """How many periods can be seen: within the window, and before the envelope has fallen to e^-2."""
        seen = min(self.span, 2 / self.rate.value) if self.rate.value > 0 else self.span
        return self.frequency.value * seen


def fit_oscillation(t: Array, y: Array, variance: Array | None = None) -> OscillationFit:
    """Fit one oscillation; see :func:`fit_oscillations`."""
    return fit_oscillations(t, np.asarray(y)[None], None if variance is None else np.asarray(variance)[None])[0]


def fit_oscillations(t: Array, y: Array, variance: Array | None = None) -> tuple[OscillationFit, ...]:
    """Fit the oscillations of many qubits measured at the same x.

    Parameters
    ----------
    t
        (N,) durations or any other swept quantity.
    y, variance
        (Q, N) signal and the variance of each point; None: estimated from the residuals.

    Raises
    ------
    FitError
        If shapes do not fit together or too few points are finite.
    """
    t = np.asarray(t, dtype=float)
    data = prepare(t, y, variance, 5)
    span = float(t.max() - t.min())
    nyquist = 0.5 / float(np.median(np.diff(np.sort(t))))
    first = damped_cosine(span, nyquist * span)
    alternatives: list[Callable[[Solution], Model]] = [
        lambda solution: _harmonic(span, solution),
        lambda solution: _variant("relaxing_offset", _relaxing_offset(span), solution),
        lambda solution: _variant("gaussian", _gaussian(span), solution),
        lambda solution: _two_lines(span, solution),
    ]
    return tuple(_read(chosen, span, nyquist) for chosen in choose(first, data, alternatives))


def damped_cosine(span: float, highest: float) -> Model:
    """The model, for frequencies up to ``highest`` cycles a window."""
    frequencies = np.arange(0.2, max(highest, 1.0) + _FREQUENCY_STEP, _FREQUENCY_STEP)
    bounds = np.asarray([0.0, -1.0]), np.asarray([1.05 * frequencies[-1], 60.0])
    return Model("damped_cosine", _cosine(span), mesh(frequencies, _RATES), *bounds, trials=2 * frequencies.size)


def _turns(t: Array, theta: Array, span: float) -> tuple[Array, Array]:
    angle = TWO_PI * theta[..., :1] * t / span
    return angle, np.exp(-theta[..., 1:2] * t / span)


def _cosine(span: float) -> Columns:
    def columns(t: Array, theta: Array) -> Array:
        angle, envelope = _turns(t, theta, span)
        return np.stack([np.ones_like(envelope), envelope * np.cos(angle), envelope * np.sin(angle)], axis=-1)

    return columns


def _second_harmonic(span: float) -> Columns:
    base = _cosine(span)

    def columns(t: Array, theta: Array) -> Array:
        angle, envelope = _turns(t, theta, span)
        squared = envelope**2
        harmonic = np.stack([squared * np.cos(2 * angle), squared * np.sin(2 * angle)], axis=-1)
        return np.concatenate([base(t, theta), harmonic], axis=-1)

    return columns


def _relaxing_offset(span: float) -> Columns:
    base = _cosine(span)

    def columns(t: Array, theta: Array) -> Array:
        _, envelope = _turns(t, theta, span)
        return np.concatenate([base(t, theta), envelope[..., None]], axis=-1)

    return columns


def _gaussian(span: float) -> Columns:
    def columns(t: Array, theta: Array) -> Array:
        angle, _ = _turns(t, theta, span)
        envelope = np.exp(-theta[..., 1:2] * np.abs(theta[..., 1:2]) * (t / span) ** 2)
        return np.stack([np.ones_like(envelope), envelope * np.cos(angle), envelope * np.sin(angle)], axis=-1)

    return columns


def _variant(name: str, columns: Columns, solution: Solution) -> Model:
    first = solution.model
    return Model(name, columns, first.grid, first.lower, first.upper, first.trials)


def _harmonic(span: float, solution: Solution) -> Model:
    """Looked for around the first solution: at half its frequency the harmonic would pass for the fundamental."""
    first, found = solution.model, float(solution.theta[0, 0])
    reach = max(0.1 * found, _FREQUENCY_STEP)
    grid = mesh(np.arange(found - reach, found + reach + 0.1, _FREQUENCY_STEP / 2), _RATES)
    lower, upper = first.lower.copy(), first.upper.copy()
    lower[0], upper[0] = max(lower[0], 0.7 * found), min(upper[0], 1.4 * found)
    return Model("second_harmonic", _second_harmonic(span), np.clip(grid, lower, upper), lower, upper, first.trials)


def _two_lines(span: float, solution: Solution) -> Model:
    """theta: mean frequency, rate, half the distance of the lines; looked for around the line found first."""

    def columns(t: Array, theta: Array) -> Array:
        envelope = np.exp(-theta[..., 1:2] * t / span)
        parts = [np.ones_like(envelope)]
        for sign in (-1.0, 1.0):
            angle = TWO_PI * (theta[..., :1] + sign * theta[..., 2:]) * t / span
            parts += [envelope * np.cos(angle), envelope * np.sin(angle)]
        return np.stack(parts, axis=-1)

    found = float(solution.theta[0, 0])
    halves = np.arange(0.2, 4.0, 0.2)
    grid = mesh(np.arange(-4.0, 4.1, _FREQUENCY_STEP / 2), _RATES[:4], halves)
    grid[:, 0] += found
    near = np.minimum(np.abs(grid[:, 0] - found), np.abs(np.abs(grid[:, 0] - found) - grid[:, 2])) < 0.3
    # One of the two was found first, or they lie evenly about it; a line and its harmonic are not two lines.
    grid = grid[near & (grid[:, 2] < _CLOSE * grid[:, 0])]
    if not grid.size:
        grid = np.asarray([[found, 0.0, _CLOSE * found / 2]])
    upper = np.asarray([solution.model.upper[0], 60.0, max(0.1, _CLOSE * found)])
    return Model(TWO_LINES, columns, grid, np.asarray([0, -1.0, 0.05]), upper, grid.shape[0])


def _read(chosen: Chosen, span: float, nyquist: float) -> OscillationFit:
    two = chosen.alternative == TWO_LINES
    if two:
        chosen = replace(chosen, flags=frozenset({TWO_LINES}))
    p, linear = chosen.theta.size, chosen.linear
    size = p + linear.size
    a, b = float(linear[1]), float(linear[2])
    amplitude = max(float(np.hypot(a, b)), 1e-300)
    along, across, constant = np.zeros(size), np.zeros(size), np.zeros(size)
    along[p + 1 : p + 3] = a / amplitude, b / amplitude
    across[p + 1 : p + 3] = b / amplitude**2, -a / amplitude**2
    constant[p] = 1
    if two:
        along, amplitude = _joint_amplitude(linear, p)
    sign = 1.0 if a >= 0 else -1.0
    offset = float(linear[0]) + chosen.shift
    frequency_error = chosen.error([1.0 / span, *[0.0] * (size - 1)])
    if two:
        frequency_error = float(np.hypot(frequency_error, abs(chosen.theta[2]) / span))
    return OscillationFit(
        evidence(chosen),
        frequency=Measured(float(chosen.theta[0]) / span, frequency_error),
        amplitude=Measured(amplitude, chosen.error(list(along))),
        phase=Measured(float(np.arctan2(-b, a)), chosen.error(list(across))),
        offset=Measured(offset, chosen.error(list(constant))),
        rate=_rate(chosen, span, size),
        ground=Measured(offset + sign * amplitude, chosen.error(list(constant + sign * along))),
        excited=Measured(offset - sign * amplitude, chosen.error(list(constant - sign * along))),
        nyquist=nyquist,
    )


def _joint_amplitude(linear: Array, p: int) -> tuple[Array, float]:
    """Of two lines: the sum of both amplitudes, what they reach where they agree."""
    gradient = np.zeros(p + linear.size)
    total = 0.0
    for first in (1, 3):
        own = max(float(np.hypot(linear[first], linear[first + 1])), 1e-300)
        gradient[p + first : p + first + 2] = linear[first : first + 2] / own
        total += own
    return gradient, total


def _rate(chosen: Chosen, span: float, size: int) -> Measured:
    gradient = np.zeros(size)
    gradient[1] = 1 / span
    return Measured(float(chosen.theta[1]) / span, chosen.error(list(gradient)))
