"""Ended pods do not pile up: what succeeded is swept, of what failed the last ones stay to be looked at."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from kubecal.api.request import Receipt, TaskRequest, Verdict
from kubecal.records.store import RecordStore
from kubecal_operator import names
from tests.controller.lab import Json, Lab
from tests.controller.podsim import PodSimulator, request_of

Simulated = Callable[..., PodSimulator]
_TOPOLOGY = {"squareLattice": {"rows": 16, "columns": 16, "muxSize": 4}}
_QUBITS, _CRASHED = 256, 24
_AT_ONCE = 16


async def test_settled_pods_of_a_running_session_are_swept_and_the_last_failed_ones_stay(lab: Lab) -> None:
    lab.start_operator()
    await lab.apply_chip(topology=_TOPOLOGY)
    step = {"name": "check", "tasks": [{"task": "CheckT1"}], "schedule": {"mode": "Parallel"}}
    await lab.apply_session(steps=[step])
    await lab.until(lambda: _as_many(lab, _QUBITS), f"{_QUBITS} pods", 60)
    pods = await lab.pods()
    crashed, well = pods[:_CRASHED], pods[_CRASHED:]
    await _record(lab, well)
    await _report(lab, well, 0)
    # More than 200 go by one call; those that succeed after it are few, and stay.
    await lab.until(lambda: _at_most(lab, _QUBITS - 201), "a sweep of those that succeeded", 60)
    await _report(lab, crashed, 1)
    await lab.until(lambda: _failed(lab, 20), "20 failed pods left", 60)

    # What was swept is done: only what crashed has a second attempt, and a pod for it.
    await lab.until(lambda: _second_attempts(lab, crashed), "second attempts of what crashed, and of nothing else")
    sweeps = [event for event in lab.audit() if event.verb == "deletecollection" and event.code == 200]
    assert 1 <= len(sweeps) <= 3
    assert (await lab.status())["phase"] == "Running"
    rows = await lab.rows()
    assert Counter(row["status"] for row in rows) == {
        "completed": len(well),
        "failed": _CRASHED,
        "scheduled": _CRASHED,
    }


async def test_a_session_that_ended_leaves_no_pod_that_succeeded(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckRabi", "CheckT1"))
    async with simulated():
        status = await lab.phase("Completed")
        await lab.until(lambda: _at_most(lab, 0), "the sweep after its end")
    assert status["progress"] == "8/8"
    assert (await lab.status())["progress"] == "8/8"
    assert Counter(row["status"] for row in await lab.rows()) == {"completed": 8}


# ------------------------------------------------------------------ what pods leave


async def _record(lab: Lab, pods: list[Json]) -> None:
    """Results of all of these, as their pods would have stored them."""
    requests = [TaskRequest.model_validate(request_of(body)) for body in pods]
    ended = {"status": "completed", "verdict": "ok", "claimed_by": "a pod", "end_at": datetime.now(UTC)}
    store = RecordStore(lab.mongodb_uri)
    async with store.connected() as database:
        chosen = {"_id": {"$in": [request.task_id for request in requests]}}
        done = await database.task_result_history.update_many(chosen, {"$set": ended})
    await store.close()
    assert done.modified_count == len(pods)


async def _report(lab: Lab, pods: list[Json], exit_code: int) -> None:
    """What their kubelets say when they have ended."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(body: Json) -> None:
        request = TaskRequest.model_validate(request_of(body))
        receipt = Receipt(attempt=request.task_id, checksum="0" * 64, verdict=Verdict.OK).to_json()
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ended: Json = {"exitCode": exit_code, "startedAt": now, "finishedAt": now}
        ended |= {"reason": "Error"} if exit_code else {"reason": "Completed", "message": receipt}
        container = {"name": "task", "image": "tasks", "imageID": "sim", "restartCount": 0, "ready": False}
        status = {
            "phase": "Failed" if exit_code else "Succeeded",
            "containerStatuses": [{**container, "state": {"terminated": ended}}],
        }
        async with limit:
            await lab.api.merge(f"{names.pods(lab.namespace, body['metadata']['name'])}/status", {"status": status})

    await asyncio.gather(*map(one, pods))


# ------------------------------------------------------------------ what is left


async def _as_many(lab: Lab, wanted: int) -> bool:
    return len(await lab.api.list_metadata(names.pods(lab.namespace))) == wanted


async def _at_most(lab: Lab, most: int) -> bool:
    return len(await lab.api.list_metadata(names.pods(lab.namespace))) <= most


async def _second_attempts(lab: Lab, crashed: list[Json]) -> bool:
    again: list[str] = [request["target"] for request in map(request_of, await lab.pods()) if request["attempt"] == 2]
    wanted: list[str] = [request_of(body)["target"] for body in crashed]
    return sorted(again) == sorted(wanted)


async def _failed(lab: Lab, wanted: int) -> bool:
    return [body["status"]["phase"] for body in await lab.pods()].count("Failed") == wanted
