"""Other sweeps for lines that were not found where they were looked for."""

from __future__ import annotations

import math

import numpy as np

from kubecal_tasks.fits.suggestions import Proposal, Sweep
from kubecal_tasks.fits.values import Array

_MHZ = 1e6


def wider(x: Array, shots: int, limits: tuple[float, float], most_shots: int) -> Proposal | None:
    """Where nothing was seen: twice as far to both sides with as many points, and four times the shots.

    Parameters
    ----------
    x
        (N,) what was swept, in the unit of the limits, Hz.
    limits
        The least and the greatest value that the sweep may have.
    """
    low, high = float(np.min(x)), float(np.max(x))
    start, stop = max(1.5 * low - 0.5 * high, limits[0]), min(1.5 * high - 0.5 * low, limits[1])
    more = min(4 * shots, most_shots)
    if stop - start <= 1.01 * (high - low) and more <= shots:
        return None
    reason = f"nothing seen: sweep {start / _MHZ:.6g} ... {stop / _MHZ:.6g} MHz with {more} shots"
    return Proposal(reason, Sweep(start, stop, len(x), "linear"), more)


def moved(x: Array, to: float, least_span: float, limits: tuple[float, float], reason: str) -> Proposal | None:
    """A sweep about another middle, at least so wide, with the same spacing as far as 1001 points allow."""
    low, high = float(np.min(x)), float(np.max(x))
    if not (math.isfinite(to) and math.isfinite(least_span)):
        return None
    half = max(high - low, least_span) / 2
    start, stop = max(to - half, limits[0]), min(to + half, limits[1])
    if stop <= start or (math.isclose(start, low, rel_tol=1e-3) and math.isclose(stop, high, rel_tol=1e-3)):
        return None
    spacing = (high - low) / max(len(x) - 1, 1)
    num = min(max(round((stop - start) / spacing) + 1, len(x)), 1001) if spacing > 0 else len(x)
    return Proposal(reason, Sweep(start, stop, num, "linear"))
