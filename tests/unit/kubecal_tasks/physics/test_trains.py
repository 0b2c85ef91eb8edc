"""Long trains of pulses give what the same pulses give one by one."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from kubecal_tasks.physics import evolution
from kubecal_tasks.physics.evolution import Evolution
from kubecal_tasks.physics.trains import Quadrature
from kubecal_tasks.physics.truth import QubitTruth
from kubecal_tasks.programs import BlockAxis, Choose, Gaussian, Program, Repeat, ShiftPhase
from tests.unit.kubecal_tasks.physics.builders import US, qubit
from tests.unit.kubecal_tasks.programs.builders import FRAME, program, pulse, wait

LENGTH_S = 16e-9


def real_qubit() -> QubitTruth:
    return qubit(t1_s=30 * US, pure_dephasing_per_s=1.5e4, slow_detuning_hz=35e3, thermal=0.01)


def train(truth: QubitTruth, lengths: list[int], pause_s: float = 0.0) -> Program:
    """Random sequences of half-pi pulses about four axes, with a pause after some."""
    half_pi = pulse(0.251 / (truth.drive_hz * Gaussian().area_s(LENGTH_S)), LENGTH_S, 0.1, 0.2e-9)
    pauses = (wait(pause_s),) if pause_s else ()
    blocks = ((half_pi, ShiftPhase(FRAME, math.pi / 2)), (ShiftPhase(FRAME, math.pi), half_pi), (half_pi, *pauses), ())
    rng = np.random.default_rng(5)
    words = tuple(tuple(rng.integers(0, len(blocks), n).tolist()) for n in lengths)
    axis = BlockAxis("gates", tuple(float(n) for n in lengths), blocks, words)
    return program(Choose("gates"), axes=(axis,), interval_s=60 * US)


@pytest.mark.parametrize("pause_s", [0.0, 20e-9])
def test_a_train_gives_what_its_pulses_give_one_by_one(pause_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = real_qubit()
    trains = train(truth, [1, 20, 150, 300, 150], pause_s)
    together = Evolution(truth).populations(trains, None)
    monkeypatch.setattr(evolution, "LONG_TRAIN", 10**9)
    assert together == pytest.approx(Evolution(truth).populations(trains, None), abs=3e-4)
    assert np.ptp(together[:, 1]) > 0.2, "there is something to compare"


def test_a_train_that_turns_far_is_drawn_like_any_other_shot() -> None:
    """Two half-pi pulses with 100 us between them: every fixed set of detunings would revive."""
    truth = qubit(slow_detuning_hz=50e3)
    half_pi = pulse(0.25 / (truth.drive_hz * Gaussian().area_s(LENGTH_S)), LENGTH_S)
    fringe = program(Repeat(120, (half_pi,)), half_pi, wait(300 * US), half_pi)
    (_, excited, _), (_, other, _) = (
        Evolution(truth).populations(fringe, np.random.default_rng(seed))[0] for seed in (1, 2)
    )
    assert excited != other
    assert [excited, other] == pytest.approx([0.5, 0.5], abs=0.02)


def test_sixty_thousand_pulses_take_a_fraction_of_a_second() -> None:
    truth = real_qubit()
    trains = train(truth, [int(n) for n in np.repeat(np.geomspace(4, 2600, 12), 10)])
    began = time.process_time()
    populations = Evolution(truth).populations(trains, np.random.default_rng(1))
    assert time.process_time() - began < 1.5, "pulse by pulse it takes half a minute"
    assert populations.sum(axis=1) == pytest.approx(1.0, abs=1e-9)


def test_the_average_of_a_slow_function_is_exact_and_that_of_a_fast_one_is_refused() -> None:
    eight = Quadrature.of(8)
    values = np.stack([np.cos(0.3 * eight.nodes), np.cos(3.0 * eight.nodes), np.ones(8)])
    assert eight.resolves(values).tolist() == [True, False, True]
    assert eight.average(values)[[0, 2]] == pytest.approx([math.exp(-(0.3**2) / 2), 1.0], abs=1e-9)
