"""From points in the IQ plane to one real signal.

A qubit between |0> and |1> moves its mean IQ point along the line between two centres. Everything across that
line is noise, so the signal is the coordinate along it. Until CheckRabi has found the centres, the line is the
direction in which the points scatter most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kubecal_tasks.fits.values import Array, FitError


@dataclass(frozen=True)
class Reference:
    """Centres of |0> and |1> in the IQ plane."""

    ground: tuple[float, float]
    excited: tuple[float, float]


@dataclass(frozen=True)
class Projection:
    """A real signal and the line it was measured along."""

    signal: Array
    """(..., N)."""
    variance: Array | None
    """(..., N) of the mean; None where no covariance was given."""
    origin: Array
    """(..., 2) the IQ point of signal 0."""
    axis: Array
    """(..., 2) what one unit of signal is in the IQ plane."""

    def to_iq(self, signal: float) -> Array:
        """The IQ point (..., 2) of a signal."""
        return self.origin + signal * self.axis


def project_between(iq: Array, covariance: Array | None, reference: Reference) -> Projection:
    """Signal along the line between the references: 0 at |0>, 1 at |1>.

    Parameters
    ----------
    iq
        (..., N, 2) mean IQ points.
    covariance
        (..., N, 2, 2) of these means, or None.

    Raises
    ------
    FitError
        If both references are the same point.
    """
    origin, excited = np.asarray(reference.ground, dtype=float), np.asarray(reference.excited, dtype=float)
    axis = excited - origin
    length2 = float(axis @ axis)
    if not (np.isfinite(length2) and length2 > 0):
        raise FitError(
            f"the IQ references of |0> {reference.ground} and |1> {reference.excited} span no line: run CheckRabi"
        )
    direction = axis / length2
    signal = (np.asarray(iq, dtype=float) - origin) @ direction
    lead = signal.shape[:-1]
    return Projection(
        signal,
        _along(covariance, np.broadcast_to(direction, (*lead, 2))),
        np.broadcast_to(origin, (*lead, 2)),
        np.broadcast_to(axis, (*lead, 2)),
    )


def project(iq: Array, covariance: Array | None) -> Projection:
    """Signal along the principal axis, 0 at the middle, the first point on the low side.

    The axis is found with every point counting by its direction rather than its distance, so that a few
    glitches far away do not turn it.

    Parameters
    ----------
    iq
        (..., N, 2) mean IQ points.
    covariance
        (..., N, 2, 2) of these means, or None.
    """
    points = np.asarray(iq, dtype=float)
    origin = np.nanmedian(points, axis=-2)
    offsets = np.nan_to_num(points - origin[..., None, :])
    axis = _principal_axis(offsets)
    signal = (points - origin[..., None, :]) @ axis[..., None]
    sign = np.where(signal[..., :1, 0] > 0, -1.0, 1.0)
    axis = axis * sign
    return Projection(signal[..., 0] * sign, _along(covariance, axis), origin, axis)


def _principal_axis(offsets: Array) -> Array:
    """The dominant eigenvector of a scatter matrix in which far points are drawn in to the median distance."""
    distance = np.linalg.norm(offsets, axis=-1)
    reach = 1.5 * np.median(distance, axis=-1, keepdims=True)
    shrink = np.minimum(1.0, reach / np.where(distance > 0, distance, 1.0))
    drawn_in = offsets * shrink[..., None]
    scatter = np.swapaxes(drawn_in, -1, -2) @ drawn_in
    _, vectors = np.linalg.eigh(scatter)
    axis: Array = vectors[..., :, -1]
    return axis


def _along(covariance: Array | None, direction: Array) -> Array | None:
    if covariance is None:
        return None
    variance: Array = np.einsum("...i,...nij,...j->...n", direction, np.asarray(covariance, dtype=float), direction)
    return np.maximum(variance, 0.0)
