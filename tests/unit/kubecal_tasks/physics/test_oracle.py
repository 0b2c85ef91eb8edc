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


def test_the_angle_goes_on_beyond_half_a_turn() -> None:
    oracle = Oracle(qubit())
    pi = oracle.pulse_amplitude(math.pi, DRIVE_HZ, 32e-9)
    angles = [oracle.angle(a * pi, DRIVE_HZ, 32e-9) for a in (0.9, 1.0, 1.1)]
    assert angles == pytest.approx([0.9 * math.pi, math.pi, 1.1 * math.pi], rel=2e-3)


def test_the_tilt_of_a_pi_pulse_follows_beta_as_theory_says() -> None:
    """physics.md, DRAG: n_z = 5.06 / (t |alpha|) (beta |alpha| - 1/2), but for its sign's convention."""
    oracle, length_s = Oracle(qubit()), 24e-9
    alpha = 2 * math.pi * abs(oracle.truth.anharmonicity_hz)
    pi = oracle.pulse_amplitude(math.pi, DRIVE_HZ, length_s)
    for beta in (0.0, 0.25, 0.75, 1.0):
        expected = 5.06 / (length_s * alpha) * (beta - 0.5)
        assert abs(oracle.tilt(pi, DRIVE_HZ, length_s, beta / alpha)) == pytest.approx(abs(expected), rel=0.1)
    assert oracle.drag_beta(pi, DRIVE_HZ, length_s) == pytest.approx(0.5 / alpha, rel=0.03)


def test_drag_leaves_less_population_outside_of_the_qubit() -> None:
    oracle, length_s = Oracle(qubit()), 16e-9
    pi = oracle.pulse_amplitude(math.pi, DRIVE_HZ, length_s)
    alpha = 2 * math.pi * abs(oracle.truth.anharmonicity_hz)
    bare, aligned, least = (oracle.leakage(pi, DRIVE_HZ, length_s, beta / alpha) for beta in (0.0, 0.5, 1.0))
    assert least < aligned < 0.5 * bare
