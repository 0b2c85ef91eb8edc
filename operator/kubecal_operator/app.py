"""The operator put together: what watches, what decides and executes, and when it may."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from kubecal.api.catalogue import Catalogue, load_catalogue
from kubecal.records.control import ControlRecords
from kubecal.records.store import RecordStore, RecordsUnavailable
from kubecal_operator.cache import Cache
from kubecal_operator.catalogues import AuthorCatalogues
from kubecal_operator.client import MUTATION_TIMEOUT_S, ApiClient
from kubecal_operator.counting import ParameterCounter
from kubecal_operator.creating import Creator
from kubecal_operator.domains import Domains
from kubecal_operator.errors import ApiError
from kubecal_operator.execute import Executor
from kubecal_operator.explainer import Explainer
from kubecal_operator.gate import RecordsGate
from kubecal_operator.kinds import Kinds
from kubecal_operator.lease import Lease
from kubecal_operator.observe import Observer
from kubecal_operator.pod_watch import PodWatch
from kubecal_operator.saying import SayOnce
from kubecal_operator.settings import Settings
from kubecal_operator.startup import StartupError, check_cluster, driver_id
from kubecal_operator.surroundings import MountFailures, Nodes
from kubecal_operator.verify import Verifier

_LOG = logging.getLogger(__name__)
_SAY = SayOnce(_LOG)
_RETRY_S = 1.0
_STARTUP_RETRY_S = 5.0
_SHORTEST_CALL_S = 1.0
_STALLED_S = 240.0
"""A domain that nobody has looked at for this long, while we lead, means that the loop hangs."""


class Operator:
    """One replica."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.catalogue: Catalogue = load_catalogue(settings.catalogue_file.read_text("utf-8"))
        self.cache = Cache()
        self.client = ApiClient(self._patience_s)
        self.store = RecordStore.from_file(settings.mongodb_uri_file)
        self.lease = Lease(self.client, settings, self._leadership_changed)
        self.kinds = Kinds(self.client, self.cache, self.poke, self._wake_gate)
        self.pods = [PodWatch(self.client, self.cache, namespace, self) for namespace in settings.namespaces]
        self.images = AuthorCatalogues(self.client, self.cache, self.poke, self._spawn)
        self._observer = Observer(self.cache, self.catalogue, settings.task_image, self.images, self._may_create)
        self.explainer = Explainer(self.cache, self._observer, settings, self.lease, self.leads)
        self._gate: RecordsGate | None = None
        self._domains: Domains | None = None
        self._creator: Creator | None = None
        self._records: ControlRecords | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._in_office = False
        self._term = 0
        """Counts changes of leadership: a term that was lost while it began must not begin."""
        self._waiting = "the cluster was not checked yet"

    # ------------------------------------------------------------------ start and end

    async def start(self) -> None:
        """Check the cluster, then begin to watch and to act."""
        records = self._records = ControlRecords(self.store, await self._checked())
        gate = self._gate = RecordsGate(self.store, records, self.cache, self)
        verifier = Verifier(records, self.cache, self.poke, gate.wake)
        creator = self._creator = Creator(self.client, self.cache, self.settings, self._may_create, self.poke)
        executor = Executor(
            self.client,
            records,
            self.cache,
            self.settings,
            self.catalogue,
            creator=creator,
            verifier=verifier,
            leads=self.leads,
            ill=gate.wake,
        )
        self._domains = Domains(self.cache, executor, self._observer, self.leads)
        counter = ParameterCounter(self.store, self.cache, self.catalogue, self.images, self.leads, self.poke_by_and_by)
        for watch in self.pods:
            self._spawn(watch.run(), f"watching {watch.path}")
        self._spawn(Nodes(self.client, self.cache, self.poke).run(), "watching nodes")
        self._spawn(verifier.run(), "verifying receipts")
        self._spawn(gate.run(), "asking the database")
        self._spawn(counter.run(), "counting parameters")
        self._spawn(self._warm_up(), "warming up")
        self._waiting = "the caches are not filled yet"

    async def stop(self) -> None:
        """End in order: no more passes, then let the Lease go."""
        if self._domains is not None:
            await self._domains.close()
        if self._creator is not None:
            self._creator.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.lease.release()
        await self.store.close()
        await self.client.close()

    async def _checked(self) -> str:
        """Kinds that are too old are waited for: whoever upgrades applies them before or after us."""
        while True:
            try:
                await check_cluster(self.client)
                return await driver_id(self.client, self.settings.scope)
            except (StartupError, ApiError) as error:
                self._waiting = str(error)
                _SAY.warning(f"the operator does not act: {error}")
            await asyncio.sleep(_STARTUP_RETRY_S)

    async def _warm_up(self) -> None:
        """A replica is ready, and may stand for the Lease, when it knows what there is."""
        for watch in self.pods:
            while not watch.listed.is_set() and not await self._ends(watch.namespace):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(watch.listed.wait(), _RETRY_S)
        await self._insisted(self._relist_kinds)
        # Modules, kinds and pods are here to stay: the collector need not look through them while a task waits.
        gc.collect()
        gc.freeze()
        self._waiting = ""
        for namespace in self.settings.namespaces:
            # After the pods: an Event about a pod that nobody knows is dropped.
            failures = MountFailures(self.client, self.cache, namespace, self.poke)
            self._spawn(failures.run(), f"watching Events of {namespace}")
        self._spawn(self.lease.run(), "holding the Lease")
        self._spawn(self._relist_now_and_then(), "relisting")

    # ------------------------------------------------------------------ probes

    def trouble(self) -> str:
        """Why only a restart can help: a pass hangs. One held up by an outage ends within its timeouts."""
        if self._domains is None or not self.leads():
            return ""
        now = time.monotonic()
        stalled = [name for name, at in self._domains.looked_at.items() if now - at > _STALLED_S]
        return f"nobody has looked at {', '.join(stalled)} for {_STALLED_S:.0f} s" if stalled else ""

    def waiting(self) -> str:
        """Why the operator is not ready yet."""
        return self._waiting

    # ------------------------------------------------------------------ who may act

    def leads(self) -> bool:
        """Whether this replica may act."""
        return self._in_office and self.lease.valid

    def _may_create(self) -> bool:
        return self._in_office and self.lease.may_create

    def _patience_s(self) -> float:
        """A leader's call ends before its Lease does."""
        return max(_SHORTEST_CALL_S, min(MUTATION_TIMEOUT_S, self.lease.remaining_s))

    def _leadership_changed(self) -> None:
        self._in_office = False
        self._term += 1
        if self.lease.leading:
            self._spawn(self._take_office(self._term), "taking office")

    async def _take_office(self, term: int) -> None:
        """A new leader trusts nothing it cached while standing by before it has asked a quorum.

        The list comes after the old Lease has run out: what the predecessor created until then is in it.
        """
        await asyncio.sleep(max(0.0, self.lease.free_since - time.monotonic()))
        await self._relisted()
        if self._gate is not None:
            # Else every session would be told that the database does not answer, before it was asked.
            await self._gate.asked.wait()
        # Else sessions whose time to wait for a catalogue is over would fail before anybody looked for it.
        await self.images.ready()
        if term != self._term:
            return
        self.cache.forget_records()
        self._in_office = True
        self._wake_gate()
        self.poke_all()
        await self._end_abandoned()

    async def _end_abandoned(self) -> None:
        """Executions end now whose sessions are gone without that being on record.

        They vanished while no operator ran, somebody took our finalizer off, or MongoDB was away at the time.
        """
        while self._records is not None and self.leads():
            try:
                open_now = await self._records.unfinished()
                served = {uid for uid, ref in open_now.items() if ref.namespace in self.settings.namespaces}
                lost = served - self.cache.sessions.keys()
                if lost:
                    await self._records.abandon(
                        lost, "its session is gone, and its end was not recorded", datetime.now(UTC)
                    )
                    _LOG.info("%d executions whose sessions have vanished are recorded as cancelled", len(lost))
                return
            except RecordsUnavailable:
                await asyncio.sleep(_STARTUP_RETRY_S)

    # ------------------------------------------------------------------ lists

    async def _relisted(self) -> None:
        """Compare everything with a quorum, however long it takes to get one."""
        await self._insisted(self._relist)

    async def _insisted(self, lists: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await lists()
                return
            except ApiError as error:
                _SAY.warning(f"listing: {error}")
                await asyncio.sleep(_RETRY_S)

    async def _relist(self) -> None:
        await self._relist_kinds()
        self.images.prune()
        for watch in self.pods:
            try:
                await watch.relist()
            except ApiError as error:
                if not (error.forbidden and await self._ends(watch.namespace)):
                    raise
                watch.forget()

    async def _relist_kinds(self) -> None:
        for namespace in self.settings.namespaces:
            try:
                await self.kinds.relist([namespace])
            except ApiError as error:
                if not (error.forbidden and await self._ends(namespace)):
                    raise

    async def _ends(self, namespace: str) -> bool:
        """Whether a namespace is being deleted, or gone: our rights in it go before its sessions do.

        Of these only the sessions are still to be seen, and our finalizer must not keep them.
        """
        try:
            ends = "deletionTimestamp" in await self.client.get_metadata(f"/api/v1/namespaces/{namespace}")
        except ApiError as error:
            ends = error.not_found
        if ends:
            self.cache.namespace_ends(namespace)
        return ends

    async def _relist_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self.settings.relist_s)
            await self._relisted()
            await self._end_abandoned()

    # ------------------------------------------------------------------ parts

    def poke(self, domain: str | None) -> None:
        """Something of this domain has changed."""
        if self._domains is not None:
            self._domains.poke(domain)

    def poke_by_and_by(self, domain: str | None) -> None:
        """Something of this domain has changed that nothing follows from but what people read."""
        if self._domains is not None:
            self._domains.poke_by_and_by(domain)

    def poke_all(self) -> None:
        """Everything may have changed."""
        if self._domains is not None:
            self._domains.poke_all()

    def records_are_back(self) -> None:
        """MongoDB answers again: what ended without a word of it meanwhile is made up for."""
        self._spawn(self._end_abandoned(), "ending what was abandoned")

    def _wake_gate(self) -> None:
        if self._gate is not None:
            self._gate.wake()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_ended)
        self._tasks = [one for one in self._tasks if not one.done()] + [task]
        return task


def _ended(task: asyncio.Task[None]) -> None:
    """A background task that dies takes the operator with it: half an operator is worse than none."""
    if task.cancelled():
        return
    error = task.exception()
    if error is not None:
        _LOG.critical("%s failed", task.get_name(), exc_info=error)
        asyncio.get_running_loop().call_soon(_abort)


def _abort() -> None:
    raise SystemExit(1)
