"""The map: what it shows of every qubit and coupling under every choice."""

from collections.abc import Sequence

from kubecal.reading.answers import ParameterValue, Result
from kubecal.report.chip_map import ChipMap, Choice, Mark, chip_map, for_script, short
from kubecal.report.parameters import parameters_of
from tests.unit.kubecal.report.builders import SQUARE, a_failure, a_known, a_result, an_execution, an_output

DISABLED = {"qubits": ["3"], "reason": "no resonance"}


def _map(results: Sequence[Result] = (), known: Sequence[ParameterValue] = (), disabled: object = None) -> ChipMap:
    detail = an_execution(chip_spec={"topology": SQUARE, "disabled": disabled})
    found = chip_map(detail, results, parameters_of(results, known))
    assert found is not None
    return found


def _choice(found: ChipMap, name: str) -> Choice:
    return next(choice for choice in found.choices if choice.name == name)


def _t1(qid: str, value: float, **more: object) -> Result:
    return a_result(qid=qid, outputs=(an_output(value=value),), **more)


def test_it_can_be_coloured_by_the_outcome_and_by_every_parameter() -> None:
    found = _map([_t1("0", 20.0), _t1("1", 30.0)], [a_known("qubit_frequency", "2")])
    assert [choice.name for choice in found.choices] == ["outcome", "t1", "qubit_frequency"]


def test_it_shows_a_parameter_of_this_session_at_first() -> None:
    assert _map([_t1("0", 20.0)], [a_known("qubit_frequency", "2")]).first.name == "t1"


def test_without_a_value_it_shows_the_outcome() -> None:
    assert _map([a_failure()]).first.name == "outcome"


def test_the_least_value_is_dark_and_the_greatest_light() -> None:
    marks = _choice(_map([_t1("0", 20.0), _t1("1", 30.0)]), "t1").marks
    assert (marks["0"].fill, marks["1"].fill) == ("#440154", "#fde725")


def test_every_number_is_said_in_words_with_its_error_and_unit() -> None:
    assert _choice(_map([_t1("0", 20.0)]), "t1").marks["0"].spoken == "qubit 0: t1 20.00 ± 0.50 us"


def test_a_value_of_before_is_told_from_one_of_this_session() -> None:
    marks = _choice(_map([_t1("0", 20.0)], [a_known(target="1")]), "t1").marks
    assert (marks["0"].state, marks["1"].state) == ("coloured", "older")
    assert marks["1"].spoken.endswith("from before this session")


def test_an_older_value_where_a_task_failed_now_is_told_from_both() -> None:
    mark = _choice(_map([_t1("0", 20.0), a_failure(qid="1")], [a_known(target="1")]), "t1").marks["1"]
    assert mark.state == "older failed"
    assert mark.spoken == "qubit 1: t1 19.00 ± 0.40 us, from before this session, in which a task failed"


def _off(choice: Choice) -> set[str]:
    return {target for target, mark in choice.marks.items() if mark.state == "disabled"}


def test_a_disabled_qubit_is_grey_whatever_is_shown() -> None:
    found = _map([_t1("0", 20.0)], [a_known(target="3")], DISABLED)
    assert [_off(choice) for choice in found.choices] == [{"3"}, {"3"}]
    assert found.disabled_reason == "no resonance"


def test_where_couplings_are_shown_those_of_a_disabled_qubit_are_grey_too() -> None:
    pair = a_result("CheckZX90", "0-1", outputs=(an_output("zx90_gate_fidelity", 0.98, 0.001),))
    found = _map([pair], disabled=DISABLED)
    assert [_off(choice) for choice in found.choices] == [{"3", "3-1", "3-2"}, {"3", "3-1", "3-2"}]


def test_a_disabled_coupling_is_grey_where_its_qubits_are_shown() -> None:
    assert _off(_map([_t1("0", 20.0)], disabled={"couplings": ["0-1"]}).first) == {"0-1"}


def test_a_qubit_without_the_value_says_whether_a_task_failed_on_it() -> None:
    marks = _choice(_map([_t1("0", 20.0), a_failure(qid="1")]), "t1").marks
    assert (marks["1"].text, marks["2"].text) == ("✕", "–")


def test_the_outcome_counts_the_tasks_of_a_qubit() -> None:
    results = [a_result("CheckRabi"), a_failure("CheckT1"), a_result(qid="1"), a_result(qid="2", status="skipped")]
    marks = _choice(_map(results), "outcome").marks
    assert marks["0"] == Mark("✕ 1/2", "bad", "qubit 0: 1 of 2 tasks ok, 1 failed")
    assert [marks[qid].state for qid in ("1", "2", "3")] == ["good", "none", "none"]


def test_under_a_parameter_of_couplings_qubits_have_no_mark() -> None:
    pair = a_result("CheckZX90", "0-1", outputs=(an_output("zx90_gate_fidelity", 0.98, 0.001),))
    marks = _choice(_map([pair]), "zx90_gate_fidelity").marks
    assert marks["0-1"].state == "coloured"
    assert "0" not in marks


def test_where_no_coupling_was_measured_the_outcome_says_nothing_of_them() -> None:
    assert set(_choice(_map([_t1("0", 20.0)]), "outcome").marks) == {"0", "1", "2", "3"}


def test_a_topology_that_is_not_understood_makes_no_map() -> None:
    assert chip_map(an_execution(chip_spec={"topology": {"kagome": {"rows": 3}}}), (), ()) is None


def test_the_script_is_given_all_of_it() -> None:
    (outcome, t1) = for_script(_map([_t1("0", 20.0), _t1("1", 30.0)]))
    assert (outcome["low"], t1["low"], t1["high"]) == ("", "20.0", "30.0")
    assert t1["marks"]["1"] == ["30.0", "coloured", "qubit 1: t1 30.00 ± 0.50 us", "#fde725", "#000000"]


def test_what_rounds_to_nothing_is_written_by_its_power_of_ten() -> None:
    assert (short(0.00004, 2), short(0.0, 2), short(-0.126, 2)) == ("4e-05", "0.00", "-0.13")
