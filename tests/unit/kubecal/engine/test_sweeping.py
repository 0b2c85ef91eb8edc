"""Which ended pods are removed, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from kubecal.api.request import Verdict
from kubecal.api.session_status import Phase, SessionStatus
from kubecal.engine import sweeping
from kubecal.engine.decide import decide
from kubecal.engine.intents import Decision
from kubecal.engine.model import AttemptRow, PodView, RecordsHealth, RowStatus, SessionView, TaskKey, Trouble
from tests.unit.kubecal.engine.builders import (
    CATALOGUE,
    NOON,
    chip,
    held,
    later,
    nothing,
    observed,
    pod,
    receipt,
    recorded,
    row,
    session,
    terminated,
)

SIDE = 16
"""More tasks of a session than pods are kept of it."""
FRIDGE = chip(topology={"squareLattice": {"rows": SIDE, "columns": SIDE}})
MORNING = session(tasks=("T1",), targets={"all": True})
KEYS = [TaskKey("check", "T1", str(number), 0) for number in range(SIDE**2)]
OK, FAILED = RowStatus.COMPLETED, RowStatus.FAILED
AWAY = RecordsHealth(False, "Unreachable", "MongoDB does not answer", NOON)


def succeeded(key: TaskKey, **changes: Any) -> PodView:
    end = terminated(0, reason="Completed", outcome=receipt(MORNING, key))
    return pod(MORNING, key, **{"phase": "Succeeded", "terminated": end, **changes})


def failed(key: TaskKey, **changes: Any) -> PodView:
    return pod(MORNING, key, **{"phase": "Failed", "terminated": terminated(1), **changes})


def completed(keys: Sequence[TaskKey]) -> list[AttemptRow]:
    return [row(key, status=OK, verdict=Verdict.OK) for key in keys]


def crashed(keys: Sequence[TaskKey]) -> list[AttemptRow]:
    return [row(key, status=FAILED, trouble=Trouble.CRASH, reason="Error") for key in keys]


def running(rows: Sequence[AttemptRow], pods: Sequence[PodView], **changes: Any) -> Decision:
    """The session goes on."""
    view = recorded(MORNING, *rows, on=FRIDGE, status="running", held_at=NOON)
    here = chip(held_by=[view], topology={"squareLattice": {"rows": SIDE, "columns": SIDE}})
    return decide(held(view, chips=[here], pods=tuple(pods), catalogue=CATALOGUE, **changes))


def over(rows: Sequence[AttemptRow], pods: Sequence[PodView], **changes: Any) -> Decision:
    """The session has ended, on its object and on record."""
    view = recorded(MORNING, *rows, on=FRIDGE, status="completed")
    view = replace(view, status=SessionStatus(phase=Phase.COMPLETED, finished_at=NOON), **changes)
    return decide(observed(view, chips=[FRIDGE], pods=tuple(pods)))


@pytest.mark.parametrize(("settled", "swept"), [(200, False), (201, True)])
def test_settled_pods_of_a_running_session_go_when_they_are_more_than_200(settled: int, swept: bool) -> None:
    keys = KEYS[:settled]
    decision = running(completed(keys), [succeeded(key) for key in keys])
    assert [len(one.settled) for one in decision.sweeps] == [settled] * swept
    assert not decision.deletes


def test_pods_whose_record_is_not_final_do_not_count() -> None:
    decision = running(completed(KEYS[:200]), [succeeded(key) for key in KEYS[:230]])
    assert not decision.sweeps
    decision = running(completed(KEYS[:201]), [succeeded(key) for key in KEYS[:230]])
    assert {one.key for one in decision.sweeps[0].settled} == set(KEYS[:201])


def test_pods_that_live_or_go_already_are_left_alone() -> None:
    pods = [pod(MORNING, key) for key in KEYS[:100]] + [succeeded(key, deleting_since=NOON) for key in KEYS[100:250]]
    assert nothing(running(completed(KEYS[100:250]), pods), "sweeps", "deletes")


def test_an_attempt_before_the_current_one_is_settled_by_its_own_record() -> None:
    rows = [row(key, status=FAILED, verdict=Verdict.NO_SIGNAL, trouble=Trouble.VERDICT) for key in KEYS[:201]]
    second = [row(key, attempt=2) for key in KEYS[:201]]
    decision = running([*rows, *second], [succeeded(key) for key in KEYS[:201]])
    assert len(decision.sweeps[0].settled) == 201


def test_nothing_is_swept_while_the_database_is_away() -> None:
    keys = KEYS[:201]
    assert not running(completed(keys), [succeeded(key) for key in keys], records=AWAY).sweeps


def test_a_session_that_ended_leaves_no_pod_that_succeeded() -> None:
    decision = over(completed(KEYS), [succeeded(KEYS[0])])
    assert [one.settled for one in decision.sweeps] == [(succeeded(KEYS[0]),)]
    assert nothing(over(completed(KEYS), []), "sweeps", "deletes")


def test_a_deleted_session_leaves_its_pods_to_the_garbage_collector() -> None:
    decision = over(completed(KEYS), [succeeded(KEYS[0])], deleted_at=NOON)
    assert not decision.sweeps
    assert decision.remove_finalizer


def test_a_session_that_another_installation_recorded_is_not_swept() -> None:
    view = recorded(MORNING, *completed(KEYS), on=FRIDGE, status="completed", ours=False)
    view = replace(view, status=SessionStatus(phase=Phase.COMPLETED, finished_at=NOON))
    assert not decide(observed(view, chips=[FRIDGE], pods=(succeeded(KEYS[0]),))).sweeps


@pytest.mark.parametrize("ends", [False, True])
def test_the_oldest_failed_pods_go_singly_and_20_stay(ends: bool) -> None:
    keys = KEYS[:23]
    pods = [failed(key, created_at=later(-number)) for number, key in enumerate(keys)]
    decision = (over if ends else running)(crashed(keys), pods)
    assert [one.pod.key for one in decision.deletes] == [keys[22], keys[21], keys[20]]
    assert not decision.sweeps


def test_a_failed_pod_stays_until_its_record_and_with_it_its_log_is_final() -> None:
    keys = KEYS[:21]
    pods = [failed(key, created_at=later(-number)) for number, key in enumerate(keys)]
    decision = running(crashed(keys[:20]), pods)
    # The oldest is not on record yet: the oldest of those that are goes, and the log of the other is asked for.
    assert [one.pod.key for one in decision.deletes] == [keys[19]]
    assert [one.log_pod for one in decision.next_attempts] == [pods[20].name]


def test_a_failed_pod_of_a_dead_node_is_not_taken_for_one_that_ended() -> None:
    keys = KEYS[:21]
    pods = [failed(key) for key in keys[:20]]
    lost = failed(keys[20], terminated=None, node_lost=True, created_at=later(-60))
    assert lost not in [one.pod for one in running(crashed(keys), [*pods, lost]).deletes]


def test_the_limits_are_those_that_are_documented() -> None:
    assert (sweeping.SWEPT_ABOVE, sweeping.FAILED_KEPT) == (200, 20)


def test_a_pod_that_was_swept_before_it_was_settled_is_given_up_only_where_it_has_no_record() -> None:
    """What follows is decided by one conditional write: with a result on record it hands that back, uncharged."""
    view: SessionView = recorded(MORNING, on=FRIDGE, status="running", held_at=NOON)
    here = chip(held_by=[view], topology={"squareLattice": {"rows": SIDE, "columns": SIDE}})
    gone = {succeeded(KEYS[0]).name: NOON}
    decision = decide(held(view, chips=[here], gone=gone))
    (intent,) = decision.next_attempts
    assert (intent.key, intent.trouble) == (KEYS[0], Trouble.DISRUPTION)
    assert KEYS[0] not in [one.planned.key for one in decision.creates]
