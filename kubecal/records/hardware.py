"""Who drives which instruments from outside a cluster.

A local run has no Chip object to hold, so it takes the hardware in MongoDB, for as long as its heartbeat
goes on. Time is the server's: two laptops' clocks are never compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import timedelta

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from kubecal.records.store import Document, RecordStore

HEARTBEAT_S = 30
"""How often a holder says that it lives."""
EXPIRY_S = 3 * HEARTBEAT_S
"""A holder that was silent for so long is dead: two beats may be lost."""
_RACES = 5


class HardwareClaims:
    """The claims of one local run.

    Parameters
    ----------
    store
        The process's connection.
    owner
        Unique for this run.
    """

    def __init__(self, store: RecordStore, owner: str) -> None:
        self._store = store
        self._owner = owner
        self._held: set[str] = set()

    async def take(self, hardware_id: str, description: str) -> str:
        """Take the hardware, or keep it where it is ours.

        Parameters
        ----------
        description
            Who we are, for whoever has to wait: ``session morning on host lab-3 (pid 4711)``.

        Returns
        -------
        str
            Empty when it is ours now; else who holds it.
        """
        fields: Document = {"owner": self._owner, "description": description}
        async with self._store.connected() as database:
            for _ in range(_RACES):
                claim = await _look(database, hardware_id)
                if claim is not None and claim["owner"] != self._owner and not _silent(claim):
                    return str(claim["description"])
                # As it was when we looked, or not there at all: whoever changed it meanwhile was first.
                seen = {name: claim[name] if claim else None for name in ("owner", "heartbeat_at")}
                try:
                    taken = await database.hardware_claims.update_one(
                        {"_id": hardware_id, **seen}, [_beat(fields)], upsert=claim is None
                    )
                except DuplicateKeyError:
                    continue
                if taken.matched_count or taken.upserted_id is not None:
                    self._held.add(hardware_id)
                    return ""
        return "another run that takes it at this moment"

    async def beat(self) -> tuple[str, ...]:
        """Say that we live.

        Returns
        -------
        tuple
            Hardware that is no longer ours, because we were silent for too long: stop driving it.
        """
        async with self._store.connected() as database:
            held = {"_id": {"$in": sorted(self._held)}, "owner": self._owner}
            await database.hardware_claims.update_many(held, [_beat({})])
            ours = {str(each["_id"]) for each in await database.hardware_claims.find(held, {"_id": 1}).to_list()}
        lost = self._held - ours
        self._held = ours
        return tuple(sorted(lost))

    async def release(self) -> None:
        """Let go of everything."""
        async with self._store.connected() as database:
            await database.hardware_claims.delete_many({"owner": self._owner})
        self._held = set()

    async def release_dead(self, prefix: str, lives: Callable[[str], bool]) -> None:
        """Let go of what owners hold that are known to be dead, before their heartbeats expire.

        Parameters
        ----------
        prefix
            How the owners begin that the caller can judge.
        lives
            Whether one of them lives.
        """
        async with self._store.connected() as database:
            claims = await database.hardware_claims.find({"owner": {"$regex": f"^{re.escape(prefix)}"}}).to_list()
            dead = [claim["owner"] for claim in claims if not lives(str(claim["owner"]))]
            if dead:
                await database.hardware_claims.delete_many({"owner": {"$in": dead}})

    async def holders(self, hardware_ids: Iterable[str]) -> dict[str, str]:
        """Who else holds these instruments now: description by hardware id."""
        others = {"_id": {"$in": sorted(hardware_ids)}, "owner": {"$ne": self._owner}}
        async with self._store.majority() as database:
            claims = await (await database.hardware_claims.aggregate([{"$match": others}, _WITH_NOW])).to_list()
        return {str(claim["_id"]): str(claim["description"]) for claim in claims if not _silent(claim)}


async def _look(database: AsyncDatabase[Document], hardware_id: str) -> Document | None:
    cursor = await database.hardware_claims.aggregate([{"$match": {"_id": hardware_id}}, _WITH_NOW])
    return next(iter(await cursor.to_list()), None)


_WITH_NOW = {"$set": {"now": "$$NOW"}}


def _silent(claim: Document) -> bool:
    silence: timedelta = claim["now"] - claim["heartbeat_at"]
    return silence > timedelta(seconds=EXPIRY_S)


def _beat(fields: Document) -> Document:
    return {"$set": {**{name: {"$literal": value} for name, value in fields.items()}, "heartbeat_at": "$$NOW"}}
