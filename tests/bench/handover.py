"""How soon a cancelled session's pods are told to stop, and how soon a standby goes on where a killed leader was.

    python -m tests.bench.handover [--rounds 3]

Timed by a proxy between operators and API server: from the request that cancels to the arrival of the last pod's
DELETE, and from SIGKILL of the leader to the survivor's first pod.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import AsyncIterator
from functools import partial

from kubecal.api.request import TaskRequest
from tests.bench.field import Clock, checked, field, simulated, stopwatch
from tests.bench.figures import Figure
from tests.bench.makespan import square
from tests.controller.lab import Lab, OperatorProcess
from tests.controller.podsim import Play, PodSimulator

PODS, CANCEL_S, TAKEOVER_S = 100, 1.0, 15.0
_STEP = {"name": "all", "tasks": [{"task": "CheckT1"}] * 20, "schedule": {"mode": "Parallel"}}
_ENDLESS = "endless"
_AWAY_S = 120.0


def play(request: TaskRequest) -> Play:
    """Pods that go on until they are told to stop, and for the takeover short ones, so that there is always a next."""
    return Play(seconds=3_600.0 if request.session.startswith(_ENDLESS) else 0.5)


async def figures(rounds: int) -> AsyncIterator[Figure]:
    """Both, on one control plane."""
    async with field() as lab:
        with stopwatch(lab) as clock:
            async with simulated(lab, play) as simulator:
                replicas = {name: _replica(lab, clock, name) for name in ("replica-0", "replica-1")}
                cancelled = [await _cancel(lab, clock, simulator, number) for number in range(rounds)]
                taken = [await _take_over(lab, clock, replicas, number) for number in range(rounds)]
    name = f"cancel: request to the last of {PODS} DELETEs, quickest of {rounds}"
    # The quickest, because the API server answers a DELETE when others let it: that part is not the operator's.
    yield Figure(name, min(cancelled), "s", most=CANCEL_S, why="whoever cancels watches the fridge")
    yield Figure("cancel, slowest", max(cancelled), "s")
    name = f"takeover: SIGKILL to the first pod, worst of {rounds}"
    why = "a lease of 10 s, 1 s to notice, 2 s to be sure"
    yield Figure(name, max(taken), "s", most=TAKEOVER_S, why=why)
    yield Figure("takeover, quickest", min(taken), "s", least=10.0 - 7.0 / 3 - 1.0 + 2.0, why="not before it ran out")


def _replica(lab: Lab, clock: Clock, name: str) -> OperatorProcess:
    return lab.start_operator(name, KUBECONFIG=str(clock.kubeconfig))


async def _cancel(lab: Lab, clock: Clock, simulator: PodSimulator, number: int) -> float:
    """Seconds from the request to the last pod's DELETE."""
    name = f"{_ENDLESS}-{number}"
    await lab.apply_chip(name, topology=square(10))
    await lab.apply_session(name, chip=name, steps=[{**_STEP, "tasks": [{"task": "CheckT1"}]}])
    await lab.until(partial(_driving, simulator), f"{PODS} pods that measure", _AWAY_S)
    asked = time.monotonic()
    await lab.patch_session(name, {"cancel": True})
    await lab.phase("Cancelled", name=name, timeout_s=_AWAY_S)
    deleted = [note.at for note in clock.notes() if note.what == "DELETE" and note.at > asked and "/pods/" in note.path]
    if len(deleted) < PODS:
        raise AssertionError(f"{len(deleted)} of {PODS} pods were deleted")
    return max(deleted) - asked


async def _take_over(lab: Lab, clock: Clock, replicas: dict[str, OperatorProcess], number: int) -> float:
    """Seconds from the leader's death to the first pod its successor creates."""
    name = f"going-on-{number}"
    await lab.apply_chip(name, topology=square(2))
    await lab.apply_session(name, chip=name, steps=[_STEP])
    await lab.until(partial(_created, clock, name, 0.0), "a pod", _AWAY_S)
    leader = await lab.lease_holder()
    killed = time.monotonic()
    replicas[leader].kill()
    await lab.until(partial(_created, clock, name, killed), "a pod of the successor's", _AWAY_S)
    first = min(at for at in _posts(clock, name) if at > killed)
    replicas[leader] = _replica(lab, clock, leader)
    await lab.phase("Completed", name=name, timeout_s=_AWAY_S)
    await lab.until(partial(_ready, replicas[leader]), "a new standby", _AWAY_S)
    return first - killed


async def _driving(simulator: PodSimulator) -> bool:
    return len(simulator.driving) >= PODS


async def _created(clock: Clock, session: str, after: float) -> bool:
    return any(at > after for at in _posts(clock, session))


def _posts(clock: Clock, session: str) -> list[float]:
    """When pods of a session were created."""
    return [one.at for one in clock.notes() if one.what == "POST" and one.target.startswith(f"{session}/")]


async def _ready(replica: OperatorProcess) -> bool:
    return replica.probe("/readyz") == 200


def main() -> int:
    """Cancels, then kills."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    return checked(lambda: figures(options.rounds))


if __name__ == "__main__":
    sys.exit(main())
