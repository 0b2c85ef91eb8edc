"""How long sessions take beside the shortest time in which anyone could run them.

    python -m tests.bench.makespan

The engine plans a session and says how it would go in virtual time, each task as long as it takes and every result good
enough for every filter; a test holds that against what its passes start. What no order can beat is said in `bound`.
Beside it stands what a barrier after each task, and a cap of ten at a time (of pairs where there are couplings), would
take.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kubecal.api.session import MAX_PLANNED
from kubecal.engine.forecast import forecast
from kubecal.engine.model import Plan, TaskKey
from kubecal.engine.plan import plan_session
from tests.bench.bound import bound
from tests.bench.figures import Figure, check
from tests.bench.lists import CATALOGUE, CHECK, FINE, Stage, calibration, full
from tests.unit.kubecal.engine.builders import chip, session

MOST = 1.05
PLAN_S = 2.0
FORECAST_S = 6.0
CAP = 10
_PLANNED_AGAIN = 3
_BOTH = (Stage("check", CHECK), Stage("fine", FINE))


@dataclass(frozen=True)
class Instance:
    """One session that is measured."""

    name: str
    side: int
    """Qubits along an edge of the square chip."""
    mode: str = "Isolated"
    stages: tuple[Stage, ...] = _BOTH
    spread: float = 0.0
    """Tasks take their estimate times a draw from [1 - spread, 1 + spread], which the engine does not know."""
    beside: bool = True
    """Whether barriers and a cap are shown beside it."""
    most: float = MOST
    why: str = "two neighbours, one after the other, fill the time"


_IN_FULL = "the pairs of one MUX, one after the other, fill the time after its qubits"
_ALL_ALIKE = "four MUXes with the same to do, each waits for the others; a search over orders comes to 1.00"
INSTANCES = (
    Instance("16 qubits", 4),
    Instance("64 qubits", 8),
    Instance("144 qubits", 12, beside=False),
    Instance("64 qubits, one of a MUX at a time", 8, mode="MuxSerial", why="four of a MUX fill the time"),
    Instance("64 qubits, all at once", 8, mode="Parallel", why="every chain runs without a pause"),
    Instance("16 qubits in full", 4, stages=full(), most=1.15, why=_ALL_ALIKE),
    Instance("64 qubits in full", 8, stages=full(), why=_IN_FULL),
    Instance("64 qubits in full, pairs all at once", 8, stages=full("Parallel"), why=_IN_FULL),
    Instance("64 qubits in full, times 20 % off", 8, spread=0.2, stages=full(), why=_IN_FULL),
    Instance("16 qubits, times 20 % off", 4, spread=0.2, beside=False),
    Instance("64 qubits, times 20 % off", 8, spread=0.2),
    Instance("64 qubits, times 40 % off", 8, spread=0.4, beside=False),
    Instance("144 qubits, times 20 % off", 12, spread=0.2, beside=False),
)


# ------------------------------------------------------------------ a session in virtual time


def planned(instance: Instance, *, barriers: bool = False, cap: int = 0) -> Plan:
    """The session of an instance."""
    view = session(steps=calibration(instance.stages, instance.mode, cap=cap, barriers=barriers))
    fridge = chip(topology=square(instance.side))
    if view.spec is None or fridge.spec is None:
        raise AssertionError("a session and a chip of ours have specs")
    plan = plan_session(view.spec, fridge.name, fridge.spec, CATALOGUE)
    if plan.problems:
        raise AssertionError(f"{instance.name}: {plan.problems}")
    return plan


def square(side: int) -> dict[str, Any]:
    """A topology as a Chip has it."""
    return {"squareLattice": {"rows": side, "columns": side, "muxSize": 4}}


def durations(plan: Plan, spread: float) -> Mapping[TaskKey, float]:
    """What each task takes, in seconds; the same for the same chains, however their steps are cut."""
    place = {(target, key): number for target, chain in plan.chains.items() for number, key in enumerate(chain)}

    def luck(key: TaskKey, target: str) -> float:
        return random.Random(f"20261123 {target} {place[target, key]}").uniform(-1, 1)

    return {task.key: task.duration_s * (1 + spread * luck(task.key, task.judged[0])) for task in plan.tasks}


# ------------------------------------------------------------------ figures


def figures() -> Iterator[Figure]:
    """Every instance, and how long the largest chip takes to be planned."""
    for instance in INSTANCES:
        yield from _figures_of(instance)
    yield from _planning()


def _figures_of(instance: Instance) -> Iterator[Figure]:
    plan = planned(instance)
    takes = durations(plan, instance.spread)
    shortest = bound(plan, takes)
    yield Figure(f"{instance.name}: longest chain", shortest.chain, "s")
    yield Figure(f"{instance.name}: heaviest clique", shortest.clique, "s")
    yield Figure(f"{instance.name}: fractional colouring", shortest.colouring, "s")
    least = shortest.most
    took = forecast(plan, takes).total_s
    yield Figure(f"{instance.name}: makespan over bound", took / least, "x", most=instance.most, why=instance.why)
    if not instance.beside:
        return
    behind = _otherwise(instance, barriers=True)
    yield Figure(f"{instance.name}: with a barrier after each task", behind / least, "x")
    capped = _otherwise(instance, cap=CAP)
    yield Figure(f"{instance.name}: with a cap of {CAP} tasks at a time", capped / least, "x")


def _otherwise(instance: Instance, *, barriers: bool = False, cap: int = 0) -> float:
    plan = planned(instance, barriers=barriers, cap=cap)
    return forecast(plan, durations(plan, instance.spread)).total_s


def _planning() -> Iterator[Figure]:
    """1,024 qubits through as many tasks as a session may have: planned, and forecast."""
    side, tasks = 32, (CHECK + FINE)[: MAX_PLANNED // 32**2]
    view = session(steps=calibration([Stage("all", tasks)], "Isolated"))
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
    yield Figure(name, max(took), "s", most=PLAN_S, why="a person waits for the verdict on a session")
    began = time.process_time()
    forecast(plan)
    name = f"forecast of {len(plan.tasks):,} tasks on {side**2:,} qubits (processor)"
    took_s = time.process_time() - began
    yield Figure(name, took_s, "s", most=FORECAST_S, why="each end is looked at by those that it can have let go alone")


if __name__ == "__main__":
    sys.exit(check(figures()))
