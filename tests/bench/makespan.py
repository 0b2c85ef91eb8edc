"""How long sessions take beside the shortest time in which anyone could run them.

    python -m tests.bench.makespan

The engine plans a session and orders its tasks; here its pods are processes in virtual time, each as long as its task
takes. No order can be quicker than the longest chain of one target, nor than a set of tasks any two of which share a
wire (the heaviest clique). Beside it stands what a barrier after each task, and a cap of ten at a time, would take.
"""

from __future__ import annotations

import heapq
import random
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import combinations
from typing import Any

from kubecal.api.session import MAX_PLANNED
from kubecal.api.wires import Wire, conflicts
from kubecal.engine.attempts import State, TaskState
from kubecal.engine.claims import HeldWires
from kubecal.engine.draft import Draft
from kubecal.engine.intents import CreatePod
from kubecal.engine.model import Plan, SessionRecord
from kubecal.engine.plan import plan_session
from kubecal.engine.running import Running, Skipped
from kubecal.engine.starting import start_tasks
from tests.bench.figures import Figure, check
from tests.bench.lists import CATALOGUE, CHECK, FINE, steps
from tests.unit.kubecal.engine.builders import NOON, chip, observed, session

MOST = 1.05
PLAN_S = 2.0
CAP = 10
_SAME_S = 1e-9
"""Sums of the same durations in another order."""
_PLANNED_AGAIN = 3
_BOTH = (("check", CHECK), ("fine", FINE))
Node = tuple[str, str]
"""A target in a step."""
Place = tuple[str, int]
"""A target and how many tasks come before: names a task however its steps are cut."""


@dataclass(frozen=True)
class Instance:
    """One session that is measured."""

    name: str
    side: int
    """Qubits along an edge of the square chip."""
    mode: str = "Isolated"
    spread: float = 0.0
    """Tasks take their estimate times a draw from [1 - spread, 1 + spread], which the engine does not know."""
    beside: bool = True
    """Whether barriers and a cap are shown beside it."""
    most: float = MOST
    why: str = "two neighbours, one after the other, fill the time"


INSTANCES = (
    Instance("16 qubits", 4),
    Instance("64 qubits", 8),
    Instance("144 qubits", 12, beside=False),
    Instance("64 qubits, one of a MUX at a time", 8, mode="MuxSerial", why="four of a MUX fill the time"),
    Instance("64 qubits, all at once", 8, mode="Parallel", why="every chain runs without a pause"),
    Instance("16 qubits, times 20 % off", 4, spread=0.2, beside=False),
    Instance("64 qubits, times 20 % off", 8, spread=0.2),
    Instance("64 qubits, times 40 % off", 8, spread=0.4, beside=False),
    Instance("144 qubits, times 20 % off", 12, spread=0.2, beside=False),
)


# ------------------------------------------------------------------ a session in virtual time


def running(instance: Instance, *, barriers: bool = False, cap: int = 0) -> Running:
    """The session of an instance as it is when it gets its chip."""
    schedule: dict[str, Any] = {"mode": instance.mode, "maxParallel": cap}
    view = session(steps=steps(_BOTH, schedule, barriers=barriers))
    fridge = chip(topology=square(instance.side))
    if view.spec is None or fridge.spec is None:
        raise AssertionError("a session and a chip of ours have specs")
    plan = plan_session(view.spec, fridge.name, fridge.spec, CATALOGUE)
    if plan.problems:
        raise AssertionError(f"{instance.name}: {plan.problems}")
    record = SessionRecord("20261123-000", fridge.spec, 1, CATALOGUE.hash, "kubecal/tasks:1", "running", ())
    states = {task.key: TaskState(task.key, State.READY, 1, None, ()) for task in plan.tasks}
    planned = {task.key: task for task in plan.tasks}
    seen = observed(view, chips=[fridge], catalogue=CATALOGUE)
    return Running(view, view.spec, record, fridge, plan, planned, states, (), seen)


def square(side: int) -> dict[str, Any]:
    """A topology as a Chip has it."""
    return {"squareLattice": {"rows": side, "columns": side, "muxSize": 4}}


def durations(plan: Plan, spread: float) -> Mapping[Place, float]:
    """What each task takes, in seconds; the same for the same chains."""
    draw = random.Random(20261123)
    estimates = {task.key: task.duration_s for task in plan.tasks}
    return {
        (target, number): estimates[key] * (1 + spread * draw.uniform(-1, 1))
        for target, chain in plan.chains.items()
        for number, key in enumerate(chain)
    }


