"""The plan of a session, and every reason why there is none."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.api.wires import wires_to_json
from kubecal.engine.model import Plan
from kubecal.engine.plan import plan_session
from tests.unit.kubecal.engine.builders import CATALOGUE, chip_spec, session_spec


def _plan(spec: dict[str, Any] | None = None, **chip: Any) -> Plan:
    return plan_session(session_spec(**(spec or {})), "fridge-a", chip_spec(**chip), CATALOGUE)


def _steps(*entries: dict[str, Any], **step: Any) -> list[dict[str, Any]]:
    return [{"name": "check", "tasks": list(entries), **step}]


def test_every_task_runs_on_every_target() -> None:
    plan = _plan()
    assert len(plan.tasks) == 8
    assert {target: len(chain) for target, chain in plan.chains.items()} == {"0": 2, "1": 2, "2": 2, "3": 2}
    assert sorted(key for chain in plan.chains.values() for key in chain) == sorted(task.key for task in plan.tasks)


def test_repeats_of_a_task_are_told_apart() -> None:
    plan = _plan({"steps": _steps({"task": "T1"}, {"task": "Rabi"}, {"task": "T1"}), "targets": {"qubits": ["0"]}})
    assert [(task.key.task, task.key.ordinal) for task in plan.tasks] == [("T1", 0), ("Rabi", 0), ("T1", 1)]


@pytest.mark.parametrize(
    ("entry", "deadlines", "timeout_s"),
    [
        ({}, {}, 900.0),
        ({}, {"taskSeconds": 300}, 300.0),
        ({"timeoutSeconds": 60}, {"taskSeconds": 300}, 60.0),
        ({"timeoutSeconds": 60}, {}, 60.0),
    ],
)
def test_a_timeout_is_the_entrys_then_the_sessions_then_the_tasks(
    entry: dict[str, Any], deadlines: dict[str, Any], timeout_s: float
) -> None:
    plan = _plan({"steps": _steps({"task": "T1", **entry}), "deadlines": deadlines})
    assert {task.timeout_s for task in plan.tasks} == {timeout_s}


@pytest.mark.parametrize(
    ("task", "entry", "threshold"),
    [("Rabi", {}, 0.6), ("Rabi", {"r2Threshold": 0.9}, 0.9), ("Rabi", {"r2Threshold": 0}, 0.0), ("T1", {}, None)],
)
def test_the_gate_is_the_entrys_then_the_tasks(task: str, entry: dict[str, Any], threshold: float | None) -> None:
    plan = _plan({"steps": _steps({"task": task, **entry})})
    assert {one.r2_threshold for one in plan.tasks} == {threshold}


def test_a_task_that_only_computes_claims_nothing() -> None:
    plan = _plan({"steps": _steps({"task": "Compute"}, {"task": "T1"}, schedule={"mode": "Serial"})})
    claims = {task.key.task: wires_to_json(task.wires) for task in plan.tasks if task.key.target == "0"}
    assert claims == {"Compute": "[]", "T1": '[["S","mux","0"],["X","chip",""],["X","qubit","0"]]'}


def test_a_step_narrows_the_sessions_targets() -> None:
    steps = [
        {"name": "a", "tasks": [{"task": "Rabi"}]},
        {"name": "b", "tasks": [{"task": "T1"}], "targets": {"all": True, "exclude": {"qubits": ["1"]}}},
    ]
    plan = _plan({"steps": steps, "targets": {"qubits": ["1", "2"]}})
    assert {target: [key.step for key in chain] for target, chain in plan.chains.items()} == {
        "1": ["a"],
        "2": ["a", "b"],
    }


OUTSIDE = {"targets": {"qubits": ["0"]}, "steps": _steps({"task": "T1"}, targets={"qubits": ["1"]})}
APART = {
    "targets": {"qubits": ["0"]},
    "steps": _steps({"task": "T1"}, targets={"all": True, "exclude": {"qubits": ["0"]}}),
}


@pytest.mark.parametrize(
    ("spec", "chip", "sentence"),
    [
        ({"steps": _steps({"task": "Rab"})}, {}, "spec.steps[0].tasks[0]: there is no task 'Rab': did you mean Rabi?"),
        ({"steps": _steps({"task": "T1", "r2Threshold": 0.5})}, {}, "T1 has no R2 gate: remove it"),
        ({"priority": 11}, {}, "spec.priority is 11, chip 'fridge-a' allows at most 10: lower it"),
        ({"priority": 3}, {"limits": {"maxPriority": 2}}, "allows at most 2"),
        ({"deadlines": {"sessionSeconds": 60}}, {"limits": {"maxSessionSeconds": 30}}, "sessionSeconds is 60"),
        (OUTSIDE, {}, "spec.steps[0].targets names qubit 1, which spec.targets leaves out"),
        (APART, {}, "spec.steps[0].targets has no qubit in common with spec.targets"),
        ({"targets": {"qubits": ["4"]}}, {}, "has no qubit '4' (it has 0...3): correct spec.targets"),
        ({}, {"backend": {"name": "fak"}}, "there is no backend 'fak': did you mean fake?"),
        ({}, {"backend": {"name": "fake", "config": {"sed": 1}}}, "Chip.spec.backend.config.sed: there is no such"),
        ({}, {"disabled": {"qubits": ["4"]}}, "Chip.spec.disabled.qubits: there is no qubit '4'"),
    ],
)
def test_what_cannot_be_planned_is_said_and_has_no_tasks(
    spec: dict[str, Any], chip: dict[str, Any], sentence: str
) -> None:
    plan = _plan(spec, **chip)
    assert [problem for problem in plan.problems if sentence in problem], plan.problems
    assert (plan.tasks, dict(plan.chains)) == ((), {})


def test_all_problems_are_said_at_once_but_not_without_end() -> None:
    plan = _plan({"steps": _steps(*({"task": f"T{number}"} for number in range(20, 50)))})
    assert len(plan.problems) == 10


def test_a_problem_is_said_once() -> None:
    steps = [{"name": name, "tasks": [{"task": "T1"}]} for name in "abc"]
    assert len(_plan({"steps": steps, "targets": {"qubits": ["4"]}}).problems) == 1


def test_a_plan_has_at_most_20_000_tasks() -> None:
    lattice = {"squareLattice": {"rows": 32, "columns": 32}}
    entries = [{"task": "T1"}] * 20
    (problem,) = _plan({"steps": _steps(*entries)}, topology=lattice).problems
    assert "20480 tasks, more than 20000" in problem
    assert len(_plan({"steps": _steps(*entries[:19])}, topology=lattice).tasks) == 19 * 1024
