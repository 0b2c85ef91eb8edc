"""The standard lists of tasks with the times they take, as a catalogue and as steps of sessions.

What is scheduled depends on kinds, claims and durations alone, so tasks that nobody has written yet can be planned:
durations are those of the shipped catalogue where it has the task, else shots x interval x points of its sweep.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubecal.api.catalogue import Catalogue

CHECK = (
    "CheckRabi",
    "CheckRabi",
    "CreateHPIPulse",
    "CheckHPIPulse",
    "CheckRabi",
    "CreateHPIPulse",
    "CheckHPIPulse",
    "CheckT1",
    "CheckT2Echo",
    "CheckRamsey",
)
FINE = (
    "CheckRabi",
    "CreateHPIPulse",
    "CheckHPIPulse",
    "CreatePIPulse",
    "CheckPIPulse",
    "CreateDRAGHPIPulse",
    "CheckDRAGHPIPulse",
    "CreateDRAGPIPulse",
    "CheckDRAGPIPulse",
    "ReadoutClassification",
    "CheckT1Average",
    "CheckT2EchoAverage",
    "Check1QGateCoherenceLimit",
    "RandomizedBenchmarking",
    "X90InterleavedRandomizedBenchmarking",
)
DURATION_S = {
    "CheckRabi": 16.1,
    "CreateHPIPulse": 29.4,
    "CheckHPIPulse": 3.6,
    "CheckRamsey": 32.9,
    "CheckT1": 11.1,
    "CheckT2Echo": 8.9,
    "CreatePIPulse": 29.4,
    "CheckPIPulse": 3.6,
    "CreateDRAGHPIPulse": 55.0,
    "CheckDRAGHPIPulse": 3.6,
    "CreateDRAGPIPulse": 55.0,
    "CheckDRAGPIPulse": 3.6,
    "ReadoutClassification": 2.0,
    "CheckT1Average": 110.0,
    "CheckT2EchoAverage": 90.0,
    "Check1QGateCoherenceLimit": 1.0,
    "RandomizedBenchmarking": 75.0,
    "X90InterleavedRandomizedBenchmarking": 150.0,
}
_COMPUTED = ("Check1QGateCoherenceLimit",)

CATALOGUE = Catalogue.model_validate(
    {
        "tasks": [
            {
                "name": name,
                "kind": "Qubit",
                "description": "of the standard lists",
                "drives": name not in _COMPUTED,
                "timeoutS": 3600.0,
                "durationS": seconds,
            }
            for name, seconds in DURATION_S.items()
        ],
        "backends": [{"name": "fake", "configSchema": {"type": "object"}, "simulated": True}],
    }
)


def steps(
    lists: Sequence[tuple[str, Sequence[str]]], schedule: dict[str, Any], *, barriers: bool = False
) -> list[dict[str, Any]]:
    """Steps of a session in which every target goes through the lists.

    Parameters
    ----------
    lists
        (name, tasks) of each.
    schedule
        The schedule of every step; Any: as in a manifest.
    barriers
        Whether all targets wait for each other after each task, as scripts do that run a list task by task.
    """
    if not barriers:
        named = [(name, list(tasks)) for name, tasks in lists]
    else:
        named = [(f"{name}-{number}", [task]) for name, tasks in lists for number, task in enumerate(tasks)]
    return [
        {"name": name, "tasks": [{"task": task} for task in tasks], "schedule": schedule, "barrier": barriers}
        for name, tasks in named
    ]
