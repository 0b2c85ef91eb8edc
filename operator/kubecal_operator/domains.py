"""One worker a lock domain: sessions that share wires are decided together, one pass at a time.

A change pokes its domain; pokes that come while a pass is under way are one pass more, however many they were.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from kubecal.api.catalogue import Catalogue
from kubecal.engine.decide import decide
from kubecal.engine.model import Observed
from kubecal_operator.cache import Cache
from kubecal_operator.execute import Executor

_LOG = logging.getLogger(__name__)
_LOOK_AGAIN_S = 60.0
"""A domain is looked at now and then though nothing is known to have happened."""
_FAILED_S = 2.0


class Domains:
    """The workers, made on their first poke."""

    def __init__(
        self,
        cache: Cache,
        executor: Executor,
        catalogue: Catalogue,
        image: str,
        leading: Callable[[], bool],
        may_create: Callable[[], bool],
    ) -> None:
        self._cache, self._executor, self._catalogue, self._image = cache, executor, catalogue, image
        self._leading, self._may_create = leading, may_create
        self._wakes: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.looked_at: dict[str, float] = {}
        """Monotonic time of each domain's last pass: what the progress probe asks."""

    def poke(self, domain: str | None) -> None:
        """Something of this domain has changed."""
        if domain is None:
            return
        if domain not in self._tasks:
            self._wakes[domain] = asyncio.Event()
            self._tasks[domain] = asyncio.create_task(self._work(domain), name=f"domain {domain}")
        self._wakes[domain].set()

    def poke_all(self) -> None:
        """Everything may have changed."""
        for domain in self._cache.domains():
            self.poke(domain)

    async def close(self) -> None:
        """End the workers; a write under way is cut off, and the next leader looks what came of it."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _work(self, domain: str) -> None:
        wake = self._wakes[domain]
        wake_at: datetime | None = None
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), self._patience(wake_at))
            wake.clear()
            wake_at = None
            self.looked_at[domain] = time.monotonic()
            if not self._leading():
                continue
            try:
                wake_at = await self._pass(domain)
            except Exception:
                # A bug in one domain must neither stop the others nor this one for ever.
                _LOG.exception("the pass over %s failed; it is tried again in %.0f s", domain, _FAILED_S)
                await asyncio.sleep(_FAILED_S)
                wake.set()

    def _patience(self, wake_at: datetime | None) -> float:
        if wake_at is None:
            return _LOOK_AGAIN_S
        return min(_LOOK_AGAIN_S, max(0.0, (wake_at - datetime.now(UTC)).total_seconds()))

    async def _pass(self, domain: str) -> datetime | None:
        """Decide and execute until there is nothing to do; returns when to look again."""
        decision = decide(self.observe(domain))
        if decision.empty:
            return decision.wake_at
        outcome = await self._executor.execute(decision)
        if outcome.again_at is None:
            # Something was done: what follows from it is decided at once.
            self._wakes[domain].set()
        return min((time for time in (decision.wake_at, outcome.again_at) if time is not None), default=None)

    def observe(self, domain: str) -> Observed:
        """Everything the engine may know of the domain now."""
        cache = self._cache
        chips = tuple(chip for chip in cache.chips.values() if cache.domain_of_chip(chip) == domain)
        sessions = tuple(one for one in cache.sessions.values() if cache.domain_of_session(one) == domain)
        uids = {session.ref.uid for session in sessions}
        return Observed(
            now=datetime.now(UTC),
            hardware_id=domain,
            chips=chips,
            sessions=sessions,
            pods=cache.pods_of(domain),
            catalogue=self._catalogue,
            image=self._image,
            records=cache.health,
            reservations=tuple(one for one in cache.reservations.values() if one.session_uid in uids),
            rejected=dict(cache.rejected),
            blocked=dict(cache.blocked),
            gone=dict(cache.gone),
            local_holder=self._local_holder(domain, chips),
            may_create=self._may_create(),
        )

    def _local_holder(self, domain: str, chips: tuple[object, ...]) -> str:
        """A laptop that holds real instruments is waited for; simulated ones cannot disturb each other."""
        backends = {chip.spec.backend.name for chip in chips if getattr(chip, "spec", None) is not None}  # type: ignore[attr-defined]
        known = self._catalogue.backend_by_name
        if all(name in known and known[name].simulated for name in backends):
            return ""
        return self._cache.local_holders.get(domain, "")
