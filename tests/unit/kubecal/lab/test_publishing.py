"""What publishing would change: the newest accepted values, groups whole, what is newer left aside."""

from __future__ import annotations

from datetime import timedelta

from kubecal.lab.publishing import proposed
from kubecal.reading.answers import OutputValue
from tests.unit.kubecal.cli.in_memory import MORNING, a_result, a_value, an_output

LATER = MORNING + timedelta(hours=1)
PULSE = [an_output(name, unit="", group="hpi") for name in ("hpi_amplitude", "hpi_length")]


def _bad(output: OutputValue) -> OutputValue:
    return output.model_copy(update={"accepted": False})


def test_the_change_is_in_sigmas_of_both_errors() -> None:
    result = a_result("CheckT1", "0", an_output(value=30.0, error=0.3), measured_at=LATER)
    (one,) = proposed([result], [a_value(value=29.0, error=0.4)])
    assert one.sigmas == 2.0
    assert (one.outdated, one.is_current) == (False, False)


def test_the_newest_accepted_value_counts() -> None:
    old = a_result("CheckT1", "0", an_output(value=30.0), measured_at=MORNING, step="a")
    new = a_result("CheckT1", "0", an_output(value=31.0), measured_at=LATER, step="b")
    worse = a_result("CheckT1", "0", _bad(an_output(value=99.0)), measured_at=LATER + timedelta(hours=1), step="c")
    assert [one.value for one in proposed([old, new, worse], [])] == [31.0]


def test_a_group_goes_whole_or_not_at_all() -> None:
    good, bad = PULSE
    assert proposed([a_result("CreateHPIPulse", "0", good, _bad(bad))], []) == []
    names = [one.name for one in proposed([a_result("CreateHPIPulse", "0", good, bad)], [], parameters=["hpi_length"])]
    assert names == ["hpi_amplitude", "hpi_length"]


def test_a_group_of_which_one_is_newer_is_left_aside() -> None:
    result = a_result("CreateHPIPulse", "0", *PULSE, measured_at=MORNING)
    newer = a_value(name="hpi_length", measured_at=LATER)
    assert [one.outdated for one in proposed([result], [newer])] == [True, True]


def test_what_is_current_already_is_told_from_what_is_new() -> None:
    result = a_result("CheckT1", "0", an_output(), measured_at=MORNING)
    assert [one.is_current for one in proposed([result], [a_value(task_id=result.task_id)])] == [True]


def test_what_failed_or_was_excluded_is_not_published() -> None:
    failed = a_result("CheckT1", "0", an_output(), status="failed")
    excluded = a_result("CheckT1", "1", an_output(), excluded=True)
    assert proposed([failed, excluded], []) == []


def test_only_the_wanted_targets() -> None:
    results = [a_result("CheckT1", qid, an_output()) for qid in ("0", "10", "2")]
    assert [one.target for one in proposed(results, [])] == ["0", "2", "10"]
    assert [one.target for one in proposed(results, [], targets=["2"])] == ["2"]
