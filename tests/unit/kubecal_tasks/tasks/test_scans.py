"""Scans of the drive frequency at one power: where the qubit is, and how hard its line drives it."""

from __future__ import annotations

import pytest

from kubecal.api.request import Verdict
from kubecal_tasks.tasks.check_control_amplitude import CheckControlAmplitude
from kubecal_tasks.tasks.check_qubit_frequencies import CheckQubitFrequencies
from tests.unit.kubecal_tasks.tasks.bring_up import answers, bring_up, pulls

TASKS = ("CheckQubitFrequencies", "CheckControlAmplitude")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("qubit", ["0", "1", "2", "3"])
def test_a_qubit_is_found_within_the_error_from_its_design(task: str, qubit: str) -> None:
    outcome = bring_up(31).run(task, qubit)
    assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
    found = pulls(outcome, answers(31, qubit))
    assert set(found) == {o.name for o in outcome.judged.outputs}
    assert all(abs(pull) < 4.5 for pull in found.values())


def test_the_amplitude_is_the_one_for_the_rate_that_is_asked_for() -> None:
    loop = bring_up(32)
    outcome = loop.run("CheckControlAmplitude", "0", {"target_rabi_rate": 25})
    found = next(o for o in outcome.judged.outputs if o.name == "coarse_control_amplitude")
    assert found.value == pytest.approx(2 * answers(32, "0")["control_amplitude"], rel=0.02)


@pytest.mark.parametrize("task", TASKS)
def test_a_silent_line_is_no_signal_and_a_wider_scan_is_suggested(task: str) -> None:
    outcome = bring_up(33, faults=[{"kind": "NoLine", "target": "0"}]).run(task, "0")
    assert outcome.verdict is Verdict.NO_SIGNAL
    assert not any(each.accepted for each in outcome.judged.outputs)
    assert outcome.judged.suggestion is not None
    scan = outcome.judged.suggestion.parameters["detuning_range"]
    assert (scan["start"], scan["stop"]) == ((-100, 100) if task == TASKS[0] else (-150, 150))


@pytest.mark.parametrize("task", TASKS)
def test_a_scan_beside_the_line_is_a_window_and_the_next_one_finds_it(task: str) -> None:
    loop, right = bring_up(34), answers(34, "0")
    frequency = right["qubit_frequency"] + 0.030
    loop.design = {"0": {"qubit_frequency": {"value": frequency, "error": 0.02}}}
    outcome = loop.run(task, "0", {"detuning_range": {"start": -20, "stop": 20, "num": 41}})
    assert outcome.verdict is Verdict.WINDOW
    assert outcome.judged.suggestion is not None
    again = loop.run(task, "0", outcome.judged.suggestion.parameters)
    assert again.verdict is Verdict.OK
    assert all(abs(pull) < 4.5 for pull in pulls(again, right).values())


def test_a_scan_that_leaves_out_where_the_qubit_is_expected_says_nothing_of_the_qubit() -> None:
    loop = bring_up(34)
    outcome = loop.run(TASKS[0], "0", {"detuning_range": {"start": 60, "stop": 100, "num": 41}})
    assert outcome.verdict is Verdict.WINDOW
    assert "detuning_range hold 0" in outcome.judged.message
    assert outcome.judged.suggestion is not None
    assert outcome.judged.suggestion.parameters["detuning_range"]["start"] == -100
    assert loop.run(TASKS[0], "0", outcome.judged.suggestion.parameters).verdict is Verdict.OK


def test_the_line_is_drawn_with_where_it_is_and_where_it_was_expected() -> None:
    loop = bring_up(35)
    loop.figures = True
    (figure,) = loop.run("CheckControlAmplitude", "0").figures
    for words in (b'"resonance"', b'"expected"', b'"quantity":"Drive frequency","unit":"GHz"'):
        assert words in figure.json.content


def test_what_is_declared_is_what_the_catalogue_promises() -> None:
    scan, amplitude = CheckQubitFrequencies.catalogue_entry(), CheckControlAmplitude.catalogue_entry()
    assert [(o.name, o.unit) for o in scan.outputs] == [("coarse_qubit_frequency", "GHz")]
    assert [(o.name, o.unit, o.group) for o in amplitude.outputs] == [
        ("coarse_control_amplitude", "a.u.", "drive"),
        ("coarse_qubit_frequency", "GHz", ""),
    ]
    defaults = {p.name: p.default for p in amplitude.run_parameters}
    assert (defaults["target_rabi_rate"], defaults["shots"]) == (12.5, 8192)
    assert defaults["detuning_range"] == {"start": -75, "stop": 75, "num": 61}
    assert scan.run_parameters[0].default == {"start": -50, "stop": 50, "num": 101}
