"""Benchmarking tasks on a simulated qubit whose truth is known."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from kubecal.api.request import Verdict
from kubecal_tasks.active_protocols import TASKS
from kubecal_tasks.fits.values import Measured
from kubecal_tasks.tasks.benchmarking import expected_lengths, fidelity_line, interleave, seeded
from tests.bench.closed_loop import Outcome
from tests.unit.kubecal_tasks.tasks.benchmarked import calibrated, drag_amplitude, gate_error, truth_of

SEED = 3
RB, X90, X180 = (f"{kind}RandomizedBenchmarking" for kind in ("", "X90Interleaved", "X180Interleaved"))
FIDELITY = {RB: "average_gate_fidelity", X90: "x90_gate_fidelity", X180: "x180_gate_fidelity"}
RATE = {RB: "depolarizing_rate", X90: "x90_depolarizing_rate", X180: "x180_depolarizing_rate"}


def output(outcome: Outcome, name: str) -> tuple[float, float]:
    found = next(each for each in outcome.judged.outputs if each.name == name)
    return found.value, found.error


@pytest.mark.parametrize(("task", "qubit"), [(RB, "0"), (RB, "1"), (X90, "2"), (X180, "3")])
def test_fidelities_are_those_of_the_noiseless_simulator(task: str, qubit: str) -> None:
    """A Clifford takes one half-pi pulse on average, so its error is that pulse's."""
    began = time.process_time()
    outcome = calibrated(qubit, SEED).run(task, qubit)
    assert time.process_time() - began < 2.0, "it takes 0.2 to 0.7 s"
    assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
    value, error = output(outcome, FIDELITY[task])
    truth = 1.0 - gate_error(truth_of(qubit, SEED), math.pi if task == X180 else math.pi / 2)
    assert abs(value - truth) < 4.5 * error
    assert error < 0.15 * (1 - truth)
    rate, _ = output(outcome, RATE[task])
    assert rate == pytest.approx(2 * (1 - value))


def test_a_pulse_that_turns_too_far_shows_in_the_error() -> None:
    """r = r_coherence + eps^2 / 6 for a pulse that turns by eps too far (physics.md)."""
    truth = truth_of("0", SEED)
    right, wrong = (gate_error(truth, math.pi / 2, scale) for scale in (1.0, 1.03))
    eps = 0.03 * math.pi / 2
    assert wrong - right == pytest.approx(eps**2 / 6, rel=0.05)
    amplitude = 1.03 * drag_amplitude(truth, math.pi / 2)
    many = {"sequences": 60, "lengths": {"start": 10, "stop": 2500, "num": 8, "scale": "log"}}
    outcome = calibrated("0", SEED, design={"drag_hpi_amplitude": amplitude}).run(RB, "0", many)
    value, error = output(outcome, "average_gate_fidelity")
    assert error < 0.3 * (wrong - right)
    assert abs(1 - value - wrong) < 4.5 * error


@pytest.mark.parametrize("task", [RB, X90, X180])
def test_without_a_drive_there_is_no_signal(task: str) -> None:
    faults = {"faults": [{"kind": "NoLine", "target": "0"}]}
    outcome = calibrated("0", SEED, faults).run(task, "0")
    assert outcome.verdict is Verdict.NO_SIGNAL
    assert not any(each.accepted for each in outcome.judged.outputs)
    assert outcome.raw_data


@pytest.mark.parametrize("task", [RB, X90])
def test_sequences_that_see_little_of_the_decay_are_a_window(task: str) -> None:
    lengths = {"lengths": {"start": 2, "stop": 700, "num": 12, "scale": "log"}}
    outcome = calibrated("0", SEED).run(task, "0", lengths)
    assert outcome.verdict is Verdict.WINDOW
    assert outcome.judged.suggestion is not None
    assert outcome.judged.suggestion.parameters["lengths"]["stop"] > 1000


def test_a_qubit_whose_coherence_is_not_known_is_benchmarked_all_the_same() -> None:
    loop = calibrated("0", SEED)
    design = dict(loop.design["0"])
    for name in ("t1", "t2_echo", "iq_ground_i"):
        design.pop(name)
    loop.design = {"0": design}
    assert loop.run(RB, "0").verdict is Verdict.OK


@pytest.mark.parametrize("share", [0.04, 0.3])
def test_some_glitches_are_left_out_and_many_are_a_poor_fit(share: float) -> None:
    faults = {"faults": [{"kind": "Glitches", "target": "0", "value": share}]}
    verdict = calibrated("0", SEED, faults).run(RB, "0").verdict
    assert verdict is (Verdict.OK if share < 0.1 else Verdict.POOR_FIT)


def test_figures_come_with_every_verdict() -> None:
    small = {"lengths": [2, 20, 200, 2000], "sequences": 4}
    good = calibrated("1", SEED, figures=True).run(X90, "1", small)
    bad = calibrated("0", SEED, {"faults": [{"kind": "NoLine", "target": "0"}]}, figures=True).run(RB, "0", small)
    for outcome in (good, bad):
        (figure,) = outcome.figures
        assert figure.png.content.startswith(b"\x89PNG")
        assert b"Number of Cliffords" in figure.json.content


def test_the_catalogue_says_what_the_tasks_read_and_write() -> None:
    entries = {task.name: task.catalogue_entry() for task in TASKS}
    for task, fidelity in FIDELITY.items():
        entry = entries[task]
        assert {each.name for each in entry.outputs} == {fidelity, RATE[task]}
        assert all(each.max_age_s == 86_400 for each in entry.outputs)
        assert (entry.timeout_s, entry.r2_threshold) == (1800.0, 0.7)
        assert {each.name: each.default for each in entry.run_parameters}["shots"] == 2048
        required = {each.name for each in entry.inputs if each.required}
        assert {"qubit_frequency", "drag_hpi_amplitude", "drag_hpi_beta", "drag_hpi_length"} <= required
        assert ("drag_pi_amplitude" in required) == (task == X180)
        assert entry.duration_s < 300


def test_lengths_reach_one_and_a_half_decay_lengths() -> None:
    """Of one qubit 0.7 over the error per Clifford."""
    lengths = expected_lengths(1e-3, 2)
    assert (len(lengths), lengths[-1]) == (12, 700)
    ratios = lengths[1:] / lengths[:-1]
    assert expected_lengths(1e-3, 4)[-1] == 1050
    assert ratios[4:] == pytest.approx(np.full(7, ratios[-1]), rel=0.05)
    assert expected_lengths(0.5, 2).tolist() == sorted(set(expected_lengths(0.5, 2).tolist())), (
        "whole numbers, each once"
    )


def test_a_target_is_measured_with_the_same_sequences_every_time() -> None:
    assert seeded(RB, "3").random() == seeded(RB, "3").random()
    assert seeded(RB, "3").random() != seeded(RB, "4").random()
    assert interleave((3, 5, 7), 24) == (3, 24, 5, 24, 7)


def test_a_fidelity_above_one_is_shown_as_a_lower_bound() -> None:
    assert fidelity_line("X90 fidelity", Measured(1.0001, 0.0002)).startswith("X90 fidelity ≥ 99.99 %")
    assert fidelity_line("X90 fidelity", Measured(0.9991, 0.0002)) == "X90 fidelity = 99.910 ± 0.020 %"
