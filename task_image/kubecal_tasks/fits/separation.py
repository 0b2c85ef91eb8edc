"""How far apart a readout tone sees |0> and |1>, against its frequency.

    d(f) = C e^{-2 pi i u tau} / ((1 + 2 i (u - m - h) / kappa) (1 + 2 i (u - m + h) / kappa)),   u = f - middle

is the difference of the two reflections: lines at m -+ h, each kappa wide, and whatever part of the shots was not in
its state only makes C smaller. d is complex, and its phase tells as much of the lines as its size.

The readout point is m, half-way between the lines: there d is symmetric, so that neither a drift of the lines nor one
of the qubit's state is seen first. For lines nearer than kappa to each other |d| is largest there; for lines further
apart it has two equal maxima at m -+ sqrt(h^2 - kappa^2 / 4), and no measurement of |d| could choose between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kubecal_tasks.fits.checks import Finding, believed, data_checks
from kubecal_tasks.fits.complex_model import Complex, derived, prepare_complex, real_columns, rescaled, turned
from kubecal_tasks.fits.evidence import Chosen, choose, evidence
from kubecal_tasks.fits.model import Model, mesh
from kubecal_tasks.fits.resonator import Sweep, line
from kubecal_tasks.fits.resonator_checks import window_finding
from kubecal_tasks.fits.values import Array, Fit, Mask, Measured

_WIDTHS = 6
_HALF_DISTANCES = np.asarray([0.2, 0.4, 0.6, 0.8, 1.1, 1.5, 2.2])
"""h in line widths."""
_MOST_PLACES = 31
_NARROWEST = 1.2
"""Line width in steps: what is narrower is a single point, and that is a glitch."""
_FEWEST_FOR_SPIKES = 9
_STANDS_OUT, _END_STANDS_OUT, _UNUSUAL = 1.5, 3.0, 6.0
_REAL_PARAMETERS = 6


@dataclass(frozen=True)
class SeparationFit(Fit):
    """A fitted difference; frequencies in Hz. The curve is (2, n): I and Q."""

    middle: Measured
    """m, half-way between the lines."""
    kappa: Measured
    half_distance: Measured
    """h, without sign: the difference alone does not tell which line is whose."""

    def separation(self, f: Array) -> Array:
        """(n,) |d|."""
        return np.asarray(np.hypot(*self.curve(f)))

    def largest(self) -> float:
        """|d| where it is largest."""
        kappa, half = self.kappa.value, self.half_distance.value
        away = np.sqrt(max(half**2 - kappa**2 / 4, 0.0))
        return float(self.separation(np.asarray([self.middle.value + away]))[0])


def fit_separation(f: Array, difference: Array, covariance: Array | None = None) -> SeparationFit:
    """Fit one difference; see :func:`fit_separations`."""
    own = None if covariance is None else np.asarray(covariance)[None]
    return fit_separations(f, np.asarray(difference)[None], own)[0]


def fit_separations(f: Array, difference: Array, covariance: Array | None = None) -> tuple[SeparationFit, ...]:
    """Fit the differences of many qubits swept alike.

    Parameters
    ----------
    f
        (N,) frequencies, Hz.
    difference, covariance
        (Q, N, 2) mean IQ points of |1> minus those of |0>, and (Q, N, 2, 2) their covariance; None: estimated from
        the residuals.

    Raises
    ------
    FitError
        If shapes do not fit together or too few points are finite.
    """
    sweep = Sweep.of(np.asarray(f, dtype=float))
    difference = np.asarray(difference, dtype=float)
    if difference.ndim == 3:
        difference = np.where(spikes(difference)[..., None], np.nan, difference)
    data = prepare_complex(sweep.u, difference, covariance, _REAL_PARAMETERS)
    return tuple(_read(each, sweep) for each in choose(_model(sweep), data, [], axes=2))


def spikes(points: Array) -> Mask:
    """(Q, N) which points (Q, N, 2) stand out of their neighbours as nothing does that is wider than a step.

    Among twenty points one glitch, larger than all the rest, would be the best of all lines.
    """
    found = np.zeros(points.shape[:2], dtype=bool)
    if points.shape[1] < _FEWEST_FOR_SPIKES:
        return found
    away = np.linalg.norm(points[:, 1:-1] - (points[:, :-2] + points[:, 2:]) / 2, axis=-1)
    usual = np.nanmedian(away, axis=1, keepdims=True)
    beside = np.pad(away, ((0, 0), (1, 1)))
    # A single point off by d leaves d/2 at both of its neighbours.
    alone = away > _STANDS_OUT * np.maximum(beside[:, :-2], beside[:, 2:])
    found[:, 1:-1] = alone & (away > _UNUSUAL * usual)
    for end, second, third in ((0, 1, 2), (-1, -2, -3)):
        # One at the end leaves d/2 beside it and nothing further in, where one next to the end leaves half as much.
        last, next_ = away[:, end], away[:, second]
        beyond = np.linalg.norm(points[:, end] - 2 * points[:, second] + points[:, third], axis=-1)
        found[:, end] = (last > _END_STANDS_OUT * next_) & (beyond > 2 * _UNUSUAL * usual[:, 0])
        found[:, second] &= ~found[:, end]
    return found


def _columns(u: Array, theta: Array) -> Complex:
    """theta: turns, place, log width, half distance in widths; one column."""
    width = theta[..., 2:3]
    half = theta[..., 3:4] * np.exp(width)
    place = theta[..., 1:2]
    both = turned(u, theta[..., 0:1]) * line(u, place - half, width) * line(u, place + half, width)
    return np.asarray(both[..., None])


def _model(sweep: Sweep) -> Model:
    narrowest = _NARROWEST * sweep.spacing / sweep.span
    places = np.linspace(-0.5, 0.5, max(9, min(_MOST_PLACES, sweep.frequencies.size)))
    widths = np.linspace(np.log(max(0.1, 1.2 * narrowest)), np.log(0.8), _WIDTHS)
    turns = sweep.turns()
    return Model(
        "separation",
        real_columns(_columns),
        mesh(turns, places, widths, _HALF_DISTANCES),
        np.asarray([-2.0, -0.9, np.log(narrowest), 0.0]),
        np.asarray([turns[-1] + 2.0, 0.9, np.log(5.0), 8.0]),
        trials=float(places.size * _WIDTHS * _HALF_DISTANCES.size),
        level_known=True,
        folded=_columns,
    )


def _read(chosen: Chosen, sweep: Sweep) -> SeparationFit:
    def width(t: Array) -> float:
        return float(np.exp(t[2]) * sweep.span)

    return SeparationFit(
        rescaled(evidence(chosen, axes=2), sweep.frequencies, sweep.own),
        middle=derived(chosen, lambda t, c: sweep.middle + float(t[1]) * sweep.span),
        kappa=derived(chosen, lambda t, c: width(t)),
        half_distance=derived(chosen, lambda t, c: abs(float(t[3])) * width(t)),
    )


def separation_checks(fit: SeparationFit) -> list[Finding]:
    """Data checks, and whether the readout point lies within the sweep."""
    low, high = float(fit.x.min()), float(fit.x.max())
    found = fit.middle.value
    away = max(low - found, found - high, 0.0)
    text = (
        f"|0> and |1> differ most near {found / 1e9:.6g} GHz, outside the sweep {low / 1e9:.6g} ... {high / 1e9:.6g} "
        "GHz: move the sweep"
    )
    return believed([*data_checks(fit), window_finding("window", away / 1e6, 0.0, text)])
