"""The sessions that are swept."""

from __future__ import annotations

from collections.abc import Mapping

from kubecal.api.request import TaskRequest, Verdict
from tests.controller.podsim import Play
from tests.sweeps.scenario import Json, Scenario

CHIP: Json = {"pods": {"terminationGracePeriodSeconds": 1}}
"""Of every scenario, beside its four qubits."""


def _troubled(request: TaskRequest) -> Play:
    match request.task, request.target, request.attempt:
        case "CheckRabi", "1", _:
            return Play(exit_code=1)
        case "CheckT1", "2", 1:
            return Play(verdict=Verdict.WINDOW, suggestion={"shots": 4096})
        case "CheckT1", "3", 1:
            return Play(lies=True)
        case "CheckRabi", "3", 1:
            return Play(seconds=20)
    return Play(seconds=0.05)


TROUBLE = Scenario(
    words="all that can befall a task: crashes, a bad verdict, a deleted pod, a lie",
    steps=({"name": "check", "tasks": [{"task": "CheckRabi"}, {"task": "CheckT1"}]},),
    spec={"retry": {"limit": 2, "backoffSeconds": 0, "on": ["window"]}},
    script=_troubled,
    rows={
        ("CheckRabi", "0", 1): ("completed", "ok", None),
        ("CheckT1", "0", 1): ("completed", "ok", None),
        # Crashes until nobody tries again, and what comes behind it does not run.
        ("CheckRabi", "1", 1): ("failed", None, "Crash"),
        ("CheckRabi", "1", 2): ("failed", None, "Crash"),
        ("CheckRabi", "1", 3): ("failed", None, "Crash"),
        ("CheckT1", "1", 1): ("skipped", None, None),
        # A bad verdict, measured again with what it suggests.
        ("CheckRabi", "2", 1): ("completed", "ok", None),
        ("CheckT1", "2", 1): ("failed", "window", "Verdict"),
        ("CheckT1", "2", 2): ("completed", "ok", None),
        # Somebody deletes the pod while it measures; and later one hands in a receipt of a result it did not store.
        ("CheckRabi", "3", 1): ("cancelled", None, "Disruption"),
        ("CheckRabi", "3", 2): ("completed", "ok", None),
        ("CheckT1", "3", 1): ("failed", None, "Crash"),
        ("CheckT1", "3", 2): ("completed", "ok", None),
    },
    phase="PartiallyFailed",
    counts={"planned": 8, "running": 0, "succeeded": 6, "failed": 1, "skipped": 1, "cancelled": 0},
    publishes=frozenset({"CheckT1"}),
    measured=12,
    taken_away=("CheckRabi", "3", 1),
)

SCENARIOS: Mapping[str, Scenario] = {"trouble": TROUBLE}
