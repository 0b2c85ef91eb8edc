"""A session's status: counts, steps, failures, and its size."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kubecal.api.request import Verdict
from kubecal.api.session_status import Phase, SessionStatus, TaskCounts
from kubecal.engine.attempts import State, TaskState
from kubecal.engine.model import Plan, TaskKey
from kubecal.engine.status import Standing, count_tasks, first_failures, session_status
from tests.unit.kubecal.engine.builders import NOON, chip, later, planned, recorded, row, session

STEPS = [{"name": "a", "tasks": [{"task": "Rabi"}, {"task": "T1"}]}, {"name": "b", "tasks": [{"task": "T1"}]}]
VIEW = recorded(session(steps=STEPS, targets={"qubits": ["0", "1"]}))
PLAN = planned(VIEW)


def _state(key: TaskKey, state: State, message: str = "", ended_s: float | None = None) -> TaskState:
    ended = row(key, ended_at=later(ended_s)) if ended_s is not None else None
    return TaskState(key, state, 1, ended, (), verdict=Verdict.NO_SIGNAL, message=message)


def _status(*, plan: Plan = PLAN, **states: State) -> SessionStatus:
    """The status with tasks in these states (Rabi_a_0=...); the others are ready."""
    found = {
        task.key: _state(task.key, states.get(f"{task.key.task}_{task.key.step}_{task.key.target}", State.READY))
        for task in plan.tasks
    }
    return session_status(VIEW, Standing(Phase.RUNNING, plan=plan, states=found), NOON)


def test_every_state_is_counted_once() -> None:
    states = [State.READY, State.RUNNING, State.ENDING, State.OK, State.FAILED, State.SKIPPED, State.CANCELLED]
    keys = [TaskKey("a", "T1", str(number), 0) for number in range(len(states))]
    found = {key: _state(key, state) for key, state in zip(keys, states, strict=True)}
    assert count_tasks(found) == TaskCounts(planned=7, running=2, succeeded=1, failed=1, skipped=1, cancelled=1)


@pytest.mark.parametrize(
    ("states", "progress", "phases", "out"),
    [
        ({}, "0/6", ["Waiting", "Waiting"], [0, 0]),
        ({"Rabi_a_0": State.RUNNING}, "0/6", ["Running", "Waiting"], [0, 0]),
        ({"Rabi_a_0": State.OK}, "1/6", ["Running", "Waiting"], [0, 0]),
        ({"Rabi_a_0": State.OK, "T1_a_0": State.OK}, "2/6", ["Running", "Waiting"], [1, 0]),
        ({"Rabi_a_0": State.OK, "T1_a_0": State.OK, "T1_b_0": State.RUNNING}, "2/6", ["Running", "Running"], [1, 0]),
        (
            {"Rabi_a_0": State.FAILED, "T1_a_0": State.SKIPPED, "Rabi_a_1": State.OK, "T1_a_1": State.CANCELLED},
            "4/6",
            ["Finished", "Waiting"],
            [0, 0],
        ),
    ],
)
def test_steps_and_progress_follow_the_tasks(
    states: dict[str, State], progress: str, phases: list[str], out: list[int]
) -> None:
    status = _status(**states)
    assert status.progress == progress
    assert [step.phase for step in status.steps] == phases
    assert [step.targets_out for step in status.steps] == out


def test_the_last_20_failures_are_shown_in_the_order_they_came() -> None:
    keys = [TaskKey("a", "T1", str(number), 0) for number in range(30)]
    states = {key: _state(key, State.FAILED, "flat" * 200, ended_s=100 - int(key.target)) for key in keys}
    shown = session_status(VIEW, Standing(Phase.RUNNING, states=states), NOON).failures
    assert [failure.target for failure in shown] == [str(number) for number in range(19, -1, -1)]
    assert {failure.verdict for failure in shown} == {"no_signal"}
    assert max(len(failure.message) for failure in shown) <= 300


def test_times_are_kept_once_they_stand() -> None:
    standing = Standing(Phase.RUNNING, started_at=NOON)
    first = session_status(VIEW, standing, NOON)
    again = session_status(replace(VIEW, record=None, status=first), Standing(Phase.CANCELLING), later(60))
    assert again.started_at == NOON
    assert again.execution_id == first.execution_id == "20261123-000"


def test_a_status_of_2_000_tasks_stays_below_64_kib() -> None:
    fridge = chip(topology={"squareLattice": {"rows": 32, "columns": 32}})
    steps = [{"name": f"step-{number}", "tasks": [{"task": "T1"}]} for number in range(2)]
    view = session(steps=steps, targets={"qubits": [str(number) for number in range(1000)]})
    plan = planned(view, fridge)
    states = {task.key: _state(task.key, State.FAILED, "x" * 5000, ended_s=0) for task in plan.tasks}
    status = session_status(view, Standing(Phase.FAILED, "y" * 9000, plan=plan, states=states), NOON)
    assert status.tasks.failed == 2000
    assert len(json.dumps(status.model_dump(mode="json", by_alias=True))) < 64 * 1024


@pytest.mark.parametrize(
    ("failed", "sentence"),
    [
        ([], ""),
        ([("2", "flat")], "failed on qubit 2: T1 on 2: flat"),
        ([("2", "")], "failed on qubit 2: T1 on 2: no_signal"),
        ([("10", "flat"), ("2", "noise")], "failed on qubit 2, 10: T1 on 10: flat, and 1 more"),
    ],
)
def test_the_message_says_what_failed(failed: list[tuple[str, str]], sentence: str) -> None:
    keys = [(TaskKey("a", "T1", target, 0), message) for target, message in failed]
    assert first_failures({key: _state(key, State.FAILED, message) for key, message in keys}) == sentence
