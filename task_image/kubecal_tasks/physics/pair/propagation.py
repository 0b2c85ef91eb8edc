"""What a stretch of a program does to a pair, noise apart: unitaries of nine states.

Each is given in the frames of its own tones, R = exp(-i (phi_c n_c + phi_t n_t)) with the numbers of the dressed
states: a phase of a pulse and the time it starts at then only turn the frames. A single tone turns both frames
alike, and the total number of excitations is conserved, so that is exact. Two tones at different frequencies
leave what hardly depends on the phase between them: a Fourier series over that phase, of a few terms.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from kubecal_tasks.physics.pair.levels import CONTROL_LEVEL, STATES, TARGET_LEVEL, TURN, PairLevels
from kubecal_tasks.physics.pair.stretches import Part, Stretch
from kubecal_tasks.physics.propagation import Complex, Real
from kubecal_tasks.programs.envelopes import Flat, FlatTop

SLICE_S = 0.7e-9
"""Of what is not constant."""
_GAUSS = math.sqrt(3.0) / 6.0
"""Of a slice, from its middle to the points of Gauss."""
_FEWEST_PHASES, _MOST_PHASES = 16, 128
_LEFT_OUT = 1e-8
"""Largest Fourier component that may be missing."""
_CONTROL_STEP = CONTROL_LEVEL[:, None] - CONTROL_LEVEL
_TARGET_STEP = TARGET_LEVEL[:, None] - TARGET_LEVEL
_TOTAL = CONTROL_LEVEL + TARGET_LEVEL


def unitaries(
    levels: PairLevels, stretch: Stretch, reference_hz: float, lags: Real, slice_s: float = SLICE_S
) -> Complex:
    """(L, 9, 9) of one stretch, at L phases of the target's frame after the control's.

    Only two tones at different frequencies depend on that phase; a stretch that waits is in the frame of the
    reference.
    """
    if stretch.waits:
        turned = np.exp(-1j * (levels.energies - TURN * reference_hz * _TOTAL) * stretch.duration_s)
        return np.tile(np.diag(turned), (len(lags), 1, 1))
    if not stretch.two_tone:
        return np.tile(_ordered(levels, stretch, np.zeros(1), slice_s), (len(lags), 1, 1))
    if len(lags) <= _FEWEST_PHASES:
        return _ordered(levels, stretch, lags, slice_s)
    orders, components = _series(levels, stretch, slice_s)
    return np.asarray(np.einsum("lh,hij->lij", np.exp(1j * lags[:, None] * orders), components))


def _series(levels: PairLevels, stretch: Stretch, slice_s: float) -> tuple[Real, Complex]:
    """(H,) orders and (H, 9, 9) components of the Fourier series over the phase between two tones."""
    number = _FEWEST_PHASES
    while True:
        phases = TURN * np.arange(number) / number
        components = np.fft.fft(_ordered(levels, stretch, phases, slice_s), axis=0) / number
        half = number // 2
        if np.abs(components[half - 1 : half + 2]).max() < _LEFT_OUT or number >= _MOST_PHASES:
            return np.asarray(np.fft.fftfreq(number, 1 / number), dtype=np.float64), components
        number *= 2


def _ordered(levels: PairLevels, stretch: Stretch, lags: Real, slice_s: float) -> Complex:
    """(L, 9, 9) product over the slices, at L phases of the target's frame after the control's.

    Fourth-order Magnus steps: the Hamiltonian at the two Gauss points of a slice, and their commutator.
    """
    edges = _edges(stretch, slice_s)
    middles, lengths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    early, late = (_hamiltonians(levels, stretch, middles + side * _GAUSS * lengths, lags) for side in (-1, 1))
    commutator = late @ early - early @ late
    mean = (early + late) / 2 - 1j * (_GAUSS / 2) * lengths[:, None, None] * commutator
    energies, states = np.linalg.eigh(mean)
    turned = np.exp(-1j * energies * lengths[None, :, None])
    steps = (states * turned[..., None, :]) @ np.conj(np.swapaxes(states, -1, -2))
    total = steps[:, 0]
    for number in range(1, len(lengths)):
        total = steps[:, number] @ total
    return np.asarray(total)


def _edges(stretch: Stretch, slice_s: float) -> Real:
    """(S + 1,) times within the stretch between which everything counts as constant."""
    parts = [part for part in (stretch.control, stretch.target) if part is not None]
    if stretch.two_tone:
        # The one tone's field at the other qubit turns, however constant both are.
        return np.linspace(0.0, stretch.duration_s, math.ceil(stretch.duration_s / slice_s) + 1)
    corners = {0.0, stretch.duration_s}
    constant = []
    for part in parts:
        begin, end = _constant(part)
        constant.append((begin, end))
        corners |= {each for each in (begin, end) if 0.0 < each < stretch.duration_s}
    between = sorted(corners)
    edges = [np.zeros(1)]
    for begin, end in itertools.pairwise(between):
        middle = (begin + end) / 2
        still = all(low <= middle <= high for low, high in constant)
        number = 1 if still else max(1, math.ceil((end - begin) / slice_s))
        edges.append(np.linspace(begin, end, number + 1)[1:])
    return np.concatenate(edges)


def constant(stretch: Stretch) -> bool:
    """Whether nothing changes from its beginning to its end."""
    spans = [_constant(part) for part in (stretch.control, stretch.target) if part is not None]
    return not stretch.two_tone and all(low <= 0.0 and high >= stretch.duration_s for low, high in spans)


def _constant(part: Part) -> tuple[float, float]:
    """Between which times of a stretch a part's envelope stays as it is."""
    pulse = part.pulse
    match pulse.envelope:
        case Flat():
            return -math.inf, math.inf
        case FlatTop(ramp_s=ramp) if 2 * ramp < pulse.duration_s:
            return ramp - part.start_s, pulse.duration_s - ramp - part.start_s
        case _:
            return 0.0, 0.0


