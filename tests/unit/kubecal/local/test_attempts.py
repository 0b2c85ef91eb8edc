"""Attempts of a running session in brief: what the driver knows before the records do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubecal.api.request import Receipt, TaskTrouble, Verdict
from kubecal.engine.model import AttemptRow, MemberRow, RowStatus, SessionView, task_key
from kubecal.local.attempts import AttemptStates
from tests.unit.kubecal.engine.builders import NOON, later, pod, recorded, row, session, terminated

SOON = later(3)


def with_rows(*rows: AttemptRow) -> SessionView:
    """A session of these attempts alone."""
    view = recorded(session())
    assert view.record is not None
    return replace(view, record=replace(view.record, rows=rows))


def test_before_there_is_an_execution_there_are_none() -> None:
    assert AttemptStates().of(session(), ()) == ()


def test_an_attempt_without_a_process_is_as_its_row_says() -> None:
    view = with_rows(row(status=RowStatus.FAILED, verdict=Verdict.NO_SIGNAL, message="nothing", ended_at=SOON))

    (state,) = AttemptStates().of(view, ())

    assert (state.status, state.verdict, state.message, state.ended_at) == ("failed", "no_signal", "nothing", SOON)
    assert (state.target, state.qid) == ("0", "0")


@pytest.mark.parametrize(
    ("outcome", "status", "verdict", "at"),
    [
        (Receipt(attempt="a", checksum="c", verdict=Verdict.OK), "completed", "ok", SOON),
        (Receipt(attempt="a", checksum="c", verdict=Verdict.WINDOW), "failed", "window", SOON),
        (Receipt(attempt="a", checksum="c"), "running", "", None),
        (TaskTrouble(reason="Interrupted"), "running", "", None),
        (None, "running", "", None),
    ],
)
def test_what_a_process_says_is_shown_until_its_record_was_read(
    outcome: Receipt | TaskTrouble | None, status: str, verdict: str, at: object
) -> None:
    view = with_rows(row())
    process = pod(view, terminated=terminated(0, outcome=outcome, finished_at=SOON), started_at=NOON)

    (state,) = AttemptStates().of(view, [process])

    assert (state.status, state.verdict, state.started_at, state.ended_at) == (status, verdict, NOON, at)


def test_several_that_one_attempt_judges_have_a_state_each() -> None:
    members = (MemberRow("0", RowStatus.COMPLETED, Verdict.OK), MemberRow("1", RowStatus.RUNNING))
    key = task_key("check", "Readout", "mux-0", 0)
    view = with_rows(row(key, status=RowStatus.RUNNING, members=members))

    states = AttemptStates().of(view, [pod(view, key)])

    assert [(one.target, one.qid, one.status) for one in states] == [
        ("mux-0", "0", "completed"),
        ("mux-0", "1", "running"),
    ]
    assert states[0].task_id != states[1].task_id


def test_a_chip_task_judges_no_qubit() -> None:
    (state,) = AttemptStates().of(with_rows(row(task_key("check", "Whole", "chip", 0))), ())

    assert (state.target, state.qid) == ("chip", "")


def test_what_has_not_changed_is_the_same_object() -> None:
    still, moving = row(), row(task_key("check", "T1", "1", 0))
    states = AttemptStates()
    first = states.of(with_rows(still, moving), ())

    second = states.of(with_rows(still, replace(moving, status=RowStatus.RUNNING)), ())

    assert second[0] is first[0]
    assert (first[1].status, second[1].status) == ("scheduled", "running")


def test_an_attempt_that_was_given_up_before_its_record_was_read_began_with_its_process() -> None:
    running = with_rows(row())
    states = AttemptStates()
    states.of(running, [pod(running)])

    (state,) = states.of(with_rows(row(status=RowStatus.FAILED, superseded=True, ended_at=SOON)), ())

    assert (state.status, state.started_at, state.ended_at) == ("failed", NOON, SOON)
