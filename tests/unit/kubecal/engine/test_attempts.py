"""Where a task stands: a table of rows, pods and what was seen of them."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.api.request import Verdict
from kubecal.engine.attempts import State, TaskState, live, task_state
from kubecal.engine.model import AttemptRow, PodView, RowStatus, Trouble
from kubecal.engine.retry import NEVER_STARTED
from tests.unit.kubecal.engine.builders import (
    FIRST,
    NOON,
    given_up,
    later,
    pod,
    receipt,
    row,
    session,
    terminated,
    trouble,
)

VIEW = session()
NAME = pod(VIEW).name


def state_of(rows: list[AttemptRow], pods: list[PodView], **changes: Any) -> TaskState:
    known: dict[str, Any] = {"now": NOON, "pending_s": 600, "rejected": {}, "gone": {}}
    return task_state(FIRST, rows, pods, VIEW.ref, **{**known, **changes})


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (RowStatus.COMPLETED, State.OK),
        (RowStatus.FAILED, State.FAILED),
        (RowStatus.SKIPPED, State.SKIPPED),
        (RowStatus.CANCELLED, State.CANCELLED),
    ],
)
def test_a_record_with_an_end_is_believed_whatever_the_pod_says(status: RowStatus, state: State) -> None:
    for pods in ([], [pod(VIEW)], [pod(VIEW, terminated=terminated(1))]):
        found = state_of([row(status=status, message="said")], pods)
        assert (found.state, found.message, found.recorded, found.read) == (state, "said", True, False)


UNBOUND = {"node": "", "phase": "Pending", "started_at": None}


@pytest.mark.parametrize(
    ("seen", "state", "reason"),
    [
        ({}, State.RUNNING, ""),
        (UNBOUND, State.RUNNING, ""),
        ({"deleting_since": NOON}, State.RUNNING, ""),
        # A node that does not answer may still drive: nothing is concluded.
        ({"node_lost": True}, State.RUNNING, ""),
        ({"node_lost": True, "phase": "Failed"}, State.RUNNING, ""),
        ({"node_lost": True, "phase": "Failed", "started_at": None}, State.RUNNING, ""),
        ({"node_lost": True, "released": True}, State.ENDING, "Released"),
        ({"phase": "Failed", "started_at": None}, State.ENDING, "NodeRefused"),
        ({"terminated": terminated(1)}, State.ENDING, "Error"),
        ({"terminated": terminated(143, outcome=trouble("Interrupted"))}, State.ENDING, "Interrupted"),
        # Somebody else's receipt is no result.
        ({"terminated": terminated(0, outcome=receipt(VIEW, attempt=2))}, State.ENDING, "ResultMissing"),
        ({"terminated": terminated(0, outcome=receipt(VIEW))}, State.OK, ""),
        ({"terminated": terminated(0, outcome=receipt(VIEW, verdict="no_signal"))}, State.FAILED, ""),
        # The process says that it failed: what it wrote before does not count until it is found on record.
        ({"terminated": terminated(1, outcome=receipt(VIEW))}, State.ENDING, "Error"),
    ],
)
def test_an_open_attempt_stands_where_its_pod_stands(seen: dict[str, Any], state: State, reason: str) -> None:
    found = state_of([row()], [pod(VIEW, **seen)])
    assert (found.state, found.ending.reason if found.ending else "") == (state, reason)


def test_a_receipt_counts_until_its_record_was_read() -> None:
    ended = pod(VIEW, terminated=terminated(0, outcome=receipt(VIEW, verdict="no_signal"), seen_at=later(5)))
    before = state_of([row(read_at=later(4))], [ended])
    assert (before.state, before.verdict, before.recorded, before.read) == (
        State.FAILED,
        Verdict.NO_SIGNAL,
        False,
        True,
    )
    after = state_of([row(read_at=later(6))], [ended])
    assert after.ending is not None
    assert (after.ending.trouble, after.ending.reason) == (Trouble.CRASH, "ResultMissing")


@pytest.mark.parametrize(
    ("seen", "at", "ends"),
    [
        (UNBOUND, 599, False),
        (UNBOUND, 600, True),
        ({"started_at": None}, 600, True),
        ({}, 600, False),
        ({**UNBOUND, "deleting_since": NOON}, 600, False),
        ({"started_at": None, "node_lost": True}, 600, False),
    ],
)
def test_a_pod_has_pending_seconds_to_get_to_run(seen: dict[str, Any], at: float, ends: bool) -> None:
    found = state_of([row()], [pod(VIEW, blocked_message="no node fits", **seen)], now=later(at))
    assert (found.state is State.ENDING) is ends
    if found.ending is not None:
        assert found.ending.reason == NEVER_STARTED
        assert "no node fits" in found.ending.message


@pytest.mark.parametrize(
    ("claimed_by", "gone", "state"),
    [(None, {}, State.READY), ("uid", {}, State.ENDING), (None, {NAME: NOON}, State.ENDING)],
)
def test_an_attempt_without_a_pod_was_never_begun_or_is_lost(
    claimed_by: str | None, gone: dict[str, Any], state: State
) -> None:
    assert state_of([row(claimed_by=claimed_by)], [], gone=gone).state is state


def test_a_pod_of_an_earlier_attempt_says_nothing_about_this_one() -> None:
    found = state_of([given_up(), row(attempt=2)], [pod(VIEW, terminated=terminated(1))])
    assert (found.state, found.attempt, len(found.earlier)) == (State.READY, 2, 1)


def test_a_refused_pod_ends_its_own_attempt_only() -> None:
    assert state_of([row()], [], rejected={NAME: "Invalid"}).state is State.ENDING
    assert state_of([given_up(), row(attempt=2)], [], rejected={NAME: "Invalid"}).state is State.READY


def test_a_task_without_rows_is_ready() -> None:
    assert state_of([], []).state is State.READY


def test_only_crashes_ask_for_the_last_lines_of_the_log() -> None:
    assert state_of([row()], [pod(VIEW, terminated=terminated(1))]).log_pod == NAME
    assert state_of([row()], [pod(VIEW, terminated=terminated(1), deleting_since=NOON)]).log_pod == ""


@pytest.mark.parametrize(
    ("seen", "lives"),
    [
        ({}, True),
        (UNBOUND, True),
        ({**UNBOUND, "deleting_since": NOON}, False),
        ({**UNBOUND, "phase": "Failed"}, False),
        ({"deleting_since": NOON}, True),
        ({"terminated": terminated(0)}, False),
        ({"released": True}, False),
        ({"phase": "Failed"}, True),
        ({"phase": "Failed", "started_at": None}, False),
        ({"phase": "Failed", "started_at": None, "node_lost": True}, True),
    ],
)
def test_a_pod_lives_as_long_as_it_may_drive_a_line(seen: dict[str, Any], lives: bool) -> None:
    assert live(pod(VIEW, **seen)) is lives
