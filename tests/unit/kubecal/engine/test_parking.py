"""Parking: what runs last in any case, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubecal.api.conditions import ConditionType
from kubecal.api.request import Verdict
from kubecal.api.session_status import Phase
from kubecal.engine.decide import decide
from kubecal.engine.intents import Decision
from kubecal.engine.model import AttemptRow, RowStatus, SessionView, TaskKey
from tests.unit.kubecal.engine.builders import (
    FIRST,
    SECOND,
    decided,
    later,
    observed,
    patch_of,
    pod,
    reason_of,
    recorded,
    row,
    session,
    terminated,
)

PARK = TaskKey("parking", "Rabi", "0", 0)
PARKING = {"parking": {"tasks": [{"task": "Rabi"}], "seconds": 60}, "targets": {"qubits": ["0"]}}
DONE = (
    row(FIRST, status=RowStatus.COMPLETED, claimed_by="a"),
    row(SECOND, status=RowStatus.COMPLETED, claimed_by="b"),
)


def _session(*rows: AttemptRow, record: dict[str, Any] | None = None, **spec: Any) -> SessionView:
    known = {one.key for one in rows}
    parking = () if PARK in known else (row(PARK),)
    return recorded(session(**{**PARKING, **spec}), *rows, *parking, status="running", **(record or {}))


def _created(decision: Decision) -> list[TaskKey]:
    return [create.planned.key for create in decision.creates]


def test_parking_waits_for_everything_else() -> None:
    assert _created(decided(_session())) == [FIRST]


def test_when_everything_else_has_ended_parking_begins_and_the_session_is_not_over() -> None:
    decision = decided(_session(*DONE))
    assert _created(decision) == [PARK]
    status = patch_of(decision).status
    assert (status.phase, status.parking_since) == (Phase.RUNNING, later(0))
    assert status.message == "parking: 0 of 1 tasks are done"
    assert (status.tasks.planned, status.steps[-1].name) == (2, "parking")


@pytest.mark.parametrize(
    ("rows", "phase"),
    [
        (DONE, Phase.COMPLETED),
        ((row(FIRST, status=RowStatus.FAILED, claimed_by="a"), row(SECOND, status=RowStatus.SKIPPED)), Phase.FAILED),
    ],
)
def test_it_runs_after_success_and_after_failure_and_changes_no_phase(
    rows: tuple[AttemptRow, ...], phase: Phase
) -> None:
    assert _created(decided(_session(*rows))) == [PARK]
    for status, reason in ((RowStatus.COMPLETED, ("False", "Parked")), (RowStatus.FAILED, ("True", "Failed"))):
        told = patch_of(decided(_session(*rows, row(PARK, status=status, claimed_by="c")))).status
        assert (told.phase, reason_of(told, ConditionType.NOT_PARKED)) == (phase, reason)


def test_it_runs_after_a_cancellation() -> None:
    rows = (row(FIRST, status=RowStatus.CANCELLED, claimed_by="a"), row(SECOND, status=RowStatus.CANCELLED))
    view = _session(*rows, record={"cancel_requested": True, "cancel_reason": "deleted"}, cancel=True)
    decision = decided(view)
    assert _created(decision) == [PARK]
    assert patch_of(decision).status.phase is Phase.CANCELLING


def test_cancelling_leaves_pods_that_park_alone() -> None:
    view = _session(*DONE, row(PARK, status=RowStatus.RUNNING, claimed_by="c"), cancel=True)
    parks = pod(view, PARK)
    assert not decided(view, pods=(parks,)).deletes


def test_what_was_never_driven_is_not_parked() -> None:
    rows = (row(FIRST, status=RowStatus.CANCELLED), row(SECOND, status=RowStatus.CANCELLED))
    view = _session(*rows, record={"cancel_requested": True, "cancel_reason": "deleted"}, cancel=True)
    decision = decided(view)
    assert not decision.creates
    assert [(one.key, one.status) for one in decision.settle_rows] == [(PARK, RowStatus.SKIPPED)]
    assert patch_of(decision).status.phase is Phase.CANCELLED


def test_who_does_not_hold_the_chip_any_more_parks_nothing_and_says_so() -> None:
    view = _session(*DONE, record={"cancel_requested": True, "cancel_reason": "deleted"}, cancel=True)
    status = patch_of(decide(observed(view))).status
    assert reason_of(status, ConditionType.NOT_PARKED) == ("True", "NotRun")


def test_parking_has_a_time_of_its_own() -> None:
    view = _session(*DONE, row(PARK, status=RowStatus.RUNNING, claimed_by="c"))
    view = replace(view, status=view.status.model_copy(update={"parking_since": later(0)}))
    parks = pod(view, PARK)
    assert decided(view, pods=(parks,), now=later(59)).wake_at == later(60)
    late = decided(view, pods=(parks,), now=later(60))
    assert [delete.pod.name for delete in late.deletes] == [parks.name]
    stopped = replace(parks, terminated=terminated(143), deleting_since=later(60))
    (settled,) = decided(view, pods=(stopped,), now=later(61)).settle_rows
    assert (settled.key, settled.reason) == (PARK, "ParkingTimeout")
    given_up = _session(*DONE, row(PARK, status=RowStatus.CANCELLED, reason="ParkingTimeout", message="too late"))
    status = patch_of(decided(given_up, now=later(62))).status
    assert (status.phase, reason_of(status, ConditionType.NOT_PARKED)) == (Phase.COMPLETED, ("True", "Timeout"))


def test_a_bad_verdict_is_measured_again_until_parking_has_no_time_left() -> None:
    bad = row(PARK, status=RowStatus.FAILED, claimed_by="c", verdict=Verdict.NO_SIGNAL, message="no signal")
    view = _session(*DONE, bad)
    view = replace(view, status=view.status.model_copy(update={"parking_since": later(0)}))
    assert [one.key for one in decided(view, now=later(1)).next_attempts] == [PARK]
    late = decided(view, now=later(60))
    assert not late.next_attempts
    assert not late.settle_rows
    status = patch_of(late).status
    assert (status.phase, reason_of(status, ConditionType.NOT_PARKED)) == (Phase.COMPLETED, ("True", "Failed"))


def test_a_crash_while_parking_is_tried_again() -> None:
    view = _session(*DONE, row(PARK, status=RowStatus.RUNNING, claimed_by=None))
    parks = pod(view, PARK, terminated=terminated(1))
    (again,) = decided(view, pods=(parks,)).next_attempts
    assert (again.key, again.attempt) == (PARK, 1)


def test_a_step_called_parking_is_refused_beside_parking() -> None:
    steps = [{"name": "parking", "tasks": [{"task": "Rabi"}]}]
    decision = decide(observed(session(**{**PARKING, "steps": steps})))
    assert "give the step another name" in patch_of(decision).status.message
