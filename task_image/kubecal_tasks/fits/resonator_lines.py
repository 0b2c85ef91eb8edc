"""Which lines a wide sweep of a readout cable holds: found by a matched filter, then each fitted where it is.

The filter compares the points about every frequency with a resonance there, beyond what a constant and a slope
explain. The cable's delay turns all phases alike and is taken out before.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import special

from kubecal_tasks.fits.complex_model import Complex
from kubecal_tasks.fits.evidence import FALSE_ALARM
from kubecal_tasks.fits.resonator import ResonatorFit, fit_resonators
from kubecal_tasks.fits.values import Array, FitError
from kubecal_tasks.fits.weights import MAD_TO_SIGMA

HALF_WINDOW_HZ = 20e6
"""To both sides of a line, what the filter and the fit look at: many line widths, and not the next resonator."""
_FEWEST = 8
"""Points to each side, however coarse the sweep."""
_WIDTHS_HZ = (1e6, 2e6, 4e6)
_EXCLUDED = 1.5
"""Half windows within which a strong line leaves traces that are none."""
_EVEN = 1e-3
_LARGEST = 1.2
"""Of the median magnitude: a passive line gives back no more, so what lies beyond is a glitch."""
_SIGMAS = 5.0
_NEAR = 0.25
"""Half windows within which a fit must find what the filter saw."""


@dataclass(frozen=True)
class Gains:
    """How much better a line at each place describes the points around it."""

    places: Array
    """(M,) frequencies, half a step apart, Hz."""
    gain: Array
    """(R, M) of each row; of noise it is distributed as chi2 with two degrees of freedom."""
    half_points: int

    def limit(self, rows: int = 1) -> float:
        """What the sum of so many rows of noise exceeds once in ten thousand."""
        return float(special.chdtri(2 * rows, FALSE_ALARM / (len(_WIDTHS_HZ) * self.places.size)))

    @property
    def excluded_hz(self) -> float:
        """About a line, where no other one is looked for."""
        step = float(self.places[1] - self.places[0])
        return _EXCLUDED * 2 * step * self.half_points

    def peaks(self, gain: Array, limit: float) -> list[int]:
        """Where (positions in ``places``, ascending) a row has lines."""
        left = gain.copy()
        found: list[int] = []
        while left.size and (best := int(np.argmax(left))) >= 0 and left[best] > limit:
            found.append(best)
            left[np.abs(self.places - self.places[best]) < self.excluded_hz] = 0.0
        return sorted(found)


def line_gains(f: Array, iq: Array, covariance: Array) -> Gains:
    """Compare every place with a line.

    Parameters
    ----------
    f
        (N,) evenly spaced frequencies, Hz.
    iq, covariance
        (R, N, 2) means of R sweeps over them, (R, N, 2, 2) their covariances.

    Raises
    ------
    FitError
        If the frequencies are not evenly spaced, or too few.
    """
    spacing = even_spacing(f)
    half = min(max(round(HALF_WINDOW_HZ / spacing), _FEWEST), (f.size - 1) // 2)
    if half < _FEWEST:
        raise FitError(f"{f.size} frequencies are too few to look for lines among: sweep {2 * _FEWEST + 1} or more")
    points = np.nan_to_num(without_delay(iq))
    variance = np.nanmedian(np.einsum("rnii->rn", covariance) / 2, axis=1)
    if not np.all(variance > 0):
        raise FitError("the points have no scatter to compare with: take more than one shot")
    offsets = np.arange(-half, half + 1.0)
    gain = np.zeros((iq.shape[0], 2 * f.size - 1))
    for width in _WIDTHS_HZ:
        for at, windows, shift in _windows(points, half):
            template = _template(offsets, shift, max(width / spacing, 0.5))
            found = np.abs(windows @ template.conj()) ** 2 / variance[:, None]
            gain[:, at] = np.maximum(gain[:, at], found)
    return Gains(f[0] + spacing / 2 * np.arange(2 * f.size - 1), gain, half)


def even_spacing(f: Array) -> float:
    """The distance (Hz) of evenly spaced frequencies.

    Raises
    ------
    FitError
        If they are not, or do not rise.
    """
    steps = np.diff(f)
    if not (steps.size and steps.min() > 0 and np.ptp(steps) <= _EVEN * steps.mean()):
        raise FitError("the frequencies are not evenly spaced: give frequency_range as start, stop and step")
    return float(steps.mean())


def without_delay(iq: Array) -> Complex:
    """(R, N) points of (R, N, 2) with the usual turn from one to the next taken out, and glitches left out.

    What is larger than anything a passive line gives back is replaced by its neighbours' mean.
    """
    points = np.nan_to_num(iq[..., 0] + 1j * iq[..., 1])
    strongest = int(np.argmax(np.median(np.abs(points), axis=1)))
    row = points[strongest]
    steps = row[:-1].conj() * row[1:]
    turn = np.angle(np.sum(steps))
    # The lines turn the phase as well, each once: the median does not see the few steps that do it.
    turn += np.median(np.angle(steps * np.exp(-1j * turn)))
    straight = points * np.exp(-1j * turn * np.arange(points.shape[1]))
    return _without_glitches(straight)


def glitches(points: Complex) -> NDArray[np.bool_]:
    """(R, N) which points are larger than anything a passive line gives back."""
    size = np.abs(points)
    usual = np.median(size, axis=1, keepdims=True)
    scatter = MAD_TO_SIGMA * np.median(np.abs(size - usual), axis=1, keepdims=True)
    return np.asarray(size > _LARGEST * usual + _SIGMAS * scatter)


def glitched_share(iq: Array) -> float:
    """Share of such points (R, N, 2) in the row that has most: garbage hides in weak rows, and in strong ones."""
    return float(glitches(np.nan_to_num(iq[..., 0] + 1j * iq[..., 1])).mean(axis=1).max())


def _without_glitches(points: Complex) -> Complex:
    bad = glitches(points)
    good, weight = np.where(bad, 0.0, points), (~bad).astype(float)
    beside = np.roll(good, 1, axis=1) + np.roll(good, -1, axis=1)
    number = np.roll(weight, 1, axis=1) + np.roll(weight, -1, axis=1)
    return np.asarray(np.where(bad, beside / np.maximum(number, 1.0), points))


def _windows(points: Complex, half: int) -> list[tuple[Array | slice, Complex, float]]:
    """(places, (R, W, 2 half + 1) windows, how far off their middle the line lies in steps)."""
    windows = sliding_window_view(points, 2 * half + 1, axis=1)
    count, last = windows.shape[1], 2 * points.shape[1] - 2
    inside = slice(2 * half, 2 * (half + count) - 1, 2)
    between = slice(2 * half + 1, 2 * (half + count) - 2, 2)
    found: list[tuple[Array | slice, Complex, float]] = [(inside, windows, 0.0), (between, windows[:, :-1], 0.5)]
    for steps in range(1, 2 * half + 1):  # lines so near an end that no window has them in its middle
        found.append((slice(2 * half - steps, 2 * half - steps + 1), windows[:, :1], -steps / 2))
        found.append((slice(last - 2 * half + steps, last - 2 * half + steps + 1), windows[:, -1:], steps / 2))
    return found


def _template(offsets: Array, shift: float, width: float) -> Complex:
    """What of a line at a shift from the middle neither a constant nor a slope explains; of length one."""
    shape = 1.0 / (1.0 + 2j * (offsets - shift) / width)
    even, odd = np.ones(offsets.size) / np.sqrt(offsets.size), offsets / np.linalg.norm(offsets)
    rest = shape - (even @ shape) * even - (odd @ shape) * odd
    return np.asarray(rest / np.linalg.norm(rest))


def fit_lines(
    f: Array, iq: Array, covariance: Array, where: list[tuple[int, float]], half_points: int
) -> tuple[ResonatorFit | None, ...]:
    """Fit lines where they were found; None where the fit does not find what the filter saw.

    Parameters
    ----------
    f, iq, covariance
        As for :func:`line_gains`.
    where
        Row and frequency of each.
    half_points
        To each side of it, as far as the sweep goes.
    """
    if not where:
        return ()
    spacing = even_spacing(f)
    window, last = 2 * half_points + 1, f.size - 2 * half_points - 1
    starts = [int(np.clip(round((at - f[0]) / spacing) - half_points, 0, last)) for _, at in where]
    parts = [(row, slice(start, start + window)) for (row, _), start in zip(where, starts, strict=True)]
    kept = np.where(glitches(np.nan_to_num(iq[..., 0] + 1j * iq[..., 1]))[..., None], np.nan, iq)
    fits = fit_resonators(
        np.asarray(spacing * np.arange(window), dtype=float),
        np.stack([kept[part] for part in parts]),
        np.stack([covariance[part] for part in parts]),
        thermal=False,
    )
    moved = [fit.moved(float(f[start])) for fit, start in zip(fits, starts, strict=True)]
    near = _NEAR * spacing * half_points
    return tuple(fit if _is_line(fit, at, near) else None for fit, (_, at) in zip(moved, where, strict=True))


def _is_line(fit: ResonatorFit, at: float, near: float) -> bool:
    """Whether a fit is better than none, and where the filter saw a line."""
    statistics = fit.statistics
    return abs(fit.frequency.value - at) < near and statistics.delta_chi2 > statistics.delta_chi2_limit


def assigned(found: Array, expected: Array) -> tuple[int | None, ...]:
    """Which of the lines (n,) found belongs to each of those (m,) expected: in the same order of frequency.

    Where their numbers differ, those are left out that leave the rest nearest to what is expected. As many lines as
    expected are taken in order, however far off: neighbours of one cable do not change places.
    """
    order = np.argsort(expected)
    up = np.argsort(found)
    number = min(found.size, expected.size)
    best: tuple[float, tuple[int, ...], tuple[int, ...]] = (np.inf, (), ())
    for lines in combinations(range(found.size), number):
        for members in combinations(range(expected.size), number):
            distance = float(np.sum((found[up[list(lines)]] - expected[order[list(members)]]) ** 2))
            if distance < best[0]:
                best = (distance, lines, members)
    result: list[int | None] = [None] * expected.size
    for line, member in zip(best[1], best[2], strict=True):
        result[int(order[member])] = int(up[line])
    return tuple(result)
