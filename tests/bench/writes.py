"""How much a task asks of the API server and of the database.

    python -m tests.bench.writes [--seconds 5]

A session of 64 qubits x 10 tasks, as many at a time as may be, and a short one of the same tasks one after the other.
Writes are those the API server's audit log has of the operator's account, its Lease aside; round trips are counted by
proxies before the database, one for the operator and one for the tasks, whose claims and results the simulator stores
with the code of the task image.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from tests.bench.field import checked, field, processor_s
from tests.bench.figures import Figure
from tests.bench.makespan import square
from tests.bench.trips import CountingProxy
from tests.controller.lab import Lab
from tests.controller.podsim import Play, PodSimulator

WRITES, TRIPS = 1.5, 5.0
_TASKS = ("CheckRabi", "CreateHPIPulse", "CheckHPIPulse", "CheckT1", "CheckT2Echo") * 2
_READS = ("get", "list", "watch")
_AWAY_S = 250.0


@dataclass(frozen=True)
class Shape:
    """A session that is measured."""

    name: str
    side: int
    qubits: int
    mode: str
    limited: bool
    """Whether its figures have ranges."""

    @property
    def tasks(self) -> int:
        """How many it has."""
        return self.qubits * len(_TASKS)


SHAPES = (
    Shape("side-by-side", 8, 64, "Parallel", limited=True),
    Shape("one-by-one", 2, 1, "Serial", limited=False),
)


async def figures(seconds: float) -> AsyncIterator[Figure]:
    """Both sessions, one after the other."""
    async with field() as lab, CountingProxy(lab.mongodb_uri) as ours, CountingProxy(lab.mongodb_uri) as theirs:
        direct, lab.mongodb_uri = lab.mongodb_uri, ours.uri
        operator = lab.start_operator()
        lab.mongodb_uri = direct
        async with PodSimulator(lab.api, lab.namespace, theirs.uri, lambda request: Play(seconds=seconds)) as simulator:
            for shape in SHAPES:
                position, before = lab.control_plane.audit_position(), processor_s(operator.process.pid)
                ours.commands.clear()
                theirs.commands.clear()
                await _run(lab, shape)
                busy = processor_s(operator.process.pid) - before
                for figure in _counted(lab, shape, position, ours.commands, theirs.commands):
                    yield figure
                yield Figure(f"{shape.name}: operator's processor time a task", 1e3 * busy / shape.tasks, "ms")
        if simulator.clashes:
            raise AssertionError(f"two pods on one line: {simulator.clashes[:3]}")


async def _run(lab: Lab, shape: Shape) -> None:
    await lab.apply_chip(shape.name, topology=square(shape.side))
    step: dict[str, Any] = {"name": "all", "tasks": [{"task": task} for task in _TASKS]}
    targets = {"qubits": [str(number) for number in range(shape.qubits)]}
    await lab.apply_session(
        shape.name, chip=shape.name, targets=targets, steps=[{**step, "schedule": {"mode": shape.mode}}]
    )
    status = await lab.phase("Completed", name=shape.name, timeout_s=_AWAY_S)
    if status["progress"] != f"{shape.tasks}/{shape.tasks}":
        raise AssertionError(f"{shape.name} ended with {status['progress']} of {shape.tasks} tasks")


def _counted(lab: Lab, shape: Shape, position: int, ours: Counter[str], theirs: Counter[str]) -> list[Figure]:
    writes = Counter(
        f"{event.verb} {event.resource}{'/' * bool(event.subresource)}{event.subresource}"
        for event in lab.control_plane.audit_events(position)
        if event.user.endswith(":kubecal-operator") and event.verb not in _READS and event.resource != "leases"
    )
    print(f"{shape.name}: {_most(writes)}; database: operator {_most(ours)}, tasks {_most(theirs)}")
    if writes["create pods"] < shape.tasks:
        raise AssertionError(f"the audit log has {writes['create pods']} pods of {shape.tasks} tasks")
    limits = {"writes": WRITES, "trips": TRIPS} if shape.limited else {}
    found = sum(writes.values()) / shape.tasks
    trips = (sum(ours.values()) + sum(theirs.values())) / shape.tasks
    none = float("inf")
    why = "the pod itself, and a status of many at once"
    return [
        Figure(f"{shape.name}: API writes a task", found, most=limits.get("writes", none), why=why * shape.limited),
        Figure(
            f"{shape.name}: database round trips a task, files aside",
            trips,
            most=limits.get("trips", none),
            why="claim, inputs, result and its commit; the operator reads many at once" * shape.limited,
        ),
        Figure(f"{shape.name}: of these the operator's", sum(ours.values()) / shape.tasks),
    ]


def _most(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.most_common()) or "nothing"


def main() -> int:
    """Both sessions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each task measures")
    options = parser.parse_args()
    return checked(lambda: figures(options.seconds))


if __name__ == "__main__":
    sys.exit(main())
