"""Following a session: its object by a watch, its tasks by ``kubecal-api``, each as fresh as it can be.

What is lost on the way (a laptop that slept, an API server that restarts, a database that fails over) is said in the
sight and asked for again; only what cannot pass by itself ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kubecal.api.chip import Chip
from kubecal.api.session_status import Phase
from kubecal.cluster.api import ApiServer, Json, Refusal, UnreachableError
from kubecal.cluster.objects import standing_session
from kubecal.cluster.records import ApiRecords
from kubecal.lab.lab import LabError, Sight, StandingSession
from kubecal.reading.answers import TaskState
from kubecal.reading.order import in_plan_order
from kubecal.reading.pages import gathered
from kubecal.reading.records import DEFAULT_PROJECT, NotRecordedError, RecordsError

_SOON_S = 1.0
"""Between two questions for the tasks, at least; five times as long as the last one took, if that is more."""
_LATER_S = 5.0
"""After which they are asked for also where the session's object did not change."""
_BACKOFF_S = (0.5, 1.0, 2.0, 5.0)
_REFUSED = 6
"""Refusals in a row, over a good 20 s, of what was allowed before: an API server that starts up knows no roles yet."""
_OVER = (Phase.COMPLETED, Phase.PARTIALLY_FAILED, Phase.FAILED, Phase.CANCELLED)
_PHASES = {"completed": Phase.COMPLETED, "failed": Phase.FAILED, "cancelled": Phase.CANCELLED}


class GoneError(Exception):
    """The session's object was deleted."""


@dataclass
class Following:
    """One session that is followed.

    Parameters
    ----------
    path
        Of the sessions of its namespace.
    chip
        Looks for a chip by name; None where there is none, or no right to see it.
    """

    api: ApiServer
    records: ApiRecords
    path: str
    name: str
    chip: Callable[[str], Awaitable[Chip | None]]
    _session: StandingSession | None = None
    _chip: Chip | None = None
    _tasks: tuple[TaskState, ...] = ()
    _problems: dict[str, str] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Something new is to be shown."""
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)
    """The tasks may have changed."""
    _gone: bool = False

    async def sights(self) -> AsyncIterator[Sight]:
        """What there is to see, until the session has ended."""
        await self._take(await self._read())
        yield self._sight()
        work = [asyncio.create_task(self._keep_session()), asyncio.create_task(self._keep_tasks())]
        try:
            while not self._over:
                await self._next_change(work)
                yield self._sight()
            # What ended it was recorded before it was said.
            if self._gone:
                await self._as_recorded()
            await self._last_tasks()
            yield self._sight()
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _next_change(self, work: list[asyncio.Task[None]]) -> None:
        """Wait for something new; what ended one of the works cannot pass by itself, and is raised."""
        changed = asyncio.create_task(self._changed.wait())
        try:
            done, _ = await asyncio.wait([changed, *work], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if task in work:
                    task.result()
        finally:
            changed.cancel()
        self._changed.clear()

    @property
    def _over(self) -> bool:
        return self._gone or (self._session is not None and self._session.status.phase in _OVER)

    def _sight(self) -> Sight:
        assert self._session is not None
        problem = "; ".join(text for text in self._problems.values() if text)
        return Sight(self._session, self._chip, self._tasks, datetime.now(UTC), problem)

    def _said(self, source: str, problem: str) -> None:
        if self._problems.get(source, "") != problem:
            self._problems[source] = problem
            self._changed.set()

    # ------------------------------------------------------------------ the object

    async def _read(self) -> Json:
        return await self.api.read(f"{self.path}/{self.name}")

    async def _take(self, body: Json) -> None:
        session = standing_session(body)
        if self._session is not None and session.uid != self._session.uid:
            # Another one of the same name, made since.
            raise GoneError
        self._session = session
        if self._chip is None:
            self._chip = await self.chip(self._session.session.spec.chip)
        self._changed.set()
        self._wanted.set()

    async def _keep_session(self) -> None:
        """Keep the object fresh, over any number of lost connections, until the session has ended."""
        failures = 0
        while not self._over:
            try:
                body = await self._read()
                await self._take(body)
                failures = 0
                self._said("session", "")
                await self._watch(body["metadata"]["resourceVersion"])
            except UnreachableError as error:
                self._said("session", str(error))
            except Refusal as refusal:
                if refusal.status == 404 and self._session is not None:
                    self._end_as_gone()
                    return
                if refusal.status in (400, 401, 403) and failures >= _REFUSED:
                    raise
                self._said("session", refusal.sentence)
            except GoneError:
                self._end_as_gone()
                return
            if not self._over:
                await asyncio.sleep(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])
                failures += 1

    async def _watch(self, version: str) -> None:
        """Take in what the server tells; returns when the watch has ended, which is no trouble."""
        async for event in self.api.watch(self.path, version, fieldSelector=f"metadata.name={self.name}"):
            kind, body = event["type"], event["object"]
            if kind == "ERROR":
                return
            if kind == "DELETED":
                raise GoneError
            if kind != "BOOKMARK":
                await self._take(body)
            if self._over:
                return

    def _end_as_gone(self) -> None:
        self._gone = True
        self._problems.pop("session", None)
        self._changed.set()

    async def _as_recorded(self) -> None:
        """How a session ended whose object is gone."""
        assert self._session is not None
        status = self._session.status
        if status.phase in _OVER or not status.execution_id:
            phase, message = status.phase or Phase.CANCELLED, "the session was deleted"
        else:
            try:
                execution = await self.records.execution(status.execution_id, project=self._project)
                phase, message = _phase(execution.phase, execution.status), execution.message
            except RecordsError as error:
                raise LabError(f"session {self.name!r} was deleted, and how it ended is not known: {error}") from error
        ended = status.model_copy(update={"phase": phase, "message": message})
        session = self._session.session.model_copy(update={"status": ended})
        self._session = StandingSession(
            self._session.name,
            self._session.namespace,
            self._session.uid,
            self._session.created_at,
            session,
            ended,
            deleting=True,
        )

    # ------------------------------------------------------------------ the tasks

    async def _keep_tasks(self) -> None:
        """Keep the tasks fresh: as soon as the object changes, and every few seconds."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), _LATER_S)
            self._wanted.clear()
            began = time.monotonic()
            await self._read_tasks()
            await asyncio.sleep(max(_SOON_S, 5 * (time.monotonic() - began)))

    async def _read_tasks(self) -> None:
        session = self._session
        if session is None or not session.status.execution_id:
            return
        execution = session.status.execution_id
        try:
            found = await gathered(lambda after: self.records.task_page(execution, self._project, after))
        except NotRecordedError:
            # Its id is told before its record can be read.
            return
        except RecordsError as error:
            self._said("tasks", str(error))
            return
        self._said("tasks", "")
        spec = session.session.spec.model_dump(mode="json", by_alias=True, include={"steps"})
        tasks = tuple(in_plan_order(found, spec))
        if tasks != self._tasks:
            self._tasks = tasks
            self._changed.set()

    async def _last_tasks(self) -> None:
        """The tasks as they ended; where the records are away, as they were seen last, with the problem said."""
        for pause in _BACKOFF_S:
            await self._read_tasks()
            if not self._problems.get("tasks"):
                return
            await asyncio.sleep(pause)

    @property
    def _project(self) -> str:
        return self._chip.spec.project_id if self._chip is not None else DEFAULT_PROJECT


def _phase(phase: str, status: str) -> Phase:
    """That of a record, which says a session's own word beside its status."""
    known = {one.value for one in _OVER}
    return Phase(phase) if phase in known else _PHASES.get(status, Phase.CANCELLED)
