"""How long one pass of the engine takes: a session of 2,000 tasks with 1,000 live pods.

Run it as ``python -m tests.bench.decide``; it fails when a pass takes longer than its limit. Scenes differ in what
has just happened, since what is done about it costs more than looking at it. What counts is the processor's time: the
engine waits for nothing, and other programs on the computer say nothing about it.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from kubecal.api.session_status import SessionStatus
from kubecal.engine.decide import decide
from kubecal.engine.model import Observed, PlannedTask, PodView, SessionView
from tests.unit.kubecal.engine.builders import (
    chip,
    held,
    later,
    planned,
    pod,
    receipt,
    recorded,
    row,
    session,
    terminated,
)

QUBITS, LIVE = 1_000, 1_000
LIMIT_MS = 50.0
"""Leaves the p50 of 5 ms from a task's end to the next pod to be reached with smaller sessions, and p99 of 50 ms
with this one."""
REPEATS = 15


@dataclass(frozen=True)
class Scene:
    """One observation to decide on."""

    name: str
    observed: Observed
    creates: int
    """How many pods the pass must ask for: a pass that does nothing is quick for the wrong reason."""


@dataclass(frozen=True)
class Timing:
    """What passes over one scene took."""

    name: str
    first_ms: float
    """With nothing remembered: the plan is made."""
    median_ms: float
    worst_ms: float


def scenes() -> Iterator[Scene]:
    """Everything that is measured."""
    yield _scene("all run", ended=0)
    yield _scene("one has ended", ended=1)
    yield _scene("all have ended at once", ended=LIVE)
    yield _scene("nothing runs yet", ended=0, live=0)
    yield _scene("neighbours wait for each other", ended=0, live=0, schedule={"mode": "Isolated"})
    yield _scene("half run, half wait for them", ended=0, live=LIVE // 2, schedule={"maxParallel": LIVE // 2})
    yield _scene("cancelling", ended=0, cancel=True)


def _scene(name: str, *, ended: int, live: int = LIVE, schedule: dict[str, Any] | None = None, **spec: Any) -> Scene:
    topology = {"squareLattice": {"rows": 32, "columns": 32, "muxSize": 4}}
    steps = [
        {
            "name": "check",
            "tasks": [{"task": "Rabi"}, {"task": "T1"}],
            "schedule": {"mode": "Parallel", **(schedule or {})},
        }
    ]
    targets = {"qubits": [str(number) for number in range(QUBITS)]}
    view = session(name.replace(" ", "-"), targets=targets, steps=steps, **spec)
    fridge = chip(topology=topology)
    tasks = planned(view, fridge).tasks
    rows = (row(task.key, wires=task.wires) for task in tasks)
    view = recorded(view, *rows, on=fridge, status="running")
    pods = tuple(_pod(view, task, number < ended) for number, task in enumerate(tasks[:live]))
    observed = held(view, chips=[chip(held_by=[view], topology=topology)], pods=pods)
    return _shown(Scene(name, observed, _expected(live, ended, schedule, spec)))


def _pod(view: SessionView, task: PlannedTask, ended: bool) -> PodView:
    end = terminated(0, outcome=receipt(view, task.key)) if ended else None
    return pod(view, task.key, wires=task.wires, terminated=end)


def _expected(live: int, ended: int, schedule: dict[str, Any] | None, spec: dict[str, Any]) -> int:
    if spec.get("cancel"):
        return 0
    if schedule and "maxParallel" in schedule:
        return 0
    if schedule:
        # Every second qubit of the lattice: no two neighbours.
        return QUBITS // 2
    return QUBITS - live + ended


def _shown(scene: Scene) -> Scene:
    """With the status of the pass before, as it stands on the object in the midst of a session."""
    (view,) = scene.observed.sessions
    patches = decide(replace(scene.observed, pods=())).status_patches
    status = patches[0].status if patches else SessionStatus()
    return replace(scene, observed=replace(scene.observed, sessions=(replace(view, status=status),)))


def measure(scene: Scene, repeats: int = REPEATS) -> Timing:
    """Decide again and again, at other times, as a driver does.

    Raises
    ------
    AssertionError
        If a pass does not ask for what it should.
    """
    took = []
    for number in range(repeats + 1):
        observed = replace(scene.observed, now=later(number))
        begun = time.process_time()
        decision = decide(observed)
        took.append(1e3 * (time.process_time() - begun))
        found = len(decision.creates)
        if found != scene.creates:
            raise AssertionError(f"{scene.name}: {found} pods are asked for, not {scene.creates}")
    return Timing(scene.name, took[0], statistics.median(took[1:]), max(took[1:]))


def run(say: Callable[[str], None] = print) -> list[str]:
    """Measure everything; returns what is slower than it may be, a sentence each."""
    say(f"one pass over {2 * QUBITS} tasks with up to {LIVE} live pods, {REPEATS} repeats (limit {LIMIT_MS:.0f} ms)")
    say(f"{'what has happened':34} {'first':>9} {'median':>9} {'worst':>9}")
    problems = []
    for scene in scenes():
        timing = measure(scene)
        say(f"{timing.name:34} {timing.first_ms:6.1f} ms {timing.median_ms:6.1f} ms {timing.worst_ms:6.1f} ms")
        if timing.median_ms > LIMIT_MS:
            problems.append(f"{timing.name}: a pass takes {timing.median_ms:.1f} ms, more than {LIMIT_MS:.0f} ms")
    return problems


if __name__ == "__main__":
    found = run()
    print("\n".join(found) or "all within the limit")
    sys.exit(bool(found))
