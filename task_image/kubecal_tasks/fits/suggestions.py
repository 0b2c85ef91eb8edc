"""Concrete run parameters for a next attempt, within limits the caller states.

Each function proposes one change and gives None where the limits leave no room for it. Values are in the units
of what is passed in; the task turns them into those of its manifest. Reasons speak in ratios, which have no unit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kubecal_tasks.fits.amplitude import AmplitudeFit
from kubecal_tasks.fits.decay import DecayFit
from kubecal_tasks.fits.oscillation import OscillationFit
from kubecal_tasks.fits.values import Array

Scale = Literal["linear", "log"]
_MARGIN = 1.3
"""More shots than the square law says, since errors scatter too."""
_LARGEST_STEP = 8.0
"""A sweep changes by at most this factor: what the fit says far outside its window is a guess."""
_GOOD_DECAY_WINDOWS = 5.0
_GOOD_PERIODS = 4.0


@dataclass(frozen=True)
class Sweep:
    """A sweep as a manifest writes it."""

    start: float
    stop: float
    num: int
    scale: Scale


@dataclass(frozen=True)
class Proposal:
    """What to try next and why."""

    reason: str
    sweep: Sweep | None = None
    shots: int | None = None


def sweep_of(x: Array) -> Sweep:
    """Describe measured points as a sweep; logarithmic where their ratios vary less than their differences."""
    x = np.sort(np.asarray(x, dtype=float))
    scale: Scale = "linear"
    if x.size > 2 and x[0] > 0:
        ratios, differences = np.diff(np.log(x)), np.diff(x)
        if np.std(ratios) / np.mean(ratios) < np.std(differences) / np.mean(differences):
            scale = "log"
    return Sweep(float(x[0]), float(x[-1]), int(x.size), scale)


def more_shots(shots: int, error: float, wanted: float, most: int) -> Proposal | None:
    """Enough shots for the error wanted, by the square law."""
    if not (math.isfinite(error) and error > wanted > 0):
        return None
    enough = math.ceil(shots * (error / wanted) ** 2 * _MARGIN)
    if (chosen := min(enough, most)) <= shots:
        return None
    return Proposal(f"{chosen} shots instead of {shots}, for an error {error / wanted:.2g} times smaller", shots=chosen)


def stronger_signal(x: Array, shots: int, longest: float, most: int) -> Proposal | None:
    """Where nothing was seen: twice the range and four times the shots, as far as allowed."""
    old = sweep_of(x)
    stop, more = min(2 * old.stop, longest), min(4 * shots, most)
    if stop <= old.stop and more <= shots:
        return None
    return Proposal(
        f"nothing seen: sweep {_times(stop, old.stop)} times as far with {max(more, shots)} shots",
        sweep=Sweep(old.start, max(stop, old.stop), old.num, old.scale),
        shots=max(more, shots),
    )


def _times(stop: float, old: float) -> str:
    return f"{stop / old:.3g}" if 0 < old < stop else "1"


def decay_window(fit: DecayFit, shortest: float, longest: float) -> Proposal | None:
    """Delays that see the decay from beginning to end: to five decay times."""
    old = sweep_of(fit.x)
    wanted = float(np.clip(_GOOD_DECAY_WINDOWS * fit.tau.value, old.stop / _LARGEST_STEP, old.stop * _LARGEST_STEP))
    stop = float(np.clip(wanted, shortest, longest))
    if not math.isfinite(stop) or math.isclose(stop, old.stop, rel_tol=0.05):
        return None
    start = max(old.start * stop / old.stop, shortest) if stop < old.stop else old.start
    return Proposal(
        f"delays to {stop / old.stop:.3g} of the longest, which was {old.stop / fit.tau.value:.2g} decay times",
        sweep=Sweep(start, stop, old.num, old.scale),
    )


def oscillation_window(fit: OscillationFit, longest: float, most_points: int) -> Proposal | None:
    """A sweep that holds a few periods and resolves them."""
    old = sweep_of(fit.x)
    if abs(fit.frequency.value) > 0.5 * fit.nyquist:
        num = min(2 * old.num - 1, most_points)
        stop = old.stop if num == 2 * old.num - 1 else old.start + (old.stop - old.start) / 2
        reason = (
            f"half the spacing: the oscillation is at {fit.frequency.value / fit.nyquist:.2f} of what this one resolves"
        )
        return Proposal(reason, sweep=Sweep(old.start, stop, num, "linear"))
    factor = min(_LARGEST_STEP, _GOOD_PERIODS / max(fit.periods, 0.1))
    stop = min(old.start + factor * (old.stop - old.start), longest)
    if stop <= old.stop * 1.05:
        return None
    reason = f"sweep {stop / old.stop:.3g} times as far: this one held {fit.periods:.2g} periods"
    return Proposal(reason, sweep=Sweep(old.start, stop, old.num, "linear"))


def amplitude_window(fit: AmplitudeFit, largest: float) -> Proposal | None:
    """A sweep that reaches beyond the pi amplitude."""
    old = sweep_of(fit.x)
    wanted = min(1.5 * fit.pi_amplitude.value, _LARGEST_STEP * old.stop, largest)
    if not math.isfinite(wanted) or wanted <= old.stop * 1.05:
        return None
    beyond = fit.pi_amplitude.value / old.stop
    reason = f"sweep {wanted / old.stop:.3g} times as far: the pi amplitude is near {beyond:.2g} of this one's end"
    return Proposal(reason, sweep=Sweep(old.start, wanted, old.num, old.scale))
