"""The sessions that are swept."""

from __future__ import annotations

from collections.abc import Mapping

from kubecal.api.request import TaskRequest, Verdict
from tests.bench.lists import CATALOGUE
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
    publishes={"CheckT1": None},
    measured=12,
    taken_away=("CheckRabi", "3", 1),
)


def _every_kind(request: TaskRequest) -> Play:
    match request.task, request.target, request.attempt:
        case "CheckResonatorSpectroscopy", _, 1:
            return Play(seconds=0.05, verdicts={"3": Verdict.WINDOW})
        case "CheckRabi", "1", _:
            return Play(verdict=Verdict.POOR_FIT)
        case "CheckSimultaneousQubitSpectroscopy", _, 1:
            return Play(seconds=20)
        case "CheckCrossResonance", "0-2", 1:
            return Play(exit_code=1)
    return Play(seconds=0.05)


EVERY_KIND = Scenario(
    words="every kind of step and task: a MUX, a filter, a batch, couplings, a change by hand, parking",
    steps=(
        {"name": "resonators", "tasks": [{"task": "CheckResonatorSpectroscopy"}]},
        {"name": "check", "tasks": [{"task": "CheckRabi"}]},
        {"name": "good", "filter": {"status": "Succeeded"}},
        {"name": "together", "batch": "All", "tasks": [{"task": "CheckSimultaneousQubitSpectroscopy"}]},
        {
            "name": "pairs",
            "targets": {"couplings": {"auto": True}},
            "tasks": [{"task": "CheckCrossResonance"}],
        },
        {"name": "nudge", "set": {"qubits": {"0": {"qubit_frequency": {"value": 4.9, "error": 0.001}}}}},
    ),
    spec={
        "retry": {"limit": 2, "backoffSeconds": 0, "on": ["window"]},
        "parking": {"tasks": [{"task": "Configure"}], "seconds": 60},
    },
    script=_every_kind,
    rows={
        # One of the four is measured again, alone.
        ("CheckResonatorSpectroscopy", "0", 1): ("completed", "ok", None),
        ("CheckResonatorSpectroscopy", "1", 1): ("completed", "ok", None),
        ("CheckResonatorSpectroscopy", "2", 1): ("completed", "ok", None),
        ("CheckResonatorSpectroscopy", "3", 1): ("failed", "window", "Verdict"),
        ("CheckResonatorSpectroscopy", "3", 2): ("completed", "ok", None),
        # One fails, and with it all that needs it.
        ("CheckRabi", "0", 1): ("completed", "ok", None),
        ("CheckRabi", "1", 1): ("failed", "poor_fit", "Verdict"),
        ("CheckRabi", "2", 1): ("completed", "ok", None),
        ("CheckRabi", "3", 1): ("completed", "ok", None),
        # Somebody deletes the pod of all three.
        ("CheckSimultaneousQubitSpectroscopy", "0", 1): ("cancelled", None, "Disruption"),
        ("CheckSimultaneousQubitSpectroscopy", "1", 1): ("skipped", None, None),
        ("CheckSimultaneousQubitSpectroscopy", "2", 1): ("cancelled", None, "Disruption"),
        ("CheckSimultaneousQubitSpectroscopy", "3", 1): ("cancelled", None, "Disruption"),
        ("CheckSimultaneousQubitSpectroscopy", "0", 2): ("completed", "ok", None),
        ("CheckSimultaneousQubitSpectroscopy", "2", 2): ("completed", "ok", None),
        ("CheckSimultaneousQubitSpectroscopy", "3", 2): ("completed", "ok", None),
        ("CheckCrossResonance", "0-1", 1): ("skipped", None, None),
        ("CheckCrossResonance", "0-2", 1): ("failed", None, "Crash"),
        ("CheckCrossResonance", "0-2", 2): ("completed", "ok", None),
        ("CheckCrossResonance", "3-1", 1): ("skipped", None, None),
        ("CheckCrossResonance", "3-2", 1): ("completed", "ok", None),
        ("Set", "", 1): ("completed", None, None),
        ("Configure", "0", 1): ("completed", "ok", None),
        ("Configure", "1", 1): ("completed", "ok", None),
        ("Configure", "2", 1): ("completed", "ok", None),
        ("Configure", "3", 1): ("completed", "ok", None),
    },
    phase="PartiallyFailed",
    counts={"planned": 11, "running": 0, "succeeded": 8, "failed": 1, "skipped": 2, "cancelled": 0},
    publishes={"CheckCrossResonance": None, "Set": ("0",)},
    measured=11,
    taken_away=("CheckSimultaneousQubitSpectroscopy", "chip", 1),
    catalogue=CATALOGUE,
    # Another session on the same machinery: what it adds lies between its occasions, of which there are a thousand.
    every=5,
)

SCENARIOS: Mapping[str, Scenario] = {"trouble": TROUBLE, "kinds": EVERY_KIND}
