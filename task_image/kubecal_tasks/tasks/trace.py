"""One measured curve: the sweep, the signal along the IQ line, and how to get back to the plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kubecal_tasks.fits import Projection, Reference, project, project_between
from kubecal_tasks.fits.values import Array, Measured


@dataclass(frozen=True)
class Trace:
    """A curve that can be fitted."""

    x: Array
    """(N,) as snapped by the backend, SI."""
    signal: Array
    """(N,) 0 at |0> and 1 at |1> where the IQ reference is known, else in the units of the IQ plane."""
    variance: Array
    """(N,) of the signal."""
    iq_points: Array
    """(N, 2)."""
    covariance: Array
    """(N, 2, 2) of these means."""
    projection: Projection
    referenced: bool
    """Whether the signal is in units of the IQ reference."""

    @property
    def middle(self) -> float:
        """Coordinate along the line, from the origin of the IQ plane, of signal 0."""
        axis = self.projection.axis / np.linalg.norm(self.projection.axis)
        return float(self.projection.origin @ axis)

    def iq(self, level: Measured) -> tuple[Array, Array]:
        """The IQ point (2,) of a signal and its errors (2,): along the line the fit's, across it the mean's."""
        axis = self.projection.axis
        along = axis / np.linalg.norm(axis)
        across = np.asarray([-along[1], along[0]])
        error_across = np.sqrt(self._across_variance().mean() / len(self.x))
        # The line goes through the median point; across it all points are equally good measures of where it is.
        offset = float(np.mean((self.iq_points - self.projection.origin) @ across))
        point = self.projection.to_iq(level.value) + offset * across
        return point, np.hypot(axis * level.error, across * error_across)

    def shot_sigma(self, shots: int) -> Measured:
        """Scatter of one shot across the line, where the state plays no part."""
        sigma = float(np.sqrt(np.median(self._across_variance()) * shots))
        return Measured(sigma, sigma / np.sqrt(2.0 * len(self.x) * max(shots - 1, 1)))

    def _across_variance(self) -> Array:
        along = self.projection.axis / np.linalg.norm(self.projection.axis)
        across = np.asarray([-along[1], along[0]])
        variance: Array = np.einsum("i,nij,j->n", across, self.covariance, across)
        return variance

    def mirrored(self) -> Trace:
        """The same curve with the signal's sign turned; for lines whose direction means nothing."""
        return replace(self, signal=-self.signal)


def measured_trace(x: Array, iq: Array, covariance: Array, reference: Reference | None) -> Trace:
    """Project points on the line between the references, or on their principal axis without them."""
    projection = project(iq, covariance) if reference is None else project_between(iq, covariance, reference)
    variance = projection.variance
    assert variance is not None
    return Trace(x, projection.signal, variance, iq, covariance, projection, reference is not None)


def split(trace: Trace, sizes: Sequence[int]) -> tuple[Trace, ...]:
    """Cut a trace of several sweeps in a row, projected together, into its parts."""
    parts, start = [], 0
    for size in sizes:
        part = slice(start, start + size)
        projection = replace(trace.projection, signal=trace.projection.signal[part], variance=trace.variance[part])
        parts.append(
            replace(
                trace,
                x=trace.x[part],
                signal=trace.signal[part],
                variance=trace.variance[part],
                iq_points=trace.iq_points[part],
                covariance=trace.covariance[part],
                projection=projection,
            )
        )
        start += size
    return tuple(parts)
