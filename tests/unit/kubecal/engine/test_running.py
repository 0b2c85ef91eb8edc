"""A session that holds its chip: what starts, what is tried again, what is given up, what ends unrun."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubecal.engine.intents import Decision
from kubecal.engine.model import AttemptRow, PodView, Reservation, RowStatus, SessionView, Trouble
from tests.unit.kubecal.engine.builders import (
    FIRST,
    NOON,
    SECOND,
    TaskKey,
    chip,
    decided,
    given_up,
    later,
    nothing,
    planned,
    pod,
    receipt,
    recorded,
    row,
    session,
    terminated,
    trouble,
)

OK, FAILED = RowStatus.COMPLETED, RowStatus.FAILED


def _run(*rows: AttemptRow, tasks: tuple[str, ...] = ("Rabi", "T1"), **spec: Any) -> SessionView:
    """A session of four qubits that is on its way; its tasks do not care about neighbours."""
    steps = [{"name": "check", "tasks": [{"task": task} for task in tasks], "schedule": {"mode": "Parallel"}}]
    return recorded(session(**{"steps": steps, **spec}), *rows, status="running")


def _one(*rows: AttemptRow, **spec: Any) -> SessionView:
    return _run(*rows, **{"targets": {"qubits": ["0"]}, **spec})


def _keys(decision: Decision) -> list[str]:
    return [f"{one.planned.key.task} {one.planned.key.target} #{one.attempt}" for one in decision.creates]


def _pod(view: SessionView, key: TaskKey, attempt: int = 1, **changes: Any) -> PodView:
    wires = next(task.wires for task in planned(view).tasks if task.key == key)
    return pod(view, key, attempt, wires=wires, **changes)


# ---------------------------------------------------------------- starting


@pytest.mark.parametrize(
    ("schedule", "limits", "started"),
    [
        ({"mode": "Parallel"}, {}, ["0", "1", "2", "3"]),
        ({"mode": "Parallel", "maxParallel": 3}, {}, ["0", "1", "2"]),
        ({"mode": "Parallel"}, {"maxParallelTasks": 2}, ["0", "1"]),
        ({"mode": "Parallel", "maxParallel": 1}, {"maxParallelTasks": 2}, ["0"]),
        # A square: 0 and 3 are not neighbours, nor are 1 and 2.
        ({"mode": "Isolated"}, {}, ["0", "3"]),
        ({"mode": "Serial"}, {}, ["0"]),
    ],
)
def test_as_many_start_as_wires_and_limits_allow(
    schedule: dict[str, Any], limits: dict[str, Any], started: list[str]
) -> None:
    steps = [{"name": "check", "tasks": [{"task": "Rabi"}], "schedule": schedule}]
    fridge = chip(limits=limits)
    view = recorded(session(steps=steps), on=fridge, status="running")
    decision = decided(view, chips=[chip(held_by=[view], limits=limits)])
    assert [create.planned.key.target for create in decision.creates] == started


def test_running_tasks_count_towards_the_limits() -> None:
    steps = [{"name": "check", "tasks": [{"task": "Rabi"}], "schedule": {"mode": "Parallel", "maxParallel": 2}}]
    view = recorded(session(steps=steps), status="running")
    assert _keys(decided(view, pods=(_pod(view, FIRST),))) == ["Rabi 1 #1"]


def test_a_create_whose_outcome_is_unknown_keeps_its_wires() -> None:
    view = _one()
    unknown = Reservation(view.ref.uid, "any", planned(view).tasks[0].wires, later(5))
    decision = decided(view, reservations=(unknown,))
    assert nothing(decision, "creates")
    assert decision.wake_at == later(5)


def test_a_create_whose_outcome_is_unknown_is_not_sent_again_though_it_claims_nothing() -> None:
    key = TaskKey("check", "Compute", "0", 0)
    view = _one(tasks=("Compute",))
    assert nothing(
        decided(view, reservations=(Reservation(view.ref.uid, pod(view, key).name, (), later(5)),)), "creates"
    )


def test_a_task_that_claims_nothing_waits_for_its_own_pod_all_the_same() -> None:
    key = TaskKey("check", "Compute", "0", 0)
    before = given_up(key, trouble=Trouble.CRASH, superseded_at=later(-60))
    view = _one(before, row(key, 2), tasks=("Compute",))
    assert nothing(decided(view, pods=(pod(view, key, deleting_since=NOON),)), "creates")
    assert _keys(decided(view)) == ["Compute 0 #2"]


def test_an_orphan_keeps_its_wires() -> None:
    view = _one()
    orphan = replace(_pod(view, FIRST), session_uid="of a session that is gone")
    assert nothing(decided(view, pods=(orphan,)), "creates")


def test_what_is_created_is_told_what_it_needs() -> None:
    crashed = given_up(attempt=1, trouble=Trouble.CRASH, superseded_at=later(-60))
    disrupted = given_up(attempt=2, trouble=Trouble.DISRUPTION, superseded_at=later(-60))
    view = _one(crashed, disrupted, row(attempt=3))
    (create,) = decided(view).creates
    assert (create.attempt, create.charged_retries, create.execution_id) == (3, 1, "20261123-000")
    assert create.pod_name == pod(view, FIRST, 3).name
    assert create.chip_spec == chip().spec


# ---------------------------------------------------------------- trying again


@pytest.mark.parametrize(
    ("end", "reason", "kind"),
    [
        ({"terminated": terminated(1)}, "Error", Trouble.CRASH),
        ({"terminated": terminated(143, outcome=trouble("Interrupted"))}, "Interrupted", Trouble.DISRUPTION),
        ({"released": True, "node_lost": True}, "Released", Trouble.DISRUPTION),
    ],
)
def test_an_attempt_without_a_result_is_followed_by_another(end: dict[str, Any], reason: str, kind: Trouble) -> None:
    view = _one()
    (following,) = decided(view, pods=(_pod(view, FIRST, **end),)).next_attempts
    assert (following.key, following.attempt, following.reason, following.trouble) == (FIRST, 1, reason, kind)


@pytest.mark.parametrize(("at_s", "started"), [(0.5, []), (1.0, ["Rabi 0 #2"])])
def test_the_next_attempt_waits_for_its_backoff(at_s: float, started: list[str]) -> None:
    view = _one(given_up(trouble=Trouble.CRASH), row(attempt=2))
    decision = decided(view, now=later(at_s))
    assert _keys(decision) == started
    assert started or decision.wake_at == later(1)


def test_the_next_attempt_waits_for_the_end_of_the_pod_before_it() -> None:
    view = _one(given_up(trouble=Trouble.CRASH, superseded_at=later(-60)), row(attempt=2))
    before = _pod(view, FIRST)
    decision = decided(view, pods=(before,))
    assert nothing(decision, "creates")
    assert [delete.pod for delete in decision.deletes] == [before]
    assert nothing(decided(view, pods=(replace(before, deleting_since=NOON),)), "creates", "deletes")
    assert _keys(decided(view, pods=(replace(before, terminated=terminated(143)),))) == ["Rabi 0 #2"]


@pytest.mark.parametrize(
    ("changes", "at_s", "started"),
    [
        ({"claimed_by": "uid", "reason": "PodGone"}, 29, False),
        ({"claimed_by": "uid", "reason": "PodGone"}, 30, True),
        # Nobody had claimed it, so nobody drove.
        ({"claimed_by": None, "reason": "PodGone"}, 29, True),
        # Its end was seen.
        ({"claimed_by": "uid", "reason": "Error"}, 29, True),
    ],
)
def test_a_claimed_attempt_that_vanished_keeps_its_wires_for_its_grace_period(
    changes: dict[str, Any], at_s: float, started: bool
) -> None:
    wires = planned(_one()).tasks[0].wires
    lost = given_up(trouble=Trouble.DISRUPTION, wires=wires, grace_s=30, **changes)
    decision = decided(_one(lost, row(attempt=2)), now=later(at_s))
    assert bool(decision.creates) is started
    assert started or decision.wake_at == later(30)


def test_a_task_that_crashed_too_often_fails_with_its_last_words() -> None:
    crashes = [given_up(attempt=n, trouble=Trouble.CRASH) for n in (1, 2)]
    view = _one(*crashes, row(attempt=3))
    decision = decided(view, pods=(_pod(view, FIRST, 3, terminated=terminated(3)),))
    (settled,) = decision.settle_rows
    assert (settled.attempt, settled.status, settled.trouble) == (3, FAILED, Trouble.CRASH)
    assert settled.message.startswith("crashed 3 times")
    assert settled.log_pod
    assert nothing(decision, "next_attempts", "creates")


def test_a_bad_verdict_is_an_answer() -> None:
    view = _one()
    ended = terminated(0, outcome=receipt(view, verdict="no_signal"))
    decision = decided(view, pods=(_pod(view, FIRST, terminated=ended),))
    assert nothing(decision, "next_attempts", "creates")
    assert decision.read_rows == ((view.ref, FIRST, 1),)


# ---------------------------------------------------------------- failing


@pytest.mark.parametrize(
    ("policy", "started", "skipped"),
    [
        ("StopTarget", ["Rabi 1 #1", "Rabi 2 #1", "Rabi 3 #1"], {"T1 0"}),
        ("Continue", ["Rabi 1 #1", "Rabi 2 #1", "Rabi 3 #1", "T1 0 #1"], set()),
        ("StopSession", [], {"T1 0", "Rabi 1", "T1 1", "Rabi 2", "T1 2", "Rabi 3", "T1 3"}),
    ],
)
def test_a_failure_stops_what_the_session_says(policy: str, started: list[str], skipped: set[str]) -> None:
    decision = decided(_run(row(status=FAILED), onTargetFailure=policy))
    assert sorted(_keys(decision)) == sorted(started)
    assert {f"{one.key.task} {one.key.target}" for one in decision.settle_rows} == skipped
    assert {one.status for one in decision.settle_rows} <= {RowStatus.SKIPPED}


def test_stop_session_lets_running_tasks_finish() -> None:
    view = _run(row(status=FAILED), onTargetFailure="StopSession")
    beside = _pod(view, TaskKey("check", "Rabi", "1", 0))
    decision = decided(view, pods=(beside,))
    assert nothing(decision, "deletes", "creates")
    assert beside.key not in {one.key for one in decision.settle_rows}


@pytest.mark.parametrize(
    ("ends", "policy", "phase"),
    [
        ("oooo oooo", "StopTarget", "Completed"),
        ("ofoo o-oo", "StopTarget", "PartiallyFailed"),
        ("oooo ofoo", "StopTarget", "PartiallyFailed"),
        ("ffff ----", "StopTarget", "Failed"),
        ("ffff oooo", "Continue", "Failed"),
        ("fooo oooo", "Continue", "PartiallyFailed"),
        ("fooo ooo-", "StopSession", "Failed"),
    ],
)
def test_the_session_ends_as_its_tasks_did(ends: str, policy: str, phase: str) -> None:
    status = {"o": OK, "f": FAILED, "-": RowStatus.SKIPPED}
    keys = [TaskKey("check", task, target, 0) for task in ("Rabi", "T1") for target in "0123"]
    rows = [row(key, status=status[end]) for key, end in zip(keys, ends.replace(" ", ""), strict=True)]
    decision = decided(_run(*rows, onTargetFailure=policy))
    assert [settled.phase for settled in decision.settle_executions] == [phase]
    assert [patch.status.phase for patch in decision.status_patches] == [phase]


def test_a_session_is_not_over_while_a_pod_of_it_lives() -> None:
    view = _one(row(FIRST, status=OK), row(SECOND, status=OK))
    assert nothing(decided(view, pods=(_pod(view, SECOND),)), "settle_executions")


def test_a_session_is_not_over_before_its_last_record_was_read() -> None:
    view = _one(row(FIRST, status=OK))
    ended = _pod(view, SECOND, terminated=terminated(0, outcome=receipt(view, SECOND)))
    decision = decided(view, pods=(ended,))
    assert nothing(decision, "settle_executions")
    assert decision.read_rows == ((view.ref, SECOND, 1),)
