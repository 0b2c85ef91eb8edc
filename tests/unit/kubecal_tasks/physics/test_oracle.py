"""The oracle: its angle is what many pulses in a row add up to."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kubecal_tasks.physics.oracle import Oracle
from kubecal_tasks.programs import Repeat
from tests.unit.kubecal_tasks.physics.builders import qubit
from tests.unit.kubecal_tasks.programs.builders import DRIVE_HZ, program, pulse


@pytest.mark.parametrize("off_hz", [0.0, 0.5e6, -1.5e6])
def test_four_half_pi_pulses_are_a_full_turn(off_hz: float) -> None:
    oracle = Oracle(qubit())
    a = oracle.half_pi_amplitude(DRIVE_HZ + off_hz, 32e-9)
    shots = program(Repeat(40, (pulse(a),)), drive_hz=DRIVE_HZ + off_hz)
    assert oracle.populations(shots)[0, 1] == pytest.approx(0.0, abs=2e-3)
    one_more = program(Repeat(42, (pulse(a),)), drive_hz=DRIVE_HZ + off_hz)
    assert oracle.populations(one_more)[0, 1] > 0.9


def test_the_angle_grows_with_the_amplitude() -> None:
    oracle = Oracle(qubit())
    angles = [oracle.angle(a, DRIVE_HZ, 32e-9) for a in np.linspace(0.0, 0.2, 9)]
    assert angles[0] == pytest.approx(0.0, abs=1e-9)
    assert np.all(np.diff(angles) > 0)
    assert angles[-1] < math.pi


def test_it_tells_the_times_of_the_truth() -> None:
    truth = qubit(t1_s=30e-6, pure_dephasing_per_s=1e4, slow_detuning_hz=2e4)
    oracle = Oracle(truth)
    assert oracle.t1_s == 30e-6
    assert oracle.t2_echo_s == pytest.approx(1 / (1 / 60e-6 + 1e4))
    assert oracle.t2_star_s < oracle.t2_echo_s
    assert oracle.qubit_frequency_hz == truth.frequency_hz
