"""How soon an operator that starts among 5,000 live pods decides, and what it then takes of memory.

    python -m tests.bench.start [--chips 20] [--rounds 3]

Twenty chips whose sessions have a pod on every qubit, all bound and running; then the operator ends, one pod of every
chip ends without a result, and an operator starts. Its first decision shows as its first write for a session, and when
it has decided on every chip, as the last of the pods that replace those that ended; a proxy before the API server has
the times. The Lease was let go in order, so that nothing is waited for but work.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

from kubecal_operator import names
from tests.bench.field import Clock, checked, field, processor_s, resident_mib, stopwatch
from tests.bench.figures import Figure
from tests.bench.makespan import square
from tests.controller.lab import Json, Lab
from tests.controller.podsim import NODE

CHIPS, SIDE = 20, 16
"""5,120 qubits."""
FIRST_S = 2.0
_AT_ONCE = 32
_AWAY_S = 250.0
_STEP = {"name": "check", "tasks": [{"task": "CheckT1"}], "schedule": {"mode": "Parallel"}}
_SINCE = "2026-11-23T12:00:00Z"


async def figures(chips: int, rounds: int) -> AsyncIterator[Figure]:
    """Fill a cluster, then start again and again."""
    async with field() as lab:
        with stopwatch(lab) as clock:
            operator = lab.start_operator()
            await _fill(lab, chips)
            starts = []
            for number in range(rounds):
                operator.terminate()
                await _end_one_a_chip(lab, chips, number)
                starts.append(await _start(lab, clock, chips))
                operator = lab.operators[-1]
            memory, alive = resident_mib(operator.process.pid), len(await lab.pods())
    firsts, lasts, busy = zip(*starts, strict=True)
    why = "a restart is not felt: a pod's start takes as long"
    yield Figure("live pods", alive, least=chips * SIDE**2, why="on every qubit one")
    yield Figure(f"from its start to the first decision, quickest of {rounds}", min(firsts), "s", most=FIRST_S, why=why)
    yield Figure(f"from its start to the first decision, slowest of {rounds}", max(firsts), "s")
    yield Figure("until every chip was decided on, quickest", min(lasts), "s")
    yield Figure("operator's processor time until then, least", min(busy), "s")
    yield Figure("operator's memory with as many pods", memory, "MiB")


# ------------------------------------------------------------------ a full cluster


async def _fill(lab: Lab, chips: int) -> None:
    """Pods on all qubits, bound and running, which nobody measures with."""
    for number in range(chips):
        await lab.apply_chip(f"chip-{number}", topology=square(SIDE))
        deadlines = {"pendingSeconds": 3_600}
        await lab.apply_session(f"session-{number}", chip=f"chip-{number}", steps=[_STEP], deadlines=deadlines)
    await lab.until(partial(_as_many, lab, chips * SIDE**2), "a pod on every qubit", _AWAY_S)
    await _side_by_side([partial(_run, lab, body["metadata"]["name"]) for body in await lab.pods()])


async def _as_many(lab: Lab, wanted: int) -> bool:
    return len(await lab.api.list_metadata(names.pods(lab.namespace))) >= wanted


async def _run(lab: Lab, name: str) -> None:
    """What scheduler and kubelet do with a pod."""
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}}
    target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
    path = names.pods(lab.namespace, name)
    await lab.api.create(f"{path}/binding", {**binding, "target": target})
    await _report(lab, name, "Running", {"running": {"startedAt": _SINCE}})


async def _report(lab: Lab, name: str, phase: str, state: Json) -> None:
    status = {"name": "task", "image": "tasks", "imageID": "sim", "restartCount": 0, "ready": "running" in state}
    container = {**status, "state": state, "lastState": {}}
    path = names.pods(lab.namespace, name)
    await lab.api.merge(f"{path}/status", {"status": {"phase": phase, "containerStatuses": [container]}})


async def _side_by_side(calls: list[Callable[[], Awaitable[None]]]) -> None:
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(call: Callable[[], Awaitable[None]]) -> None:
        async with limit:
            await call()

    await asyncio.gather(*(one(call) for call in calls))


# ------------------------------------------------------------------ a start


async def _end_one_a_chip(lab: Lab, chips: int, qubit: int) -> None:
    """On every chip the pod of one qubit ends without a result, while no operator looks."""
    for number in range(chips):
        selector = f"{names.LABEL_SESSION}=session-{number},{names.LABEL_TARGET}={qubit}"
        (body,) = (await lab.api.list_all(names.pods(lab.namespace), labelSelector=selector))[0]
        ended: dict[str, Any] = {"exitCode": 1, "reason": "Error", "startedAt": _SINCE, "finishedAt": _SINCE}
        await _report(lab, body["metadata"]["name"], "Failed", {"terminated": ended})


async def _start(lab: Lab, clock: Clock, chips: int) -> tuple[float, float, float]:
    """Seconds to the first write for a session, to the last replacement, and of processor time until then."""
    before = len(clock.notes())
    began = time.monotonic()
    operator = lab.start_operator(KUBECONFIG=str(clock.kubeconfig))
    await lab.until(partial(_replaced, clock, before, chips), f"{chips} pods in place of those that ended", _AWAY_S)
    notes = clock.notes()[before:]
    decided = [note.at for note in notes if note.what in ("POST", "PATCH", "DELETE") and "/leases" not in note.path]
    created = [note.at for note in notes if note.target and note.what == "POST"]
    return min(decided) - began, max(created) - began, processor_s(operator.process.pid)


async def _replaced(clock: Clock, before: int, chips: int) -> bool:
    return sum(note.what == "POST" and bool(note.target) for note in clock.notes()[before:]) >= chips


def main() -> int:
    """Fill, start, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chips", type=int, default=CHIPS, help=f"of {SIDE**2} qubits each")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    return checked(lambda: figures(options.chips, options.rounds))


if __name__ == "__main__":
    sys.exit(main())
