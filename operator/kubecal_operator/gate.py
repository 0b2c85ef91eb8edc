"""The way to MongoDB: whether it can be used, and the records of sessions nobody has read yet."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

import pymongo

from kubecal.engine.model import RecordsHealth
from kubecal.records.control import ControlRecords
from kubecal.records.hardware import HardwareClaims
from kubecal.records.store import RecordStore, RecordsUnavailable
from kubecal_operator.cache import Cache

_LOG = logging.getLogger(__name__)
_WELL_S, _ILL_S = 5.0, 1.0
_AT_ONCE = 4
"""Sessions whose records are read together."""
_ASK_S = 3.0
"""How long an answer may take: people are told within seconds that there is none."""


class Office(Protocol):
    """Who is told."""

    def leads(self) -> bool:
        """Whether this replica may act; only then it needs the sessions' records."""

    def poke(self, domain: str | None) -> None:
        """Something of this domain has changed."""

    def poke_all(self) -> None:
        """Everything may have changed."""

    def records_are_back(self) -> None:
        """MongoDB answers again."""


class RecordsGate:
    """Looks after the database, and pokes everybody when that changes."""

    def __init__(self, store: RecordStore, records: ControlRecords, cache: Cache, office: Office) -> None:
        self._store, self._records, self._cache, self._office = store, records, cache, office
        self._claims = HardwareClaims(store, "operator")
        self._indexed = False
        self._wake = asyncio.Event()
        self.asked = asyncio.Event()
        """Set once the database has answered, or has been found not to."""

    def wake(self) -> None:
        """A session appeared whose record is unknown, or a call has failed."""
        self._wake.set()

    async def run(self) -> None:
        """Ask, for ever: often while something is wrong, now and then while all is well."""
        while True:
            await self._look()
            self.asked.set()
            well = self._cache.health.available
            try:
                await asyncio.wait_for(self._wake.wait(), _WELL_S if well else _ILL_S)
            except TimeoutError:
                continue
            self._wake.clear()
            if not well:
                await asyncio.sleep(_ILL_S)

    async def _look(self) -> None:
        with pymongo.timeout(_ASK_S):
            health = await self._store.check()
        if health.available:
            health = await self._read()
        self._say(health)

    async def _read(self) -> RecordsHealth:
        """What there is to be read; also the first proof that the answer to the greeting is worth something."""
        try:
            if not self._indexed:
                await self._store.ensure_indexes()
                self._indexed = True
            if self._office.leads():
                await self._read_unknown()
            holders = await self._claims.holders(self._cache.domains())
            if holders != self._cache.local_holders:
                self._cache.local_holders = holders
                self._office.poke_all()
        except RecordsUnavailable as error:
            return RecordsHealth(False, error.reason, error.message, datetime.now(UTC))
        return RecordsHealth(True)

    async def _read_unknown(self) -> None:
        """A few sessions at a time: what the first are to do need not wait until the last have been read."""
        unknown = [uid for uid, session in self._cache.sessions.items() if not session.record_known]
        for at in range(0, len(unknown), _AT_ONCE):
            some = unknown[at : at + _AT_ONCE]
            self._cache.put_records(some, await self._records.load(some, datetime.now(UTC)))
            for uid in some:
                session = self._cache.sessions.get(uid)
                self._office.poke(self._cache.domain_of_session(session) if session is not None else None)

    def _say(self, health: RecordsHealth) -> None:
        known = self._cache.health
        if (known.available, known.reason, known.message) == (health.available, health.reason, health.message):
            return
        if known.available != health.available:
            level = logging.INFO if health.available else logging.WARNING
            _LOG.log(level, "%s", health.message or "MongoDB answers")
        since = known.since if not known.available and not health.available else None
        self._cache.health = replace(health, since=since or datetime.now(UTC))
        if health.available:
            self._office.records_are_back()
        self._office.poke_all()
