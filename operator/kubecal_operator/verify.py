"""Receipts checked against the records: what a pod says is believed for dispatch only.

The next task starts on a receipt alone; that its result is on record is read soon after, many at a time, so that
a busy session costs one round trip a second and not one a task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from kubecal.engine.model import SessionRef, TaskKey
from kubecal.records.control import ControlRecords
from kubecal.records.store import RecordsUnavailable
from kubecal_operator.cache import Cache

Attempt = tuple[SessionRef, TaskKey, int]
_GATHER_S = 0.02
"""Receipts that come together are read together."""
_EVERY_S = 1.0
"""At most so often: a receipt that comes after a pause is read at once, those of a busy session wait for this."""


class Verifier:
    """Reads the rows of attempts that were asked for.

    Parameters
    ----------
    poke
        Told of the domain of a session whose rows were read.
    ill
        Told that the database did not answer.
    """

    def __init__(
        self, records: ControlRecords, cache: Cache, poke: Callable[[str | None], None], ill: Callable[[], None]
    ) -> None:
        self._records, self._cache, self._poke, self._ill = records, cache, poke, ill
        self._wanted: set[Attempt] = set()
        self._reading: set[Attempt] = set()
        self._wake = asyncio.Event()

    def ask(self, attempts: Iterable[Attempt]) -> None:
        """Read these soon; asking again for what is not yet read costs nothing."""
        news = set(attempts) - self._wanted - self._reading
        if news:
            self._wanted |= news
            self._wake.set()

    async def run(self) -> None:
        """Read what was asked for, for ever."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(_GATHER_S)
            self._wake.clear()
            self._reading, self._wanted = self._wanted, set()
            try:
                self._cache.merge_rows(await self._records.read_rows(list(self._reading), datetime.now(UTC)))
            except RecordsUnavailable:
                # Nothing may be concluded; the next pass asks again.
                self._ill()
                await asyncio.sleep(_EVERY_S)
            sessions = {ref.uid for ref, _, _ in self._reading}
            self._reading = set()
            for uid in sessions & self._cache.sessions.keys():
                self._poke(self._cache.domain_of_session(self._cache.sessions[uid]))
            await asyncio.sleep(_EVERY_S)
