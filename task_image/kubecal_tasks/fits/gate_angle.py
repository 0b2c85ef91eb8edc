"""The angle of a gate against the amplitude of its pulse, amplified by repeating it an odd number of times.

n gates, each of pi/2 + e + (pi/2) k (s - 1) at an amplitude s times the nominal one, leave

    y(n, s) = ground + contrast (1 - d^n cos(n (pi/2 + e + (pi/2) k (s - 1)))) / 2

An odd number of right gates ends half-way between |0> and |1>, where the signal says most of the angle: n times as
much as one gate does. One gate tells which of the many angles that fit n gates is meant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kubecal_tasks.fits.checks import Finding, data_checks
from kubecal_tasks.fits.model import mesh
from kubecal_tasks.fits.separable import fit_separable
from kubecal_tasks.fits.values import Array, Fit, FitError, Measured

HALF_PI = np.pi / 2
_ERRORS = np.linspace(-1.0, 1.0, 26)
_SLOPES = np.asarray([0.5, 0.75, 1.0, 1.25])
_LOSSES = np.asarray([0.0, 0.1])


@dataclass(frozen=True)
class GateAngleFit(Fit):
    """Fitted angles; x counts the points."""

    repetitions: Array
    """(N,) number of gates at each point."""
    scales: Array
    """(N,) amplitude over the nominal one."""
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

    def signal(self, count: int, scales: Array) -> Array:
        """The model for a number of gates."""
        ground, contrast = self.levels
        angle = _angle(scales, self.error_angle.value, self.slope.value)
        return np.asarray(ground + contrast * (1 - np.exp(-self.loss * count) * np.cos(count * angle)) / 2)


def fit_gate_angle(repetitions: Array, scales: Array, y: Array, variance: Array) -> GateAngleFit:
    """Fit the signals of a gate at several amplitudes and numbers of repetitions.

    Parameters
    ----------
    repetitions, scales, y, variance
        (N,) each: a point's number of gates, its amplitude over the nominal one, its signal and that one's variance.

    Raises
    ------
    FitError
        If shapes do not fit together or too few points are finite.
    """
    n, s = np.asarray(repetitions, dtype=float), np.asarray(scales, dtype=float)
    if not n.shape == s.shape == np.shape(y):
        raise FitError(f"{np.shape(y)} signals of {n.shape} repetitions at {s.shape} amplitudes: give one of each")

    def columns(x: Array, theta: Array) -> Array:
        at = np.round(x).astype(int)
        angle = _angle(s[at], theta[..., :1], theta[..., 1:2])
        turned = np.exp(-theta[..., 2:3] * n[at]) * np.cos(n[at] * angle)
        return np.stack([np.ones_like(turned), (1 - turned) / 2], axis=-1)

    lower, upper = np.asarray([-2.0, -1.0, -0.2]), np.asarray([2.0, 4.0, 3.0])
    grid = mesh(_ERRORS, _SLOPES, _LOSSES)
    fit = fit_separable(np.arange(n.size, dtype=float), y, variance, columns, grid, lower, upper)
    error, slope = fit.nonlinear(0), fit.nonlinear(1)
    ground, contrast = fit.coefficient(0).value, fit.coefficient(1).value
    return GateAngleFit(
        fit.evidence, n, s, error, slope, _right(fit.theta, fit.covariance), (ground, contrast), float(fit.theta[2])
    )


def _angle(scales: Array, error: Array | float, slope: Array | float) -> Array:
    return np.asarray(HALF_PI + error + HALF_PI * slope * (scales - 1))


def _right(theta: Array, covariance: Array) -> Measured:
    error, slope = float(theta[0]), float(theta[1])
    if slope == 0.0:
        return Measured(float("nan"), float("inf"))
    gradient = np.asarray([-1 / (HALF_PI * slope), error / (HALF_PI * slope**2)])
    return Measured(1 - error / (HALF_PI * slope), float(np.sqrt(gradient @ covariance[:2, :2] @ gradient)))


def gate_angle_checks(fit: GateAngleFit) -> list[Finding]:
    """Data checks, and whether the right amplitude lies within those that were tried."""
    low, high = float(fit.scales.min()), float(fit.scales.max())
    value = fit.right_scale.value
    limit = high if value > (low + high) / 2 else low
    text = (
        f"the gate would turn by pi/2 at {value:.3g} times its amplitude, outside {low:.3g} ... {high:.3g}: "
        "run CheckCrossResonance again"
    )
    ok = low <= value <= high
    return [*data_checks(fit), Finding("window", value, limit, ok, "window", "" if ok else text)]
