"""A session that holds its chip, or has lost it."""

from __future__ import annotations

from dataclasses import replace

from kubecal.api.catalogue import Catalogue
from kubecal.api.conditions import ConditionType
from kubecal.api.session_status import Phase
from kubecal.engine.decide import decide
from kubecal.engine.model import CreateBlocked, RecordsHealth, RowStatus, Trouble
from tests.unit.kubecal.engine.builders import (
    CATALOGUE,
    FIRST,
    NOON,
    ONE,
    SECOND,
    chip,
    decided,
    given_up,
    held,
    later,
    nothing,
    one,
    patch_of,
    pod,
    reason_of,
    receipt,
    recorded,
    row,
    session,
    terminated,
)

OK, FAILED = RowStatus.COMPLETED, RowStatus.FAILED


def test_a_pod_the_server_refuses_for_good_ends_its_task_with_the_servers_sentence() -> None:
    view = one()
    decision = decided(view, rejected={pod(view).name: "spec.nodeSelector: Invalid value"})
    (settled,) = decision.settle_rows
    assert (settled.key, settled.status, settled.message) == (FIRST, FAILED, "spec.nodeSelector: Invalid value")
    assert not decision.creates
    assert not decision.next_attempts


def test_a_pod_that_quota_or_policy_is_against_is_waited_for() -> None:
    view = one()
    blocked = CreateBlocked("Forbidden", "violates PodSecurity", since=NOON, retry_at=later(5))
    decision = decided(view, blocked={view.ref.uid: blocked})
    assert reason_of(patch_of(decision).status, ConditionType.PODS_BLOCKED) == ("True", "Forbidden")
    assert (decision.creates, decision.settle_rows) == ((), ())
    assert decision.wake_at == later(5)
    assert decide(replace(held(view, blocked={view.ref.uid: blocked}), now=later(5))).creates


def test_a_session_whose_chip_was_deleted_lets_running_tasks_finish() -> None:
    view = one(status="running")
    decision = decided(view, chips=[], pods=(pod(view),))
    assert nothing(decision, "deletes", "creates", "settle_rows")
    assert reason_of(patch_of(decision).status, ConditionType.CHIP_HELD) == ("False", "ChipDeleted")


def test_the_reason_stays_when_a_session_whose_chip_was_deleted_finishes() -> None:
    ended = row(SECOND, 1, RowStatus.SKIPPED, reason="ChipDeleted")
    status = patch_of(decided(one(row(FIRST, 1, OK), ended, status="running"), chips=[])).status
    assert status.phase is Phase.FAILED
    assert "was deleted while the session was on it" in status.message
    assert reason_of(status, ConditionType.CHIP_HELD) == ("False", "ChipDeleted")
    assert reason_of(status, ConditionType.FINISHED) == ("True", "ChipDeleted")


def test_a_chip_that_is_not_valid_any_more_is_not_called_deleted() -> None:
    broken = replace(chip(), spec=None, spec_problem="spec.topology: is required")
    status = patch_of(decided(one(status="running"), chips=[broken])).status
    assert reason_of(status, ConditionType.CHIP_HELD) == ("False", "ChipInvalid")
    assert "spec.topology: is required" in status.message


def test_maintenance_lets_running_tasks_finish_and_starts_none() -> None:
    view = one(status="running")
    decision = decided(view, chips=[chip(held_by=[view], maintenance=True)], pods=())
    assert not decision.creates
    assert "maintenance" in patch_of(decision).status.message


def test_another_catalogue_starts_nothing_until_the_session_is_out_of_time() -> None:
    other = Catalogue(tasks=CATALOGUE.tasks[2:], backends=CATALOGUE.backends)
    view = one(status="running")
    waiting = decided(view, catalogue=other)
    assert nothing(waiting, "creates", "settle_rows")
    assert reason_of(patch_of(waiting).status, ConditionType.VALID)[0] == "False"
    over = decided(view, catalogue=other, now=later(86400))
    assert {settled.reason for settled in over.settle_rows} == {"DeadlineExceeded"}


def test_a_session_past_its_deadline_is_stopped_and_failed() -> None:
    view = recorded(session(deadlines={"sessionSeconds": 60}, **ONE), status="running")
    stopping = decided(view, pods=(pod(view),), now=later(60))
    assert len(stopping.deletes) == 1
    rows = [row(key, 1, RowStatus.CANCELLED, reason="DeadlineExceeded") for key in (FIRST, SECOND)]
    ended = recorded(session(deadlines={"sessionSeconds": 60}, **ONE), *rows, status="running")
    status = patch_of(decided(ended, now=later(61))).status
    assert status.phase is Phase.FAILED
    assert reason_of(status, ConditionType.FINISHED) == ("True", "DeadlineExceeded")


def test_a_successor_that_is_not_known_yet_is_asked_for_again() -> None:
    lost = given_up(FIRST, 1, trouble=Trouble.DISRUPTION, reason="PodGone")
    decision = decided(one(lost, status="running"))
    (again,) = decision.next_attempts
    assert (again.attempt, again.trouble, again.reason) == (1, Trouble.DISRUPTION, "PodGone")
    assert not decision.creates


def test_a_receipt_frees_the_wires_at_once_and_is_read() -> None:
    view = one(status="running")
    ended = terminated(0, outcome=receipt(view))
    decision = decided(view, pods=(pod(view, terminated=ended),))
    assert [create.planned.key for create in decision.creates] == [SECOND]
    assert decision.read_rows == ((view.ref, FIRST, 1),)


def test_what_could_not_be_recorded_is_told_while_mongodb_answers_and_tried_again() -> None:
    locked = RecordsHealth(False, "Locked", "a transaction of another process holds these records", NOON)
    view = one(status="running")
    crashed = pod(view, terminated=terminated(1), phase="Failed")
    decision = decided(view, pods=(crashed,), unwritten=locked)
    patch = patch_of(decision)
    assert reason_of(patch.status, ConditionType.RESULTS_STORED) == ("False", "Locked")
    assert [each.key for each in decision.next_attempts] == [FIRST]
