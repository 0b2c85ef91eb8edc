"""A thin client of the API server, for what kopf does not do: pods, status, Leases, Events.

Credentials come from kopf's login, so both speak to the server alike. Every mutating call carries ``?timeout=``,
so that the server gives up no later than we do: an unknown outcome is known after that time.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import aiohttp
import kopf

from kubecal_operator.connection import login, tls, token
from kubecal_operator.errors import ApiError, error_of

Json = dict[str, Any]
"""A Kubernetes object as it travels; Any: any JSON."""

MUTATION_TIMEOUT_S = 5.0
"""A mutating call takes no longer, and less where the Lease ends earlier."""
_ANSWER_MARGIN_S = 2.0
"""Past the server's own timeout, for its answer to arrive."""
_CONNECTIONS = 160
"""More than all calls that are ever under way at a time, watches included: none waits for another's."""
_READ_TIMEOUT_S = 10.0
_WATCH_S = 290
_SILENCE_S = 75.0
"""Servers send a bookmark every 60 s; a stream that is silent for longer is dead."""
_PAGE = 500
_HEAD = re.compile(r'\{[^{}]*"metadata":\{[^{}]*"continue":("[^"]*")')
"""A list's own metadata stand before its items."""
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_ONE_METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


class ApiClient:
    """One connection pool to the API server.

    Parameters
    ----------
    patience
        How long a mutating call may take now, in seconds; a leader's calls end before its Lease does.
    """

    def __init__(self, patience: Callable[[], float] = lambda: MUTATION_TIMEOUT_S) -> None:
        self._patience = patience
        self._session: aiohttp.ClientSession | None = None
        self._info: kopf.ConnectionInfo | None = None
        self._paused_until = 0.0
        """Monotonic time before which the server asked not to be written to."""

    async def close(self) -> None:
        """Close the pool."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    # ------------------------------------------------------------------ reading

    async def get(self, path: str, **query: str) -> Json:
        """GET an object or list."""
        return await self._call("GET", path, query=query)

    async def get_metadata(self, path: str) -> Json:
        """The metadata of an object, whose whole may be large."""
        meta: Json = (await self._call("GET", path, query={}, accept=_ONE_METADATA_ONLY))["metadata"]
        return meta

    async def text(self, path: str, **query: str) -> str:
        """GET something that is not JSON, such as a log."""
        return await self._exchange("GET", path, query)

    async def list_all(self, path: str, **query: str) -> tuple[list[Json], str]:
        """Every item of a list as a quorum has it, and the version to watch from."""
        pages = [page async for page in self.pages(path, **query)]
        return [item for items, _ in pages for item in items], pages[-1][1]

    async def list_metadata(self, path: str, **query: str) -> list[Json]:
        """The metadata of every item of a list, as a quorum has it: enough to see what differs."""
        return [meta async for page in self.metadata_pages(path, **query) for meta in page]

    async def metadata_pages(self, path: str, **query: str) -> AsyncIterator[list[Json]]:
        """The same, page by page."""
        async for page, _ in self._pages(path, query, _METADATA_ONLY):
            yield [item["metadata"] for item in page]

    def pages(self, path: str, **query: str) -> AsyncIterator[tuple[list[Json], str]]:
        """A list as a quorum has it, page by page, each with the version to watch from.

        Whoever takes in thousands of objects keeps what it needs of each page, and never has all of them at once.
        """
        return self._pages(path, query, "application/json")

    async def _pages(self, path: str, query: Mapping[str, str], accept: str) -> AsyncIterator[tuple[list[Json], str]]:
        query = {**query, "limit": str(_PAGE)}
        coming = asyncio.create_task(self._page(path, query, accept))
        try:
            while True:
                text = await coming
                # It stands before the items: the server makes the next page while this one is taken in.
                token = next_page(text)
                if token is not None:
                    more = {**query, "continue": token}
                    coming = asyncio.create_task(self._page(path, more, accept))
                page = parsed(text)
                # An empty list of metadata has null here.
                yield page["items"] or [], page["metadata"]["resourceVersion"]
                if not page["metadata"].get("continue"):
                    return
                if token is None:
                    raise ApiError(0, f"the list of {path} goes on, but does not begin with where")
        finally:
            coming.cancel()

    async def _page(self, path: str, query: Mapping[str, str], accept: str) -> str:
        # Packing what stays within the cluster costs the server more time than the network takes.
        return await self._exchange("GET", path, query, None, {"Accept": accept, "Accept-Encoding": "identity"})

    async def watch(self, path: str, version: str, **query: str) -> AsyncIterator[Json]:
        """Events from a version on, until the server ends the watch.

        Lines are put together here: a pod with a large request is longer than aiohttp's own line limit.

        Raises
        ------
        ApiError
            With status 410 if the version is too old: list again.
        """
        query = {**query, "watch": "1", "resourceVersion": version, "allowWatchBookmarks": "true"}
        query["timeoutSeconds"] = str(_WATCH_S)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_READ_TIMEOUT_S, sock_read=_SILENCE_S)
        try:
            async with self._request("GET", path, query, timeout=timeout) as answer:
                if answer.status == 401:
                    await self._forget_login()
                if answer.status >= 400:
                    raise error_of(answer.status, await answer.text(), answer.headers.get("Retry-After"))
                rest = b""
                async for chunk in answer.content.iter_any():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in filter(None, lines):
                        event: Json = json.loads(line)
                        if event["type"] == "ERROR":
                            status = event["object"]
                            raise ApiError(int(status.get("code", 500)), str(status.get("message", "")))
                        yield event
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiError(0, f"the watch of {path} broke off: {error or 'nothing came'}") from error

    # ------------------------------------------------------------------ writing

    async def create(self, path: str, body: Json, *, timeout_s: float | None = None) -> Json:
        """POST an object."""
        return await self._write("POST", path, body, timeout_s=timeout_s)

    async def merge(self, path: str, body: Json) -> Json:
        """PATCH with a JSON merge patch."""
        return await self._write("PATCH", path, body, content="application/merge-patch+json")

    async def replace(self, path: str, body: Json, *, timeout_s: float | None = None) -> Json:
        """PUT an object."""
        return await self._write("PUT", path, body, timeout_s=timeout_s)

    async def delete(self, path: str, body: Json) -> Json:
        """DELETE with preconditions."""
        return await self._write("DELETE", path, body)

    async def delete_collection(self, path: str, **query: str) -> list[Json]:
        """DELETE all that the selectors choose; the metadata of what was there, since its whole would be megabytes."""
        removed = await self._write("DELETE", path, {}, accept=_METADATA_ONLY, selectors=query)
        return [item["metadata"] for item in removed["items"] or ()]

    async def _write(
        self,
        method: str,
        path: str,
        body: Json,
        *,
        content: str = "application/json",
        accept: str = "application/json",
        timeout_s: float | None = None,
        selectors: Mapping[str, str] | None = None,
    ) -> Json:
        patience_s = self._patience() if timeout_s is None else timeout_s
        wait_s = self._paused_until - time.monotonic()
        if wait_s > 0:
            raise ApiError(429, "the API server asked to be written to later", "TooManyRequests", wait_s)
        query = {**(selectors or {}), "timeout": f"{int(patience_s * 1000)}ms"}
        timeout = aiohttp.ClientTimeout(total=patience_s + _ANSWER_MARGIN_S)
        try:
            return await self._call(
                method, path, query=query, body=body, content=content, accept=accept, timeout=timeout
            )
        except ApiError as error:
            if error.status == 429 and error.retry_after_s:
                self._paused_until = time.monotonic() + error.retry_after_s
            raise

    # ------------------------------------------------------------------ the connection

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str],
        body: Json | None = None,
        content: str = "application/json",
        accept: str = "application/json",
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> Json:
        headers = {"Accept": accept}
        if body is not None:
            headers["Content-Type"] = content
        return parsed(await self._exchange(method, path, query, body, headers, timeout))

    async def _exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> str:
        try:
            async with self._request(method, path, query, body, headers, timeout) as answer:
                text: str = await answer.text(errors="replace")
                if answer.status == 401:
                    await self._forget_login()
                if answer.status >= 400:
                    raise error_of(answer.status, text, answer.headers.get("Retry-After"))
                return text
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiError(0, f"the API server did not answer {method} {path}: {error or 'timeout'}") from error

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> Any:  # aiohttp's request context manager has no public name
        session, info = self._connected()
        sent = dict(headers or {})
        bearer = token(info)
        if bearer:
            sent["Authorization"] = f"Bearer {bearer}"
        return session.request(
            method,
            info.server.rstrip("/") + path,
            params=dict(query),
            data=None if body is None else json.dumps(body, separators=(",", ":")),
            headers=sent,
            timeout=timeout or aiohttp.ClientTimeout(total=_READ_TIMEOUT_S),
        )

    def _connected(self) -> tuple[aiohttp.ClientSession, kopf.ConnectionInfo]:
        if self._session is None or self._info is None:
            info = login(kopf.OperatorSettings())
            connector = aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=tls(info))
            self._session = aiohttp.ClientSession(connector=connector, headers={"User-Agent": "kubecal-operator"})
            self._info = info
        return self._session, self._info

    async def _forget_login(self) -> None:
        """Credentials that were refused are read anew at the next call.

        The pool is closed later: other calls on it are still under way, and theirs may be answered.
        """
        session, self._session, self._info = self._session, None, None
        if session is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(_READ_TIMEOUT_S, lambda: loop.create_task(session.close()))


def next_page(text: str) -> str | None:
    """Where the page after this one begins; None: it is the last."""
    found = _HEAD.match(text)
    token: str | None = json.loads(found[1]) if found is not None else None
    return token or None


def parsed(text: str) -> Json:
    """JSON of any size.

    A page of pods is a hundred thousand objects that are all alive until it has been read: the collector would look
    through them again and again, which takes twice as long as reading them.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        parsed: Json = json.loads(text)
    finally:
        if collects:
            gc.enable()
    return parsed
