"""How many parameters of each chip still hold, counted beside the passes.

Values change while sessions run, and age by themselves. So a chip is counted when one of its sessions has come to its
end, and every quarter of an hour besides; a pass shows what was counted last and asks nobody. A count costs three round
trips for 16 qubits, and is left out while the database does not answer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from kubecal.api.catalogue import Catalogue
from kubecal.engine.clock import measure_at
from kubecal.engine.freshness import ageing
from kubecal.engine.model import ChipView
from kubecal.records.freshness import count_parameters
from kubecal.records.store import RecordStore, RecordsUnavailable
from kubecal_operator.cache import Cache
from kubecal_operator.catalogues import AuthorCatalogues
from kubecal_operator.saying import SayOnce

_LOG = logging.getLogger(__name__)
_SAY = SayOnce(_LOG)
LOOK_S = 5.0
"""How often it is looked, in memory only, whether a session has ended."""
AGAIN_S = 900.0
"""After that a chip is counted anew though none has: values age, and a long session publishes many."""

Mark = tuple[int, frozenset[str]]
"""What a count depends on besides time: the chip's generation, and its sessions that have ended."""


class ParameterCounter:
    """Keeps the counts in the cache, and has a chip's status written anew where they change.

    Parameters
    ----------
    images
        What is known of the tasks of authors' images.
    leads
        Whether this replica may act; only then somebody reads the counts.
    poke
        Called with the lock domain of a chip whose counts have changed.
    """

    def __init__(
        self,
        store: RecordStore,
        cache: Cache,
        catalogue: Catalogue,
        images: AuthorCatalogues,
        leads: Callable[[], bool],
        poke: Callable[[str | None], None],
    ) -> None:
        self._store, self._cache, self._catalogue = store, cache, catalogue
        self._images, self._leads, self._poke = images, leads, poke
        self._counted: dict[str, tuple[float, Mark]] = {}
        """When each chip was counted (monotonic), and at which mark; by its uid."""

    async def run(self) -> None:
        """Count what is due, for ever."""
        while True:
            if self._leads() and self._cache.health.available:
                await self.count_due()
            await asyncio.sleep(LOOK_S)

    async def count_due(self) -> None:
        """Count every chip that is due; one at a time, since nobody waits for it."""
        chips = {chip.uid: chip for chip in self._cache.chips.values()}
        for known in (self._counted, self._cache.parameters):
            for gone in known.keys() - chips.keys():
                del known[gone]
        for chip in chips.values():
            mark, now = self._mark(chip), time.monotonic()
            before = self._counted.get(chip.uid)
            if before is not None and before[1] == mark and now - before[0] < AGAIN_S:
                continue
            try:
                await self._count(chip)
            except RecordsUnavailable as error:
                _SAY.warning(f"the parameters of chip {chip.name} cannot be counted: {error}")
                return
            self._counted[chip.uid] = (now, mark)

    def _mark(self, chip: ChipView) -> Mark:
        ended = frozenset(
            uid
            for uid, one in self._cache.sessions.items()
            if one.ref.namespace == chip.namespace
            and one.spec is not None
            and one.spec.chip == chip.name
            and one.status.phase is not None
            and one.status.phase.final
        )
        return chip.generation, ended

    async def _count(self, chip: ChipView) -> None:
        if chip.spec is None:
            return
        authors = (one for one in self._images.of([chip], []).values() if isinstance(one, Catalogue))
        found = await count_parameters(
            self._store,
            chip.spec.project_id,
            chip.name,
            outputs=ageing((self._catalogue, *authors)),
            cooldown=chip.spec.cooldown,
            now=measure_at(self._catalogue, chip.spec, datetime.now(UTC)),
        )
        if self._cache.parameters.get(chip.uid) != found:
            self._cache.parameters[chip.uid] = found
            self._poke(self._cache.domain_of_chip(chip))