def _hamiltonians(levels: PairLevels, stretch: Stretch, times_s: Real, lags: Real) -> Complex:
    """(L, S, 9, 9) in the frames of the tones, rad/s."""
    control_hz, target_hz = stretch.frequencies_hz
    free = levels.energies - TURN * (control_hz * CONTROL_LEVEL + target_hz * TARGET_LEVEL)
    lag = lags[:, None] + TURN * (target_hz - control_hz) * times_s
    # In these frames a line's field at its own qubit stands still. What it does to the other one, directly or
    # through the exchange, turns at the difference of the frequencies.
    fields = np.zeros((len(lags), len(times_s), STATES, STATES), dtype=np.complex128)
    if stretch.control is not None:
        waves = _waves(lag, _TARGET_STEP) if stretch.two_tone else 1.0
        fields += _amplitudes(stretch.control, times_s)[:, None, None] * levels.control_line * waves
    if stretch.target is not None:
        waves = _waves(lag, -_CONTROL_STEP) if stretch.two_tone else np.exp(1j * stretch.lag_rad)
        fields += _amplitudes(stretch.target, times_s)[:, None, None] * levels.target_line * waves
    return np.asarray((fields + np.conj(np.swapaxes(fields, -1, -2))) / 2 + np.diag(free))


def _waves(lag: Real, steps: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> Complex:
    return np.asarray(np.exp(1j * lag[..., None, None] * steps))


def _amplitudes(part: Part, times_s: Real) -> Complex:
    """(S,) complex amplitude at times within the stretch; the sign of DRAG is that of the one-qubit simulator."""
    pulse = part.pulse
    passed = np.clip((part.start_s + times_s) / pulse.duration_s, 0.0, 1.0)
    shape = pulse.envelope.values(passed, pulse.duration_s)
    shape = shape - 1j * pulse.beta_s * pulse.envelope.slopes(passed, pulse.duration_s)
    return np.asarray(pulse.amplitude * shape, dtype=np.complex128)
