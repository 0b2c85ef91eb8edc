"""What is left to do when a session is over."""

from __future__ import annotations

from dataclasses import replace

from kubecal.api.session import Phase, SessionStatus
from kubecal.engine.decide import decide
from tests.unit.kubecal.engine.builders import (
    NOON,
    nothing,
    observed,
    one,
    pod,
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
