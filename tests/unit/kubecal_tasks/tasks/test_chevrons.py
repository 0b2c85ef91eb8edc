"""Chevrons on qubits of which only rough design values are known."""

from __future__ import annotations

import pytest

from kubecal.api.request import Verdict
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.check_chevron import CheckChevron
from kubecal_tasks.tasks.check_coarse_chevron import CheckCoarseChevron
from kubecal_tasks.tasks.check_fine_chevron import CheckFineChevron
from tests.unit.kubecal_tasks.tasks.bring_up import answers, bring_up, pulls, truth_of

SMALL = {"detuning_range": {"start": -40, "stop": 40, "num": 27}, "time_range": {"start": 0, "stop": 300, "num": 26}}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_wide_chevron_and_a_narrow_one_bring_a_qubit_up_from_its_design(seed: int) -> None:
    loop = bring_up(seed)
    right = answers(seed, "0")
    outcome = loop.run("CheckChevron", "0", SMALL)
    assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
    assert all(abs(pull) < 4.5 for pull in pulls(outcome, right).values())
    assert loop.found["0"]["qubit_frequency"].value == pytest.approx(right["qubit_frequency"], abs=0.5e-3)
    assert loop.found["0"]["control_amplitude"].value == pytest.approx(right["control_amplitude"], rel=0.02)
    fine = loop.run("CheckFineChevron", "0")
    assert fine.verdict is Verdict.OK
    assert all(abs(pull) < 4.5 for pull in pulls(fine, right).values())
    assert fine.inputs["qubit_frequency"].origin == "session"


def test_the_narrow_chevron_is_made_where_the_wide_one_saw_the_qubit() -> None:
    outcome = bring_up(1).run("CheckChevron", "0", SMALL)
    wide, narrow = (Acquisition.from_npz(each.content) for each in outcome.raw_data)
    assert [wide.label, narrow.label] == ["wide", "narrow"]
    middle = narrow.program.frames[0].at({"detuning": 0.0}).frequency_hz
    assert middle == pytest.approx(truth_of(1, "0").frequency_hz, abs=0.2e6)


def test_a_coarse_value_of_this_session_comes_before_the_design() -> None:
    loop = bring_up(4)
    loop.run("CheckCoarseChevron", "0", SMALL)
    again = loop.run("CheckCoarseChevron", "0", SMALL)
    program = Acquisition.from_npz(again.raw_data[0].content).program
    frame = program.frames[0].at({"detuning": 0.0})
    assert frame.frequency_hz == pytest.approx(1e9 * loop.found["0"]["qubit_frequency"].value, abs=0.1e6)


@pytest.mark.parametrize("task", ["CheckChevron", "CheckCoarseChevron", "CheckFineChevron"])
def test_a_silent_line_is_no_signal_and_a_wider_scan_is_suggested(task: str) -> None:
    loop = bring_up(5, faults=[{"kind": "NoLine", "target": "0"}])
    outcome = loop.run(task, "0", SMALL)
    assert outcome.verdict is Verdict.NO_SIGNAL
    assert not any(each.accepted for each in outcome.judged.outputs)
    assert outcome.judged.suggestion is not None
    assert outcome.judged.suggestion.parameters["detuning_range"]["stop"] == 80
    assert len(outcome.raw_data) == 1, "nothing was seen that a narrow one could be made about"


@pytest.mark.parametrize("away_mhz", [-16.0, 16.0])
def test_a_resonance_outside_of_the_scan_is_a_window_and_the_scan_is_shifted_to_it(away_mhz: float) -> None:
    seed = 6
    loop = bring_up(seed)
    frequency = answers(seed, "0")["qubit_frequency"] - away_mhz * 1e-3
    loop.design = {"0": {"qubit_frequency": {"value": frequency, "error": 0.0}}}
    outcome = loop.run("CheckFineChevron", "0")
    assert outcome.verdict is Verdict.WINDOW
    assert "shift or widen the range" in outcome.judged.message
    assert outcome.judged.suggestion is not None
    again = loop.run("CheckFineChevron", "0", outcome.judged.suggestion.parameters)
    assert again.verdict is Verdict.OK
    assert all(abs(pull) < 4.5 for pull in pulls(again, answers(seed, "0")).values())


def test_a_scan_far_too_narrow_is_a_window_and_a_much_wider_one_finds_the_resonance() -> None:
    loop = bring_up(3, faults=[{"kind": "WrongWindow", "target": "0", "attempts": 1, "value": 0.1}])
    outcome = loop.run("CheckCoarseChevron", "0", {"time_range": {"start": 0, "stop": 4000, "num": 51}})
    assert outcome.verdict is Verdict.WINDOW
    assert outcome.judged.suggestion is not None
    wider = outcome.judged.suggestion.parameters["detuning_range"]
    assert wider["stop"] - wider["start"] >= 8


def test_drives_too_short_for_half_a_turn_are_a_window_and_longer_ones_are_suggested() -> None:
    outcome = bring_up(7).run("CheckFineChevron", "0", {"time_range": {"start": 0, "stop": 20, "num": 21}})
    assert outcome.verdict is Verdict.WINDOW
    assert outcome.judged.suggestion is not None
    assert outcome.judged.suggestion.parameters["time_range"]["stop"] > 40


def test_the_map_is_drawn_with_the_resonance_and_the_lobes() -> None:
    loop = bring_up(8)
    loop.figures = True
    (figure,) = loop.run("CheckFineChevron", "0").figures
    assert figure.png.content.startswith(b"\x89PNG")
    for words in (b'"resonance"', b'"lobe 1"', b'"z":[['):
        assert words in figure.json.content


def test_what_is_declared_is_what_the_catalogue_promises() -> None:
    for task in (CheckChevron, CheckCoarseChevron, CheckFineChevron):
        entry = task.catalogue_entry()
        assert [(o.name, o.unit, o.group) for o in entry.outputs] == [
            ("qubit_frequency", "GHz", "chevron"),
            ("control_amplitude", "a.u.", "chevron"),
        ]
        assert entry.timeout_s == (14_400 if task is CheckChevron else 3600)
        assert entry.r2_threshold is None
    fine = {p.name: p for p in CheckFineChevron.run_parameters}
    assert fine["detuning_range"].default == {"start": -10, "stop": 10, "num": 21}
    assert {i.name for i in CheckChevron.inputs} >= {"coarse_qubit_frequency", "coarse_control_amplitude"}
