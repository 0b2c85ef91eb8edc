"""Hamiltonian tomography: how the target turns while the control is driven, for the control in |0> and in |1>.

The Bloch vector turns about w and shrinks, from wherever the tone's first ramp has left it:

    r(t) = exp(-g t) R(w t) r(0),      signal = offset - contrast r / 2

but for the few shots in which the control is not as it was prepared, which turn about the other state's w.
With w0 and w1 of both states of the control, ZP = (w_P0 - w_P1) / 2 and IP = (w_P0 + w_P1) / 2 (Sheldon et al.,
Phys. Rev. A 93, 060302, 2016). Start vector, contrast and offset are linear, so there is nothing to guess but w: on a
grid of its length every component is a constant, a cosine and a sine, and the plane in which cosine and sine lie
is the one that w stands upright on. Axes are those of the pulses' phases: 0 is X, pi/2 is Y.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kubecal_tasks.fits.batch import Data, prepare
from kubecal_tasks.fits.checks import (
    FEWEST_SIGMAS,
    HIGHEST_NYQUIST,
    Finding,
    believed,
    chi2_check,
    glitch_check,
    signal_check,
)
from kubecal_tasks.fits.evidence import Chosen, choose, evidence
from kubecal_tasks.fits.model import Model
from kubecal_tasks.fits.values import Array, Fit, FitError, Mask, Measured

AXES = ("X", "Y", "Z")
TERMS = ("IX", "IY", "IZ", "ZX", "ZY", "ZZ")
_STEP_TURNS = 0.2
"""Of the grid of lengths, in turns over the window: a fifth of the width of a peak's foot."""
_DAMPINGS = (0.0, 1.0)
_FEWEST_TURNS = 0.25
SLOWEST_HZ = 0.3e6
"""Slower ZX makes no gate before coherence is lost."""
_QUARTER = 0.25
_CANDIDATES = 5
_PARAMETERS = 11
_TURN = 2 * np.pi
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(40)
_JUMP_NODES, _JUMP_WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2
"""When the control may jump, as parts of the time that has passed."""


@dataclass(frozen=True)
class RotationFit(Fit):
    """The fitted turning of the target for one state of the control."""

    rotation: tuple[Measured, Measured, Measured]
    """About X, Y and Z, in turns per unit of time."""
    tilt: tuple[Measured, Measured]
    """Where the vector starts: its X and its Y over its Z."""
    damping: Measured
    """Rate at which the vector shrinks, per unit of time."""
    contrast: Measured
    """Signal of |1> minus that of |0>, from the references alone."""

    @property
    def length(self) -> float:
        """How fast it turns, in turns per unit of time."""
        return float(np.linalg.norm([each.value for each in self.rotation]))

    @property
    def length_error(self) -> float:
        """Of the above, from the largest of the components' errors."""
        return max(each.error for each in self.rotation)

    @property
    def times(self) -> Array:
        """(N,) without the references."""
        return self.x[np.isfinite(self.x)]


@dataclass(frozen=True)
class HamiltonianFit:
    """Both states of the control together."""

    rotations: tuple[RotationFit, RotationFit]
    """For the control in |0> and in |1>."""

    def term(self, name: str) -> Measured:
        """One of IX, IY, IZ, ZX, ZY, ZZ, in turns per unit of time."""
        number = AXES.index(name[1])
        ground, excited = (each.rotation[number] for each in self.rotations)
        sign = -1.0 if name[0] == "Z" else 1.0
        error = float(np.hypot(ground.error, excited.error)) / 2
        return Measured((ground.value + sign * excited.value) / 2, error)

    @property
    def zx(self) -> complex:
        """ZX + i ZY: what the tone's phase turns."""
        return complex(self.term("ZX").value, self.term("ZY").value)

    @property
    def ix(self) -> complex:
        """IX + i IY: what the cancel tone takes away."""
        return complex(self.term("IX").value, self.term("IY").value)

    @property
    def rate(self) -> Measured:
        """|ZX + i ZY|."""
        along, across, size = self.term("ZX"), self.term("ZY"), abs(self.zx)
        if size == 0.0:
            return Measured(0.0, max(along.error, across.error))
        return Measured(size, float(np.hypot(along.value * along.error, across.value * across.error)) / size)


