"""How long the operator takes from the end of a task to the next one's pod, with 1,000 pods alive.

    python -m tests.bench.reaction [--reactions 200]

Sixteen chips of 64 qubits, one session each, a simulated pod on every qubit. A proxy between operator and API server
notes when a watch brings a container's `terminated`, before it passes it on, and when the POST of that qubit's next pod
arrives: what lies in between is the operator, twice the proxy, and whatever else the two cores do at that moment.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from kubecal.api.request import TaskRequest
from tests.bench.field import Clock, checked, field, percentile, processor_s, resident_mib, simulated, stopwatch
from tests.bench.figures import Figure
from tests.bench.makespan import square
from tests.bench.stopwatch import Note
from tests.controller.podsim import Play, PodSimulator

LIVE = 1_000
P50_MS, P99_MS, MEMORY_MIB = 5.0, 50.0, 80.0
_STEP = {
    "name": "check",
    "tasks": [{"task": "CheckRabi"}, {"task": "CheckT1"}, {"task": "CheckT2Echo"}],
    "schedule": {"mode": "Parallel"},
}
_SHORTEST_S, _LONGEST_S = 100.0, 500.0
"""How long a pod measures: all have begun before many have ended, then some three a second end. More would measure
the database of the tests, a Python program, which is asked for every claim and result."""
_RAMP_S, _AWAY_S = 240.0, 180.0


@dataclass(frozen=True)
class Load:
    """Chips that all run at once."""

    chips: int
    side: int

    @property
    def qubits(self) -> int:
        """Pods when all is under way."""
        return self.chips * self.side**2


MANY, ONE = Load(16, 8), Load(1, 32)


def reactions(notes: Sequence[Note]) -> list[float]:
    """Milliseconds from each pod's end to the POST of the next one on its target."""
    took: list[float] = []
    ended: dict[str, float] = {}
    over: set[str] = set()
    for note in sorted(notes, key=lambda one: one.at):
        if note.what == "ended" and note.pod not in over:
            # Its phase comes in a later event, and is not what is waited for.
            over.add(note.pod)
            ended[note.target] = note.at
        elif note.what == "POST" and note.target in ended:
            took.append(1e3 * (note.at - ended.pop(note.target)))
    return took


def play(request: TaskRequest) -> Play:
    """Pods of every length, so that their ends do not come in waves."""
    return Play(seconds=random.Random(request.task_id).uniform(_SHORTEST_S, _LONGEST_S))


async def figures(load: Load, wanted: int) -> AsyncIterator[Figure]:
    """Run one load."""
    async with field() as lab:
        with stopwatch(lab) as clock:
            operator = lab.start_operator(KUBECONFIG=str(clock.kubeconfig))
            for number in range(load.chips):
                await lab.apply_chip(f"chip-{number}", topology=square(load.side), backend=_backend(number))
                await lab.apply_session(f"session-{number}", chip=f"chip-{number}", steps=[_STEP])
                await lab.phase("Running", name=f"session-{number}", timeout_s=_AWAY_S)
            async with simulated(lab, play) as simulator:
                await lab.until(lambda: _alive(simulator), f"{LIVE} pods that measure", _RAMP_S)
                began, worked = len(clock.notes()), processor_s(operator.process.pid)
                await lab.until(lambda: _enough(clock, began, wanted), f"{wanted} reactions", _AWAY_S)
                busy = processor_s(operator.process.pid) - worked
                notes = clock.notes()[began:]
                memory, alive = resident_mib(operator.process.pid), len(simulator.driving)
        took = reactions(notes)
    name = f"{load.chips} x {load.side**2} qubits"
    yield Figure(f"{name}: pods that measure", alive, least=LIVE * 0.95, why="it is about so many")
    yield Figure(f"{name}: reactions", len(took), least=wanted, why="enough for a 99th percentile")
    most, why = (P50_MS, "beside 1 s of a kubelet's own") if load is MANY else (inf, "")
    yield Figure(f"{name}: terminated to POST, p50", percentile(took, 50), "ms", most=most, why=why)
    yield Figure(f"{name}: terminated to POST, p99", percentile(took, 99), "ms", most=P99_MS, why="rarely felt")
    yield Figure(f"{name}: operator's processor time a reaction", 1e3 * busy / len(took), "ms")
    why = "the chart asks for 128 MiB, half of it for peaks"
    yield Figure(f"{name}: operator's memory", memory, "MiB", most=MEMORY_MIB, why=why)


def _backend(number: int) -> dict[str, Any]:
    return {"name": "fake", "config": {"seed": number}}


async def _alive(simulator: PodSimulator) -> bool:
    return len(simulator.driving) >= LIVE


async def _enough(clock: Clock, began: int, wanted: int) -> bool:
    return len(reactions(clock.notes()[began:])) >= wanted


async def _all(wanted: int) -> AsyncIterator[Figure]:
    for load in (MANY, ONE):
        async for figure in figures(load, wanted):
            yield figure


def main() -> int:
    """Both loads, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reactions", type=int, default=200, help="how many are measured of each load")
    options = parser.parse_args()
    return checked(lambda: _all(options.reactions))


if __name__ == "__main__":
    sys.exit(main())
