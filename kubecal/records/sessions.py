"""Sessions as their executions remember them: what was asked for on which chip, and how far it came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kubecal.api.chip import ChipSpec
from kubecal.api.session import SessionSpec
from kubecal.api.session_status import TaskCounts
from kubecal.records.documents import Document, unpack
from kubecal.records.store import RecordStore

_LOOKED_THROUGH = 2_000
"""Executions, newest first, in which names are looked for: years of a laptop."""
_NEWEST_FIRST = [("_id", -1)]
"""Ids are made in the order of time."""
_OURS = {"session_uid": {"$exists": True}}
"""Executions that came from elsewhere have no session."""


@dataclass(frozen=True)
class StoredSession:
    """One execution, with the manifests it came from."""

    uid: str
    name: str
    execution_id: str
    driver_id: str
    created_at: datetime
    spec: SessionSpec
    chip_name: str
    chip_spec: ChipSpec
    """As the execution has it."""
    status: str
    """scheduled, running, completed, failed or cancelled."""
    phase: str
    message: str
    counts: TaskCounts
    started_at: datetime | None
    ended_at: datetime | None


class StoredSessions:
    """What is on record of sessions."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store

    async def newest_by_session(self) -> list[StoredSession]:
        """The newest execution of every session's name, the newest first."""
        return await self._newest_of("name")

    async def newest_by_chip(self) -> list[StoredSession]:
        """The newest execution on every chip, the newest first."""
        return await self._newest_of("chip_id")

    async def named(self, name: str) -> StoredSession | None:
        """The newest execution of a session's name."""
        return await self._one({"name": name})

    async def on_chip(self, chip: str) -> StoredSession | None:
        """The newest execution on a chip."""
        return await self._one({"chip_id": chip})

    async def names(self, field: str) -> Sequence[str]:
        """What there is of a field of executions, like ``name`` or ``chip_id``."""
        async with self._store.connected() as database:
            return [str(one) for one in await database.execution_history.distinct(field, _OURS)]

    async def _newest_of(self, field: str) -> list[StoredSession]:
        async with self._store.connected() as database:
            cursor = database.execution_history.find(_OURS, {field: 1}).sort(_NEWEST_FIRST).limit(_LOOKED_THROUGH)
            newest: dict[str, object] = {}
            for each in await cursor.to_list():
                newest.setdefault(each[field], each["_id"])
            found = await database.execution_history.find({"_id": {"$in": list(newest.values())}}).to_list()
        return [_stored_session(each) for each in sorted(found, key=lambda each: each["_id"], reverse=True)]

    async def _one(self, which: Document) -> StoredSession | None:
        async with self._store.connected() as database:
            found = await database.execution_history.find_one({**_OURS, **which}, sort=_NEWEST_FIRST)
        return _stored_session(found) if found is not None else None


def _stored_session(execution: Document) -> StoredSession:
    return StoredSession(
        uid=execution["session_uid"],
        name=execution["name"],
        execution_id=execution["execution_id"],
        driver_id=execution["driver_id"],
        created_at=execution["system_info"]["created_at"],
        spec=SessionSpec.model_validate(unpack(execution["note"]["spec"])),
        chip_name=execution["chip_id"],
        chip_spec=ChipSpec.model_validate(unpack(execution["chip_spec"])),
        status=execution["status"],
        phase=execution["phase"],
        message=execution["message"],
        counts=TaskCounts(**execution["counts"]),
        started_at=execution["start_at"],
        ended_at=execution["end_at"],
    )
