"""The resonator with the qubit in |0> and in |1>, fitted together.

    S_s(f) = A (1 + s u) e^{-2 pi i u tau} (1 - D ((1 - p_s) R_0 + p_s R_1)),   R_s = 1 / (1 + 2 i (f - f_s) / kappa)

p_0 is what of the shots prepared in |0> was in |1>, p_1 what of those prepared in |1> was: a thermal qubit, an
imprecise pulse and relaxation during the readout all mix the two lines, and leave both where they are.
f_1 - f_0 = 2 chi.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kubecal_tasks.fits.checks import FEWEST_SIGMAS, Finding, believed, data_checks
from kubecal_tasks.fits.complex_model import (
    Complex,
    compared,
    derived,
    prepare_complex,
    real_columns,
    rescaled,
    without_signal,
)
from kubecal_tasks.fits.evidence import Chosen, choose
from kubecal_tasks.fits.model import Model, mesh
from kubecal_tasks.fits.resonator import ResonatorFit, Sweep, cable, fit_resonator, line
from kubecal_tasks.fits.resonator_checks import window_finding
from kubecal_tasks.fits.values import Array, Fit, FitError, Measured

_DISTANCES = np.asarray([-3.0, -2.0, -1.3, -0.8, -0.5, -0.25, 0.25, 0.5, 0.8, 1.3, 2.0, 3.0])
"""Of the lines, in widths: where the grid looks."""
_EXCITED = np.asarray([0.6, 0.95])
_REAL_PARAMETERS = 11


@dataclass(frozen=True)
class DispersiveFit(Fit):
    """Both fitted lines; frequencies in Hz. Data and curve have four rows: I of |0> and |1>, Q of |0> and |1>."""

    chi: Measured
    """Half the distance from the line of |0> to that of |1>."""
    middle: Measured
    """Half-way between them."""
    ground: Measured
    """f_0."""
    excited: Measured
    """f_1."""
    kappa: Measured
    contrast: Measured
    """p_1 - p_0."""

    def states(self, f: Array) -> tuple[Complex, Complex]:
        """(n,) what comes back with the qubit prepared in |0> and in |1>."""
        return as_complex(self.curve(f))


def as_complex(rows: Array) -> tuple[Complex, Complex]:
    """The four rows of data or curve as two complex ones."""
    return np.asarray(rows[0] + 1j * rows[2]), np.asarray(rows[1] + 1j * rows[3])


def fit_dispersive(f: Array, iq: Array, covariance: Array | None = None) -> DispersiveFit:
    """Fit both sweeps of one qubit.

    Parameters
    ----------
    f
        (N,) frequencies, Hz.
    iq, covariance
        (2, N, 2) mean IQ points, of |0> first, and (2, N, 2, 2) the covariance of each mean; None: estimated from the
        residuals.

    Raises
    ------
    FitError
        If shapes do not fit together or too few points are finite.
    """
    iq = np.asarray(iq, dtype=float)
    sweep = Sweep.of(np.asarray(f, dtype=float))
    if iq.shape != (2, sweep.frequencies.size, 2):
        raise FitError(f"IQ points of shape {iq.shape} must be (2, {sweep.frequencies.size}, 2): of |0> and of |1>")
    # |0> alone gives delay, width and place without any guess; the second line is then one of a few on either side.
    alone = fit_resonator(sweep.frequencies, iq[0], None if covariance is None else np.asarray(covariance)[0])
    own = None if covariance is None else np.asarray(covariance)[None]
    data = prepare_complex(sweep.u, iq[None], own, _REAL_PARAMETERS)
    return _read(choose(_model(sweep, alone), data, [], axes=4)[0], sweep)


def _columns(u: Array, theta: Array) -> Complex:
    """theta: turns, slope, place of |0>, log width, distance in widths, p_0, p_1."""
    outside = cable(u, theta)
    width = theta[..., 3:4]
    ground = line(u, theta[..., 2:3], width)
    excited = line(u, theta[..., 2:3] + theta[..., 4:5] * np.exp(width), width)
    lines = [outside * ((1 - p) * ground + p * excited) for p in (theta[..., 5:6], theta[..., 6:7])]
    return np.stack([np.concatenate([outside, outside], axis=-1), np.concatenate(lines, axis=-1)], axis=-1)


def _same_columns(u: Array, theta: Array) -> Complex:
    """The same line whatever the state."""
    outside = cable(u, theta)
    seen = outside * line(u, theta[..., 2:3], theta[..., 3:4])
    return np.stack([np.concatenate([outside] * 2, axis=-1), np.concatenate([seen] * 2, axis=-1)], axis=-1)


_LOWER, _UPPER = (-2.0, -1.5, -0.7), (1.5, 0.7, float(np.log(4.0)))


def _start(sweep: Sweep, alone: ResonatorFit) -> Array:
    """(4,) what the line of |0> was fitted with."""
    place = float(np.clip(sweep.own(np.asarray(alone.frequency.value)), -0.6, 0.6))
    width = float(np.log(np.clip(alone.kappa.value / sweep.span, 0.02, 3.0)))
    return np.asarray([alone.delay.value * sweep.span, 0.0, place, width])


def _bounds(sweep: Sweep) -> tuple[Array, Array]:
    narrowest = float(np.log(0.2 * sweep.spacing / sweep.span))
    return np.asarray([*_LOWER, narrowest]), np.asarray([sweep.turns()[-1] + 2.0, *_UPPER])


def _model(sweep: Sweep, alone: ResonatorFit) -> Model:
    others = mesh(_DISTANCES, np.asarray([0.02]), _EXCITED)
    grid = np.concatenate([np.tile(_start(sweep, alone), (others.shape[0], 1)), others], axis=1)
    lower, upper = _bounds(sweep)
    return Model(
        "dispersive",
        real_columns(_columns),
        grid,
        np.append(lower, [-10.0, -0.3, -0.3]),
        np.append(upper, [10.0, 1.3, 1.3]),
        trials=float(others.shape[0]),
    )


def _read(chosen: Chosen, sweep: Sweep) -> DispersiveFit:
    nothing = without_signal(_same_columns, chosen.theta[None, :4], _bounds(sweep), chosen)
    seen = compared(chosen, nothing, axes=4, extra=3)

    def ground(t: Array) -> float:
        return sweep.middle + float(t[2]) * sweep.span

    def shift(t: Array) -> float:
        return float(t[4] * np.exp(t[3]) * sweep.span)

    return DispersiveFit(
        rescaled(seen, sweep.frequencies, sweep.own),
        chi=derived(chosen, lambda t, c: shift(t) / 2),
        middle=derived(chosen, lambda t, c: ground(t) + shift(t) / 2),
        ground=derived(chosen, lambda t, c: ground(t)),
        excited=derived(chosen, lambda t, c: ground(t) + shift(t)),
        contrast=derived(chosen, lambda t, c: float(t[6] - t[5])),
        kappa=derived(chosen, lambda t, c: float(np.exp(t[3]) * sweep.span)),
    )


def dispersive_checks(fit: DispersiveFit) -> list[Finding]:
    """Data checks, the signal being that the states differ, and whether the sweep holds the middle of the lines."""
    low, high = float(fit.x.min()), float(fit.x.max())
    found = fit.middle.value
    away = max(low - found, found - high, 0.0)
    text = (
        f"the lines lie about {found / 1e9:.6g} GHz, outside the sweep {low / 1e9:.6g} ... {high / 1e9:.6g} GHz: "
        "move the sweep"
    )
    window = window_finding("window", away / 1e6, 0.0, text)
    # Beside the lines nobody can tell how much of each is in a sweep: then the window is what is wrong.
    contrast = [_contrast(fit)] if window.ok else []
    return believed([*data_checks(fit), *contrast, window])


def _contrast(fit: DispersiveFit) -> Finding:
    """Whether the two sweeps differ at all: a thermal qubit shows both lines in either."""
    found = fit.contrast
    value = abs(found.value) / found.error if found.error > 0 else float("nan")
    text = (
        f"|0> and |1> were prepared alike: they differ by {found.value:.2g} +- {found.error:.2g} in population; check "
        "the pi pulse"
    )
    ok = bool(value >= FEWEST_SIGMAS)
    return Finding("contrast", value, FEWEST_SIGMAS, ok, "no_signal", "" if ok else text)
