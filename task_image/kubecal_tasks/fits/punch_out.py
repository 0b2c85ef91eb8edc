"""Resonator lines against the power of the tone: dressed by their qubits at low power, bare at high power.

    f_r(a) = f_bare + (f_dressed - f_bare) / (1 + (a / a_c)^4)

a is the amplitude of the tone; at a_c the photons are as many as n_crit = Delta^2 / 4 g^2 (phenomenological).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kubecal_tasks.fits.checks import Finding, believed, chi2_check, glitch_check
from kubecal_tasks.fits.resonator import ResonatorFit
from kubecal_tasks.fits.resonator_checks import window_finding
from kubecal_tasks.fits.resonator_lines import Gains, fit_lines, line_gains
from kubecal_tasks.fits.separable import SeparableFit, fit_separable
from kubecal_tasks.fits.values import Array, FitError, Measured

LEFT_OF_SHIFT = 0.98
"""Of the dressed line's distance from the bare one, at the amplitude proposed for reading: as much signal as there is
without driving the resonator out of the qubit's reach."""
FEWEST_ROWS = 5
_REACH_HZ = 35e6
"""How far a line is followed from where it is dressed."""
_CLEAR = 60.0
"""Gain that no noise has and every resonator reaches sooner or later."""


@dataclass(frozen=True)
class LineTrack:
    """One line in every row of a power map, rising power."""

    amplitudes: Array
    """(n,) of the rows in which it was seen."""
    fits: tuple[ResonatorFit, ...]
    """(n,) of these."""

    @property
    def frequency(self) -> Array:
        """(n,) Hz."""
        return np.asarray([fit.frequency.value for fit in self.fits])

    @property
    def random_error(self) -> Array:
        """(n,) of the frequencies, without what all rows have in common."""
        return np.asarray([np.sqrt(max(f.frequency.error**2 - f.thermal_doubt**2, 1.0)) for f in self.fits])

    @property
    def lowest(self) -> float:
        """Where it is at the lowest power, Hz."""
        return float(self.frequency[0])


@dataclass(frozen=True)
class PunchOutFit:
    """A line's way from dressed to bare."""

    track: LineTrack
    model: SeparableFit
    """Over the logarithm of the amplitude; frequencies from that at the lowest power."""
    dressed: Measured
    bare: Measured
    critical_amplitude: Measured
    amplitude: Measured
    """At which ``LEFT_OF_SHIFT`` is left: what to read with."""
    frequency: Measured
    """Of the line there."""
    thermal_doubt: float
    """Part of the frequencies' errors that no number of shots makes smaller."""

    def line(self, amplitude: Array) -> Array:
        """(n,) frequencies of the line at amplitudes (n,)."""
        return self.model.curve(np.log(amplitude)) + self.track.lowest


def follow_lines(f: Array, amplitudes: Array, iq: Array, covariance: Array, expected: int) -> tuple[LineTrack, ...]:
    """The lines of a power map, ascending in frequency.

    They are looked for in the rows of lowest power that show as many as expected, and followed from there: where
    strong tones have moved them, they may be anywhere within their distance.

    Parameters
    ----------
    f, amplitudes
        (N,) evenly spaced frequencies, and (R,) rising amplitudes.
    iq, covariance
        (R, N, 2) and (R, N, 2, 2).

    Raises
    ------
    FitError
        If the frequencies are not evenly spaced or too few.
    """
    gains = line_gains(f, iq, covariance)
    places = _dressed(gains, expected)
    edges = np.concatenate([[-np.inf], (places[1:] + places[:-1]) / 2, [np.inf]])
    where: list[tuple[int, int, float]] = []
    for number, place in enumerate(places):
        near = (np.abs(gains.places - place) < _REACH_HZ) & (gains.places > edges[number])
        near &= gains.places < edges[number + 1]
        for row in range(amplitudes.size):
            best = int(np.argmax(np.where(near, gains.gain[row], -1.0)))
            if gains.gain[row, best] > gains.limit():
                where.append((number, row, float(gains.places[best])))
    fits = fit_lines(f, iq, covariance, [(row, at) for _, row, at in where], gains.half_points)
    tracks = []
    for number in range(places.size):
        own = zip(where, fits, strict=True)
        seen = [(row, fit) for (which, row, _), fit in own if which == number and fit is not None]
        if seen:
            tracks.append(LineTrack(amplitudes[[row for row, _ in seen]], tuple(fit for _, fit in seen)))
    return tuple(tracks)