def fit_hamiltonian(
    t: Array, y: Array, variance: Array, references: Array, reference_variance: Array
) -> HamiltonianFit:
    """Fit the target's turning for both states of the control.

    Parameters
    ----------
    t
        (N,) durations for which the tone was at its full height, or as long as would make up for its ramps.
    y, variance
        (2, 3, N) signals of the target along X, Y, Z, for the control in |0> and |1>, low for |0>.
    references, reference_variance
        (3, 2) separately measured signals of the target's |0> and |1>, three times each.

    Raises
    ------
    FitError
        If the shapes do not belong together or too few points are finite.
    """
    t, y = np.asarray(t, dtype=float), np.asarray(y, dtype=float)
    if y.shape != (2, 3, t.size) or np.shape(variance) != y.shape or np.shape(references) != (3, 2):
        raise FitError(f"signals of shape {y.shape} and references of shape {np.shape(references)} for {t.size} times")
    span = float(np.ptp(t))
    if not span > 0:
        raise FitError("the tone always has the same duration, so nothing can be seen turning: sweep it")
    x = np.concatenate([t, [np.nan, np.nan]])
    joined = _with_references(y, references)
    data = prepare(x, joined, _with_references(np.asarray(variance), reference_variance), _PARAMETERS)
    model = _model(t, joined.reshape(2, 3, -1)[..., : t.size], span)
    first = choose(model, data, [], axes=3)
    ground, excited = (_read(_with_strays(first, data, state, span), span) for state in (0, 1))
    return HamiltonianFit((ground, excited))


def _with_strays(first: Sequence[Chosen], data: Data, state: int, span: float) -> Chosen:
    """The same with shots in which the control was in the other state: a few per cent, that turn the other way."""
    own, other = first[state].theta, first[1 - state].theta[:3]
    before = first[state].solution.model

    def columns(x: Array, theta: Array) -> Array:
        plain = rotation_columns(x, theta, span)
        strays = np.broadcast_to(stray_columns(x, own[:3], other, span), (*plain.shape[:-1], 2))
        return np.concatenate([plain, strays], axis=-1)

    richer = Model("rotation", columns, own[None], before.lower, before.upper, before.trials)
    return choose(richer, data.subset(np.asarray([state])), [], axes=3)[0]


def _with_references(y: Array, references: Array) -> Array:
    both = np.concatenate([y, np.broadcast_to(references, (2, 3, 2))], axis=-1)
    return both.reshape(2, -1)


def rotation_columns(x: Array, theta: Array, span: float) -> Array:
    """(..., 3 N, 5): offset, the three components of the start vector, and the references' half contrast.

    theta is (..., 4): the rotation in rad and the damping, both over the window. Points at NaN are the references
    of |0> and |1>, in this order.
    """
    seen = np.isfinite(x)
    tau = np.where(seen, x, 0.0) / span
    turned = np.moveaxis(rotations(tau, theta[..., :3]), -3, -2)
    columns = np.zeros((*theta.shape[:-1], 3, x.size, 5))
    columns[..., 0] = 1.0
    columns[..., 1:4] = -(np.exp(-theta[..., 3:4] * tau) * seen)[..., None, :, None] * turned
    columns[..., 4] = _half_contrast(seen)
    return columns.reshape(*theta.shape[:-1], 3 * x.size, 5)


