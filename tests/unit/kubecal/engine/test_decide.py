"""Situations of a session as a whole, and what is decided in each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubecal.api.catalogue import Catalogue
from kubecal.api.conditions import ConditionType
from kubecal.api.session import Phase, SessionStatus
from kubecal.engine.decide import decide
from kubecal.engine.model import AttemptRow, CreateBlocked, RecordsHealth, RowStatus, SessionView, Trouble
from tests.unit.kubecal.engine.builders import (
    CATALOGUE,
    FIRST,
    NOON,
    SECOND,
    chip,
    decided,
    given_up,
    held,
    later,
    nothing,
    observed,
    patch_of,
    planned,
    pod,
    reason_of,
    receipt,
    recorded,
    row,
    session,
    terminated,
)

ONE = {"targets": {"qubits": ["0"]}}
OK, FAILED = RowStatus.COMPLETED, RowStatus.FAILED


def one(*rows: AttemptRow, **changes: Any) -> SessionView:
    return recorded(session(**ONE), *rows, **changes)


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


def test_the_second_chip_with_the_same_records_is_not_valid() -> None:
    annex = replace(chip(namespace="annex"), created_at=later(1))
    first, second = (
        decide(observed(chips=[mine], chips_elsewhere=(other,))).holders[0].status
        for mine, other in ((chip(), annex), (annex, chip()))
    )
    assert reason_of(first, ConditionType.VALID)[0] == "True"
    assert reason_of(second, ConditionType.VALID)[0] == "False"
    assert "belong to the Chip in namespace 'lab'" in second.conditions[0].message


def test_no_session_is_admitted_on_a_chip_whose_records_are_anothers() -> None:
    older = replace(chip(namespace="annex"), created_at=later(-1))
    decision = decide(observed(session(), chips_elsewhere=(older,)))
    assert not decision.admissions
    assert reason_of(patch_of(decision).status, ConditionType.CHIP_HELD) == ("False", "ChipInvalid")


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"design": {"qubits": {"9": {"qubit_frequency": {"value": 4.9}}}}}, "Chip.spec.design.qubits"),
        ({"disabled": {"qubits": ["9"]}}, "Chip.spec.disabled.qubits"),
    ],
)
def test_a_chip_that_names_a_qubit_it_lacks_is_refused_with_a_sentence(spec: dict[str, object], field: str) -> None:
    sentence = f"{field}: there is no qubit '9' (the chip has 0...3): remove it"
    decision = decide(observed(session(), chips=[chip(**spec)]))
    (update,) = decision.holders
    assert reason_of(update.status, ConditionType.VALID) == ("False", "Invalid")
    assert update.status.conditions[0].message == sentence
    status = patch_of(decision).status
    assert (status.phase, status.message) == (Phase.FAILED, sentence)
    assert nothing(decision, "admissions", "creates")


def test_an_applied_session_gets_its_finalizer_and_its_record_first() -> None:
    decision = decide(observed(replace(session(), finalized=False)))
    assert len(decision.add_finalizer) == len(decision.admissions) == 1
    assert patch_of(decision).status.phase is Phase.PENDING


def test_a_session_waits_for_its_chip_until_pending_seconds() -> None:
    view = session(deadlines={"pendingSeconds": 60})
    early = decide(observed(view, chips=[]))
    assert reason_of(patch_of(early).status, ConditionType.CHIP_HELD) == ("False", "ChipNotFound")
    assert early.wake_at == later(60)
    late = decide(observed(view, chips=[], now=later(60)))
    assert patch_of(late).status.phase is Phase.FAILED


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


def test_the_head_of_the_line_gets_the_free_chip_and_starts_in_the_next_pass() -> None:
    first, second = one(), recorded(session("evening", priority=5, **ONE))
    decision = decide(observed(first, second))
    (update,) = decision.holders
    assert [holder.session for holder in update.status.holders] == ["evening"]
    assert [(waits.session, waits.waits_for) for waits in update.status.queue] == [("morning", "evening")]
    assert not decision.creates


def test_a_second_session_says_whom_it_waits_for() -> None:
    waiting = recorded(session("evening", **ONE))
    (patch,) = [one_ for one_ in decided(one(), waiting).status_patches if one_.ref.name == "evening"]
    assert patch.status.phase is Phase.QUEUED
    assert patch.status.waiting_for is not None
    assert patch.status.waiting_for.session == "morning"


def test_hardware_is_not_handed_on_in_the_pass_that_lets_it_go() -> None:
    done = one(row(FIRST, 1, OK), row(SECOND, 1, OK), status="running")
    decision = decided(done, recorded(session("evening", **ONE)))
    (update,) = decision.holders
    assert update.status.holders == ()


def test_a_chip_that_changed_while_the_session_waited_is_planned_anew() -> None:
    smaller = chip(generation=2, topology={"squareLattice": {"rows": 1, "columns": 1, "muxSize": 1}})
    view = recorded(session())
    (replan,) = decide(observed(view, chips=[smaller])).replans
    assert {key.target for key in replan.drop} == {"1", "2", "3"}


def test_a_chip_that_lost_the_sessions_qubit_while_it_waited_fails_it() -> None:
    changed = chip(generation=2, disabled={"qubits": ["0"]})
    status = patch_of(decide(observed(one(), chips=[changed]))).status
    assert status.phase is Phase.FAILED
    assert "the chip changed while the session waited" in status.message


def test_maintenance_lets_running_tasks_finish_and_starts_none() -> None:
    view = one(status="running")
    decision = decided(view, chips=[chip(held_by=[view], maintenance=True)], pods=())
    assert not decision.creates
    assert "maintenance" in patch_of(decision).status.message


# ---------------------------------------------------------------- cancelling and deadlines


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


def test_a_session_that_was_never_planned_is_let_go_at_once() -> None:
    decision = decide(observed(replace(session(), deleted_at=NOON)))
    assert len(decision.remove_finalizer) == 1
    cancelled = decide(observed(session(cancel=True)))
    assert patch_of(cancelled).status.phase is Phase.CANCELLED


def test_a_session_is_cancelled_although_its_catalogue_is_gone() -> None:
    other = Catalogue(tasks=CATALOGUE.tasks[2:], backends=CATALOGUE.backends)
    asked = one(status="running", cancel_requested=True, cancel_reason="deleted")
    assert len(decided(asked, catalogue=other).settle_rows) == 2
    rows = [row(key, 1, RowStatus.CANCELLED) for key in (FIRST, SECOND)]
    ended = one(*rows, status="running", cancel_requested=True, cancel_reason="deleted")
    assert patch_of(decided(ended, catalogue=other)).status.phase is Phase.CANCELLED


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


# ---------------------------------------------------------------- after the end


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


def test_a_session_at_rest_decides_nothing() -> None:
    view = one(status="running")
    running = pod(view, wires=planned(view).tasks[0].wires)
    first = decided(view, pods=(running,))
    shown = replace(view, status=patch_of(first).status)
    marked = replace(chip(held_by=[view]), status=first.holders[0].status)
    assert decide(observed(shown, chips=[marked], pods=(running,))).empty
