"""A bad verdict that is worth another attempt, through a whole decision."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kubecal.api.request import Verdict
from kubecal.api.session_status import Phase
from kubecal.engine.decide import decide
from kubecal.engine.earlier import Disputed
from kubecal.engine.model import RowStatus, TaskKey, Trouble
from tests.unit.kubecal.engine.builders import (
    FIRST,
    NOON,
    SECOND,
    decided,
    held,
    later,
    nothing,
    one,
    patch_of,
    pod,
    receipt,
    recorded,
    row,
    session,
    terminated,
)

FAILED = RowStatus.FAILED
BAD: dict[str, Any] = {"verdict": Verdict.WINDOW, "trouble": Trouble.VERDICT, "suggestion": {"shots": 4096}}


def test_a_verdict_worth_another_try_opens_the_next_attempt_with_what_was_suggested() -> None:
    decision = decided(one(row(FIRST, 1, FAILED, **BAD)))
    (opened,) = decision.next_attempts
    assert (opened.attempt, opened.trouble, opened.reason) == (1, Trouble.VERDICT, "window")
    assert opened.parameters == {"shots": 4096}
    assert patch_of(decision).status.tasks.failed == 0
    assert nothing(decision, "settle_rows", "creates")


def test_the_attempt_after_a_verdict_waits_and_then_runs_with_what_was_suggested() -> None:
    view = one(row(FIRST, 1, FAILED, **BAD), row(FIRST, 2, opened_at=NOON))
    decision = decided(view)
    assert (decision.creates, decision.wake_at) == ((), later(5))
    (create,) = decide(replace(held(view), now=later(5))).creates
    assert (create.attempt, create.charged_retries) == (2, 1)
    assert create.planned.parameters["shots"] == 4096


FOUND = Disputed(NOON, {"t1": (15.0, 1.0)})
CONTRADICTS: dict[str, Any] = {"verdict": Verdict.INCONSISTENT, "trouble": Trouble.VERDICT}


def test_the_attempt_after_a_contradiction_is_told_what_the_first_one_found() -> None:
    view = one(row(FIRST, 1, FAILED, disputed=FOUND, **CONTRADICTS), row(FIRST, 2, opened_at=NOON))
    (create,) = decide(replace(held(view), now=later(5))).creates
    assert create.disputed == {"0": FOUND}


def test_a_contradiction_that_is_not_confirmed_stands() -> None:
    rows = [row(FIRST, number, FAILED, disputed=FOUND, **CONTRADICTS) for number in (1, 2)]
    decision = decided(one(*rows))
    assert not decision.next_attempts
    assert patch_of(decision).status.tasks.failed == 1


def test_a_receipt_of_a_contradiction_is_read_for_what_it_found_before_the_next_attempt_is_opened() -> None:
    view = one(row(FIRST, 1, RowStatus.RUNNING, claimed_by="p1", read_at=later(-5)))
    ended = pod(view, terminated=terminated(0, outcome=receipt(view, verdict="inconsistent")))
    decision = decided(view, pods=(ended,))
    assert [key for _, key, _ in decision.read_rows] == [FIRST]
    assert nothing(decision, "next_attempts", "settle_rows", "creates")


def test_a_verdict_that_was_tried_often_enough_stands() -> None:
    before = [row(FIRST, number, FAILED, **BAD) for number in (1, 2)]
    decision = decided(one(*before, row(FIRST, 3, FAILED, **BAD)))
    assert not decision.next_attempts
    assert patch_of(decision).status.tasks.failed == 1


def test_a_receipt_with_a_verdict_worth_another_try_is_read_before_anything_follows() -> None:
    view = one(row(FIRST, 1, RowStatus.RUNNING, claimed_by="p1", read_at=later(-5)))
    ended = pod(view, terminated=terminated(0, outcome=receipt(view, verdict="window")))
    decision = decided(view, pods=(ended,))
    assert [key for _, key, _ in decision.read_rows] == [FIRST]
    assert nothing(decision, "next_attempts", "settle_rows", "creates")


def test_a_session_that_is_cancelled_tries_no_verdict_again() -> None:
    view = one(row(FIRST, 1, FAILED, **BAD), row(SECOND, 1), status="running")
    cancelled = replace(view, spec=view.spec.model_copy(update={"cancel": True}) if view.spec else None)
    decision = decided(cancelled)
    assert not decision.next_attempts
    assert [each.key for each in decision.settle_rows] == [SECOND]


def test_a_session_that_stops_at_the_first_failure_tries_nothing_more() -> None:
    view = session(onTargetFailure="StopSession", targets={"qubits": ["0", "1"]}, tasks=("Rabi",))
    other = TaskKey("check", "Rabi", "1", 0)
    final = row(other, 1, FAILED, verdict=Verdict.POOR_FIT, trouble=Trouble.VERDICT)
    decision = decided(recorded(view, row(FIRST, 1, FAILED, **BAD), final))
    assert not decision.next_attempts
    assert patch_of(decision).status.phase is Phase.FAILED