def rotations(tau: Array, w: Array) -> Array:
    """(..., N, 3, 3) matrices of a turning about w (..., 3) after times tau (N,), by Rodrigues' formula."""
    angle = np.linalg.norm(w, axis=-1)[..., None] * tau
    sine, versine = tau * np.sinc(angle / np.pi), 0.5 * tau**2 * np.sinc(angle / _TURN) ** 2
    cross = np.zeros((*w.shape[:-1], 3, 3))
    cross[..., 0, 1], cross[..., 0, 2], cross[..., 1, 2] = -w[..., 2], w[..., 1], -w[..., 0]
    cross -= np.swapaxes(cross, -1, -2)
    outer = w[..., :, None] * w[..., None, :]
    found: Array = (
        np.cos(angle)[..., None, None] * np.eye(3)
        + sine[..., None, None] * cross[..., None, :, :]
        + versine[..., None, None] * outer[..., None, :, :]
    )
    return found


def stray_columns(x: Array, own: Array, other: Array, span: float) -> Array:
    """(3 N, 2) what shots add in which the control is not as prepared.

    Those in which it never was turn about the other vector all the time. Those in which it jumps, relaxing from |1>
    or excited from |0>, turn about its own first: the mean over when it jumps, as likely at any time.
    """
    seen = np.isfinite(x)
    tau = np.where(seen, x, 0.0) / span
    always = rotations(tau, other)[..., 2]
    at = _JUMP_NODES * tau[:, None]
    before = rotations(at.ravel(), own)[..., 2].reshape(*at.shape, 3)
    after = rotations((tau[:, None] - at).ravel(), other).reshape(*at.shape, 3, 3)
    jumping = tau[:, None] * np.einsum("k,nkab,nkb->na", _JUMP_WEIGHTS, after, before)
    columns = -np.stack([always, jumping], axis=-1) * seen[:, None, None]
    return np.asarray(np.swapaxes(columns, 0, 1).reshape(-1, 2))


def _half_contrast(seen: Mask) -> Array:
    column = np.zeros(seen.size)
    column[~seen] = np.resize([-1.0, 1.0], int((~seen).sum()))
    return column


def _model(t: Array, y: Array, span: float) -> Model:
    fastest = 0.5 * (t.size - 1)
    turns = np.arange(_FEWEST_TURNS, fastest, _STEP_TURNS)
    starts = [np.zeros(3), *(w for own in y for w in _candidates(t / span, own, turns))]
    slow = [sign * axis * np.pi / 2 for axis in np.eye(3)[:2] for sign in (1, -1)]
    grid = np.asarray([[*w, g] for w in (*starts, *slow) for g in (0.0, 0.3, 1.5)])
    reach = _TURN * 2 * fastest
    lower, upper = np.asarray([-reach] * 3 + [-2.0]), np.asarray([reach] * 3 + [50.0])
    return Model("rotation", lambda x, theta: rotation_columns(x, theta, span), grid, lower, upper, turns.size)


def _candidates(tau: Array, y: Array, turns: Array) -> list[Array]:
    """Rotations (3,), rad over the window, of the lengths at which one signal (3, N) is best explained."""
    low, high = np.nanpercentile(y, [3, 97])
    held = np.clip(np.nan_to_num(y, nan=(low + high) / 2), low, high)
    found: list[tuple[float, Array]] = []
    for damping in _DAMPINGS:
        phases = _TURN * turns[:, None] * tau
        shrunk = np.exp(-damping * tau)
        columns = np.stack([np.ones_like(phases), shrunk * np.cos(phases), shrunk * np.sin(phases)], axis=-1)
        normal = np.swapaxes(columns, 1, 2) @ columns + 1e-9 * np.eye(3)
        right = np.swapaxes(columns, 1, 2) @ held.T
        linear = np.linalg.solve(normal, right)
        missed = np.sum((held.T - columns @ linear) ** 2, axis=(1, 2))
        least = np.concatenate([[np.inf], missed, [np.inf]])
        for number in np.flatnonzero((missed <= least[:-2]) & (missed <= least[2:])):
            normal_to = np.cross(linear[number, 1], linear[number, 2])
            size = np.linalg.norm(normal_to)
            if size > 0:
                found.append((float(missed[number]), _TURN * turns[number] * normal_to / size))
    found.sort(key=lambda each: each[0])
    return [w for _, w in found[:_CANDIDATES]]


