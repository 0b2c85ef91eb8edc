"""What holds for every session, whatever its situation."""

from __future__ import annotations

from dataclasses import replace

from kubecal.api.conditions import ConditionType
from kubecal.engine.decide import decide
from kubecal.engine.model import RecordsHealth
from tests.unit.kubecal.engine.builders import (
    NOON,
    chip,
    decided,
    nothing,
    observed,
    one,
    patch_of,
    planned,
    pod,
    reason_of,
    session,
)


def test_nothing_is_concluded_from_a_record_that_was_not_read() -> None:
    silent = RecordsHealth(False, "Unreachable", "MongoDB does not answer")
    decision = decide(observed(replace(session(), record_known=False, deleted_at=NOON), records=silent))
    assert nothing(decision, "admissions", "remove_finalizer", "cancels")
    assert reason_of(patch_of(decision).status, ConditionType.RESULTS_STORED) == ("False", "Unreachable")


def test_another_installations_execution_is_left_alone() -> None:
    decision = decided(one(ours=False))
    assert nothing(decision, "creates", "settle_executions")
    assert "another installation" in patch_of(decision).status.message


def test_without_a_database_nothing_is_created_and_the_status_says_so() -> None:
    decision = decided(one(), records=RecordsHealth(False, "TooOld", "MongoDB 7.0 is too old"))
    assert nothing(decision, "creates", "settle_executions")
    assert reason_of(patch_of(decision).status, ConditionType.RESULTS_STORED) == ("False", "TooOld")


def test_a_driver_that_may_not_create_yet_does_everything_else() -> None:
    decision = decided(one(), may_create=False)
    assert not decision.creates
    assert decision.settle_executions


def test_a_session_at_rest_decides_nothing() -> None:
    view = one(status="running")
    running = pod(view, wires=planned(view).tasks[0].wires)
    first = decided(view, pods=(running,))
    shown = replace(view, status=patch_of(first).status)
    marked = replace(chip(held_by=[view]), status=first.holders[0].status)
    assert decide(observed(shown, chips=[marked], pods=(running,))).empty
