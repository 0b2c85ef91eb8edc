"""What counts as failed, in what order targets are read, and how attempts are coloured."""

import pytest

from kubecal.report.attempts import by_target, failures, label_of, state_of
from tests.unit.kubecal.report.builders import a_failure, a_result, moment


def test_what_succeeded_in_the_end_has_not_failed() -> None:
    assert failures([a_failure("CheckT1", attempt=1), a_result("CheckT1", attempt=2)]) == ()


def test_failures_come_by_qubit_then_coupling_then_the_chip() -> None:
    found = failures([a_failure(qid=qid) for qid in ("", "0-1", "10", "2")])
    assert [result.qid for result in found] == ["2", "10", "0-1", ""]


def test_attempts_on_a_target_come_in_the_order_of_their_begin_and_those_that_never_began_last() -> None:
    never = a_result("CheckZ", status="skipped", started_at=None, ended_at=None)
    late, early = a_result("CheckA", started_at=moment(50)), a_result("CheckB", started_at=moment(5))
    assert by_target([never, late, early]) == {"0": [early, late, never]}


@pytest.mark.parametrize(
    ("status", "verdict", "state"),
    [
        ("completed", "ok", "good"),
        ("failed", "no_signal", "bad"),
        ("failed", "", "bad"),
        ("failed", "imprecise", "doubtful"),
        ("skipped", "", "none"),
        ("cancelled", "ok", "none"),
        ("running", "", "busy"),
        ("scheduled", "", "busy"),
    ],
)
def test_how_an_attempt_is_coloured(status: str, verdict: str, state: str) -> None:
    assert state_of(a_result(status=status, verdict=verdict)) == state


def test_a_repeated_task_is_numbered_from_its_second_time() -> None:
    assert (label_of(a_result()), label_of(a_result(ordinal=1))) == ("CheckT1", "CheckT1 #2")
