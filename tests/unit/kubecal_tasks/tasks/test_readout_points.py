"""CheckReadoutFrequency, CheckOptimalReadoutFrequency and CheckDispersiveShift on simulated qubits."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.api.request import Verdict
from kubecal_tasks.framework.task import BaseTask
from kubecal_tasks.physics.oracle import Oracle
from kubecal_tasks.physics.readout import line_frequencies
from kubecal_tasks.tasks.check_dispersive_shift import CheckDispersiveShift
from kubecal_tasks.tasks.check_optimal_readout_frequency import CheckOptimalReadoutFrequency
from kubecal_tasks.tasks.check_readout_frequency import CheckReadoutFrequency
from tests.bench.closed_loop import ClosedLoop, Outcome
from tests.unit.kubecal_tasks.tasks.chip import chip, found, truth

POINT = {
    "CheckReadoutFrequency": "readout_frequency",
    "CheckOptimalReadoutFrequency": "readout_frequency",
    "CheckDispersiveShift": "optimal_readout_frequency",
}
LENGTH_NS = 32.0


def with_pulses(qubit: str, pi: float = 1.0, figures: bool = False, **config: Any) -> ClosedLoop:
    """The chip with the qubit's pulses known; pi: times the right amplitude. Any: the backend's settings."""
    right = truth(qubit)
    half = Oracle(right).half_pi_amplitude(right.frequency_hz, LENGTH_NS * 1e-9)
    known = {"hpi_amplitude": pi * half, "hpi_length": LENGTH_NS, "pi_amplitude": 2 * pi * half}
    known |= {"pi_length": LENGTH_NS, "qubit_frequency": right.frequency_hz / 1e9}
    loop = chip(figures, **config)
    loop.design = {qubit: {name: {"value": value} for name, value in known.items()}}
    return loop


def lines_ghz(qubit: str, outcome: Outcome) -> tuple[float, float]:
    """Of |0> and |1>, at the amplitude used."""
    ground, excited, _ = line_frequencies(truth(qubit), outcome.inputs["readout_amplitude"].value) / 1e9
    return float(ground), float(excited)


@pytest.mark.parametrize("task", POINT)
@pytest.mark.parametrize("qubit", ["0", "1", "5", "6"])
def test_the_readout_point_lies_half_way_between_the_lines(task: str, qubit: str) -> None:
    outcome = with_pulses(qubit).run(task, qubit)
    assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
    measured = found(outcome, POINT[task])
    assert abs(measured.value - sum(lines_ghz(qubit, outcome)) / 2) < max(4 * measured.error, 10e-6)
    assert measured.error < 30e-6


@pytest.mark.parametrize("qubit", ["0", "1", "5"])
def test_the_dispersive_shift_is_half_the_distance_of_the_lines(qubit: str) -> None:
    outcome = with_pulses(qubit, pi=0.9).run("CheckDispersiveShift", qubit)
    ground, excited = lines_ghz(qubit, outcome)
    measured = found(outcome, "dispersive_shift")
    assert abs(measured.value - 500 * (excited - ground)) < 4 * measured.error
    assert measured.error < 0.01


@pytest.mark.parametrize("task", POINT)
def test_each_draws_a_figure(task: str) -> None:
    (figure,) = with_pulses("1", figures=True).run(task, "1").figures
    assert figure.png.content.startswith(b"\x89PNG")


@pytest.mark.parametrize("task", POINT)
def test_a_drive_that_does_not_arrive_is_no_signal(task: str) -> None:
    outcome = with_pulses("1", faults=[{"kind": "NoLine", "target": "1"}]).run(task, "1")
    assert outcome.verdict is Verdict.NO_SIGNAL
    assert not any(each.accepted for each in outcome.judged.outputs)
    assert outcome.judged.suggestion is not None


@pytest.mark.parametrize("task", POINT)
def test_a_sweep_beside_the_lines_is_moved_to_them(task: str) -> None:
    first = with_pulses("1").run(task, "1", {"detuning_range": {"start": 4, "stop": 14, "num": 41}, "shots": 20_000})
    assert first.verdict is Verdict.WINDOW
    assert first.judged.suggestion is not None
    assert with_pulses("1").run(task, "1", first.judged.suggestion.parameters).verdict is Verdict.OK


@pytest.mark.parametrize("task", POINT)
def test_few_glitches_are_survived(task: str) -> None:
    faults = [{"kind": "Glitches", "target": "1", "value": 0.04}]
    outcome = with_pulses("1", faults=faults).run(task, "1")
    assert outcome.verdict is Verdict.OK
    assert abs(found(outcome, POINT[task]).value - sum(lines_ghz("1", outcome)) / 2) < 60e-6


@pytest.mark.parametrize("task", [CheckReadoutFrequency, CheckOptimalReadoutFrequency, CheckDispersiveShift])
def test_the_catalogue_names_what_they_read_and_write(task: type[BaseTask]) -> None:
    entry = task.catalogue_entry()
    pulse = "hpi_amplitude" if task is CheckReadoutFrequency else "pi_amplitude"
    assert pulse in {each.name for each in entry.inputs if each.required}
    assert POINT[task.name] in {each.name for each in entry.outputs}
    assert [each.name for each in entry.run_parameters] == ["detuning_range", "shots", "interval"]
