"""A cluster as a lab: our two kinds on the API server, the records by ``kubecal-api``, the reasons by the operator."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import AsyncExitStack
from difflib import get_close_matches
from typing import Self
from urllib.parse import quote

from pydantic import ValidationError

from kubecal.api.chip import Chip
from kubecal.api.explanation import SessionExplanation
from kubecal.api.session import CalibrationSession
from kubecal.cluster.api import ApiServer, Json, Refusal
from kubecal.cluster.following import Following
from kubecal.cluster.kubectl import context, proxy
from kubecal.cluster.logs import Logs
from kubecal.cluster.objects import manifest, patch, standing_chip, standing_session
from kubecal.cluster.records import ApiRecords
from kubecal.cluster.services import NotAskedError, Service
from kubecal.lab.lab import (
    Change,
    LabError,
    NotFoundInLabError,
    RefusedError,
    Sight,
    StandingChip,
    StandingSession,
)
from kubecal.reading.answers import Result
from kubecal.reading.records import DEFAULT_PROJECT, RecordsError

_RELEASE = "kubecal"
_LISTED = "500"
"""Objects of one answer; the rest comes in further ones."""
_STANDS_BY = re.compile(r"^replica \S+ stands by: \S+ leads$")
_REPLICAS_ASKED = 8
"""The Service gives any replica: of two, the one that leads is found in all but 0.4 % of cases."""
_SESSIONS, _CHIPS = "calibrationsessions", "chips"
_SPOKEN = {_SESSIONS: "session", _CHIPS: "chip"}


class ClusterLab:
    """A namespace of a cluster; implements :class:`kubecal.lab.lab.Lab`.

    Parameters
    ----------
    namespace
        Empty: the one of the context.
    chosen
        Context of the kubeconfig; empty: the current one.
    operator_namespace, release
        Where kubecal is installed.
    """

    def __init__(
        self, *, namespace: str = "", chosen: str = "", operator_namespace: str = _RELEASE, release: str = _RELEASE
    ) -> None:
        self._namespace, self._chosen = namespace, chosen
        self._installed = (operator_namespace, release)
        self._context = ""
        self._stack = AsyncExitStack()
        self._api: ApiServer | None = None

    @property
    def where(self) -> str:
        """``namespace lab of context kind-kubecal``."""
        return f"namespace {self._namespace}" + (f" of context {self._context}" if self._context else "")

    @property
    def records(self) -> ApiRecords:
        """What was recorded here."""
        return ApiRecords(self._service("api"))

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            socket, found = await asyncio.gather(
                stack.enter_async_context(proxy(self._chosen)), context(self._chosen), return_exceptions=True
            )
            for one in (found, socket):
                if isinstance(one, BaseException):
                    raise one
            assert not isinstance(socket, BaseException)
            assert not isinstance(found, BaseException)
            self._namespace, self._context = self._namespace or found.namespace, found.name
            self._api = await stack.enter_async_context(ApiServer(socket))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    # ------------------------------------------------------------------ looking

    async def chips(self) -> Sequence[StandingChip]:
        """All chips of the namespace."""
        return [standing_chip(body) for body in await self._list(_CHIPS)]

    async def chip(self, name: str) -> StandingChip:
        """One chip."""
        return standing_chip(await self._read(_CHIPS, name))

    async def sessions(self) -> Sequence[StandingSession]:
        """All sessions of the namespace, the newest first."""
        found = [standing_session(body) for body in await self._list(_SESSIONS)]
        return sorted(found, key=lambda one: (one.created_at, one.name), reverse=True)

    async def session(self, name: str) -> StandingSession:
        """One session."""
        return standing_session(await self._read(_SESSIONS, name))

    async def explain(self, name: str) -> SessionExplanation:
        """Why tasks of a session do not run, as the replica that leads says."""
        path = f"explain/{quote(self._namespace, '')}/{quote(name, '')}"
        for asked in range(1, _REPLICAS_ASKED + 1):
            try:
                return SessionExplanation.model_validate_json(await self._service("operator").get(path))
            except ValidationError as error:
                raise LabError("the operator's answer is not understood: use its version of kubecal") from error
            except Refusal as refusal:
                if _STANDS_BY.match(refusal.message) and asked < _REPLICAS_ASKED:
                    continue
                missing = refusal.status == 404
                raise (NotFoundInLabError if missing else NotAskedError)(refusal.message) from refusal
        raise AssertionError("the last question is answered or refused")

    async def follow(self, name: str) -> AsyncGenerator[Sight, None]:
        """What there is to see of a session, until it has ended."""
        following = Following(self._server, self.records, self._path(_SESSIONS), name, self._seen_chip)
        with _in_words():
            try:
                async for sight in following.sights():
                    yield sight
            except Refusal as refusal:
                raise await self._missing(_SESSIONS, name, refusal) from refusal

    async def logs(
        self, name: str, *, task: str = "", target: str = "", follow: bool = False
    ) -> AsyncGenerator[str, None]:
        """Lines of the tasks' logs, each after its task's name."""

        async def session() -> StandingSession:
            return await self.session(name)

        logs = Logs(self._server, self._namespace, session, self._results, task, target)
        with _in_words():
            async for line in logs.lines(follow=follow):
                yield line

    # ------------------------------------------------------------------ changing

    async def create(self, session: CalibrationSession, chip: Chip | None = None) -> StandingSession:
        """Create a session.

        A chip that comes with it has to be the cluster's own: those are written by whoever administers them.
        """
        if session.metadata.namespace not in ("", self._namespace):
            raise RefusedError(
                f"the manifest says namespace {session.metadata.namespace!r}, and this is {self.where}: "
                f"add -n {session.metadata.namespace}, or correct metadata.namespace"
            )
        if chip is not None:
            await self._check_chip(chip)
        with _in_words():
            body = manifest(session, self._namespace)
            return standing_session(await self._server.write("POST", self._path(_SESSIONS), body))

    async def change(self, name: str, change: Change) -> StandingSession:
        """Change a session that exists."""
        wanted = patch(change)
        if not wanted:
            return await self.session(name)
        with _in_words():
            try:
                return standing_session(await self._server.write("PATCH", self._path(_SESSIONS, name), wanted))
            except Refusal as refusal:
                raise await self._missing(_SESSIONS, name, refusal) from refusal

    async def delete(self, name: str) -> None:
        """Delete a session, which cancels it where it runs."""
        with _in_words():
            try:
                await self._server.write("DELETE", self._path(_SESSIONS, name), {"propagationPolicy": "Background"})
            except Refusal as refusal:
                raise await self._missing(_SESSIONS, name, refusal) from refusal

    # ------------------------------------------------------------------ parts

    @property
    def _server(self) -> ApiServer:
        if self._api is None:
            raise RuntimeError("the lab is not open: use it as an asynchronous context manager")
        return self._api

    def _service(self, part: str) -> Service:
        return Service(self._server, *self._installed, part)

    def _path(self, plural: str, name: str = "") -> str:
        path = f"/apis/kubecal.io/v1alpha1/namespaces/{quote(self._namespace, '')}/{plural}"
        return f"{path}/{quote(name, '')}" if name else path

    async def _list(self, plural: str) -> list[Json]:
        found: list[Json] = []
        more = ""
        with _in_words():
            while True:
                answer = await self._server.read(
                    self._path(plural), limit=_LISTED, **({"continue": more} if more else {})
                )
                found += answer["items"]
                more = answer["metadata"].get("continue", "")
                if not more:
                    return found

    async def _read(self, plural: str, name: str) -> Json:
        with _in_words():
            try:
                return await self._server.read(self._path(plural, name))
            except Refusal as refusal:
                raise await self._missing(plural, name, refusal) from refusal

    async def _missing(self, plural: str, name: str, refusal: Refusal) -> Exception:
        """That there is none of this name, and what is close; another refusal is what it is."""
        if refusal.status != 404 or refusal.reason != "NotFound" or "not found" not in refusal.message:
            return refusal
        what = _SPOKEN[plural]
        names = sorted(body["metadata"]["name"] for body in await self._list(plural))
        close = get_close_matches(name, names, n=1)
        if close:
            instead = f"did you mean {close[0]}?"
        elif names:
            instead = f"there {'are' if len(names) > 1 else 'is'} {', '.join(names[:8])}" + (", ..." * (len(names) > 8))
        else:
            instead = f"there is no {what} there yet"
        return NotFoundInLabError(f"there is no {what} {name!r} in {self.where}: {instead}")

    async def _seen_chip(self, name: str) -> Chip | None:
        """A session may be followed by who may not see its chip."""
        try:
            return (await self.chip(name)).chip
        except (NotFoundInLabError, RefusedError):
            return None

    async def _check_chip(self, chip: Chip) -> None:
        """Raise RefusedError where a manifest's chip is not the cluster's."""
        name = chip.metadata.name
        how = "kubectl apply its manifest, if you may, or leave it out"
        try:
            there = (await self.chip(name)).chip
        except NotFoundInLabError as error:
            raise RefusedError(f"{error}; chips of a cluster are written by its admin: {how}") from error
        if there.spec != chip.spec:
            raise RefusedError(f"chip {name!r} of the manifest is not as it is in {self.where}: {how}")

    async def _results(self, session: StandingSession) -> list[Result]:
        """The session's attempts as far as they are recorded."""
        if not session.status.execution_id:
            return []
        chip = await self._seen_chip(session.session.spec.chip)
        project = chip.spec.project_id if chip is not None else DEFAULT_PROJECT
        return list(await self.records.results(session.status.execution_id, project=project))


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    """A refusal of the API server's as an error of the lab's."""
    try:
        yield
    except RecordsError as error:
        raise LabError(str(error)) from error
    except Refusal as refusal:
        raise _error(refusal) from refusal


def _error(refusal: Refusal) -> LabError:
    if refusal.status == 401:
        return RefusedError("the cluster does not know you (Unauthorized): log in, so that kubectl get cals works")
    if refusal.status == 404:
        return LabError("this cluster has no kubecal: install its chart, or choose another --context")
    if refusal.reason == "AlreadyExists":
        name = refusal.details.get("name", "")
        return RefusedError(f"session {name!r} exists already: give this one another name, or delete that one")
    if 400 <= refusal.status < 500:
        return RefusedError(refusal.sentence)
    return LabError(f"the API server could not do it: {refusal.sentence}")
