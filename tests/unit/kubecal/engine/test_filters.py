"""Which targets go on, and what becomes of a session when none does."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.api.conditions import ConditionType
from kubecal.api.session_status import Phase
from kubecal.engine.model import AttemptRow, RowStatus, SessionView, TaskKey
from tests.unit.kubecal.engine.builders import (
    chip,
    decided,
    nothing,
    patch_of,
    planned,
    reason_of,
    recorded,
    row,
    session,
)

GOOD = {"metric": "r2", "min": 0.9}


def filtered(*rows: AttemptRow, wanted: dict[str, Any] | None = None, **spec: Any) -> SessionView:
    steps = [
        {"name": "check", "tasks": [{"task": "Rabi"}], "schedule": {"mode": "Parallel"}},
        {"name": "good", "filter": wanted or GOOD},
        {"name": "fine", "tasks": [{"task": "T1"}], "schedule": {"mode": "Parallel"}},
    ]
    return recorded(session(steps=steps, targets={"qubits": ["0", "1"]}, **spec), *rows, status="running")


def rabi(qubit: str, r2: float | None, status: RowStatus = RowStatus.COMPLETED) -> AttemptRow:
    return row(TaskKey("check", "Rabi", qubit, 0), 1, status, numbers={} if r2 is None else {"r2": r2})


def t1(qubit: str) -> TaskKey:
    return TaskKey("fine", "T1", qubit, 0)


def test_who_passes_goes_on_and_who_does_not_is_left_out_without_having_failed() -> None:
    decision = decided(filtered(rabi("0", 0.95), rabi("1", 0.85), row(t1("0")), row(t1("1"))))
    assert [create.planned.key for create in decision.creates] == [t1("0")]
    (settled,) = decision.settle_rows
    assert (settled.key, settled.status, settled.reason) == (t1("1"), RowStatus.SKIPPED, "Filtered")
    assert settled.message == "filter good: r2 is 0.85, below 0.9"
    steps = {step.name: step for step in patch_of(decision).status.steps}
    assert list(steps) == ["check", "good", "fine"]
    assert (steps["good"].phase, steps["good"].targets_out) == ("Finished", 1)


def test_a_target_is_not_kept_waiting_by_the_others() -> None:
    decision = decided(filtered(rabi("0", 0.95), row(TaskKey("check", "Rabi", "1", 0)), row(t1("0")), row(t1("1"))))
    assert t1("0") in [create.planned.key for create in decision.creates]
    assert nothing(decision, "settle_rows")


@pytest.mark.parametrize(
    ("wanted", "value", "why"),
    [
        ({"metric": "r2", "min": 0.9}, 0.9, ""),
        ({"metric": "r2", "max": 0.9}, 0.9, ""),
        ({"metric": "r2", "max": 0.9}, 0.95, "r2 is 0.95, above 0.9"),
        ({"metric": "r2", "min": 0.1, "max": 0.2}, 0.15, ""),
        ({"metric": "r2", "min": 0.9}, None, "there is no r2"),
    ],
)
def test_bounds(wanted: dict[str, Any], value: float | None, why: str) -> None:
    decision = decided(filtered(rabi("0", value), rabi("1", value), row(t1("0")), row(t1("1")), wanted=wanted))
    assert [one.message for one in decision.settle_rows] == ([f"filter good: {why}"] * 2 if why else [])


def test_status_succeeded_lets_only_those_on_whose_tasks_all_were_ok() -> None:
    rows = (rabi("0", 0.9), rabi("1", 0.9, RowStatus.FAILED), row(t1("0")), row(t1("1")))
    view = filtered(*rows, wanted={"status": "Succeeded"}, onTargetFailure="Continue")
    decision = decided(view)
    assert [create.planned.key for create in decision.creates] == [t1("0")]
    assert [one.message for one in decision.settle_rows] == ["filter good: Rabi has not succeeded"]


def _ended(on_empty: str) -> SessionView:
    rows = (rabi("0", 0.1), rabi("1", 0.1), *(row(t1(qubit), 1, RowStatus.SKIPPED) for qubit in "01"))
    return filtered(*rows, wanted={**GOOD, "onEmpty": on_empty})


@pytest.mark.parametrize(
    ("on_empty", "phase", "reason"),
    [
        ("Stop", Phase.COMPLETED, "AllFiltered"),
        ("Skip", Phase.COMPLETED, "AllFiltered"),
        ("Fail", Phase.FAILED, "Failed"),
    ],
)
def test_a_session_none_of_whose_targets_passes(on_empty: str, phase: Phase, reason: str) -> None:
    status = patch_of(decided(_ended(on_empty))).status
    assert status.phase is phase
    assert reason_of(status, ConditionType.FINISHED) == ("True", reason)


@pytest.mark.parametrize(("on_empty", "goes_on"), [("Stop", False), ("Skip", True)])
def test_targets_that_come_later_go_on_where_only_what_depends_is_skipped(on_empty: str, goes_on: bool) -> None:
    steps = [
        {"name": "check", "tasks": [{"task": "Rabi"}], "targets": {"qubits": ["0"]}},
        {"name": "good", "filter": {**GOOD, "onEmpty": on_empty}},
        {"name": "fine", "tasks": [{"task": "T1"}]},
    ]
    view = session(steps=steps, targets={"qubits": ["0", "1"]})
    decision = decided(recorded(view, rabi("0", 0.1), row(t1("0")), row(t1("1")), status="running"))
    assert [create.planned.key for create in decision.creates] == ([t1("1")] if goes_on else [])


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        (["filter", "Rabi"], "no task comes before this filter"),
        (["Rabi", "filter"], "no task comes after this filter"),
        (["Rabi", "unknown", "T1"], "no task before gives 'fidelity'"),
        # No fit, no R2: every target would be dropped.
        (["T1", "filter", "Rabi"], "no task before gives 'r2'"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(steps: list[str], problem: str) -> None:
    filters = {"filter": GOOD, "unknown": {"metric": "fidelity", "min": 0.9}}
    bodies = [
        {"name": f"s{number}", "filter": filters[each]}
        if each in filters
        else {"name": f"s{number}", "tasks": [{"task": each}]}
        for number, each in enumerate(steps)
    ]
    (sentence,) = planned(session(steps=bodies), chip()).problems
    assert problem in sentence
