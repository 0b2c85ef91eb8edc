"""Sessions as their executions remember them."""

from __future__ import annotations

from dataclasses import replace

from kubecal.engine.intents import SettleExecution
from kubecal.records.control import ControlRecords
from kubecal.records.sessions import StoredSession, StoredSessions
from kubecal.records.store import RecordStore
from tests.unit.kubecal.records.builders import CATALOGUE, IMAGE, NOON, a_chip, admission


async def admit(store: RecordStore, name: str, chip: str = "fridge-a", project: str = "default") -> str:
    """A session's uid, once it has an execution."""
    wanted = admission(name=name, chip=replace(a_chip(project_id=project), name=chip))
    wanted = replace(wanted, spec=wanted.spec.model_copy(update={"chip": chip}))
    await ControlRecords(store, "me").admit([wanted], catalogue=CATALOGUE, image=IMAGE, now=NOON)
    return wanted.ref.uid


async def from_elsewhere(store: RecordStore) -> None:
    """An execution of a laboratory that used another program before."""
    async with store.connected() as database:
        document = {"project_id": "default", "execution_id": "20250101-000", "name": "morning", "chip_id": "fridge-a"}
        await database.execution_history.insert_one(document)


def called(found: list[StoredSession]) -> list[tuple[str, str]]:
    return [(one.name, one.uid) for one in found]


async def test_of_every_name_there_is_the_newest_execution_whatever_its_project(store: RecordStore) -> None:
    await admit(store, "morning")
    evening = await admit(store, "evening", project="other")
    again = await admit(store, "morning")
    await from_elsewhere(store)
    sessions = StoredSessions(store)

    assert called(await sessions.newest_by_session()) == [("morning", again), ("evening", evening)]
    one = await sessions.named("morning")
    assert one is not None
    assert (one.uid, one.spec.username, one.chip_name, one.phase) == (again, "alice", "fridge-a", "Pending")
    assert await sessions.named("night") is None


async def test_of_every_chip_there_is_what_the_newest_execution_on_it_had(store: RecordStore) -> None:
    old = await admit(store, "morning", "fridge-a")
    await admit(store, "morning", "fridge-b")
    new = await admit(store, "evening", "fridge-b")
    sessions = StoredSessions(store)

    assert [(one.chip_name, one.uid) for one in await sessions.newest_by_chip()] == [
        ("fridge-b", new),
        ("fridge-a", old),
    ]
    one = await sessions.on_chip("fridge-a")
    assert one is not None
    assert one.chip_spec == a_chip().spec
    assert sorted(await sessions.names("chip_id")) == ["fridge-a", "fridge-b"]


async def test_how_it_ended_is_as_the_driver_wrote_it(store: RecordStore) -> None:
    wanted = admission()
    control = ControlRecords(store, "me")
    await control.admit([wanted], catalogue=CATALOGUE, image=IMAGE, now=NOON)
    counts = {"planned": 1, "succeeded": 1}
    await control.settle_executions(
        [SettleExecution(wanted.ref, "completed", "Completed", "all good", counts, NOON, NOON)], NOON
    )

    one = await StoredSessions(store).named("morning")

    assert one is not None
    assert (one.status, one.phase, one.message) == ("completed", "Completed", "all good")
    assert (one.counts.planned, one.counts.succeeded, one.started_at, one.ended_at) == (1, 1, NOON, NOON)
