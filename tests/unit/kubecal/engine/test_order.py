"""Who goes first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from kubecal.engine.attempts import State, TaskState
from kubecal.engine.model import Plan, TaskKey
from kubecal.engine.order import by_heaviest_claims, frontier, lanes_open
from tests.unit.kubecal.engine.builders import chip, planned, session

STEPS = [
    {"name": "a", "tasks": [{"task": "Rabi"}, {"task": "T1"}]},
    {"name": "b", "tasks": [{"task": "T1"}], "targets": {"qubits": ["1", "2"]}},
]
PLAN = planned(session(steps=STEPS))


def _states(**ended: int) -> Mapping[TaskKey, TaskState]:
    """States of a plan in which so many tasks of each target have ended."""
    return {
        key: TaskState(key, State.OK if place < ended.get(f"q{target}", 0) else State.READY, 1, None, ())
        for target, chain in PLAN.chains.items()
        for place, key in enumerate(chain)
    }


def _heads(plan: Plan, states: Mapping[TaskKey, TaskState]) -> list[TaskKey]:
    return frontier(plan, states, lanes_open(plan.tasks, states))


def test_chains_go_through_the_steps_in_order() -> None:
    assert [(key.step, key.task) for key in PLAN.chains["1"]] == [("a", "Rabi"), ("a", "T1"), ("b", "T1")]
    assert [(key.step, key.task) for key in PLAN.chains["0"]] == [("a", "Rabi"), ("a", "T1")]


@pytest.mark.parametrize(
    ("ended", "heads"),
    [
        ({}, ["Rabi 0", "Rabi 1", "Rabi 2", "Rabi 3"]),
        ({"q0": 1, "q2": 2}, ["Rabi 1", "Rabi 3", "T1 0", "T1 2"]),
        ({"q0": 2, "q1": 3}, ["Rabi 2", "Rabi 3"]),
        ({"q0": 2, "q1": 3, "q2": 3, "q3": 2}, []),
    ],
)
def test_targets_flow_without_waiting_for_each_other(ended: dict[str, int], heads: list[str]) -> None:
    assert [f"{key.task} {key.target}" for key in _heads(PLAN, _states(**ended))] == heads


def _order(plan: Plan, states: Mapping[TaskKey, TaskState]) -> list[str]:
    planned_by_key = {task.key: task for task in plan.tasks}
    return [key.target for key in by_heaviest_claims(plan, planned_by_key, reversed(_heads(plan, states)))]


def test_the_longest_remaining_chain_goes_first_and_equals_as_planned() -> None:
    assert _order(PLAN, _states()) == ["1", "2", "0", "3"]


def test_what_was_done_does_not_count() -> None:
    # 1 has 10 s left, 2 has 40 s, 0 and 3 have 30 s.
    assert _order(PLAN, _states(q1=2)) == ["2", "0", "3", "1"]


def test_without_estimates_the_longer_chain_goes_first() -> None:
    instant = replace(PLAN, tasks=tuple(replace(task, duration_s=0.0) for task in PLAN.tasks))
    assert _order(instant, _states()) == ["1", "2", "0", "3"]


@pytest.mark.parametrize(
    ("mode", "ended", "order"),
    [
        # On the square 0 1 / 2 3 each is beside two: 3 has 70 s to come with 1, its own 30 included.
        ("Isolated", {}, ["1", "2", "0", "3"]),
        # 1 is through with its first task: with 0 or 3 it still has 50 s to come, 2 with either has 70 s.
        ("Isolated", {"q1": 1}, ["2", "0", "3", "1"]),
        # The MUX is needed by all four: what each has left itself decides.
        ("MuxSerial", {"q1": 1, "q2": 2}, ["0", "3", "1", "2"]),
        ("Serial", {"q0": 1}, ["1", "2", "3", "0"]),
    ],
)
def test_who_is_next_to_the_most_work_goes_first(mode: str, ended: dict[str, int], order: list[str]) -> None:
    steps = [{**step, "schedule": {"mode": mode}} for step in STEPS]
    assert _order(planned(session(steps=steps)), _states(**ended)) == order


def test_one_beside_much_work_goes_before_one_that_nobody_waits_for() -> None:
    row = chip(topology={"squareLattice": {"rows": 1, "columns": 4, "muxSize": 1}})
    steps = [{"name": "a", "tasks": [{"task": "Rabi"}, {"task": "T1"}], "schedule": {"mode": "Isolated"}}]
    plan = planned(session(steps=steps), row)
    through = {*plan.chains["1"], plan.chains["2"][0]}
    states = {key: TaskState(key, State.OK if key in through else State.READY, 1, None, ()) for key in plan.remaining}
    # 0 has 30 s left and is alone; 2 has 10 s left, and 3 with its 30 s cannot run beside it.
    assert _order(plan, states) == ["3", "2", "0"]


def test_of_equals_one_that_two_others_wait_for_goes_before_one_that_a_single_one_waits_for() -> None:
    row = chip(topology={"squareLattice": {"rows": 1, "columns": 4, "muxSize": 1}})
    steps = [{"name": "a", "tasks": [{"task": "T1"}], "schedule": {"mode": "Isolated"}}]
    plan = planned(session(steps=steps), row)
    states = {key: TaskState(key, State.READY, 1, None, ()) for key in plan.remaining}
    # Between any two neighbours there is as much to do; 1 and 2 have two of them.
    assert _order(plan, states) == ["1", "2", "0", "3"]
