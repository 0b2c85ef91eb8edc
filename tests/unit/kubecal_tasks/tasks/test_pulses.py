"""The pulses that a task's inputs describe."""

from __future__ import annotations

import pytest

from kubecal_tasks.programs import Play
from kubecal_tasks.tasks.pulses import Pulses, Shape

PULSES = Pulses(
    qubit="3",
    drive_hz=5e9,
    readout_hz=7e9,
    readout_amplitude=0.1,
    readout_s=384e-9,
    interval_s=150e-6,
    shots=100,
    half_pi_pulse=Shape(0.1, 32e-9),
    pi_pulse=Shape(0.2, 33e-9),
    drag_half_pi_pulse=Shape(0.3, 16e-9, 0.5e-9),
    drag_pi_pulse=Shape(0.4, 24e-9, 0.6e-9),
)


@pytest.mark.parametrize(
    ("play", "amplitude", "length_s", "beta_s"),
    [
        (PULSES.half_pi(phase=1.5), 0.1, 32e-9, 0.0),
        (PULSES.pi(phase=1.5), 0.2, 33e-9, 0.0),
        (PULSES.drag_half_pi(phase=1.5), 0.3, 16e-9, 0.5e-9),
        (PULSES.drag_pi(phase=1.5), 0.4, 24e-9, 0.6e-9),
    ],
)
def test_a_calibrated_pulse_has_its_own_amplitude_length_and_beta(
    play: Play, amplitude: float, length_s: float, beta_s: float
) -> None:
    assert (play.amplitude, play.duration_s, play.beta_s, play.phase_rad) == (amplitude, length_s, beta_s, 1.5)