def _dressed(gains: Gains, expected: int) -> Array:
    """(n,) places of the lines, from rows of rising power taken together until all are clear."""
    most: list[int] = []
    for rows in range(1, gains.gain.shape[0] + 1):
        peaks = gains.peaks(gains.gain[:rows].sum(axis=0), max(gains.limit(rows), _CLEAR))
        if len(peaks) > len(most):
            most = peaks
        if len(most) >= expected:
            break
    return gains.places[most]


def fit_punch_out(track: LineTrack) -> PunchOutFit:
    """Fit one line's way.

    Raises
    ------
    FitError
        If too few rows show it.
    """
    if track.amplitudes.size < FEWEST_ROWS:
        raise FitError(
            f"the line near {track.lowest / 1e9:.6g} GHz shows at {track.amplitudes.size} powers, {FEWEST_ROWS} are "
            "needed: use more shots or higher powers"
        )
    x = np.log(track.amplitudes)
    grid = np.arange(x.min() - 1.0, x.max() + 1.0, 0.1)[:, None]
    model = fit_separable(
        x, track.frequency - track.lowest, track.random_error**2, _columns, grid, grid[0] - 2.0, grid[-1] + 2.0
    )
    critical = float(np.exp(model.theta[0]))
    relative = _error(model, [1.0, 0.0, 0.0])
    share = ((1.0 - LEFT_OF_SHIFT) / LEFT_OF_SHIFT) ** 0.25
    doubt = float(np.median([fit.thermal_doubt for fit in track.fits]))

    def frequency(left: float) -> Measured:
        value = track.lowest + float(model.linear[0] + left * model.linear[1])
        return Measured(value, float(np.hypot(_error(model, [0.0, 1.0, left]), doubt)))

    return PunchOutFit(
        track=track,
        model=model,
        dressed=frequency(1.0),
        bare=frequency(0.0),
        critical_amplitude=Measured(critical, critical * relative),
        amplitude=Measured(share * critical, share * critical * relative),
        frequency=frequency(LEFT_OF_SHIFT),
        thermal_doubt=doubt,
    )


def _columns(x: Array, theta: Array) -> Array:
    left = 1.0 / (1.0 + np.exp(np.clip(4.0 * (x - theta[..., :1]), -100.0, 100.0)))
    return np.stack([np.ones_like(left), left], axis=-1)


def _error(model: SeparableFit, gradient: list[float]) -> float:
    g = np.asarray(gradient)
    return float(np.sqrt(max(0.0, g @ model.covariance @ g)))


def punch_out_checks(fit: PunchOutFit) -> list[Finding]:
    """Does the line move, as the formula says, and within the powers measured."""
    statistics = fit.model.statistics
    low, high = float(fit.track.amplitudes.min()), float(fit.track.amplitudes.max())
    moved = statistics.delta_chi2 > statistics.delta_chi2_limit
    still = (
        f"the line near {fit.track.lowest / 1e9:.6g} GHz does not move with power: no qubit is coupled to it, or the "
        "powers do not reach far enough: raise power_range"
    )
    critical, amplitude = fit.critical_amplitude.value, fit.amplitude.value
    weak = f"the line would be bare from amplitude {critical:.3g} on, the powers end at {high:.3g}: raise power_range"
    strong = f"amplitude {amplitude:.3g} lies below all powers at which the line shows, {low:.3g} and more: lower them"
    moves = Finding(
        "no_signal",
        statistics.delta_chi2,
        statistics.delta_chi2_limit,
        bool(moved),
        "no_signal",
        "" if moved else still,
    )
    return believed(
        [
            moves,
            chi2_check(fit.model),
            glitch_check(fit.model),
            window_finding("window", critical, high, weak),
            window_finding("window_start", low, amplitude, strong),
        ]
    )
