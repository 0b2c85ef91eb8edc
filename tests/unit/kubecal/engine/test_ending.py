"""What is left to do when a session is over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kubecal.api.session_status import Phase, SessionStatus
from kubecal.engine.decide import decide
from kubecal.engine.model import RowStatus, SessionView
from tests.unit.kubecal.engine.builders import (
    FIRST,
    NOON,
    SECOND,
    decided,
    later,
    nothing,
    observed,
    one,
    patch_of,
    pod,
    recorded,
    row,
    session,
)


def test_the_record_follows_a_final_phase_before_the_object_is_let_go() -> None:
    over = replace(one(status="running"), status=SessionStatus(phase=Phase.CANCELLED), deleted_at=NOON)
    first = decide(observed(over))
    assert [settled.status for settled in first.settle_executions] == ["cancelled"]
    assert not first.remove_finalizer
    settled = replace(one(status="cancelled"), status=SessionStatus(phase=Phase.CANCELLED), deleted_at=NOON)
    assert not decide(observed(settled, pods=(pod(settled),))).remove_finalizer
    assert decide(observed(settled)).remove_finalizer


def test_deleting_a_finished_session_never_rewrites_its_record() -> None:
    over = replace(one(status="completed"), status=SessionStatus(phase=Phase.COMPLETED), deleted_at=NOON)
    decision = decide(observed(over))
    assert nothing(decision, "settle_executions", "settle_rows", "cancels", "status_patches")


def _finished(**spec: Any) -> SessionView:
    view = recorded(session(**spec), status="completed")
    return replace(view, status=SessionStatus(phase=Phase.COMPLETED, finished_at=NOON))


def test_a_finished_session_is_deleted_when_its_time_is_over_and_not_before() -> None:
    view = _finished(ttlSecondsAfterFinished=60)
    early, late = (decide(replace(observed(view), now=later(seconds))) for seconds in (59, 60))
    assert (early.delete_sessions, early.wake_at) == ((), later(60))
    assert late.delete_sessions == (view.ref,)


def test_a_finished_session_without_a_time_of_its_own_stays() -> None:
    assert nothing(decide(replace(observed(_finished()), now=later(1e7))), "delete_sessions", "remove_finalizer")


def test_no_session_is_deleted_before_its_record_says_how_it_ended() -> None:
    view = replace(_finished(ttlSecondsAfterFinished=0), record=recorded(session(), status="running").record)
    decision = decide(replace(observed(view), now=later(1)))
    assert decision.settle_executions
    assert not decision.delete_sessions


def test_a_session_whose_results_are_to_be_looked_at_says_how_they_are_published() -> None:
    done = (row(FIRST, status=RowStatus.COMPLETED), row(SECOND, status=RowStatus.COMPLETED))
    view = recorded(session(publish="Review", targets={"qubits": ["0"]}), *done, status="running")
    assert patch_of(decided(view)).status.message == (
        "all 2 tasks ok; nothing is published yet: have a look, then `kubecal publish 20261123-000`"
    )
