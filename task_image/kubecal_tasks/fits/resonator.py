"""A resonator seen in reflection through a cable.

    S(f) = A (1 + s u) e^{-2 pi i u tau} (1 - 2 kappa_e e^{i phi} / (kappa + 2 i (f - f_r))),   u = f - middle

The background has a slope s and the cable a delay tau; an impedance mismatch turns the resonance circle by phi. A and
the circle are linear, everything else is looked for on a grid: there is no guess of a delay that could be wrong.
Where chi2 fails, a second, weaker line is tried: a qubit that is not quite in |0> shows the resonator of |1> as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from kubecal_tasks.fits.batch import Solution
from kubecal_tasks.fits.complex_model import (
    Complex,
    compared,
    derived,
    prepare_complex,
    real_columns,
    rescaled,
    turned,
    without_signal,
)
from kubecal_tasks.fits.evidence import Chosen, choose
from kubecal_tasks.fits.model import ComplexColumns, Model, mesh
from kubecal_tasks.fits.values import Array, Fit, Measured

LONGEST_DELAY_S = 200e-9
"""Of cable and electronics; the grid looks no further."""
THERMAL = "thermal_line"
_LINE_WIDTHS = 3
_TURN_STEP = 0.25
"""Turns of the phase over the sweep between two nodes of the grid."""
_MOST_PLACES = 41
_NARROWEST = 0.2
"""Of a step: a line narrower than that would be a single point, which is what glitches are."""
_REAL_PARAMETERS = 8
_DISTANCES = (((0.4, 1.6), (0.6, 0.85, 1.1, 1.4)), ((1.2, 8.0), (1.6, 2.2, 3.0)))
_WEIGHTS = np.asarray([0.01, 0.03])
"""Of a second line: between which distances and where it is looked for, in line widths from the first, and how strong
it may be. Where the first one is, its weight only scales that, and a search that came there would stay.
"""
_EXCITED = 0.01
"""How much of a qubit at rest may be in |1> without being seen, one sigma."""


@dataclass(frozen=True)
class ResonatorFit(Fit):
    """A fitted reflection; frequencies in Hz. The curve is (2, n): I and Q."""

    frequency: Measured
    """f_r."""
    kappa: Measured
    """Full line width."""
    kappa_external: Measured
    """Through the line."""
    kappa_internal: Measured
    """Through losses: kappa - kappa_external."""
    delay: Measured
    """tau, s."""
    middle: float
    """Of the sweep, from which u counts."""
    thermal_doubt: float
    """Part of the frequency's error that no number of shots makes smaller, Hz: a share p of |1> whose line lies any
    distance d away draws the line of |0> by p d / (1 + (d / kappa)^2), hence by up to p kappa / 2; 0 where the
    second line was seen."""
    background: Callable[[Array], Complex]
    """What comes back without the resonator, (n,) at any frequencies."""

    def moved(self, by: float) -> ResonatorFit:
        """The same fit with frequencies counted from elsewhere: what was at f is at f + by."""
        seen, background = self.evidence, self.background
        return replace(
            self,
            evidence=rescaled(seen, seen.x + by, lambda f: np.asarray(f - by)),
            frequency=Measured(self.frequency.value + by, self.frequency.error),
            middle=self.middle + by,
            background=lambda f: background(np.asarray(f) - by),
        )

    def normalised(self, f: Array, iq: Array) -> Complex:
        """(n,) points (n, 2) over the background: 1 far from the resonance, a circle through 1 around it."""
        return np.asarray((iq[..., 0] + 1j * iq[..., 1]) / self.background(f))


def fit_resonator(f: Array, iq: Array, covariance: Array | None = None) -> ResonatorFit:
    """Fit one sweep; see :func:`fit_resonators`."""
    own = None if covariance is None else np.asarray(covariance)[None]
    return fit_resonators(f, np.asarray(iq)[None], own)[0]


def fit_resonators(
    f: Array, iq: Array, covariance: Array | None = None, thermal: bool = True
) -> tuple[ResonatorFit, ...]:
    """Fit the reflections of many resonators swept alike.

    Parameters
    ----------
    f
        (N,) frequencies, or their distances from a middle of each resonator's own, Hz.
    iq, covariance
        (Q, N, 2) mean IQ points and (Q, N, 2, 2) the covariance of each mean; None: estimated from the residuals.
    thermal
        False: no second line is tried; where only the place of the line counts it would cost more than it tells.

    Raises
    ------
    FitError
        If shapes do not fit together or too few points are finite.
    """
    f = np.asarray(f, dtype=float)
    sweep = Sweep.of(f)
    data = prepare_complex(sweep.u, iq, covariance, _REAL_PARAMETERS)
    first = _one_line(sweep)
    # Below and above the line, near and far: basins of their own, and which is the deepest shows only at their bottom.
    basins: list[Callable[[Solution], Model]] = [
        partial(_thermal, sweep, side, ends, starts) for side in (-1, 1) for ends, starts in _DISTANCES
    ]
    chosen = choose(first, data, basins if thermal else [], axes=2)
    return tuple(_read(each, sweep) for each in chosen)


@dataclass(frozen=True)
class Sweep:
    """The frequencies of a sweep in units of its span."""

    middle: float
    span: float
    spacing: float
    frequencies: Array
    """(N,) as given."""

    @property
    def u(self) -> Array:
        """(N,) distance from the middle in spans."""
        return self.own(self.frequencies)

    def own(self, f: Array) -> Array:
        """Frequencies as distances from the middle in spans."""
        return np.asarray((f - self.middle) / self.span)

    @classmethod
    def of(cls, f: Array) -> Sweep:
        """Take the measure of the frequencies (N,)."""
        low, high = float(np.min(f)), float(np.max(f))
        span = high - low if high > low else 1.0
        middle = (low + high) / 2
        return cls(middle, span, span / max(f.size - 1, 1), f)

    def turns(self) -> Array:
        """Turns of the phase over the sweep at which the grid has nodes."""
        most = min(LONGEST_DELAY_S * self.span, 0.5 * self.span / self.spacing)
        return np.arange(0.0, most + _TURN_STEP, _TURN_STEP)

    def widths(self) -> Array:
        """Logarithms of the line widths of the grid, in spans: from half a step to half the sweep."""
        return np.linspace(np.log(0.7 * self.spacing / self.span), np.log(0.5), _LINE_WIDTHS)


def line(u: Array, at: Array, log_width: Array) -> Complex:
    """1 / (1 + 2 i (u - at) / width): a resonance of height 1."""
    return np.asarray(1.0 / (1.0 + 2j * (u - at) * np.exp(-log_width)))


def cable(u: Array, theta: Array) -> Complex:
    """Background with its slope and its delay; theta (..., 2): turns over the sweep, slope per sweep."""
    return np.asarray((1.0 + theta[..., 1:2] * u) * turned(u, theta[..., 0:1]))


def _columns(sweep: Sweep, second: bool) -> ComplexColumns:
    """theta: turns, slope, place, log width; of the second line the distance in widths and the weight."""

    def columns(u: Array, theta: Array) -> Complex:
        outside = cable(u, theta)
        place, width = theta[..., 2:3], theta[..., 3:4]
        lines = line(u, place, width)
        if second:
            lines = lines + theta[..., 5:6] * line(u, place + theta[..., 4:5] * np.exp(width), width)
        return np.stack([outside, outside * lines], axis=-1)

    return columns


def _one_line(sweep: Sweep) -> Model:
    places = np.linspace(-0.5, 0.5, max(9, min(_MOST_PLACES, round(sweep.span / sweep.spacing) + 1)))
    grid = mesh(sweep.turns(), np.zeros(1), places, sweep.widths())
    columns = _columns(sweep, second=False)
    return Model(
        "resonator",
        real_columns(columns),
        grid,
        np.asarray([-2.0, -1.5, -0.7, np.log(_NARROWEST * sweep.spacing / sweep.span)]),
        np.asarray([sweep.turns()[-1] + 2.0, 1.5, 0.7, np.log(4.0)]),
        trials=float(places.size * _LINE_WIDTHS),
        folded=columns,
    )


def _thermal(sweep: Sweep, side: int, ends: tuple[float, float], starts: Sequence[float], solution: Solution) -> Model:
    """The first line and a second one of the same width on one side of it, between two distances.

    Its weight is a population. A negative one elsewhere would pass for it, with a frequency that is wrong.
    """
    columns = _columns(sweep, second=True)
    distances, weights = mesh(side * np.asarray(starts), _WEIGHTS).T
    low, high = sorted(side * each for each in ends)
    grid = np.column_stack([np.tile(solution.theta[0], (distances.size, 1)), distances, weights])
    # The single line lies between the two, by what the weaker one draws it.
    grid[:, 2] -= weights * distances / (1.0 + distances**2) * np.exp(grid[:, 3])
    first = _one_line(sweep)
    return Model(
        THERMAL,
        real_columns(columns),
        grid,
        np.append(first.lower, [low, 0.0]),
        np.append(first.upper, [high, 0.5]),
        trials=20 * first.trials,
        folded=columns,
    )


def _read(chosen: Chosen, sweep: Sweep) -> ResonatorFit:
    def outside(u: Array, theta: Array) -> Complex:
        return cable(u, theta)[..., None]

    turns = sweep.turns()
    grid = mesh(turns, np.zeros(1))
    bounds = (np.asarray([-2.0, -1.5]), np.asarray([turns[-1] + 2.0, 1.5]))
    nothing = without_signal(outside, grid, bounds, chosen)
    seen = compared(chosen, nothing, axes=2, extra=4)
    theta, linear = chosen.theta, chosen.linear
    level = complex(linear[0], linear[1])

    def background(f: Array) -> Complex:
        return level * cable(sweep.own(f), theta)

    def width(t: Array) -> float:
        return float(np.exp(t[3]) * sweep.span)

    def external(t: Array, c: Complex) -> float:
        return float(-(c[1] / c[0]).real / 2 * (1.0 + float(np.sum(t[5:])))) * width(t)

    kappa = derived(chosen, lambda t, c: width(t))
    doubt = 0.0 if chosen.alternative else _EXCITED * kappa.value
    return ResonatorFit(
        rescaled(seen, sweep.frequencies, sweep.own),
        frequency=_doubted(derived(chosen, lambda t, c: sweep.middle + float(t[2]) * sweep.span), doubt / 2),
        kappa=_doubted(kappa, doubt),
        kappa_external=_doubted(derived(chosen, external), doubt / 2),
        # A second line makes the circle smaller, which looks like loss: twice its share.
        kappa_internal=_doubted(derived(chosen, lambda t, c: width(t) - external(t, c)), 2 * doubt),
        delay=derived(chosen, lambda t, c: float(t[0]) / sweep.span),
        middle=sweep.middle,
        thermal_doubt=doubt / 2,
        background=background,
    )


def _doubted(found: Measured, doubt: float) -> Measured:
    return Measured(found.value, float(np.hypot(found.error, doubt)))