def makespan(run: Running, takes: Mapping[Place, float]) -> float:
    """Seconds from the first start to the last end, tasks started by the engine's own policy."""
    states = dict(run.states)
    places = {key: (target, number) for target, chain in run.plan.chains.items() for number, key in enumerate(chain)}
    under_way: list[tuple[float, Place, CreatePod]] = []
    now = 0.0
    while True:
        draft, held = Draft(), HeldWires()
        for _, _, create in under_way:
            held.take(create.pod_name, create.planned.wires)
        at = replace(run.observed, now=NOON + timedelta(seconds=now))
        start_tasks(replace(run, states=states, observed=at), Skipped(), held, draft)
        for create in draft.decision().creates:
            key = create.planned.key
            states[key] = replace(states[key], state=State.RUNNING)
            heapq.heappush(under_way, (now + takes[places[key]], places[key], create))
        if not under_way:
            break
        now = under_way[0][0]
        while under_way and under_way[0][0] <= now + _SAME_S:
            key = heapq.heappop(under_way)[2].planned.key
            states[key] = replace(states[key], state=State.OK)
    left = [key for key, state in states.items() if not state.state.ended]
    if left:
        raise AssertionError(f"{len(left)} tasks never started, among them {left[0]}")
    return now


# ------------------------------------------------------------------ what no order can beat


def bound(plan: Plan, takes: Mapping[Place, float]) -> float:
    """The longest chain or the heaviest clique, whichever is longer."""
    chains = max(sum(takes[target, number] for number in range(len(keys))) for target, keys in plan.chains.items())
    return max(chains, heaviest_clique(*_shared(plan, takes)))


def _shared(plan: Plan, takes: Mapping[Place, float]) -> tuple[dict[Node, float], dict[Node, set[Node]]]:
    """Targets in steps with the time they hold wires, and which of them never run side by side."""
    wires_of = {task.key: task.wires for task in plan.tasks}
    weights: dict[Node, float] = {}
    wires: dict[Node, tuple[Wire, ...]] = {}
    for target, chain in plan.chains.items():
        for number, key in enumerate(chain):
            if wires_of[key]:
                node = (target, key.step)
                weights[node] = weights.get(node, 0.0) + takes[target, number]
                wires[node] = wires_of[key]
    near: dict[Node, set[Node]] = {node: set() for node in weights}
    for one, other in combinations(weights, 2):
        if conflicts(wires[one], wires[other]):
            near[one].add(other)
            near[other].add(one)
    return weights, near


def heaviest_clique(weights: Mapping[Node, float], near: Mapping[Node, set[Node]]) -> float:
    """The weight of the heaviest set of nodes any two of which are neighbours (Bron and Kerbosch, with a pivot)."""
    best = 0.0

    def grow(weight: float, candidates: set[Node], seen: set[Node]) -> None:
        nonlocal best
        if not candidates and not seen:
            best = max(best, weight)
            return
        pivot = max(candidates | seen, key=lambda node: len(near[node] & candidates))
        for node in candidates - near[pivot]:
            grow(weight + weights[node], candidates & near[node], seen & near[node])
            candidates.discard(node)
            seen.add(node)

    grow(0.0, set(weights), set())
    return best


# ------------------------------------------------------------------ figures


def figures() -> Iterator[Figure]:
    """Every instance, and how long the largest chip takes to be planned."""
    for instance in INSTANCES:
        yield from _figures_of(instance)
    yield _planning()


def _figures_of(instance: Instance) -> Iterator[Figure]:
    run = running(instance)
    takes = durations(run.plan, instance.spread)
    least = bound(run.plan, takes)
    yield Figure(f"{instance.name}: bound", least, "s")
    took = makespan(run, takes)
    yield Figure(f"{instance.name}: makespan over bound", took / least, "x", most=instance.most, why=instance.why)
    if not instance.beside:
        return
    behind = makespan(running(instance, barriers=True), takes)
    yield Figure(f"{instance.name}: with a barrier after each task", behind / least, "x")
    capped = makespan(running(instance, cap=CAP), takes)
    yield Figure(f"{instance.name}: with a cap of {CAP} tasks at a time", capped / least, "x")


def _planning() -> Figure:
    """1,024 qubits through as many tasks as a session may have."""
    side, tasks = 32, (CHECK + FINE)[: MAX_PLANNED // 32**2]
    view = session(steps=steps([("all", tasks)], {"mode": "Isolated"}))
    fridge = chip(topology=square(side))
    if view.spec is None or fridge.spec is None:
        raise AssertionError("a session and a chip of ours have specs")
    took = []
    for _ in range(_PLANNED_AGAIN):
        began = time.process_time()
        plan = plan_session(view.spec, fridge.name, fridge.spec, CATALOGUE)
        took.append(time.process_time() - began)
    if len(plan.tasks) != side**2 * len(tasks):
        raise AssertionError(f"{len(plan.tasks)} tasks planned, not {side**2 * len(tasks)}: {plan.problems}")
    name = f"plan of {len(plan.tasks):,} tasks on {side**2:,} qubits (processor)"
    return Figure(name, max(took), "s", most=PLAN_S, why="a person waits for the verdict on a session")


if __name__ == "__main__":
    sys.exit(check(figures()))
