"""CheckReflectionCoefficient on simulated qubits."""

from __future__ import annotations

import pytest

from kubecal.api.request import Verdict
from kubecal_tasks.physics.readout import line_frequencies
from kubecal_tasks.tasks.check_reflection_coefficient import CheckReflectionCoefficient
from tests.unit.kubecal_tasks.tasks.chip import chip, found, truth

TASK = "CheckReflectionCoefficient"


@pytest.mark.parametrize("qubit", ["0", "1", "2", "3"])
def test_it_finds_what_the_resonator_is(qubit: str) -> None:
    outcome = chip().run(TASK, qubit)
    right = truth(qubit)
    assert outcome.verdict is Verdict.OK
    frequency = line_frequencies(right, outcome.inputs["readout_amplitude"].value)[0]
    for name, value, most in (
        ("resonator_frequency", frequency / 1e9, 100e-6),
        ("kappa_external", right.resonator.kappa_hz / 1e6, 0.1),
        ("kappa_internal", right.resonator.loss_hz / 1e6, 0.2),
    ):
        measured = found(outcome, name)
        assert abs(measured.value - value) < 4 * measured.error
        assert measured.error < most


def test_a_sweep_beside_the_line_is_moved_to_it() -> None:
    wrong = {"detuning_range": {"start": 5, "stop": 25, "num": 201}}
    first = chip().run(TASK, "1", wrong)
    assert first.verdict is Verdict.WINDOW
    assert first.judged.suggestion is not None
    assert chip().run(TASK, "1", first.judged.suggestion.parameters).verdict is Verdict.OK


def test_nothing_is_published_where_there_is_no_line_and_a_sweep_that_holds_it_is_suggested() -> None:
    outcome = chip().run(TASK, "1", {"detuning_range": {"start": 25, "stop": 35, "num": 51}})
    assert outcome.verdict is Verdict.WINDOW
    assert "let detuning_range hold 0" in outcome.judged.message
    assert not any(each.accepted for each in outcome.judged.outputs)
    assert outcome.judged.suggestion is not None
    assert chip().run(TASK, "1", outcome.judged.suggestion.parameters).verdict is Verdict.OK


def test_the_catalogue_names_what_it_reads_and_writes() -> None:
    entry = CheckReflectionCoefficient.catalogue_entry()
    assert [(each.name, each.unit, each.required) for each in entry.outputs] == [
        ("resonator_frequency", "GHz", True),
        ("kappa_external", "MHz", True),
        ("kappa_internal", "MHz", False),
    ]
    assert {each.name for each in entry.inputs if each.required} == {"readout_frequency", "readout_amplitude"}
