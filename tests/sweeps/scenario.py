"""The fixed session of every sweep, what becomes of its pods, and how it has to end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from kubecal.api.request import TaskRequest, Verdict
from kubecal.records.indexes import COLLECTIONS
from kubecal.records.store import RecordStore
from tests.controller.podsim import Play, PodSimulator, _Process

Json = dict[str, Any]
TASKS = ("CheckRabi", "CheckT1")
SESSION = "morning"
SPEC: Json = {"retry": {"limit": 2, "backoffSeconds": 0, "on": ["window"]}}
CHIP: Json = {"pods": {"terminationGracePeriodSeconds": 1}}
_TAKEN_AWAY = ("CheckRabi", "3")
_TAKEN_AFTER_S = 0.1
_DIES_SLOWLY_S = 0.5
"""From the first word of its deletion until the process has ended: a retry before that is a second pod on the wire."""

ROWS = {
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
}
"""(status, verdict, trouble) of every attempt, by (task, target, attempt), of a session that nobody disturbs."""

PHASE = "PartiallyFailed"
COUNTS = {"planned": 8, "running": 0, "succeeded": 6, "failed": 1, "skipped": 1, "cancelled": 0}


def script(request: TaskRequest) -> Play:
    """What becomes of each attempt."""
    match request.task, request.target, request.attempt:
        case "CheckRabi", "1", _:
            return Play(exit_code=1)
        case "CheckT1", "2", 1:
            return Play(verdict=Verdict.WINDOW, suggestion={"shots": 4096})
        case "CheckT1", "3", 1:
            return Play(lies=True)
        case task, target, 1 if (task, target) == _TAKEN_AWAY:
            return Play(seconds=20)
    return Play(seconds=0.05)


class Pods(PodSimulator):
    """The simulator, with somebody who deletes one pod, which then takes its time to die."""

    async def _drive(self, process: _Process, request: TaskRequest, play: Play) -> bool:
        takes = None
        if (request.task, request.target) == _TAKEN_AWAY and request.attempt == 1:
            takes = asyncio.create_task(self._take_away(process))
        stopped = await super()._drive(process, request, play)
        if takes is not None:
            await takes
        if stopped:
            await asyncio.sleep(_DIES_SLOWLY_S)
        return stopped

    async def _take_away(self, process: _Process) -> None:
        await asyncio.sleep(_TAKEN_AFTER_S)
        await self.delete(process.name)


async def documents(uri: str) -> dict[str, list[Json]]:
    """Everything in the database, by collection."""
    store = RecordStore(uri)
    try:
        async with store.connected() as database:
            return {name: await database[name].find({}).to_list() for name in COLLECTIONS}
    finally:
        await store.close()


def rows_of(found: Sequence[Json]) -> dict[tuple[str, str, int], tuple[str, str | None, str | None]]:
    """As :data:`ROWS` has them."""
    return {
        (row["name"], row["qid"], row["attempt"]): (row["status"], row["verdict"] or None, row["trouble"] or None)
        for row in found
    }


def outcome(status: Json, found: dict[str, list[Json]]) -> Json:
    """What has to be the same however a session was disturbed: no times, no uids, no words about the way there."""
    conditions = {one["type"]: (one["status"], one["reason"]) for one in status.get("conditions", ())}
    execution = found["execution_history"][0] if found["execution_history"] else {}
    return {
        "phase": status.get("phase"),
        "message": status.get("message"),
        "tasks": status.get("tasks"),
        "progress": status.get("progress"),
        "steps": status.get("steps"),
        "failures": [{key: one.get(key) for key in ("task", "target", "attempt")} for one in status["failures"]],
        "conditions": {kind: conditions.get(kind) for kind in ("Valid", "ChipHeld", "Finished")},
        "execution": {key: execution.get(key) for key in ("status", "phase", "counts", "execution_id")},
        "rows": rows_of(found["task_result_history"]),
        "claimed": {
            (row["name"], row["qid"], row["attempt"]): row["claimed_by"] is not None
            for row in found["task_result_history"]
        },
        "adapted": {
            (row["name"], row["qid"], row["attempt"]): row.get("adapted")
            for row in found["task_result_history"]
            if row.get("adapted")
        },
        "published": {
            document["qid"]: {name: value["value"] for name, value in document["data"].items()}
            for document in found["qubit"]
        },
        "versions": sorted((one["qid"], one["parameter_name"], one["version"]) for one in found["parameter_versions"]),
        "numbers": {name: len(documents) for name, documents in sorted(found.items()) if name != "hardware_claims"},
    }


def differences(expected: Json, got: Json) -> list[str]:
    """What is not as expected, in words."""
    found = []
    for key, wanted in expected.items():
        if got[key] == wanted:
            continue
        if isinstance(wanted, dict) and isinstance(got[key], dict):
            for name in sorted({*wanted, *got[key]}, key=str):
                if wanted.get(name) != got[key].get(name):
                    found.append(f"{key} {name}: {got[key].get(name)} instead of {wanted.get(name)}")
        else:
            found.append(f"{key}: {got[key]} instead of {wanted}")
    return found


def twice(simulator: PodSimulator, attempts: Sequence[str]) -> list[str]:
    """Attempts that were measured or created more than once: there must be none."""
    measured = Counter(request.task_id for request in simulator.measured)
    found = [f"attempt {one} was measured {times} times" for one, times in measured.items() if times > 1]
    created = Counter(attempts)
    return found + [f"{times} pods were created for {one}" for one, times in created.items() if times > 1]
