"""Who goes first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from kubecal.engine.attempts import State, TaskState
from kubecal.engine.model import TaskKey
from kubecal.engine.order import by_longest_chain, frontier
from tests.unit.kubecal.engine.builders import planned, session

STEPS = [
    {"name": "a", "tasks": [{"task": "Rabi"}, {"task": "T1"}]},
    {"name": "b", "tasks": [{"task": "T1"}], "targets": {"qubits": ["1", "2"]}},
]
PLAN = planned(session(steps=STEPS))
BY_KEY = {task.key: task for task in PLAN.tasks}


def _states(**ended: int) -> Mapping[TaskKey, TaskState]:
    """States of a plan in which so many tasks of each target have ended."""
    return {
        key: TaskState(key, State.OK if place < ended.get(f"q{target}", 0) else State.READY, 1, None, ())
        for target, chain in PLAN.chains.items()
        for place, key in enumerate(chain)
    }


def test_chains_go_through_the_steps_in_order() -> None:
    assert [(key.step, key.task) for key in PLAN.chains["1"]] == [("a", "Rabi"), ("a", "T1"), ("b", "T1")]
    assert [(key.step, key.task) for key in PLAN.chains["0"]] == [("a", "Rabi"), ("a", "T1")]


@pytest.mark.parametrize(
    ("ended", "heads"),
    [
        ({}, ["Rabi 0", "Rabi 1", "Rabi 2", "Rabi 3"]),
        ({"q0": 1, "q2": 2}, ["T1 0", "Rabi 1", "T1 2", "Rabi 3"]),
        ({"q0": 2, "q1": 3}, ["Rabi 2", "Rabi 3"]),
        ({"q0": 2, "q1": 3, "q2": 3, "q3": 2}, []),
    ],
)
def test_targets_flow_without_waiting_for_each_other(ended: dict[str, int], heads: list[str]) -> None:
    assert [f"{key.task} {key.target}" for key in frontier(PLAN, _states(**ended))] == heads


def test_the_longest_remaining_chain_goes_first_and_equals_as_planned() -> None:
    heads = frontier(PLAN, _states())
    assert [key.target for key in by_longest_chain(PLAN, BY_KEY, reversed(heads))] == ["1", "2", "0", "3"]


def test_what_was_done_does_not_count() -> None:
    heads = frontier(PLAN, _states(q1=2))
    # 1 has 10 s left, 2 has 40 s, 0 and 3 have 30 s.
    assert [key.target for key in by_longest_chain(PLAN, BY_KEY, heads)] == ["2", "0", "3", "1"]


def test_without_estimates_the_longer_chain_goes_first() -> None:
    instant = {key: replace(task, duration_s=0.0) for key, task in BY_KEY.items()}
    heads = frontier(PLAN, _states())
    assert [key.target for key in by_longest_chain(PLAN, instant, heads)] == ["1", "2", "0", "3"]
