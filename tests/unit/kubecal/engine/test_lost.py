"""Whose wires are kept although nothing is seen of their process any more."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.engine.lost import lost_attempts
from kubecal.engine.model import PodView, RowStatus, Trouble
from tests.unit.kubecal.engine.builders import (
    FIRST,
    NOON,
    SECOND,
    decided,
    given_up,
    later,
    nothing,
    planned,
    pod,
    recorded,
    row,
    session,
    terminated,
)

VIEW = session(targets={"qubits": ["0"]})
POD = pod(VIEW)
GIVEN_UP = {"status": RowStatus.CANCELLED, "superseded": True, "superseded_at": NOON, "trouble": Trouble.DISRUPTION}
MINE, STRANGER = {"claimed_by": POD.uid}, {"claimed_by": "a pod that is gone"}


@pytest.mark.parametrize(
    ("changes", "pods", "gone", "kept"),
    [
        # Not given up yet.
        ({}, [], [], False),
        ({}, [], [POD.name], True),
        (MINE, [], [], True),
        (MINE, [POD], [], False),
        (STRANGER, [POD], [], True),
        # Given up.
        ({**GIVEN_UP, **MINE, "reason": "PodGone"}, [], [], True),
        ({**GIVEN_UP, "reason": "PodGone"}, [], [], False),
        ({**GIVEN_UP, **MINE, "reason": "Evicted"}, [], [], False),
        ({**GIVEN_UP, **MINE, "reason": "Released"}, [], [], False),
        ({**GIVEN_UP, **MINE, "reason": "PodGone"}, [POD], [], False),
        ({**GIVEN_UP, **STRANGER, "reason": "NotClaimed"}, [POD], [], True),
        # It was the last attempt, and failed.
        ({**MINE, "status": RowStatus.FAILED, "ended_at": NOON, "reason": "PodGone"}, [], [], True),
        # It has a result.
        ({**MINE, "status": RowStatus.COMPLETED, "ended_at": NOON}, [], [POD.name], False),
    ],
)
def test_the_wires_of_a_process_that_may_be_left_are_kept(
    changes: dict[str, Any], pods: list[PodView], gone: list[str], kept: bool
) -> None:
    status = changes.get("status", RowStatus.SCHEDULED)
    rest = {name: value for name, value in changes.items() if name != "status"}
    view = recorded(VIEW, row(FIRST, 1, status, grace_s=30, **rest), row(SECOND, status=RowStatus.SKIPPED))
    assert view.record is not None
    for now, still in ((later(29), kept), (later(30), kept and status is RowStatus.SCHEDULED)):
        assert bool(list(lost_attempts(view.ref, view.record, pods, dict.fromkeys(gone, NOON), now))) is still


def test_nothing_starts_on_the_wires_of_a_pod_that_has_just_vanished() -> None:
    both = session(targets={"qubits": ["0", "1"]})
    lost = row(FIRST, wires=planned(both).tasks[0].wires, claimed_by="a pod that is gone")
    decision = decided(recorded(both, lost, status="running"))
    assert [intent.reason for intent in decision.next_attempts] == ["PodGone"]
    assert nothing(decision, "creates")


def test_a_cancelled_session_waits_for_a_process_that_may_be_left() -> None:
    asked = {"status": "running", "cancel_requested": True, "cancel_reason": "deleted"}
    first = decided(recorded(VIEW, row(claimed_by="a pod that is gone"), **asked))
    assert [intent.key for intent in first.next_attempts] == [FIRST]
    assert [settled.key for settled in first.settle_rows] == [SECOND]

    lost = given_up(claimed_by="a pod that is gone", reason="PodGone", grace_s=30)
    ended = [lost, row(attempt=2, status=RowStatus.CANCELLED), row(SECOND, status=RowStatus.CANCELLED)]
    view = recorded(VIEW, *ended, **asked)
    assert nothing(decided(view, now=later(29)), "settle_executions")
    assert decided(view, now=later(30)).settle_executions


def test_a_pod_whose_end_was_seen_frees_its_wires() -> None:
    view = recorded(VIEW, row(claimed_by=POD.uid))
    assert view.record is not None
    seen = pod(VIEW, terminated=terminated(1))
    assert not list(lost_attempts(view.ref, view.record, [seen], {}, NOON))
