"""A step that analyses stored data anew: which attempts, as which tasks, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import StoredSource, Verdict
from kubecal.engine.admission import needs_facts
from kubecal.engine.decide import decide
from kubecal.engine.earlier import StoredAttempt
from kubecal.engine.model import AttemptRow, Plan, PlanFacts, RowStatus, SessionView, TaskKey, Trouble
from kubecal.engine.plan import plan_session
from kubecal.engine.request import build_request
from tests.unit.kubecal.engine.builders import (
    CATALOGUE,
    chip_spec,
    decided,
    held,
    observed,
    recorded,
    row,
    session,
    session_spec,
)

EXECUTION = "20261122-001"


def stored(task: str, target: str, attempt: int = 1, step: str = "check", **changes: Any) -> StoredAttempt:
    return StoredAttempt(EXECUTION, "uid-then", step, task, target, 0, attempt, **changes)


RABI_0, RABI_1, T1_0 = stored("Rabi", "0"), stored("Rabi", "1", attempt=2), stored("T1", "0")
MUX, CROSS = stored("Readout", "mux-0", members=("0", "1")), stored("Cross", "0-1")
ALL = (RABI_0, RABI_1, T1_0, MUX, CROSS)


def steps(publish: bool = False, tasks: Sequence[str] = ()) -> list[dict[str, Any]]:
    return [{"name": "again", "reanalyse": {"executionId": EXECUTION, "tasks": list(tasks), "publish": publish}}]


def facts(*attempts: StoredAttempt) -> PlanFacts:
    return PlanFacts(stored={EXECUTION: attempts})


def planned(found: PlanFacts, tasks: Sequence[str] = (), **spec: Any) -> Plan:
    body = {"targets": {"chip": True}, "steps": steps(tasks=tasks), **spec}
    return plan_session(session_spec(**body), "fridge-a", chip_spec(), CATALOGUE, found)


def sources(plan: Plan) -> list[StoredAttempt | None]:
    return [task.stored for task in plan.tasks]


def test_every_attempt_is_analysed_once_and_claims_nothing() -> None:
    plan = planned(facts(*ALL))
    assert plan.problems == ()
    assert sources(plan) == list(ALL)
    assert {task.wires for task in plan.tasks} == {()}
    assert [task.key for task in plan.tasks][:3] == [
        TaskKey("again", "Rabi", "0", 0),
        TaskKey("again", "Rabi", "1", 0),
        TaskKey("again", "T1", "0", 0),
    ]
    assert plan.by_key[TaskKey("again", "Readout", "mux-0", 0)].members == ("0", "1")
    assert plan.by_key[TaskKey("again", "Cross", "0-1", 0)].kind is TargetKind.COUPLING
    assert plan.ends == {"0-1": ("0", "1")}


def test_the_same_task_of_two_steps_is_told_apart_by_its_ordinal() -> None:
    plan = planned(facts(RABI_0, stored("Rabi", "0", step="fine")))
    assert [task.key.ordinal for task in plan.tasks] == [0, 1]


@pytest.mark.parametrize(
    ("targets", "chosen"),
    [
        ({"chip": True}, ALL),
        ({"all": True}, ALL),
        ({"qubits": ["0"]}, (RABI_0, T1_0)),
        ({"qubits": ["0", "1"]}, ALL),
        ({"couplings": {"ids": ["0-1"]}}, ALL),
    ],
)
def test_only_what_lies_within_the_sessions_targets_is_analysed(
    targets: dict[str, Any], chosen: Sequence[StoredAttempt]
) -> None:
    assert sources(planned(facts(*ALL), targets=targets)) == list(chosen)


def test_only_the_tasks_that_are_asked_for_are_analysed() -> None:
    assert sources(planned(facts(*ALL), tasks=["T1", "Readout"])) == [T1_0, MUX]


@pytest.mark.parametrize(
    ("found", "spec", "says"),
    [
        (PlanFacts(), {}, "this step was appended later: apply a session of its own"),
        (facts(RABI_0), {"tasks": ["T1"]}, "has no raw data of 'T1'"),
        (facts(stored("Mine", "0")), {}, "has raw data of Mine, which are not in the built-in image"),
        (facts(stored("Rabi", "99")), {}, "chip 'fridge-a' no longer has qubit 99"),
        (facts(RABI_1), {"targets": {"qubits": ["0"]}}, "has no raw data of the session's targets"),
    ],
)
def test_what_cannot_be_analysed_is_said(found: PlanFacts, spec: dict[str, Any], says: str) -> None:
    (problem,) = planned(found, **spec).problems
    assert problem.startswith("spec.steps[0].reanalyse")
    assert says in problem


def test_the_session_asks_for_what_is_stored_before_it_is_admitted() -> None:
    assert needs_facts(session_spec(steps=steps()))
    view = session(targets={"chip": True}, steps=steps())
    (look_up,) = decide(observed(view)).look_ups
    assert look_up.ref == view.ref


AGAIN = TaskKey("again", "Rabi", "0", 0)


def view_of(one: AttemptRow, step_publishes: bool = False, **spec: Any) -> SessionView:
    """A session that analyses the Rabi of qubit 0 anew, on record; Any: fields of its spec."""
    asked = session(targets={"qubits": ["0"]}, steps=steps(step_publishes), **spec)
    return recorded(asked, one, facts=facts(RABI_0), status="running")


@pytest.mark.parametrize(
    ("publish", "session_publishes", "published"),
    [
        (False, "OnSuccess", False),
        (True, "OnSuccess", True),
        (True, "Never", False),
        (True, "Review", False),
    ],
)
def test_its_pod_is_told_whose_data_it_analyses_and_publishes_only_if_the_step_says_so(
    publish: bool, session_publishes: str, published: bool
) -> None:
    (create,) = decide(held(view_of(row(AGAIN), publish, publish=session_publishes))).creates
    request = build_request(create)
    assert request.reanalyses == StoredSource(
        execution_id=EXECUTION, session_uid="uid-then", step="check", ordinal=0, attempt=1
    )
    assert request.source_row_id("0") != request.row_id("0")
    assert request.publish is published


def test_a_bad_verdict_on_stored_data_is_an_answer() -> None:
    judged = row(AGAIN, 1, RowStatus.FAILED, trouble=Trouble.VERDICT, verdict=Verdict.WINDOW)
    assert not decided(view_of(judged)).next_attempts


def test_a_crash_is_tried_again_as_any() -> None:
    crashed = row(AGAIN, 1, RowStatus.RUNNING, claimed_by="p1")
    assert [one.key for one in decided(view_of(crashed)).next_attempts] == [AGAIN]


def test_other_facts_are_another_plan() -> None:
    assert facts(RABI_0).mark != facts(RABI_1).mark
    assert facts(RABI_0).mark == facts(RABI_0).mark
