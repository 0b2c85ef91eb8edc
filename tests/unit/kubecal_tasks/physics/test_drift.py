"""Drift: a pure function of time, of the size the design states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from kubecal_tasks.physics.drift import drifted
from tests.unit.kubecal_tasks.physics.builders import qubit

START = datetime(2026, 3, 1, tzinfo=UTC)
SHIFT_AT_MOST_HZ = 20e3 * 4 + 100e3


def test_the_same_time_is_the_same_truth() -> None:
    assert drifted(qubit(), 5, START) == drifted(qubit(), 5, START)
    assert drifted(qubit(), 5, START) != drifted(qubit(), 6, START)
    assert drifted(qubit(), 5, START) != drifted(qubit(id="4"), 5, START)


def test_times_before_any_epoch_are_fine() -> None:
    assert drifted(qubit(), 5, datetime(1999, 1, 1, tzinfo=UTC)).t1_s > 0


@pytest.mark.parametrize("seed", range(5))
def test_a_frequency_wanders_by_kilohertz(seed: int) -> None:
    shifts = [drifted(qubit(), seed, START + timedelta(hours=5 * k)).frequency_hz - 4.9e9 for k in range(400)]
    assert 1.5e3 < np.median(np.abs(shifts)) < 25e3
    assert np.abs(shifts).max() < SHIFT_AT_MOST_HZ


def test_it_wanders_slowly() -> None:
    steps = [
        drifted(qubit(), 1, START + timedelta(seconds=k + 1)).frequency_hz
        - drifted(qubit(), 1, START + timedelta(seconds=k)).frequency_hz
        for k in range(20)
    ]
    assert 0.0 < max(np.abs(steps)) < 500.0


def test_two_level_systems_come_in_two_of_a_hundred_six_hour_windows() -> None:
    """They alone halve T1; the sinusoids cannot."""
    still = {"t1_s": 30e-6}
    seen = [
        drifted(qubit(**still, id=str(q)), 3, START + timedelta(hours=6 * k)) for q in range(30) for k in range(100)
    ]
    jumped = [truth for truth in seen if abs(truth.frequency_hz - 4.9e9) > 60e3]
    assert 0.005 < len(jumped) / len(seen) < 0.02
    assert np.mean([truth.t1_s for truth in jumped]) < 20e-6 < np.mean([truth.t1_s for truth in seen])


def test_the_readout_turns_by_at_most_five_degrees_a_day() -> None:
    for seed in range(10):
        before, after = (drifted(qubit(), seed, START + timedelta(days=d)).resonator.phase_rad for d in (0, 1))
        assert 0.0 <= np.degrees((after - before) % (2 * np.pi)) <= 5.0
