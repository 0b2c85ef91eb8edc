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

from kubecal.engine.decide import decide
from kubecal_operator.cache import Cache
from kubecal_operator.execute import Executor
from kubecal_operator.observe import Observer

_LOG = logging.getLogger(__name__)
_LOOK_AGAIN_S = 60.0
"""A domain is looked at now and then though nothing is known to have happened."""
_SOONEST_S = 0.05
"""No timer wakes a domain earlier than that: one that is overdue for ever must not take all the time there is."""
_FAILED_S = 2.0
_IN_A_ROW, _BREATH_S = 20, 0.5
"""After so many passes that nothing but themselves asked for, a breath: a loop of that kind is a bug, not work."""


class Domains:
    """The workers, made on their first poke and ended when nothing is left to look after.

    Parameters
    ----------
    leads
        Whether this replica may act.
    """

    def __init__(self, cache: Cache, executor: Executor, observer: Observer, leads: Callable[[], bool]) -> None:
        self._cache, self._executor, self._observer, self._leads = cache, executor, observer, leads
        self._wakes: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._own_wakes: dict[str, int] = {}
        """Passes in a row that were asked for by the pass before them only."""
        self.looked_at: dict[str, float] = {}
        """Monotonic time of each domain's last pass: what the progress probe asks."""

    def poke(self, domain: str | None) -> None:
        """Something of this domain has changed."""
        if domain is None:
            return
        if domain not in self._tasks:
            self._wakes[domain] = asyncio.Event()
            self.looked_at[domain] = time.monotonic()
            self._tasks[domain] = asyncio.create_task(self._work(domain), name=f"domain {domain}")
        self._own_wakes[domain] = 0
        self._wakes[domain].set()

    def poke_all(self) -> None:
        """Everything may have changed."""
        for domain in self._cache.domains():
            self.poke(domain)

    async def close(self) -> None:
        """End the workers; a write under way is cut off, and the next leader looks what came of it."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, domain: str) -> None:
        wake = self._wakes[domain]
        wake_at: datetime | None = None
        while self._cache.has_domain(domain):
            if self._own_wakes[domain] > _IN_A_ROW:
                await asyncio.sleep(_BREATH_S)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), _patience_s(wake_at))
            wake.clear()
            wake_at = None
            self.looked_at[domain] = time.monotonic()
            if not self._leads():
                continue
            try:
                wake_at = await self._pass(domain)
            except Exception:
                # A bug in one domain must neither stop the others nor this one for ever.
                _LOG.exception("the pass over %s failed; it is tried again in %.0f s", domain, _FAILED_S)
                await asyncio.sleep(_FAILED_S)
                wake.set()
        # No await between the question and this: a poke in between makes a new worker, or finds this one.
        del self._tasks[domain], self._wakes[domain], self._own_wakes[domain], self.looked_at[domain]

    async def _pass(self, domain: str) -> datetime | None:
        """Decide and execute once; returns when to look again."""
        decision = decide(self._observer.observe(domain))
        if decision.empty:
            return decision.wake_at
        outcome = await self._executor.execute(decision)
        if outcome.acted:
            self._own_wakes[domain] += 1
            self._wakes[domain].set()
        return min((time for time in (decision.wake_at, outcome.again_at) if time is not None), default=None)


def _patience_s(wake_at: datetime | None) -> float:
    if wake_at is None:
        return _LOOK_AGAIN_S
    return min(_LOOK_AGAIN_S, max(_SOONEST_S, (wake_at - datetime.now(UTC)).total_seconds()))
