"""A suspended session rests, keeps its chip for a while, and its clock stands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubecal.api.conditions import ConditionType
from kubecal.api.session_status import Phase, SessionStatus, Suspension
from kubecal.engine.decide import decide
from kubecal.engine.model import RowStatus, SessionView
from kubecal.engine.suspending import clock_of, deadline
from tests.unit.kubecal.engine.builders import (
    FIRST,
    NOON,
    SECOND,
    decided,
    held,
    later,
    nothing,
    observed,
    patch_of,
    pod,
    reason_of,
    recorded,
    row,
    session,
    session_spec,
)


def suspended(*rows: Any, status: dict[str, Any] | None = None, **spec: Any) -> SessionView:
    view = recorded(session(targets={"qubits": ["0"]}, suspend=True, **spec), *rows, status="running")
    known = {"phase": Phase.SUSPENDED, "started_at": NOON, **(status or {})}
    return replace(view, status=SessionStatus(**known))


SINCE_NOON: dict[str, Any] = {"suspended": Suspension(since=NOON)}


def test_nothing_starts_and_running_tasks_finish() -> None:
    view = suspended(row(FIRST, 1, RowStatus.RUNNING, claimed_by="p"))
    decision = decided(view, pods=(pod(view),))
    assert nothing(decision, "creates", "deletes", "settle_rows")
    status = patch_of(decision).status
    assert (status.phase, status.suspended) == (Phase.SUSPENDED, Suspension(since=NOON))
    assert status.message == "suspended: 1 running task finishes, nothing new starts"
    assert reason_of(status, ConditionType.CHIP_HELD) == ("True", "Held")


def test_it_keeps_its_chip_for_a_while() -> None:
    view = suspended(row(FIRST), status=SINCE_NOON, suspendHoldSeconds=60)
    early = decide(replace(held(view), now=later(59)))
    assert early.wake_at == later(60)
    assert all(update.status.holders for update in early.holders)
    late = decide(replace(held(view), now=later(60)))
    assert late.holders[0].status.holders == ()
    assert reason_of(patch_of(late).status, ConditionType.CHIP_HELD) == ("False", "Suspended")


def test_it_keeps_its_chip_while_a_pod_of_it_runs() -> None:
    view = suspended(row(FIRST, 1, RowStatus.RUNNING, claimed_by="p"), status=SINCE_NOON, suspendHoldSeconds=0)
    decision = decide(replace(held(view, pods=(pod(view),)), now=later(5)))
    assert all(update.status.holders for update in decision.holders)


def test_without_its_chip_it_does_not_stand_in_line() -> None:
    decision = decide(observed(suspended(row(FIRST), status=SINCE_NOON)))
    assert all(not update.status.holders and not update.status.queue for update in decision.holders)
    assert patch_of(decision).status.phase is Phase.SUSPENDED


def test_resumed_it_queues_and_its_clock_stands_until_it_holds_the_chip_again() -> None:
    view = suspended(row(FIRST), status=SINCE_NOON)
    resumed = replace(view, spec=session_spec(targets={"qubits": ["0"]}), generation=view.generation + 1)
    other = recorded(session("other", targets={"qubits": ["1"]}), row(FIRST))
    waiting = decide(replace(held(other), sessions=(other, resumed), now=later(90)))
    status = next(each.status for each in waiting.status_patches if each.ref == resumed.ref)
    assert (status.phase, status.suspended) == (Phase.QUEUED, Suspension(since=NOON))
    going = decide(replace(held(resumed), now=later(100)))
    assert patch_of(going).status.suspended == Suspension(seconds=100)
    assert going.creates


def test_resumed_in_time_it_goes_on_at_once() -> None:
    view = suspended(row(FIRST, 1, RowStatus.COMPLETED), row(SECOND), status=SINCE_NOON)
    resumed = replace(view, spec=session_spec(targets={"qubits": ["0"]}), generation=view.generation + 1)
    decision = decide(replace(held(resumed), now=later(30)))
    assert [create.planned.key for create in decision.creates] == [SECOND]
    assert patch_of(decision).status.phase is Phase.RUNNING


@pytest.mark.parametrize(
    ("known", "stands", "after"),
    [
        (None, False, Suspension()),
        (None, True, Suspension(since=later(10))),
        (Suspension(since=NOON), True, Suspension(since=NOON)),
        (Suspension(since=NOON), False, Suspension(seconds=10)),
        (Suspension(since=NOON, seconds=5), False, Suspension(seconds=15)),
        (Suspension(seconds=5), False, Suspension(seconds=5)),
        (Suspension(seconds=5), True, Suspension(since=later(10), seconds=5)),
    ],
)
def test_the_clock(known: Suspension | None, stands: bool, after: Suspension) -> None:
    view = replace(session(), status=SessionStatus(suspended=known))
    assert clock_of(view, later(10), stands=stands) == after


def test_the_deadline_leaves_out_what_the_clock_did_not_count() -> None:
    spec = session_spec(deadlines={"sessionSeconds": 100})
    assert deadline(NOON, spec, Suspension(seconds=40)) == later(140)
    assert deadline(NOON, spec, Suspension(since=NOON)) is None


def test_a_suspended_session_is_not_over_when_its_time_would_be() -> None:
    view = suspended(row(FIRST), status=SINCE_NOON, deadlines={"sessionSeconds": 10}, suspendHoldSeconds=3600)
    decision = decide(replace(held(view), now=later(60)))
    assert nothing(decision, "settle_rows", "settle_executions")


def test_a_suspended_session_can_be_cancelled() -> None:
    view = suspended(row(FIRST), status=SINCE_NOON)
    cancelled = replace(view, spec=session_spec(targets={"qubits": ["0"]}, suspend=True, cancel=True))
    decision = decided(cancelled)
    assert decision.cancels
    assert patch_of(decision).status.phase is Phase.CANCELLING
