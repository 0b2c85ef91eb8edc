"""A session that is swept: what it is, what becomes of its pods, and how it has to end when nobody disturbs it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubecal.api.catalogue import Catalogue
from kubecal.api.request import TaskRequest
from kubecal.records.indexes import COLLECTIONS
from kubecal.records.store import RecordStore
from kubecal_operator.client import ApiClient
from tests.controller.podsim import Play, PodSimulator, Script, _Process

Json = dict[str, Any]
Attempt = tuple[str, str, int]
"""(task, qubit, coupling or what else has a row, number)."""
Row = tuple[str, str | None, str | None]
"""(status, verdict, trouble) of an attempt."""
SESSION = "morning"
_TAKEN_AFTER_S = 0.1
_DIES_SLOWLY_S = 0.5
"""From the first word of its deletion until the process has ended: a retry before that is a second pod on the wire."""


@dataclass(frozen=True)
class Scenario:
    """One session, and all that is to come of it."""

    words: str
    steps: Sequence[Json]
    spec: Json
    """What else its manifest says."""
    script: Script
    rows: Mapping[Attempt, Row]
    """Every attempt there must be in the end."""
    phase: str
    counts: Mapping[str, int]
    """Of tasks, as the status has them."""
    publishes: Mapping[str, tuple[str, ...] | None]
    """Tasks of which a completed row publishes a value, and of whom; None: of what the row is about."""
    measured: int
    """Attempts that come to measure something, those of parking left aside; one of several rows counts once."""
    taken_away: Attempt
    """(task, target, number) of the pod that somebody deletes while it measures."""
    catalogue: Catalogue | None = None
    """The operator's; None: the one that ships."""
    every: int = 1
    """Disturbed at every so many-th occasion, unless another number is asked for."""


class Pods(PodSimulator):
    """The simulator, with somebody who deletes one pod, which then takes its time to die."""

    def __init__(self, api: ApiClient, namespace: str, mongodb_uri: str, scenario: Scenario) -> None:
        super().__init__(api, namespace, mongodb_uri, scenario.script)
        self._taken_away = scenario.taken_away

    async def _drive(self, process: _Process, request: TaskRequest, play: Play) -> bool:
        takes = None
        if (request.task, request.target, request.attempt) == self._taken_away:
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


def rows_of(found: Sequence[Json]) -> dict[Attempt, Row]:
    """As a scenario has them."""
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
            for document in (*found["qubit"], *found.get("coupling", ()))
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
