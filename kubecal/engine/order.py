"""Who goes first: among tasks that may start, those at the head of the longest remaining chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kubecal.engine.attempts import TaskState
from kubecal.engine.model import Plan, PlannedTask, TaskKey


def frontier(plan: Plan, states: Mapping[TaskKey, TaskState]) -> list[TaskKey]:
    """The first task of every chain that has not ended; chains that are through have none."""
    found = []
    for chain in plan.chains.values():
        key = next((key for key in chain if not states[key].state.ended), None)
        if key is not None:
            found.append(key)
    return found


def closed_steps(plan: Plan, states: Mapping[TaskKey, TaskState]) -> frozenset[str]:
    """Steps behind a barrier that is still up: some target has not ended a task of a step before."""
    if not plan.barriers:
        return frozenset()
    unfinished = {key.step for key, state in states.items() if not state.state.ended}
    closed: set[str] = set()
    before = False
    for step in plan.steps:
        if before and step in plan.barriers:
            closed.add(step)
        before = before or step in unfinished
    return frozenset(closed)


def by_longest_chain(plan: Plan, planned: Mapping[TaskKey, PlannedTask], keys: Iterable[TaskKey]) -> list[TaskKey]:
    """Sort by what remains of the chain, longest first; equal ones in the plan's order."""
    remaining: dict[TaskKey, tuple[float, int]] = {}
    for chain in plan.chains.values():
        seconds = 0.0
        for count, key in enumerate(reversed(chain), 1):
            seconds += planned[key].duration_s
            remaining[key] = (seconds, count)
    place = {task.key: number for number, task in enumerate(plan.tasks)}
    return sorted(keys, key=lambda key: (-remaining[key][0], -remaining[key][1], place[key]))
