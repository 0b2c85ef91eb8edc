"""What shots are taken for: a threshold on the line between the centres, and how often it is wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from kubecal_tasks.fits.checks import Finding
from kubecal_tasks.fits.values import Array, Mask
from kubecal_tasks.fits.weights import MAX_CLIPPED

_BINS = 64
"""Parts of the readout in which the qubit may relax."""
_FAR = 5.0
"""Sigmas from both centres and from all between them; so far lie none of a million good shots."""


@dataclass(frozen=True)
class Classifier:
    """Shots beyond the threshold, along a direction of the IQ plane, count as |1>."""

    ground: tuple[float, float]
    """Centre of |0>."""
    excited: tuple[float, float]
    """Centre of |1>, had it not relaxed."""
    sigma: float
    """Of one shot, in each quadrature."""
    angle: float
    """Of the direction, rad."""
    threshold: float
    """Along it, from the origin of the plane."""

    def assigned(self, iq: Array) -> Mask:
        """Whether shots (..., 2) count as |1>."""
        excited: Mask = np.asarray(iq) @ self._direction > self.threshold
        return excited

    def far(self, iq: Array) -> Mask:
        """Whether shots (..., 2) lie where neither state puts them, nor a decay from one to the other."""
        along, start = self._direction, np.asarray(self.ground)
        length = float((np.asarray(self.excited) - start) @ along)
        away = np.asarray(iq) - start
        place = np.clip(away @ along, 0.0, length)
        far: Mask = np.linalg.norm(away - place[..., None] * along, axis=-1) > _FAR * self.sigma
        return far

    def confusion(self, relaxed: float = 0.0) -> Array:
        """(2, 2) probability of being taken for |row> when in |column> as the readout starts.

        Parameters
        ----------
        relaxed
            Readout length over T1. A shot that relaxes after a part of the readout lies that far from |0> to |1>.
        """
        low, high = (float(np.asarray(centre) @ self._direction) for centre in (self.ground, self.excited))
        false_alarm = self._beyond(np.asarray([low]))[0]
        edges = np.exp(-relaxed * np.linspace(0.0, 1.0, _BINS + 1))
        middles = low + (high - low) * (np.arange(_BINS) + 0.5) / _BINS
        seen = math.exp(-relaxed) * self._beyond(np.asarray([high]))[0] - np.diff(edges) @ self._beyond(middles)
        return np.asarray([[1 - false_alarm, 1 - seen], [false_alarm, seen]])

    @property
    def _direction(self) -> Array:
        return np.asarray([math.cos(self.angle), math.sin(self.angle)])

    def _beyond(self, centres: Array) -> Array:
        """Probability that a shot from such a centre lies beyond the threshold."""
        return np.asarray(ndtr((centres - self.threshold) / self.sigma))


def joint_counts(first: Mask, second: Mask) -> Array:
    """(..., 4) how many shots (..., S) were taken for 00, 01, 10, 11, the first qubit first."""
    outcome = 2 * np.asarray(first, dtype=int) + np.asarray(second, dtype=int)
    return np.stack([np.count_nonzero(outcome == each, axis=-1) for each in range(4)], axis=-1).astype(float)


def joint_confusion(first: Array, second: Array) -> Array:
    """(4, 4) of two qubits that are read independently."""
    return np.asarray(np.kron(first, second))


def shots_check(far: Mask, of: str) -> Finding:
    """Whether few enough of the shots of a qubit are garbage.

    Those that are have been counted like the others: a third state may lie far off too, and is no garbage.
    """
    share = float(np.mean(far))
    text = (
        f"{share:.0%} of the shots of the {of} lie where no state puts them, at most {MAX_CLIPPED:.0%} may: look for "
        "instrument glitches, or run ReadoutClassification again"
    )
    ok = share <= MAX_CLIPPED
    return Finding("glitches", share, MAX_CLIPPED, ok, "poor_fit", "" if ok else text)
