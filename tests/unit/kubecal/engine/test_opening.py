"""Open sessions: steps that come one by one, idling, and sessions that say themselves how they ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from kubecal.api.conditions import ConditionType
from kubecal.api.session_status import Phase
from kubecal.engine.decide import decide
from kubecal.engine.model import AttemptRow, RowStatus, SessionView, TaskKey
from tests.unit.kubecal.engine.builders import (
    FIRST,
    SECOND,
    decided,
    later,
    observed,
    patch_of,
    pod,
    reason_of,
    recorded,
    row,
    session,
)

ONE = {"targets": {"qubits": ["0"]}}
DONE = (row(FIRST, status=RowStatus.COMPLETED), row(SECOND, status=RowStatus.COMPLETED))
SECOND_STEP = {"name": "again", "tasks": [{"task": "T1"}]}
APPENDED = TaskKey("again", "T1", "0", 0)


def _open(*rows: AttemptRow, idle_since: datetime | None = None, **spec: Any) -> SessionView:
    view = recorded(session(open=True, **ONE), *rows, status="running", was_open=True)
    status = view.status.model_copy(update={"idle_since": idle_since})
    now = session(**{"open": True, **ONE, **spec})
    return replace(view, ref=now.ref, spec=now.spec, generation=2, status=status)


def _appended(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"steps": [{"name": "check", "tasks": [{"task": "Rabi"}, {"task": "T1"}]}, *steps]}


def test_an_open_session_of_which_nothing_is_left_keeps_its_chip_and_says_since_when_it_idles() -> None:
    decision = decided(_open(*DONE))
    status = patch_of(decision).status
    assert (status.phase, status.idle_since) == (Phase.RUNNING, later(0))
    assert status.message.startswith("open, and nothing to do since 12:00:00 UTC: append steps")
    assert decision.wake_at == later(1800)
    assert not decision.settle_executions


def test_it_idles_from_when_it_began_to() -> None:
    decision = decided(_open(*DONE, idle_since=later(0)), now=later(1000))
    assert decision.wake_at == later(1800)


def test_who_idles_too_long_is_ended_as_completed() -> None:
    status = patch_of(decided(_open(*DONE, idle_since=later(0)), now=later(1800))).status
    assert (status.phase, reason_of(status, ConditionType.FINISHED)) == (Phase.COMPLETED, ("True", "IdleTimeout"))


def test_an_appended_step_gets_its_rows_before_anything_of_it_starts() -> None:
    decision = decided(_open(*DONE, idle_since=later(0), **_appended(SECOND_STEP)))
    (replan,) = decision.replans
    assert [task.key for task in replan.plan.tasks] == [APPENDED]
    assert not replan.drop
    assert [create.planned.key for create in decision.creates] == [APPENDED]
    assert patch_of(decision).status.idle_since is None


def test_what_is_planned_already_is_not_planned_again() -> None:
    view = _open(*DONE, row(APPENDED), **_appended(SECOND_STEP))
    assert not decided(view).replans


def test_a_failure_stops_the_rest_of_its_step_and_no_step_that_is_appended_later() -> None:
    failed = (row(FIRST, status=RowStatus.FAILED, claimed_by="a"), row(SECOND))
    decision = decided(_open(*failed, row(APPENDED), retry={"limit": 0}, **_appended(SECOND_STEP)))
    assert [one.key for one in decision.settle_rows] == [SECOND]
    rest = (failed[0], row(SECOND, status=RowStatus.SKIPPED), row(APPENDED))
    assert [one.planned.key for one in decided(_open(*rest, **_appended(SECOND_STEP))).creates] == [APPENDED]


def test_an_appended_step_that_makes_no_sense_is_left_out_and_named_and_the_session_goes_on() -> None:
    wrong = {"name": "wrong", "tasks": [{"task": "Rab"}]}
    view = _open(row(FIRST), row(SECOND), row(APPENDED), **_appended(wrong, SECOND_STEP))
    decision = decided(view)
    assert [create.planned.key for create in decision.creates] == [FIRST]
    told = next(one for one in patch_of(decision).status.conditions if one.type == ConditionType.VALID)
    assert told.status == "False"
    assert told.message == (
        "step 'wrong' is left out: spec.steps[1].tasks[0]: there is no task 'Rab': did you mean Rabi?"
    )


def test_when_it_is_closed_it_ends_as_its_tasks_say() -> None:
    status = patch_of(decided(_open(*DONE, idle_since=later(0), open=False))).status
    assert (status.phase, reason_of(status, ConditionType.FINISHED)) == (Phase.COMPLETED, ("True", "Completed"))


@pytest.mark.parametrize(
    ("outcome", "phase"),
    [
        ({"result": "Failed", "message": "the fridge warms up"}, Phase.FAILED),
        ({"result": "Completed"}, Phase.COMPLETED),
    ],
)
def test_a_session_says_itself_how_it_ended(outcome: dict[str, str], phase: Phase) -> None:
    status = patch_of(decided(_open(*DONE, outcome=outcome))).status
    assert status.phase is phase
    assert outcome.get("message", "all 2 tasks ok") == status.message


def test_whoever_ends_itself_stops_what_runs_and_starts_nothing_more() -> None:
    view = _open(row(FIRST, status=RowStatus.RUNNING, claimed_by="x"), row(SECOND), outcome={"result": "Failed"})
    runs = pod(view, FIRST)
    decision = decided(view, pods=(runs,))
    assert [delete.pod.name for delete in decision.deletes] == [runs.name]
    assert [(one.key, one.reason) for one in decision.settle_rows] == [(SECOND, "Outcome")]
    assert not decision.creates


def test_an_open_session_that_is_deleted_while_it_idles_is_cancelled() -> None:
    view = replace(_open(*DONE, idle_since=later(0)), deleted_at=later(1))
    assert len(decided(view).cancels) == 1
    asked = replace(view, record=replace(view.record, cancel_requested=True, cancel_reason="deleted"))  # type: ignore[type-var]
    assert patch_of(decided(asked)).status.phase is Phase.CANCELLED


def test_what_is_appended_when_it_is_already_parking_is_not_begun() -> None:
    view = _open(*DONE, row(APPENDED), idle_since=later(0), **_appended(SECOND_STEP))
    view = replace(view, status=view.status.model_copy(update={"parking_since": later(1)}))
    decision = decided(view)
    assert not decision.creates
    assert [(one.key, one.reason) for one in decision.settle_rows] == [(APPENDED, "TooLate")]


def test_an_idle_time_above_the_chips_limit_is_refused() -> None:
    decision = decide(observed(session(open=True, idleSeconds=7201)))
    assert "spec.idleSeconds is 7201, chip 'fridge-a' allows at most 7200" in patch_of(decision).status.message


def test_who_waits_for_the_chip_and_ends_itself_need_not_wait_any_more() -> None:
    view = _open(row(FIRST), row(SECOND), outcome={"result": "Failed", "message": "no helium"})
    decision = decide(observed(view))
    assert [(one.key, one.reason) for one in decision.settle_rows] == [(FIRST, "Outcome"), (SECOND, "Outcome")]
    ended = (row(FIRST, status=RowStatus.CANCELLED), row(SECOND, status=RowStatus.CANCELLED))
    over = _open(*ended, outcome={"result": "Failed", "message": "no helium"})
    status = patch_of(decide(observed(over))).status
    assert (status.phase, status.message) == (Phase.FAILED, "no helium")


def test_an_open_session_may_begin_without_a_step_and_keeps_its_chip() -> None:
    empty = session(open=True, steps=[], **ONE)
    assert len(decided(empty).admissions) == 1
    status = patch_of(decided(_empty())).status
    assert (status.phase, status.tasks.planned, status.idle_since) == (Phase.RUNNING, 0, later(0))


def test_what_is_appended_to_a_session_without_a_step_is_planned() -> None:
    (replan,) = decided(_empty(steps=[SECOND_STEP])).replans
    assert [task.key for task in replan.plan.tasks] == [APPENDED]


def test_a_session_of_which_nothing_was_asked_is_completed_when_it_is_closed_and_cancelled_when_it_is_cancelled() -> (
    None
):
    closed = patch_of(decided(_empty(open=False))).status
    assert (closed.phase, closed.message) == (Phase.COMPLETED, "no task was asked for")
    idle = patch_of(decided(_empty(later(0)), now=later(1800))).status
    assert (idle.phase, reason_of(idle, ConditionType.FINISHED)) == (Phase.COMPLETED, ("True", "IdleTimeout"))
    failed = patch_of(decided(_empty(outcome={"result": "Failed", "message": "warm"}))).status
    assert (failed.phase, failed.message) == (Phase.FAILED, "warm")
    asked = decided(_empty(cancel=True))
    record = _empty(cancel=True).record
    assert record is not None
    again = decided(replace(_empty(cancel=True), record=replace(record, cancel_requested=True, cancel_reason="tired")))
    assert asked.cancels or patch_of(asked).status.phase is Phase.CANCELLED
    assert patch_of(again).status.phase is Phase.CANCELLED


def _empty(idle_since: datetime | None = None, **spec: Any) -> SessionView:
    return replace(_open(idle_since=idle_since, **{"steps": [], **spec}))
