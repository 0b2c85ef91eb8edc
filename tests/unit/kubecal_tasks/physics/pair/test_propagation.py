"""What stretches do, noise apart: unitary, converged, and a matter of phases alone where it should be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kubecal_tasks.physics.pair.levels import PairLevels
from kubecal_tasks.physics.pair.propagation import SLICE_S, unitaries
from kubecal_tasks.physics.pair.stretches import Part, Stretch
from kubecal_tasks.programs import Flat, FlatTop, Frame, Gaussian
from kubecal_tasks.programs.envelopes import Envelope
from kubecal_tasks.programs.timeline import Pulse
from tests.unit.kubecal_tasks.physics.pair.pairs import CONTROL_HZ, RAMP_S, TARGET_HZ, pair

LEVELS = PairLevels.of(pair(onto_target=0.1j, onto_control=0.05))


def part(hz: float, envelope: Envelope, amplitude: float, duration_s: float, beta_s: float = 0.0) -> Part:
    return Part(Pulse(Frame("f", "drive/0", hz, "g"), envelope, amplitude, duration_s, beta_s), 0.0)


DRAG_CONTROL = part(CONTROL_HZ, Gaussian(), 0.4, 16e-9, 0.25e-9)
DRAG_TARGET = part(TARGET_HZ, Gaussian(), 0.4, 16e-9, 0.25e-9)
CROSS = part(TARGET_HZ, FlatTop(RAMP_S), 0.8, 90e-9)
CANCEL = part(TARGET_HZ, FlatTop(RAMP_S), 0.05, 90e-9)
STRETCHES = {
    "a pulse": Stretch(DRAG_CONTROL, None, 16e-9),
    "cross resonance": Stretch(CROSS, None, 90e-9),
    "with a cancel tone": Stretch(CROSS, CANCEL, 90e-9, 0.7),
    "pulses on both": Stretch(DRAG_CONTROL, DRAG_TARGET, 16e-9),
    "nothing": Stretch(None, None, 50e-9),
}


@pytest.mark.parametrize("name", STRETCHES)
def test_slices_are_fine_enough(name: str) -> None:
    stretch, lags = STRETCHES[name], np.asarray([0.4])
    (found,) = unitaries(LEVELS, stretch, TARGET_HZ, lags)
    (finer,) = unitaries(LEVELS, stretch, TARGET_HZ, lags, SLICE_S / 2)
    assert found == pytest.approx(finer, abs=1e-4)
    assert found @ found.conj().T == pytest.approx(np.eye(9), abs=1e-12)


def test_two_tones_at_many_phases_are_what_they_are_at_each() -> None:
    stretch = STRETCHES["pulses on both"]
    lags = np.linspace(0.0, 6.0, 40)
    many = unitaries(LEVELS, stretch, TARGET_HZ, lags)
    few = unitaries(LEVELS, stretch, TARGET_HZ, lags[::13])
    assert many[::13] == pytest.approx(few, abs=1e-7)
    assert np.abs(np.diff(many, axis=0)).max() < 0.01


def test_a_constant_tone_is_exact_whatever_its_length() -> None:
    flat = part(TARGET_HZ, Flat(), 0.5, 90e-9)
    (whole,) = unitaries(LEVELS, Stretch(flat, None, 90e-9), TARGET_HZ, np.zeros(1))
    (half,) = unitaries(LEVELS, Stretch(flat, None, 45e-9), TARGET_HZ, np.zeros(1))
    assert half @ half == pytest.approx(whole, abs=1e-12)


def test_waiting_turns_states_by_their_energies() -> None:
    (found,) = unitaries(LEVELS, STRETCHES["nothing"], TARGET_HZ, np.zeros(1))
    turned = np.angle(found[4, 4] * found[0, 0] / found[3, 3] / found[1, 1])
    assert turned == pytest.approx(-math.fmod(LEVELS.static_zz * 50e-9, math.pi), abs=1e-6)
