"""Chevrons: Rabi oscillations against drive frequency and duration.

    y(d, t) = ground + contrast S,   S = (R / R')^2 (1 - e^{-rate t} cos(2 pi R' t)) / 2,   R'^2 = R^2 + (d - d0)^2

the generalised Rabi formula with the damping that it has on resonance (physics.md, section 3). Nonlinear: centre d0,
Rabi rate R and damping, in cycles per longest duration. One duration or a few are enough: a scan of the drive
frequency is a chevron of few columns. Where chi2 fails, shots that start before the qubit has relaxed are tried: they
end with S / (1 - r (1 - 2 S)), r being what is left of the population from one shot to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kubecal_tasks.fits.batch import Data, Solution, prepare, solve
from kubecal_tasks.fits.checks import FEWEST_PERIODS, HIGHEST_NYQUIST, Finding, believed, data_checks
from kubecal_tasks.fits.evidence import Chosen, choose, evidence
from kubecal_tasks.fits.model import Columns, Model
from kubecal_tasks.fits.values import Array, Fit, FitError, Measured

UNRELAXED = "unrelaxed"
_RATE_STEP = 0.4
"""In cycles per longest duration: oscillations then slip by at most a fifth of a turn."""
_CENTRE_STEP = 0.15
"""Of the Rabi rate: how wide the pattern is."""
_FINEST_CENTRE = 0.4
"""In cycles per longest duration: what that duration can tell apart."""
_OUTSIDE = 0.3
"""Of the range of detunings: so far beyond it a resonance is recognised by the wing that reaches in."""
_LOWEST = 0.25
_LIKELY = 2.0
_DECAY = 0.3
"""Where the damping is looked for: what is damped faster than it can turn is found all the same."""
_ENOUGH = 300
"""Points with which the grid is searched: a quarter of a large map has the same pattern for a quarter of the time."""
_FEW_DURATIONS = 8
"""With fewer, the rate shows in the width and the sidelobes along the detunings, not in a regular sampling."""


@dataclass(frozen=True)
class ChevronFit(Fit):
    """A fitted chevron; ``x`` counts its points, durations fastest."""

    detuning: Array
    """(D,)."""
    time: Array
    """(T,)."""
    centre: Measured
    """Detuning of the resonance."""
    rabi_rate: Measured
    """On resonance, in cycles per unit of time."""
    decay: Measured
    """Damping per unit of time; may be slightly negative where there is none."""
    ground: Measured
    """The signal of |0>."""
    excited: Measured
    """The signal of |1>."""
    carried: float
    """Population left from one shot to the next; 0 unless ``unrelaxed`` had to help."""

    @property
    def nyquist(self) -> float:
        """Highest Rabi rate that the durations resolve; infinite where they are few."""
        return _nyquist(self.time)

    @property
    def periods(self) -> float:
        """Rabi periods on resonance within the longest duration."""
        return self.rabi_rate.value * float(self.time.max())

    def image(self, values: Array) -> Array:
        """(D, T) of anything that the evidence has for every point."""
        return np.asarray(values).reshape(self.detuning.size, self.time.size)

    def model(self, detuning: Array, time: Array) -> Array:
        """(D', T') the fitted signal at any detunings and durations."""
        population = excitation(
            detuning[:, None] - self.centre.value, time, self.rabi_rate.value, self.decay.value, self.carried
        )
        return np.asarray(self.ground.value + (self.excited.value - self.ground.value) * population)


def excitation(detuning: Array, time: Array, rate: Array | float, decay: Array | float, carried: float = 0.0) -> Array:
    """P(1) that a rectangular drive leaves, by the generalised Rabi formula.

    Parameters
    ----------
    detuning, time, rate, decay
        Broadcast against each other: frequencies in cycles per unit of time, decay per unit of time.
    carried
        Population left from one shot to the next.
    """
    turned = np.hypot(rate, detuning)
    share = (rate / np.where(turned > 0, turned, 1.0)) ** 2
    once = share * (1.0 - np.exp(-decay * time) * np.cos(2 * np.pi * turned * time)) / 2.0
    return np.asarray(once / (1.0 - carried * (1.0 - 2.0 * once)))


def fit_chevron(detuning: Array, time: Array, y: Array, variance: Array | None = None) -> ChevronFit:
    """Fit one chevron; see :func:`fit_chevrons`."""
    return fit_chevrons(detuning, time, np.asarray(y)[None], None if variance is None else np.asarray(variance)[None])[
        0
    ]


def fit_chevrons(detuning: Array, time: Array, y: Array, variance: Array | None = None) -> tuple[ChevronFit, ...]:
    """Fit the chevrons of many qubits measured at the same detunings and durations.

    Parameters
    ----------
    detuning
        (D,) of the drive.
    time
        (T,) durations, in the inverse unit.
    y, variance
        (Q, D, T) signal and the variance of each point; None: estimated from the residuals.

    Raises
    ------
    FitError
        If shapes do not fit together, no duration is positive, or too few points are finite.
    """
    detuning, time, y = (np.asarray(each, dtype=float) for each in (detuning, time, y))
    if y.ndim != 3 or y.shape[1:] != (detuning.size, time.size) or not (time.size and time.max() > 0):
        raise FitError(f"data of shape {y.shape} are no chevron of {detuning.size} detunings by {time.size} durations")
    longest = float(time.max())
    points = np.arange(float(detuning.size * time.size))
    own = None if variance is None else np.asarray(variance, dtype=float).reshape(len(y), -1)
    data = prepare(points, y.reshape(len(y), -1), own, 5)
    wide = _model(detuning * longest, time / longest)
    found = []
    for qubit in range(len(y)):
        alone = data.subset(np.asarray([qubit]))
        chosen = choose(
            _near(wide, alone, detuning.size, time.size),
            alone,
            [lambda solution: _unrelaxed(detuning * longest, time / longest, solution)],
        )
        found.append(_read(chosen[0], detuning, time))
    return tuple(found)


def _near(wide: Model, data: Data, detunings: int, times: int) -> Model:
    """The model with a grid around where a part of a large map says that the optimum is."""
    if detunings * times <= _ENOUGH:
        return wide
    i, j = np.divmod(np.arange(detunings * times), times)
    part = np.flatnonzero((i % 2 == 0) & (j % 2 == (i // 2) % 2))
    variance = None if data.variance is None else data.variance[:, part]
    rough = Data(data.x[part], data.y[:, part], variance, data.finite[:, part], data.shift, data.scale)
    theta = solve(wide, rough).theta[0]
    return replace(wide, grid=np.asarray([[*theta[:2], decay] for decay in (theta[2], _DECAY, 4.0)]))


def _model(detuning: Array, time: Array) -> Model:
    """In units of the longest duration."""
    nyquist = _nyquist(time)
    highest = nyquist if np.isfinite(nyquist) else 0.6 * float(np.ptp(detuning)) + 1.0
    rates = np.arange(_LOWEST, highest + _RATE_STEP, _RATE_STEP)
    low, high = float(detuning.min()), float(detuning.max())
    nodes = []
    for rate in rates:
        step = max(_FINEST_CENTRE, _CENTRE_STEP * rate)
        for centre in np.arange(low - _OUTSIDE * (high - low), high + _OUTSIDE * (high - low) + step, step):
            nodes.append((centre, rate, _DECAY))
    reach = 0.5 * (high - low)
    lower, upper = np.asarray([low - reach, 0.05, -1.0]), np.asarray([high + reach, 1.1 * highest, 60.0])
    return Model("chevron", _columns(detuning, time), np.asarray(nodes), lower, upper, trials=float(len(nodes)))


def _columns(detuning: Array, time: Array) -> Columns:
    """The first two numbers of theta are centre and rate, then damping, and what is carried on where it is fitted."""

    def columns(x: Array, theta: Array) -> Array:
        at = np.asarray(x, dtype=int)
        own_detuning, own_time = detuning[at // time.size], time[at % time.size]
        centre, rate, decay = (theta[..., k : k + 1] for k in range(3))
        population = excitation(own_detuning - centre, own_time, rate, decay)
        if theta.shape[-1] > 3:
            population = population / (1.0 - theta[..., 3:4] * (1.0 - 2.0 * population))
        return np.stack([np.ones_like(population), population], axis=-1)

    return columns


def _unrelaxed(detuning: Array, time: Array, solution: Solution) -> Model:
    """From where the first solution is: what is carried on moves neither centre nor rate much."""
    first = solution.model
    grid = np.asarray([[*solution.theta[0], carried] for carried in (0.05, 0.15, 0.3, 0.6)])
    lower, upper = np.append(first.lower, -0.2), np.append(first.upper, 0.9)
    return Model(UNRELAXED, _columns(detuning, time), grid, lower, upper, first.trials)


def _read(chosen: Chosen, detuning: Array, time: Array) -> ChevronFit:
    longest = float(time.max())
    theta, linear = chosen.theta, chosen.linear
    size = theta.size + 2

    def measured(index: int, scale: float) -> Measured:
        gradient = np.zeros(size)
        gradient[index] = 1.0 / scale
        return Measured(float(theta[index]) / scale, chosen.error(list(gradient)))

    offset = np.zeros(size)
    offset[theta.size] = 1.0
    top = offset.copy()
    top[theta.size + 1] = 1.0
    ground = float(linear[0]) + chosen.shift
    return ChevronFit(
        evidence(chosen),
        detuning=detuning,
        time=time,
        centre=measured(0, longest),
        rabi_rate=measured(1, longest),
        decay=measured(2, longest),
        ground=Measured(ground, chosen.error(list(offset))),
        excited=Measured(ground + float(linear[1]), chosen.error(list(top))),
        carried=float(theta[3]) if theta.size > 3 else 0.0,
    )


def _nyquist(time: Array) -> float:
    return 0.5 / float(np.median(np.diff(np.sort(time)))) if time.size >= _FEW_DURATIONS else float("inf")


def chevron_checks(fit: ChevronFit) -> list[Finding]:
    """Data checks; the resonance lies within the detunings, and the durations hold and resolve its oscillation."""
    return believed([*data_checks(fit), *_within(fit), *_durations(fit)])


def scan_checks(fit: ChevronFit) -> list[Finding]:
    """Of a chevron with few durations: data checks, and the resonance lies within the detunings."""
    return believed([*data_checks(fit), *_within(fit)])


def _within(fit: ChevronFit) -> Sequence[Finding]:
    low, high = float(fit.detuning.min()), float(fit.detuning.max())
    found = fit.centre.value
    inside = low <= found <= high
    limit = low if found < low else high
    text = (
        f"the resonance, {found / 1e6:+.3g} MHz from the centre of the scan, lies outside of it "
        f"({low / 1e6:+.3g} ... {high / 1e6:+.3g} MHz): shift or widen the range"
    )
    return (Finding("window", found, limit, inside, "window", "" if inside else text),)


def _durations(fit: ChevronFit) -> Sequence[Finding]:
    longest = float(fit.time.max())
    lowest = (fit.rabi_rate.value - _LIKELY * fit.rabi_rate.error) * longest
    slow = (
        f"the longest drive turns the qubit {fit.periods:.2g} times and must do so {FEWEST_PERIODS} times for certain: "
        "drive longer or harder"
    )
    value, limit = fit.rabi_rate.value, HIGHEST_NYQUIST * fit.nyquist
    fast = (
        f"the oscillation is at {value / fit.nyquist:.2f} of what the spacing of durations resolves, at most "
        f"{HIGHEST_NYQUIST} can be trusted: use finer durations or a weaker drive"
    )
    return (
        Finding("slow", lowest, FEWEST_PERIODS, bool(lowest >= FEWEST_PERIODS), "window", slow),
        Finding("aliased", value, limit, bool(value <= limit), "window", fast),
    )
