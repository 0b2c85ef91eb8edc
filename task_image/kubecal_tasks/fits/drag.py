"""The DRAG coefficient: lines of signal against beta, for several numbers of repetitions, that cross where it is right.

A pair of opposite pi rotations turns by an angle proportional to beta - beta0 (physics.md, DRAG), and n pairs after a
quarter turn by n times as much:

    y_n(beta) = level + contrast sin(start + n slope (beta - beta0)) / 2

At beta0 nothing turns, however many there are: what all lines have in common, whatever the quarter turn was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kubecal_tasks.fits.batch import Solution, prepare
from kubecal_tasks.fits.checks import Finding, believed, data_checks
from kubecal_tasks.fits.evidence import Chosen, choose, evidence
from kubecal_tasks.fits.model import Columns, Model, mesh
from kubecal_tasks.fits.values import Array, Fit, Measured

_FACTORS = np.geomspace(0.5, 2.0, 11)
"""Of the slope that was expected."""
_FEWEST_NODES = 21


@dataclass(frozen=True)
class DragFit(Fit):
    """Fitted lines."""

    counts: tuple[int, ...]
    """Number of pairs of each line."""
    beta: Measured
    """Where the lines cross, unit of x."""
    slope: Measured
    """By how much more one pair turns for one more unit of beta, rad."""
    level: Measured
    """Signal where nothing turns, but for the error of the quarter turn."""
    half_width: float
    """Of the swept range."""
    middle: float


def fit_drag(x: Array, y: Array, variance: Array | None, counts: Sequence[int], slope: float) -> DragFit:
    """Fit the lines of one qubit, y and variance (lines, N); see :func:`fit_drags`."""
    own = None if variance is None else np.asarray(variance, dtype=float).reshape(1, -1)
    return fit_drags(x, np.asarray(y, dtype=float).reshape(1, -1), own, counts, slope)[0]


def fit_drags(x: Array, y: Array, variance: Array | None, counts: Sequence[int], slope: float) -> tuple[DragFit, ...]:
    """Fit the lines of many qubits.

    Parameters
    ----------
    x
        (N,) values of beta, the same for every line.
    y, variance
        (Q, lines x N), one line after the other.
    counts
        Number of pairs of each line; at least two different ones.
    slope
        Expected angle of one pair per unit of beta, rad; right within a factor of two.

    Raises
    ------
    FitError
        If shapes do not fit together or too few points are finite.
    """
    x = np.asarray(x, dtype=float)
    counts = tuple(counts)
    middle, half = (float(x.max()) + float(x.min())) / 2, max(float(np.ptp(x)) / 2, 1e-300)
    first = _model(counts, middle, half, slope)
    data = prepare(x, y, variance, first.parameters + 2)
    alternatives: list[Callable[[Solution], Model]] = [lambda solution: _damped(counts, middle, half, solution)]
    chosen = choose(first, data, alternatives, axes=len(counts))
    return tuple(_read(each, counts, middle, half) for each in chosen)


def drag_checks(fit: DragFit) -> list[Finding]:
    """Data checks, and whether the lines cross within the sweep."""
    reach = abs(fit.beta.value - fit.middle)
    ok = reach <= fit.half_width
    text = (
        f"the lines cross {reach / fit.half_width:.2g} half-widths from the middle of the sweep, outside of it: set "
        "anharmonicity, or check the qubit's frequency first"
    )
    return believed([*data_checks(fit), Finding("window", reach, fit.half_width, ok, "window", "" if ok else text)])


def _angles(x: Array, theta: Array, counts: Sequence[int], middle: float, half: float) -> Array:
    """(..., lines x N); theta: crossing in half-widths, log of the angle a pair turns by over half a width, start."""
    away = (x - middle) / half - theta[..., :1]
    per_pair = np.exp(theta[..., 1:2]) * away
    return np.concatenate([theta[..., 2:3] + n * per_pair for n in counts], axis=-1)


def _columns(counts: Sequence[int], middle: float, half: float) -> Columns:
    def columns(x: Array, theta: Array) -> Array:
        wave = np.sin(_angles(x, theta, counts, middle, half))
        return np.stack([np.ones_like(wave), wave / 2], axis=-1)

    return columns


def _model(counts: tuple[int, ...], middle: float, half: float, slope: float) -> Model:
    fastest = max(counts) * slope * half * _FACTORS[-1]
    nodes = max(_FEWEST_NODES, int(2 * fastest) + 1)
    logs = np.log(slope * half * _FACTORS)
    grid = mesh(np.linspace(-1.2, 1.2, nodes), logs, np.asarray([0.0]))
    lower, upper = np.asarray([-3.0, logs[0] - 1.0, -1.0]), np.asarray([3.0, logs[-1] + 1.0, 1.0])
    return Model("crossing", _columns(counts, middle, half), grid, lower, upper, trials=float(len(grid)))


def _damped(counts: tuple[int, ...], middle: float, half: float, solution: Solution) -> Model:
    """More pairs take longer and lose contrast; theta[3]: -log of what is left after the longest train."""
    most = max(counts)

    def columns(x: Array, theta: Array) -> Array:
        wave = np.sin(_angles(x, theta, counts, middle, half))
        left = np.concatenate([np.exp(-theta[..., 3:4] * n / most) + 0.0 * x for n in counts], axis=-1)
        return np.stack([np.ones_like(wave), left * wave / 2], axis=-1)

    first = solution.model
    near = np.repeat(solution.theta[:1], 4, axis=0)
    grid = np.concatenate([near, np.asarray([[0.0], [0.1], [0.3], [0.8]])], axis=1)
    lower, upper = np.append(first.lower, -0.5), np.append(first.upper, 10.0)
    return Model("damped", columns, grid, lower, upper, first.trials)


def _read(chosen: Chosen, counts: tuple[int, ...], middle: float, half: float) -> DragFit:
    p, linear = chosen.theta.size, chosen.linear
    unit = np.eye(p + linear.size)
    sign = 1.0 if linear[1] >= 0 else -1.0
    slope = float(np.exp(chosen.theta[1])) / half
    return DragFit(
        evidence(chosen, axes=len(counts)),
        counts=counts,
        beta=Measured(middle + half * float(chosen.theta[0]), half * chosen.error(list(unit[0]))),
        slope=Measured(sign * slope, slope * chosen.error(list(unit[1]))),
        level=Measured(float(linear[0]) + chosen.shift, chosen.error(list(unit[p]))),
        half_width=half,
        middle=middle,
    )
