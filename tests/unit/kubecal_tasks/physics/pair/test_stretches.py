"""How programs on two lines are cut: wherever something begins or ends, and equal pieces are one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kubecal_tasks.physics.pair.stretches import LONGEST_S, Schedule, schedule
from kubecal_tasks.programs import Axis, Operation, Program, Repeat, ShiftPhase, Swept
from kubecal_tasks.programs.timeline import timeline
from tests.unit.kubecal_tasks.physics.pair.pairs import (
    ALL,
    CONTROL_HZ,
    RAMP_S,
    TARGET_HZ,
    TURN,
    cross,
    program,
    pulse,
    wait,
)

LINES = ("drive/0", "drive/1")


def cut(*body: Operation, axes: tuple[Axis, ...] = ()) -> Schedule:
    return of(program(*body, axes=axes))


def of(whole: Program) -> Schedule:
    return schedule([timeline(whole, point) for point in whole.points()], LINES, TARGET_HZ)


def durations(found: Schedule, point: int = 0) -> list[float]:
    """Of one point's steps, ns."""
    return [round(found.stretches[n].duration_s * 1e9, 6) for n in found.numbers[point] if n >= 0]


def test_a_stretch_ends_wherever_a_line_begins_or_ends_something() -> None:
    found = cut(pulse("control"), pulse("target", duration_s=24e-9), ALL, wait(30e-9), ALL, pulse("control"))
    assert durations(found) == [16, 8, 30, 16]
    first, second, third, _ = (found.stretches[n] for n in found.numbers[0])
    assert first.control is not None
    assert first.target is not None
    assert first.two_tone
    assert second.control is None
    assert second.target is not None
    assert second.target.start_s == pytest.approx(16e-9)
    assert third.waits


def test_a_pulse_is_one_stretch_wherever_and_with_whatever_phase_it_is_played() -> None:
    found = cut(Repeat(5, (pulse("control", phase=0.3), ShiftPhase("control", 0.7), pulse("control"))))
    assert len(found.stretches) == 1
    assert len(durations(found)) == 10


def test_frames_turn_with_phases_and_with_time() -> None:
    found = cut(wait(50e-9), ShiftPhase("control", 0.7), pulse("control", phase=0.3))
    turning = TURN * (CONTROL_HZ - TARGET_HZ)
    begin, end = 1.0 + turning * 50e-9, 1.0 + turning * 66e-9
    assert found.angles[0, 0] == pytest.approx(np.zeros((2, 2)))
    assert found.angles[0, 1] == pytest.approx(np.asarray([[begin, begin], [end, end]]))


def test_tones_of_one_frequency_differ_by_their_phases() -> None:
    on_target = pulse("target", duration_s=60e-9, phase=0.9)
    found = cut(
        cross(0.3, 60e-9, 0.4),
        on_target,
        ALL,
        cross(0.3, 60e-9, 0.4 + math.pi),
        pulse("target", duration_s=60e-9, phase=0.9 + math.pi),
    )
    assert len(found.stretches) == 1
    assert not found.stretches[0].two_tone
    assert found.stretches[0].lag_rad == pytest.approx(0.5)


def test_long_tones_share_all_but_their_last_parts() -> None:
    times = tuple(np.linspace(0, 1e-6, 51).tolist())
    found = cut(cross(0.3, Swept("t")), axes=(Axis("t", times),))
    assert max(each.duration_s for each in found.stretches) <= LONGEST_S * (1 + 1e-9)
    assert [sum(durations(found, point)) for point in range(51)] == pytest.approx([t * 1e9 for t in times])
    assert len(found.stretches) < 20


def test_ramps_come_at_the_ends_of_long_tones() -> None:
    found = cut(cross(0.3, 250e-9))
    head, body, tail = (found.stretches[n].control for n in found.numbers[0])
    assert head is not None
    assert body is not None
    assert tail is not None
    assert head.start_s == 0.0
    assert body.start_s == pytest.approx(RAMP_S)
    assert tail.pulse.duration_s - tail.start_s == pytest.approx(50e-9)


def test_a_long_wait_is_cut_into_a_limited_number_of_parts() -> None:
    found = cut(wait(1e-3))
    assert len(durations(found)) <= 200
    assert sum(durations(found)) == pytest.approx(1e6)