def _read(chosen: Chosen, span: float) -> RotationFit:
    unit = np.eye(_PARAMETERS)
    per_turn = 1 / (_TURN * span)
    start = chosen.linear[1:4]
    size = start[2] if start[2] != 0 else np.nan

    def tilt(number: int) -> Measured:
        gradient = unit[5 + number] / size - unit[7] * start[number] / size**2
        return Measured(float(start[number] / size), chosen.error(list(gradient)))

    return RotationFit(
        evidence(chosen, axes=3),
        rotation=_vector(chosen, unit, per_turn),
        tilt=(tilt(0), tilt(1)),
        damping=Measured(float(chosen.theta[3]) / span, chosen.error(list(unit[3] / span))),
        contrast=Measured(2 * float(chosen.linear[4]), 2 * chosen.error(list(unit[8]))),
    )


def _vector(chosen: Chosen, unit: Array, scale: float) -> tuple[Measured, Measured, Measured]:
    x, y, z = (Measured(float(chosen.theta[k]) * scale, chosen.error(list(unit[k] * scale))) for k in range(3))
    return x, y, z


def hamiltonian_checks(fit: HamiltonianFit) -> list[Finding]:
    """Data checks of both states, and whether both turn slowly enough for the spacing."""
    found = []
    for state, rotation in enumerate(fit.rotations):
        nyquist = 0.5 / float(np.median(np.diff(np.sort(rotation.times))))
        data = [_reference_check(rotation), _turning_check(rotation), chi2_check(rotation), glitch_check(rotation)]
        own = believed([*data, _aliased(rotation.length, nyquist)])
        found += [_of_state(state, each) for each in own]
    return found


def too_short(times: Array) -> bool:
    """Whether a rate that is of use could hide in these durations: it would turn the target by less than a quarter."""
    return float(np.max(times)) * SLOWEST_HZ < _QUARTER


def _turning_check(fit: RotationFit) -> Finding:
    """Whether the target turns; that it does not is no wonder where the tone is too short for it."""
    found = signal_check(fit)
    if found.ok or found.verdict != "no_signal" or not too_short(fit.times):
        return found
    longest, needed = float(fit.times.max()), _QUARTER / SLOWEST_HZ
    text = (
        f"the tone lasts up to {longest * 1e9:.3g} ns, in which nothing is seen turning: sweep to {needed * 1e9:.2g} ns"
    )
    return _finding("window", longest, needed, False, "window", text)


def _of_state(state: int, finding: Finding) -> Finding:
    message = f"with the control in |{state}>: {finding.message}" if finding.message else ""
    name = f"{finding.name} |{state}>"
    return Finding(name, finding.value, finding.limit, finding.ok, finding.verdict, message)


def _reference_check(fit: RotationFit) -> Finding:
    value = abs(fit.contrast.value) / fit.contrast.error if fit.contrast.error > 0 else float("nan")
    text = (
        f"no signal: |0> and |1> of the target differ by {value:.2g} sigmas, {FEWEST_SIGMAS:g} are needed; "
        "run CheckRabi on it"
    )
    return _finding("contrast", value, FEWEST_SIGMAS, value >= FEWEST_SIGMAS, "no_signal", text)


def _aliased(turning: float, nyquist: float) -> Finding:
    value, limit = turning / nyquist, HIGHEST_NYQUIST
    text = (
        f"the target turns at {value:.2f} of what the spacing resolves, at most {limit} can be trusted: "
        "use a finer sweep of times"
    )
    return _finding("aliased", value, limit, value <= limit, "window", text)


def _finding(
    name: str, value: float, limit: float, ok: bool, verdict: Literal["no_signal", "window"], text: str
) -> Finding:
    return Finding(name, float(value), float(limit), bool(ok), verdict, "" if ok else text)
