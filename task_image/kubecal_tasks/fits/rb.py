"""Randomized benchmarking: the signal after m random Cliffords and their inverse.

    y(m) = A a^m + B,   error per Clifford = (1 - 1/d) (1 - a),   d = 2 or 4

All three are free: B is the signal of the mixed state, which assignment errors and leakage move (Magesan et al.,
PRL 106, 180504 (2011)). Interleaved, a gate of its own decays with a_gate = a_interleaved / a_reference (Magesan et
al., PRL 109, 080505 (2012)).

Different sequences of one length differ by more than shot noise, since errors that are not random add up in each
sequence in its own way. What counts is therefore the scatter between sequences, made smooth over the lengths.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kubecal_tasks.fits.batch import Solution, prepare
from kubecal_tasks.fits.checks import LONGEST_WINDOWS, POOR_P, Finding, believed, data_checks
from kubecal_tasks.fits.evidence import Chosen, choose, evidence
from kubecal_tasks.fits.model import Model
from kubecal_tasks.fits.values import Array, Fit, Mask, Measured
from kubecal_tasks.fits.weights import MAD_TO_SIGMA

_SHORTEST, _LONGEST = 0.2, 30.0
"""Decay lengths looked at: from this part of the shortest length to this many of the longest."""
_FEWEST_SEQUENCES = 4
"""Of a length, for its scatter to be taken into account."""
_FAR = 4.0
_LIKELY = 2.0
_BOUND_SIGMAS = 3.0


@dataclass(frozen=True)
class RBFit(Fit):
    """A fitted decay over sequence lengths."""

    decay: Measured
    """a: what is left of the polarisation after one Clifford."""
    amplitude: Measured
    """A: signal without any Clifford minus that of the mixed state."""
    offset: Measured
    """B: signal of the mixed state."""
    lack: float
    """F: how much further the means of the lengths lie from the curve than their sequences' scatter explains."""
    lack_limit: float
    """What a right model exceeds once in a hundred thousand times; infinite where there is nothing to compare."""

    def error_per_clifford(self, dimension: int) -> Measured:
        """(1 - 1/d) (1 - a) of systems with d states."""
        return scaled(lost(self.decay), 1.0 - 1.0 / dimension)

    @property
    def length(self) -> Measured:
        """Cliffords after which 1/e of the polarisation is left."""
        number = -1.0 / math.log(self.decay.value) if 0.0 < self.decay.value < 1.0 else math.inf
        return Measured(number, number**2 * self.decay.error / self.decay.value if math.isfinite(number) else math.inf)


def lost(decay: Measured) -> Measured:
    """1 - a: the depolarizing rate."""
    return Measured(1.0 - decay.value, decay.error)


def scaled(measured: Measured, factor: float) -> Measured:
    """A value times an exact number."""
    return Measured(factor * measured.value, abs(factor) * measured.error)


def ratio(interleaved: Measured, reference: Measured) -> Measured:
    """Decay of the interleaved gate; the two decays are measured independently."""
    value = interleaved.value / reference.value
    return Measured(value, math.hypot(interleaved.error, value * reference.error) / reference.value)


def fit_rb(m: Array, y: Array, variance: Array | None = None) -> RBFit:
    """Fit one experiment; see :func:`fit_rbs`."""
    return fit_rbs(m, np.asarray(y)[None], None if variance is None else np.asarray(variance)[None])[0]


def fit_rbs(m: Array, y: Array, variance: Array | None = None) -> tuple[RBFit, ...]:
    """Fit experiments that share their lengths.

    Parameters
    ----------
    m
        (N,) length of each sequence; several sequences have the same.
    y, variance
        (Q, N) signal of each sequence and the variance of its mean over shots; None: unknown.

    Raises
    ------
    FitError
        If shapes do not fit together or too few points are finite.
    """
    m, y = np.asarray(m, dtype=float), np.asarray(y, dtype=float)
    between = None if variance is None else _between_sequences(m, y, np.asarray(variance, dtype=float))
    data = prepare(m, y, between, 3)
    span = float(m.max())
    lengths = np.geomspace(_SHORTEST * max(1.0, float(m.min())), _LONGEST * span, 40)

    def columns(x: Array, theta: Array) -> Array:
        decay = np.exp(-x / (span * np.exp(theta)))
        return np.stack([np.ones_like(decay), decay], axis=-1)

    first = np.log(lengths / span)
    model = Model("exponential", columns, first[:, None], first[:1] - 3, first[-1:] + 3, trials=5.0)
    none: list[Callable[[Solution], Model]] = []
    return tuple(_read(chosen, span) for chosen in choose(model, data, none))


def rb_checks(fit: RBFit) -> list[Finding]:
    """Data checks, whether the curve goes through the means, and whether the lengths see the decay."""
    return believed([*data_checks(fit), _lack_check(fit), *_window(fit)])


def bounded(fidelity: Measured) -> bool:
    """Whether a fidelity above 1 is one that its error explains."""
    return fidelity.value - _BOUND_SIGMAS * fidelity.error <= 1.0


def _lack_check(fit: RBFit) -> Finding:
    ok = fit.lack <= fit.lack_limit
    text = (
        f"the decay is no single exponential: means lie {fit.lack:.3g} times as far off as sequences scatter, the "
        f"limit is {fit.lack_limit:.3g}; look for drift, leakage or a coherent error"
    )
    return Finding("lack_of_fit", fit.lack, fit.lack_limit, ok, "poor_fit", "" if ok else text)


