"""Cancelling, by whatever way it was asked for."""

from __future__ import annotations

from dataclasses import replace

from kubecal.api.catalogue import Catalogue
from kubecal.api.session_status import Phase
from kubecal.engine.model import RowStatus, TaskKey
from tests.unit.kubecal.engine.builders import (
    CATALOGUE,
    FIRST,
    ONE,
    SECOND,
    chip,
    decided,
    one,
    patch_of,
    pod,
    recorded,
    row,
    session,
)

OK, FAILED = RowStatus.COMPLETED, RowStatus.FAILED


def test_cancelling_is_stored_before_pods_are_deleted_and_rows_end_after_them() -> None:
    view = recorded(session(cancel=True, **ONE), status="running")
    first = decided(view, pods=(pod(view),))
    assert [intent.reason for intent in first.cancels] == ["cancelled by spec.cancel"]
    assert [delete.pod.key for delete in first.deletes] == [FIRST]
    assert [settled.key for settled in first.settle_rows] == [SECOND]
    assert patch_of(first).early
    asked = recorded(session(cancel=True, **ONE), status="running", cancel_requested=True, cancel_reason="cancelled")
    assert [settled.status for settled in decided(asked).settle_rows] == [RowStatus.CANCELLED] * 2


def test_a_cancel_that_comes_after_the_last_task_changes_nothing() -> None:
    rows = (row(FIRST, 1, OK), row(SECOND, 1, OK))
    status = patch_of(decided(recorded(session(cancel=True, **ONE), *rows, status="running"))).status
    assert status.phase is Phase.COMPLETED


def test_a_session_is_cancelled_although_its_catalogue_is_gone() -> None:
    other = Catalogue(tasks=CATALOGUE.tasks[2:], backends=CATALOGUE.backends)
    asked = one(status="running", cancel_requested=True, cancel_reason="deleted")
    assert len(decided(asked, catalogue=other).settle_rows) == 2
    rows = [row(key, 1, RowStatus.CANCELLED) for key in (FIRST, SECOND)]
    ended = one(*rows, status="running", cancel_requested=True, cancel_reason="deleted")
    assert patch_of(decided(ended, catalogue=other)).status.phase is Phase.CANCELLED


def test_a_planned_session_whose_object_cannot_be_read_any_more_is_brought_to_an_end() -> None:
    planned = recorded(session(**ONE), row(FIRST, status=RowStatus.RUNNING, claimed_by="x"), status="running")
    assert planned.spec is not None
    spec = planned.spec
    appended = row(TaskKey("later", "T1", "0", 0))
    assert planned.record is not None
    record = replace(planned.record, spec=lambda: spec, rows=(*planned.record.rows, appended))
    broken = replace(planned, spec=None, spec_problem="spec.steps is missing", record=record)

    decision = decided(broken, pods=(pod(planned),), chips=[chip(held_by=[planned])])

    assert [delete.pod.key for delete in decision.deletes] == [FIRST]
    assert {(one_.key, one_.reason) for one_ in decision.settle_rows} == {
        (SECOND, "Unreadable"),
        (appended.key, "Unreadable"),
    }
    ended = [replace(one_, status=RowStatus.CANCELLED) for one_ in record.rows]
    over = replace(broken, record=replace(record, rows=tuple(ended)))
    status = patch_of(decided(over, chips=[chip(held_by=[planned])])).status
    assert (status.phase, status.message) == (
        Phase.FAILED,
        "the session's object cannot be read any more: spec.steps is missing",
    )
