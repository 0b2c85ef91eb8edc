"""Records that a transaction of somebody else holds, as a killed process leaves one: told, and worked around."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from kubecal.api.request import TaskRequest
from kubecal.records.store import RecordStore
from tests.controller.lab import Lab
from tests.controller.podsim import Play, PodSimulator

Simulated = Callable[..., PodSimulator]
_WITHIN_S = 20.0


def _play(request: TaskRequest) -> Play:
    """The first attempt of one session crashes after a while; all others end well."""
    crashes = request.session == "held" and request.attempt == 1
    return Play(seconds=2.0 if crashes else 0.02, exit_code=1 if crashes else 0)


async def test_a_session_whose_records_are_locked_says_so_and_no_other_waits(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await _apply(lab, "held", "0")
    async with simulated(_play) as simulator:
        await lab.until(lambda: _drives(simulator, "0"), "a measurement of the session")
        async with _transaction_on(lab, simulator.measured[0].task_id):
            condition = await lab.condition("ResultsStored", "Locked", name="held", timeout_s=_WITHIN_S)
            assert condition["status"] == "False"
            assert "a transaction of another process" in condition["message"]
            await _apply(lab, "beside", "3")
            await lab.phase("Completed", name="beside", timeout_s=_WITHIN_S)
            await lab.condition("ResultsStored", "Locked", name="held", timeout_s=1)
        await lab.phase("Completed", name="held", timeout_s=_WITHIN_S)
        await lab.condition("ResultsStored", "Stored", name="held", timeout_s=_WITHIN_S)
    rows = sorted((row["attempt"], row["status"]) for row in await lab.rows() if row["qid"] == "0")
    assert rows == [(1, "failed"), (2, "completed")]


async def _apply(lab: Lab, name: str, qubit: str) -> None:
    await lab.apply_session(name, tasks=("CheckT1",), targets={"qubits": [qubit]}, lock={"scope": "Targets"})


async def _drives(simulator: PodSimulator, qubit: str) -> bool:
    return qubit in simulator.driving


@asynccontextmanager
async def _transaction_on(lab: Lab, row: str) -> AsyncIterator[None]:
    """What a process leaves that was killed between its first write and its commit."""
    store = RecordStore(lab.mongodb_uri)
    try:
        async with store.connected() as database, database.client.start_session() as session:
            await session.start_transaction()
            note = {"$set": {"user_note": "never committed"}}
            done = await database.task_result_history.update_one({"_id": row}, note, session=session)
            assert done.matched_count == 1
            yield
            await session.abort_transaction()
    finally:
        await store.close()
