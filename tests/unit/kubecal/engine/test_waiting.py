"""A session that waits for its hardware."""

from __future__ import annotations

import pytest

from kubecal.api.session_status import Phase
from kubecal.engine.decide import decide
from kubecal.engine.model import RowStatus, TaskKey
from tests.unit.kubecal.engine.builders import (
    FIRST,
    ONE,
    SECOND,
    chip,
    decided,
    given_up,
    later,
    nothing,
    observed,
    one,
    patch_of,
    pod,
    receipt,
    recorded,
    row,
    session,
    terminated,
)


def test_a_second_session_says_whom_it_waits_for() -> None:
    waiting = recorded(session("evening", **ONE))
    (patch,) = [one_ for one_ in decided(one(), waiting).status_patches if one_.ref.name == "evening"]
    assert patch.status.phase is Phase.QUEUED
    assert patch.status.waiting_for is not None
    assert patch.status.waiting_for.session == "morning"


def test_a_chip_that_changed_while_the_session_waited_is_planned_anew() -> None:
    smaller = chip(generation=2, topology={"squareLattice": {"rows": 1, "columns": 1, "muxSize": 1}})
    view = recorded(session())
    (replan,) = decide(observed(view, chips=[smaller])).replans
    assert {key.target for key, _, _ in replan.drop} == {"1", "2", "3"}
    assert {attempt for _, attempt, _ in replan.drop} == {1}


def test_of_a_session_that_was_suspended_the_open_attempts_are_dropped_and_what_has_ended_stays() -> None:
    smaller = chip(generation=2, topology={"squareLattice": {"rows": 1, "columns": 1, "muxSize": 1}})
    lost, done = TaskKey("check", "Rabi", "1", 0), TaskKey("check", "Rabi", "2", 0)
    rows = (given_up(lost, 1), row(lost, 2), row(done, 1, RowStatus.COMPLETED))
    view = recorded(session(tasks=("Rabi",), targets={"all": True}), *rows, status="running")
    (replan,) = decide(observed(view, chips=[smaller])).replans
    assert {(key.target, attempt) for key, attempt, _ in replan.drop} == {("1", 2), ("3", 1)}


def test_a_chip_that_lost_the_sessions_qubit_while_it_waited_fails_it() -> None:
    changed = chip(generation=2, disabled={"qubits": ["0"]})
    status = patch_of(decide(observed(one(), chips=[changed]))).status
    assert status.phase is Phase.FAILED
    assert "the chip changed while the session waited" in status.message


def test_another_chip_of_the_same_name_is_planned_for_anew() -> None:
    view = recorded(session(), chip_uid="of the one that was deleted")
    (replan,) = decide(observed(view)).replans
    assert (replan.chip.uid, replan.drop) == (chip().uid, ())


def test_a_session_whose_chip_was_deleted_under_it_does_not_go_on_with_another_of_its_name() -> None:
    view = recorded(session(**ONE), chip_uid="of the one that was deleted", status="running")
    decision = decide(observed(view))
    assert {(one_.status, one_.reason) for one_ in decision.settle_rows} == {(RowStatus.SKIPPED, "ChipDeleted")}
    assert not decision.creates


@pytest.mark.parametrize("suspend", [False, True])
def test_a_session_without_its_chip_gives_up_what_it_lost_since_that_keeps_its_wires(suspend: bool) -> None:
    lost = row(FIRST, 1, RowStatus.RUNNING, claimed_by="gone")
    view = recorded(session(suspend=suspend, **ONE), lost, status="running")
    decision = decide(observed(view))
    (opened,) = decision.next_attempts
    assert (opened.key, opened.attempt, opened.reason) == (FIRST, 1, "PodGone")
    assert nothing(decision, "creates", "settle_rows")


def test_a_session_that_waits_reads_what_a_receipt_reported() -> None:
    view = one(row(FIRST, 1, RowStatus.RUNNING, claimed_by="p1", read_at=later(-5)), row(SECOND), status="running")
    ended = pod(view, uid="p1", terminated=terminated(0, outcome=receipt(view)))
    assert decide(observed(view, pods=(ended,))).read_rows == ((view.ref, FIRST, 1),)
