"""The operator put together: kopf watches the two kinds, everything else hangs on its start and end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import kopf

from kubecal.api.catalogue import Catalogue, load_catalogue
from kubecal.records.control import ControlRecords
from kubecal.records.store import RecordStore
from kubecal_operator import names
from kubecal_operator.cache import Cache
from kubecal_operator.client import ApiClient, login
from kubecal_operator.domains import Domains
from kubecal_operator.errors import ApiError
from kubecal_operator.execute import Executor
from kubecal_operator.gate import RecordsGate
from kubecal_operator.lease import Lease
from kubecal_operator.settings import Settings
from kubecal_operator.startup import StartupError, check_cluster, driver_id
from kubecal_operator.views import chip_view, session_view
from kubecal_operator.watching import Watching

_LOG = logging.getLogger(__name__)
_STARTUP_RETRY_S = 5.0
_STALLED_S = 240.0
"""A domain that nobody has looked at for this long, while we lead, means that the loop hangs."""


class Operator:
    """One replica."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.catalogue: Catalogue = load_catalogue(settings.catalogue_file.read_text("utf-8"))
        self.cache = Cache()
        self.client = ApiClient()
        self.store = RecordStore.from_file(settings.mongodb_uri_file)
        self.lease = Lease(self.client, settings, self._leadership_changed)
        self.domains: Domains | None = None
        self.gate: RecordsGate | None = None
        self.watching = Watching(self.client, self.cache, settings.namespaces, self.poke)
        self._tasks: list[asyncio.Task[None]] = []
        self._ready = False
        self._quorum_listed = False

    # ------------------------------------------------------------------ what kopf calls

    async def start(self) -> None:
        """Check the cluster, then begin to watch and to act."""
        await self._checked()
        records = ControlRecords(self.store, await driver_id(self.client, self.settings.scope))
        self.gate = RecordsGate(self.store, records, self.cache, self._poke_all)
        executor = Executor(self.client, records, self.cache, self.settings, self._may_create, self.catalogue)
        self.domains = Domains(
            self.cache, executor, self.catalogue, self.settings.task_image, self._leads, self._may_create
        )
        self._spawn(self.watching.run(), "watching")
        self._spawn(self.gate.run(), "records")
        self._spawn(self.lease.run(), "lease")
        self._spawn(self._relist(), "relist")

    async def stop(self) -> None:
        """End in order: no more passes, then let the Lease go."""
        if self.domains is not None:
            await self.domains.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.lease.release()
        await self.store.close()
        await self.client.close()

    def chip_event(self, kind: str | None, body: kopf.Body) -> None:
        """A Chip came, changed or went."""
        view = chip_view(body)
        key = (view.namespace, view.name)
        before = self.cache.chips.get(key)
        if kind == "DELETED":
            self.cache.chips.pop(key, None)
        elif before is None or before.uid != view.uid or int(before.resource_version) <= int(view.resource_version):
            self.cache.chips[key] = view
        for domain in {self.cache.domain_of_chip(one) for one in (before, view) if one is not None}:
            self.poke(domain)
        for session in self.cache.sessions.values():
            if session.ref.namespace == view.namespace and session.spec and session.spec.chip == view.name:
                self.poke(self.cache.domain_of_session(session))

    def session_event(self, kind: str | None, body: kopf.Body) -> None:
        """A CalibrationSession came, changed or went."""
        view = session_view(body)
        if kind == "DELETED":
            domain = self.cache.domain_of_session(self.cache.sessions.get(view.ref.uid, view))
            self.cache.drop_session(view.ref.uid)
            self.poke(domain)
            return
        new = view.ref.uid not in self.cache.sessions
        self.cache.put_session(view)
        if new and self.gate is not None:
            self.gate.wake()
        self.poke(self.cache.domain_of_session(self.cache.sessions[view.ref.uid]))

    def progress(self) -> str:
        """For the liveness probe; raises if a pass hangs."""
        if self.domains is None or not self._leads():
            return "standing by"
        now = time.monotonic()
        stalled = [name for name, at in self.domains.looked_at.items() if now - at > _STALLED_S]
        if stalled:
            raise RuntimeError(f"nobody has looked at {', '.join(stalled)} for {_STALLED_S:.0f} s")
        return "looking"

    # ------------------------------------------------------------------ parts

    async def _checked(self) -> None:
        """Kinds that are too old are waited for: whoever upgrades applies them before or after us."""
        said = ""
        while True:
            try:
                await check_cluster(self.client)
                return
            except (StartupError, ApiError) as error:
                if str(error) != said:
                    said = str(error)
                    _LOG.error("the operator does not act: %s", error)
            await asyncio.sleep(_STARTUP_RETRY_S)

    def poke(self, domain: str | None) -> None:
        """Something of this domain has changed."""
        if self.domains is not None:
            self.domains.poke(domain)

    def _poke_all(self) -> None:
        if self.domains is not None:
            self.domains.poke_all()

    def _leads(self) -> bool:
        return self.lease.valid

    def _may_create(self) -> bool:
        return self.lease.may_create and self._quorum_listed

    def _leadership_changed(self) -> None:
        self._quorum_listed = False
        if self.lease.leading:
            self._spawn(self._take_office(), "taking office")

    async def _take_office(self) -> None:
        """A new leader trusts nothing it cached while standing by before it has asked a quorum."""
        await self.watching.listed()
        await asyncio.sleep(max(0.0, self.lease.free_since - time.monotonic()))
        while self.lease.leading:
            try:
                await self.watching.relist()
                break
            except ApiError as error:
                _LOG.warning("the pods could not be listed: %s", error)
                await asyncio.sleep(1)
        for uid, session in self.cache.sessions.items():
            self.cache.sessions[uid] = replace(session, record_known=False)
        self._quorum_listed = True
        if self.gate is not None:
            self.gate.wake()
        self._poke_all()

    async def _relist(self) -> None:
        while True:
            await asyncio.sleep(self.settings.relist_s)
            try:
                await self.watching.relist()
            except ApiError as error:
                _LOG.warning("the periodic list of pods failed: %s", error)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_ended)
        self._tasks = [one for one in self._tasks if not one.done()] + [task]


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


def registry_of(operator: Operator) -> kopf.OperatorRegistry:
    """kopf's handlers: parse and hand over, nothing else."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def credentials(settings: kopf.OperatorSettings, **_: Any) -> kopf.ConnectionInfo:
        return login(settings)

    @kopf.on.startup(registry=registry)
    async def start(settings: kopf.OperatorSettings, **_: Any) -> None:
        configure(settings)
        await operator.start()

    @kopf.on.cleanup(registry=registry)
    async def stop(**_: Any) -> None:
        await operator.stop()

    @kopf.on.event(names.GROUP, names.VERSION, names.CHIPS, registry=registry)
    async def chip(event: kopf.RawEvent, body: kopf.Body, **_: Any) -> None:
        operator.chip_event(event["type"], body)

    @kopf.on.event(names.GROUP, names.VERSION, names.SESSIONS, registry=registry)
    async def session(event: kopf.RawEvent, body: kopf.Body, **_: Any) -> None:
        operator.session_event(event["type"], body)

    @kopf.on.probe(id="progress", registry=registry)
    async def progress(**_: Any) -> str:
        return operator.progress()

    return registry


def configure(settings: kopf.OperatorSettings) -> None:
    """kopf does here what we need and nothing more: no finalizers, no Events, no scans of the cluster."""
    settings.persistence.finalizer = names.FINALIZER
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.watching.inactivity_timeout = 330
    settings.watching.server_timeout = 300
    settings.networking.request_timeout = 10
    settings.networking.connect_timeout = 5
