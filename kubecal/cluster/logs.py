"""Lines of the tasks' logs: of pods that run from the pods, of attempts that have ended from their records."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from kubecal.api.naming import spoken_target
from kubecal.cluster.api import ApiServer, Json, Refusal
from kubecal.lab.lab import LabError, StandingSession
from kubecal.reading.answers import Result

_LOOK_S = 1.0
"""How often to look for pods that began to run."""
_ATTEMPT = "kubecal.io/attempt"
_UID, _TASK, _TARGET = "kubecal.io/session-uid", "kubecal.io/task", "kubecal.io/target"
_CONTAINER = "task"
Attempt = tuple[str, str, str, int, int]
"""Step, task, target, ordinal, attempt."""


@dataclass
class Logs:
    """What is asked for of one session.

    Parameters
    ----------
    session
        Looks how the session stands.
    results
        Reads the attempts that are recorded.
    """

    api: ApiServer
    namespace: str
    session: Callable[[], Awaitable[StandingSession]]
    results: Callable[[StandingSession], Awaitable[list[Result]]]
    task: str = ""
    target: str = ""
    _shown: set[Attempt] = field(default_factory=set)

    async def lines(self, *, follow: bool) -> AsyncIterator[str]:
        """Each after the name of its task."""
        session = await self.session()
        for line in await self._recorded(session):
            yield line
        if follow:
            async for line in self._followed():
                yield line
            for line in await self._recorded(await self.session()):
                yield line
            return
        for pod in await self._running(session):
            self._shown.add(_attempt(pod))
            async for line in self._of_pod(pod, follow=False):
                yield line

    async def _recorded(self, session: StandingSession) -> list[str]:
        """Of attempts that have ended and whose lines were not shown."""
        found = []
        for row in await self.results(session):
            key = (row.step, row.task, row.target, row.ordinal, row.attempt)
            asked = self.task in ("", row.task) and self.target in ("", row.target, row.qid)
            if row.ended_at is not None and asked and key not in self._shown:
                self._shown.add(key)
                found += [f"{_label(row.task, row.target, row.attempt)} | {one}" for one in row.log_tail.splitlines()]
        return found

    async def _followed(self) -> AsyncIterator[str]:
        """Of every pod that runs now or later, as they come, until the session has ended and they have."""
        said: asyncio.Queue[str] = asyncio.Queue(maxsize=1_000)
        looking = asyncio.create_task(self._look(said))
        try:
            while not (looking.done() and said.empty()):
                line = asyncio.create_task(said.get())
                await asyncio.wait([line, looking], return_when=asyncio.FIRST_COMPLETED)
                if line.done():
                    yield line.result()
                else:
                    line.cancel()
            looking.result()
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def _look(self, said: asyncio.Queue[str]) -> None:
        async with asyncio.TaskGroup() as reading:
            while True:
                session = await self.session()
                for pod in await self._running(session):
                    if _attempt(pod) not in self._shown:
                        self._shown.add(_attempt(pod))
                        reading.create_task(self._pass_on(pod, said))
                if session.status.phase is not None and session.status.phase.final:
                    return
                await asyncio.sleep(_LOOK_S)

    async def _pass_on(self, pod: Json, said: asyncio.Queue[str]) -> None:
        try:
            async for line in self._of_pod(pod, follow=True):
                await said.put(line)
        except LabError as error:
            await said.put(f"{_label(*_attempt(pod)[1:3], _attempt(pod)[4])} | (the log was cut off: {error})")

    async def _running(self, session: StandingSession) -> list[Json]:
        labels = {_UID: session.uid, _TASK: self.task, _TARGET: self.target}
        selector = ",".join(f"{name}={value}" for name, value in labels.items() if value)
        path = f"/api/v1/namespaces/{quote(self.namespace, '')}/pods"
        found = await self.api.read(path, labelSelector=selector, fieldSelector="status.phase=Running", limit="500")
        items: list[Json] = found["items"]
        return sorted(items, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    async def _of_pod(self, pod: Json, *, follow: bool) -> AsyncIterator[str]:
        path = f"/api/v1/namespaces/{quote(self.namespace, '')}/pods/{quote(pod['metadata']['name'], '')}/log"
        query = {"container": _CONTAINER, **({"follow": "true"} if follow else {})}
        _, task, target, _, attempt = _attempt(pod)
        begun = b""
        try:
            async with self.api.stream(path, **query) as stream:
                async for chunk in stream.iter_any():
                    *lines, begun = (begun + chunk).split(b"\n")
                    for line in lines:
                        yield f"{_label(task, target, attempt)} | {line.decode(errors='replace')}"
        except Refusal as refusal:
            if refusal.status == 404:
                return
            raise LabError(refusal.sentence) from refusal
        if begun:
            yield f"{_label(task, target, attempt)} | {begun.decode(errors='replace')}"


def _attempt(pod: Json) -> Attempt:
    told: dict[str, Any] = json.loads(pod["metadata"]["annotations"][_ATTEMPT])  # Any: JSON
    return told["step"], told["task"], told["target"], told["ordinal"], told["attempt"]


def _label(task: str, target: str, attempt: int) -> str:
    return f"{task} on {spoken_target(target)}" + (f" (attempt {attempt})" if attempt > 1 else "")