def _window(fit: RBFit) -> list[Finding]:
    last, first = float(fit.x.max()), float(fit.x[fit.x > 0].min(initial=math.inf))
    highest = fit.length.value + _LIKELY * fit.length.error
    slow = (
        f"the decay may last {highest / last:.3g} times the longest sequence, at most {LONGEST_WINDOWS} times can be "
        "told: use longer sequences"
    )
    fast = (
        f"the decay is over before the shortest sequence: it lasts {fit.length.value:.3g} Cliffords, the shortest has "
        f"{first:.3g}; use shorter ones"
    )
    limit = LONGEST_WINDOWS * last
    in_time, seen = highest <= limit, fit.length.value >= first
    return [
        Finding("window", highest, limit, in_time, "window", "" if in_time else slow),
        Finding("window_start", fit.length.value, first, seen, "window", "" if seen else fast),
    ]


def _read(chosen: Chosen, span: float) -> RBFit:
    length = span * float(np.exp(chosen.theta[0]))
    decay = math.exp(-1.0 / length)
    unit = np.eye(1 + chosen.linear.size)
    found = RBFit(
        evidence(chosen),
        decay=Measured(decay, chosen.error(list(unit[0] * decay / length))),
        amplitude=Measured(float(chosen.linear[1]), chosen.error(list(unit[2]))),
        offset=Measured(float(chosen.linear[0]) + chosen.shift, chosen.error(list(unit[1]))),
        lack=0.0,
        lack_limit=math.inf,
    )
    lack, limit = _lack(found)
    return replace(found, lack=lack, lack_limit=limit)


def _lack(fit: RBFit) -> tuple[float, float]:
    """F of the means' distances from the curve over the scatter about the means, and what chance allows."""
    seen = fit.evidence
    _, places = np.unique(seen.x, return_inverse=True)
    weights = np.where(seen.kept & (seen.sigma > 0), 1.0 / np.where(seen.sigma > 0, seen.sigma, 1.0) ** 2, 0.0)
    residuals = np.where(seen.kept, seen.residuals, 0.0)
    total = np.bincount(places, weights)
    mean = np.bincount(places, weights * residuals) / np.where(total > 0, total, 1.0)
    between, within = float(total @ mean**2), float(weights @ (residuals - mean[places]) ** 2)
    used = int(np.count_nonzero(total))
    dof, rest = used - 3, int(np.count_nonzero(weights)) - used
    if dof < 1 or rest < 1 or within <= 0:
        return 0.0, math.inf
    return between / dof / (within / rest), float(special.fdtri(dof, rest, 1.0 - POOR_P))


def _between_sequences(m: Array, y: Array, variance: Array) -> Array:
    """(Q, N) variance of one sequence's signal about the mean of its length, smooth in the length.

    Ten sequences tell their scatter to a quarter; a parabola in log(length) through all lengths tells it to a
    tenth. Weights from the raw scatter would favour lengths whose sequences happen to agree. It is never less than
    what the shots alone scatter.
    """
    lengths, places = np.unique(m, return_inverse=True)
    found = variance.copy()
    for q in range(len(y)):
        usable = np.isfinite(y[q]) & np.isfinite(variance[q])
        rough = np.asarray([_robust_variance(y[q][usable & (places == n)]) for n in range(len(lengths))])
        if np.count_nonzero(np.isfinite(rough)) < 3:
            continue
        middle = np.asarray([_median(y[q][usable & (places == n)]) for n in range(len(lengths))])
        shot = np.asarray([_median(variance[q][usable & (places == n)]) for n in range(len(lengths))])
        smooth = np.maximum(_smooth(lengths, rough, np.ones_like(rough)), shot)
        near = usable & (np.abs(y[q] - middle[places]) < _FAR * np.sqrt(smooth[places]))
        exact, freedom = _exact_variance(y[q], near, places, len(lengths))
        smooth = np.maximum(_smooth(lengths, exact, freedom), shot)
        found[q] = np.where(np.isfinite(variance[q]), smooth[places], variance[q])
    return found


def _robust_variance(values: Array) -> float:
    if values.size < _FEWEST_SEQUENCES:
        return math.nan
    return float((MAD_TO_SIGMA * np.median(np.abs(values - np.median(values)))) ** 2)


def _median(values: Array) -> float:
    return float(np.median(values)) if values.size else math.nan


def _exact_variance(y: Array, near: Mask, places: NDArray[np.intp], number: int) -> tuple[Array, Array]:
    """(L,) sample variance of what is near at each length, and its degrees of freedom."""
    counts = np.bincount(places, near, number)
    means = np.bincount(places, np.where(near, y, 0.0), number) / np.maximum(counts, 1)
    squares = np.bincount(places, np.where(near, (y - means[places]) ** 2, 0.0), number)
    freedom = np.maximum(counts - 1, 0)
    return np.where(freedom >= _FEWEST_SEQUENCES - 1, squares / np.maximum(freedom, 1), np.nan), freedom


def _smooth(lengths: Array, variances: Array, freedom: Array) -> Array:
    """(L,) a parabola in log(length) through the logarithms of variances."""
    known = np.isfinite(variances) & (variances > 0)
    if np.count_nonzero(known) < 3:
        return np.full_like(variances, np.nanmean(variances[known]) if known.any() else 0.0)
    x = np.log(np.maximum(lengths, 1.0))
    scale = float(np.ptp(x)) or 1.0
    x = (x - x.mean()) / scale
    # The logarithm of a sample variance lies low on average, by about 1 / freedom.
    logs = np.log(variances[known]) + 1.0 / np.maximum(freedom[known], 2.0)
    order = min(2, int(np.count_nonzero(known)) - 2)
    curve = np.polynomial.polynomial.polyfit(x[known], logs, order, w=np.sqrt(np.maximum(freedom[known], 1.0)))
    return np.asarray(np.exp(np.polynomial.polynomial.polyval(x, curve)))
