"""Parameters: what the session found first, what was known before beside it, what failed in no histogram."""

from collections.abc import Sequence

from kubecal.reading.answers import ParameterValue, Result
from kubecal.report.parameters import Kind, Parameter, parameters_of
from tests.unit.kubecal.report.builders import a_failure, a_known, a_result, an_output


def _only(*results: Result, known: Sequence[ParameterValue] = ()) -> Parameter:
    found = parameters_of(results, known)
    assert len(found) == 1
    return found[0]


def test_every_target_has_its_value_in_order() -> None:
    found = _only(*(a_result(qid=qid, outputs=(an_output(value=20.0 + int(qid)),)) for qid in ("10", "2")))
    assert [(value.target, value.value, value.error) for value in found.values] == [
        ("2", "22.00", "0.50"),
        ("10", "30.00", "0.50"),
    ]


def test_of_several_tasks_that_find_the_same_the_last_one_counts() -> None:
    rabi = a_result("CheckRabi", outputs=(an_output("control_amplitude", 0.17, 0.001),))
    again = a_result("CheckRabi", ordinal=1, outputs=(an_output("control_amplitude", 0.18, 0.001),))
    assert [value.number for value in _only(rabi, again).values] == [0.18]


def test_a_value_that_was_not_accepted_does_not_replace_one_that_was() -> None:
    good = a_result(outputs=(an_output(value=20.0),))
    bad = a_result(ordinal=1, outputs=(an_output(value=90.0, accepted=False),))
    assert [value.number for value in _only(good, bad).values] == [20.0]


def test_values_of_failed_and_excluded_attempts_are_shown_and_not_counted() -> None:
    failed = a_failure(outputs=(an_output(value=90.0),))
    excluded = a_result(qid="1", excluded=True, outputs=(an_output(value=80.0),))
    found = _only(failed, excluded)
    assert [value.good for value in found.values] == [False, False]
    assert (found.numbers, found.histogram) == ((), None)


def test_what_was_known_before_stands_where_nothing_was_measured() -> None:
    found = _only(a_result(outputs=(an_output(value=20.0),)), known=[a_known(), a_known(target="1", value=31.0)])
    assert [(value.target, value.number, value.result is None) for value in found.values] == [
        ("0", 20.0, False),
        ("1", 31.0, True),
    ]


def test_the_histogram_is_of_this_sessions_values() -> None:
    found = _only(a_result(outputs=(an_output(value=20.0),)), known=[a_known(target="1", value=31.0)])
    assert found.numbers == (20.0,)


def test_what_nobody_measured_in_this_session_has_the_older_histogram() -> None:
    assert _only(known=[a_known(value=31.0)]).numbers == (31.0,)


def test_what_people_look_at_first_comes_first_and_what_the_session_did_not_touch_last() -> None:
    result = a_result(outputs=(an_output("rabi_phase"), an_output("t1")))
    found = parameters_of([result], [a_known("average_gate_fidelity")])
    assert [one.name for one in found] == ["t1", "rabi_phase", "average_gate_fidelity"]


def test_values_that_one_task_found_name_it_once() -> None:
    assert _only(a_result(outputs=(an_output(),)), a_result(qid="1", outputs=(an_output(),))).source == "CheckT1"


def test_values_of_several_tasks_name_theirs_each() -> None:
    found = a_result(outputs=(an_output(),))
    assert _only(found, a_result("CheckT1Average", "1", outputs=(an_output(),))).source == ""


def test_a_value_says_where_it_is_not_of_this_session_or_not_accepted() -> None:
    good, bad = (a_result(qid=qid, outputs=(an_output(accepted=qid == "0"),)) for qid in ("0", "1"))
    assert [value.remark for value in _only(good, bad, known=[a_known(target="2")]).values] == [
        "",
        "not accepted",
        "earlier",
    ]


def test_what_a_task_that_only_looks_finds_is_a_check_wherever_else_it_is_a_setting() -> None:
    kinds = {("CheckRabi", "rabi_frequency"): Kind.SETTING, ("CheckQubit", "rabi_frequency"): Kind.CHECK}
    rabi, quick = (a_result(task, outputs=(an_output("rabi_frequency"),)) for task in ("CheckRabi", "CheckQubit"))
    assert [parameters_of(results, (), kinds)[0].kind for results in ([rabi], [rabi, quick])] == [
        Kind.SETTING,
        Kind.CHECK,
    ]


def test_notable_changes_come_the_largest_first() -> None:
    def at(qid: str, value: float) -> Result:
        return a_result(qid=qid, outputs=(an_output(value=value, error=0.3, previous=19.0, previous_error=0.4),))

    found = _only(at("0", 19.2), at("1", 16.0), at("2", 30.0))
    assert [value.target for value in found.notable] == ["2", "1"]
