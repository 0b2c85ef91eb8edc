"""One worker a lock domain: sessions that share wires are decided together, one pass at a time.

A change pokes its domain; pokes that come while a pass is under way are one pass more, however many they were.

Domains whose chips share modules are not quite apart: what one lets go another may wait for, and what two decide at
the same time must not be the same. So a pass reserves the modules of its creates before anything is awaited.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from kubecal.engine.decide import decide
from kubecal.engine.elsewhere import modules_in
from kubecal.engine.intents import CreatePod
from kubecal_operator.cache import Cache
from kubecal_operator.execute import Acted, Executor
from kubecal_operator.observe import Observer

_LOG = logging.getLogger(__name__)
_LOOK_AGAIN_S = 60.0
"""A domain is looked at now and then though nothing is known to have happened."""
_SOONEST_S = 0.05
"""No timer wakes a domain earlier than that: one that is overdue for ever must not take all the time there is."""
_BY_AND_BY_S = 0.2
"""How long what only people wait for may be held back, so that a pass looks at all of it."""
_FAILED_S = 2.0
_RESERVED = timedelta(minutes=1)
"""Longer than a pass waits for anybody; a pass ends its reservations itself."""
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
        self._open = True
        self._wakes: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._own_wakes: dict[str, int] = {}
        """Passes in a row that were asked for by the pass before them only."""
        self._had_modules: dict[str, None] = {}
        """Domains that let modules go, whoever did so last at the end."""
        self.looked_at: dict[str, float] = {}
        """Monotonic time of each domain's last pass: what the progress probe asks."""

    def poke(self, domain: str | None) -> None:
        """Something of this domain has changed."""
        self._poke_beside(domain)
        if domain is not None:
            self._wake(domain)

    def _poke_beside(self, domain: str | None) -> None:
        """Those who may wait for modules that were let go; before the domain itself, or it would take them again.

        Of several, whoever had such modules longest ago comes first, so that none of them is passed over for ever.
        """
        freed = self._cache.modules.taken_note()
        if not freed:
            return
        if domain is not None:
            self._had_modules.pop(domain, None)
            self._had_modules[domain] = None
        turns = {name: number for number, name in enumerate(self._had_modules, 1)}
        others = self._cache.domains_on(freed) - {domain}
        for other in sorted(others, key=lambda name: (turns.get(name, 0), name)):
            self._wake(other)

    def _wake(self, domain: str) -> None:
        if domain not in self._tasks:
            self._wakes[domain] = asyncio.Event()
            self.looked_at[domain] = time.monotonic()
            self._tasks[domain] = asyncio.create_task(self._work(domain), name=f"domain {domain}")
        self._own_wakes[domain] = 0
        self._wakes[domain].set()

    def poke_by_and_by(self, domain: str | None) -> None:
        """Something has changed that only people wait for: many such changes are one pass."""
        if domain is None:
            return
        if domain not in self._tasks:
            self.poke(domain)
        elif domain not in self._timers:
            self._timers[domain] = asyncio.get_running_loop().call_later(_BY_AND_BY_S, self._wakes[domain].set)

    def poke_all(self) -> None:
        """Everything may have changed."""
        for domain in self._cache.domains():
            self.poke(domain)

    async def close(self) -> None:
        """End the workers; a write under way is cut off, and the next leader looks what came of it."""
        # A worker that is woken and cancelled at once may miss that it was cancelled.
        self._open = False
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, domain: str) -> None:
        wake = self._wakes[domain]
        wake_at: datetime | None = None
        while self._open and self._cache.has_domain(domain):
            if self._own_wakes[domain] > _IN_A_ROW:
                await asyncio.sleep(_BREATH_S)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), _patience_s(wake_at))
            wake.clear()
            self._forget_timer(domain)
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
        self._forget_timer(domain)
        # No await between the question and this: a poke in between makes a new worker, or finds this one.
        self._cache.unwritten.pop(domain, None)
        del self._tasks[domain], self._wakes[domain], self._own_wakes[domain], self.looked_at[domain]

    async def _pass(self, domain: str) -> datetime | None:
        """Decide and execute once; returns when to look again."""
        decision = decide(self._observer.observe(domain))
        if decision.empty:
            if self._cache.unwritten.pop(domain, None) is not None:
                # Nothing is left to be recorded, so nothing can fail to be: that is news for who reads the status.
                self._wakes[domain].set()
            return decision.wake_at
        with self._modules_reserved(decision.creates):
            outcome = await self._executor.execute(domain, decision, self._wakes[domain].is_set)
        self._poke_beside(domain)
        if outcome.acted:
            self._own_wakes[domain] += 1
        if outcome.acted is Acted.AND_MORE_FOLLOWS:
            self._wakes[domain].set()
        elif outcome.acted:
            self.poke_by_and_by(domain)
        return min((time for time in (decision.wake_at, outcome.again_at) if time is not None), default=None)

    @contextlib.contextmanager
    def _modules_reserved(self, creates: Iterable[CreatePod]) -> Iterator[None]:
        """No other domain decides to take the modules of these while what comes before the creates is awaited."""
        shared = [one for one in creates if modules_in(one.planned.wires)]
        mine = self._cache.reserve(shared, datetime.now(UTC) + _RESERVED)
        try:
            yield
        finally:
            for one in mine:
                # One that was sent has a reservation of its own, or its pod.
                if self._cache.reservations.get(one.pod_name) is one:
                    self._cache.release(one.pod_name)

    def _forget_timer(self, domain: str) -> None:
        timer = self._timers.pop(domain, None)
        if timer is not None:
            timer.cancel()


def _patience_s(wake_at: datetime | None) -> float:
    if wake_at is None:
        return _LOOK_AGAIN_S
    return min(_LOOK_AGAIN_S, max(_SOONEST_S, (wake_at - datetime.now(UTC)).total_seconds()))
