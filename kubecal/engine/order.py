"""Who goes first: among tasks that may start, those whose wires are needed for longest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kubecal.api.wires import WireKind, WireMode
from kubecal.engine.attempts import TaskState
from kubecal.engine.lanes import Open
from kubecal.engine.model import Plan, PlannedTask, TaskKey


def frontier(plan: Plan, states: Mapping[TaskKey, TaskState], reached: Open[TaskKey]) -> list[TaskKey]:
    """Tasks that have not ended, and for which everything before them has, in the plan's order."""
    return [task.key for task in plan.tasks if reached.met(task.standing.needs) and not states[task.key].state.ended]


def lanes_open(tasks: Iterable[PlannedTask], states: Mapping[TaskKey, TaskState]) -> Open[TaskKey]:
    """How far each lane is done. A qubit on which a MUX or batch task has ended need not wait for the others."""
    found: Open[TaskKey] = Open()
    for task in tasks:
        state = states[task.key]
        if not state.state.ended:
            members = state.members
            found.add(task.key, task.standing, [one for one in members if members[one].ended] if members else ())
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


def missing_at(plan: Plan, states: Mapping[TaskKey, TaskState], step: str) -> list[str]:
    """Targets that have not ended a task of a step before this one, in the plan's order."""
    before = set(plan.steps[: plan.steps.index(step)])
    found = (state for key, state in states.items() if key.step in before and not state.state.ended)
    return list(dict.fromkeys(target for state in found for target in state.targets if not state.on(target).ended))


def by_heaviest_claims(plan: Plan, planned: Mapping[TaskKey, PlannedTask], heads: Iterable[TaskKey]) -> list[TaskKey]:
    """Sort heads of chains, given all of them, by how long the busiest of their wires is still needed, longest first.

    What remains of a way alone would let two neighbours that exclude each other take turns: whoever is behind goes
    next, and those around both wait for every turn. Whoever is next to the most work goes on until it is done, and
    the session then takes no longer than that work does. Of equals whoever holds the most that others need goes first:
    a pair between two MUXes wants both free at once, and left for later it finds one of them busy each time. Without
    anything shared this is the longest chain first.
    """
    heads = list(heads)
    exclusive: dict[tuple[WireKind, str], float] = {}
    shared: dict[tuple[WireKind, str], float] = {}
    for key in heads:
        seconds, _ = plan.remaining[key]
        for wire in planned[key].wires:
            at = (wire.kind, wire.id)
            if wire.mode is WireMode.EXCLUSIVE:
                exclusive[at] = exclusive.get(at, 0.0) + seconds
            else:
                # Those that share a wire need it at the same time.
                shared[at] = max(shared.get(at, 0.0), seconds)

    def needed_s(key: TaskKey, own: float) -> list[float]:
        """How long each wire of a task is still needed; at least what remains of its own way."""
        found = []
        for wire in planned[key].wires:
            at = (wire.kind, wire.id)
            alone = wire.mode is WireMode.EXCLUSIVE
            found.append(max(own, exclusive.get(at, 0.0) + (shared.get(at, 0.0) if alone else own)))
        return found or [own]

    def rank(key: TaskKey) -> tuple[float, float, float, int, int]:
        seconds, tasks = plan.remaining[key]
        needed = needed_s(key, seconds)
        return (-max(needed), -sum(needed), -seconds, -tasks, plan.places[key])

    return sorted(heads, key=rank)
