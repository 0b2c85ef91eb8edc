"""Plain requests to the API server over a proxy's socket, and what its refusals mean in words."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, StreamReader, UnixConnector

from kubecal.lab.lab import LabError

Json = dict[str, Any]
"""An object of the API server; Any: JSON."""
_ANSWER_S = 60.0
"""Longer than any answer of the API server's, its own time limit included."""
_LINE_BYTES = 16 << 20
"""Of a watch's events: an object of the largest size, escaped."""
_FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]*)" in API group "[^"]*"'
    r'(?: in the namespace "(?P<namespace>[^"]*)")?'
)
_INVALID = re.compile(r'^[\w.-]+ "[^"]*" is invalid: ')
_VALUE = re.compile(r"^(?:Invalid value: (?:\"(?:[^\"\\]|\\.)*\"|\{.*?\}|\[.*?\]|[^:]*)|Forbidden|Required value): ?")
_DECODING = re.compile(r"^.*strict decoding error: ")


class Refusal(Exception):  # noqa: N818 - an answer of the API server's, whose meaning is its caller's to say
    """The API server answered with an error."""

    def __init__(self, status: int, reason: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        """CamelCase, as Kubernetes has them; empty: it was no Kubernetes that answered."""
        self.message = message
        self.details = details or {}

    @property
    def sentence(self) -> str:
        """Its message without what it is wrapped in."""
        if self.status == 403 and (found := _FORBIDDEN.search(self.message)):
            return _right(**found.groupdict())
        if self.status == 422:
            return "; ".join(_causes(self.details.get("causes", ()))) or _INVALID.sub("", self.message)
        return _DECODING.sub("", self.message)


class UnreachableError(LabError):
    """The API server cannot be reached, which may pass."""


class ApiServer:
    """Requests with the user's rights; use it as an asynchronous context manager.

    Parameters
    ----------
    socket
        Of a ``kubectl proxy``.
    """

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = ClientSession(
            "http://localhost",
            connector=UnixConnector(str(self._socket), limit=0),
            read_bufsize=1 << 18,
            timeout=ClientTimeout(total=None),
            max_field_size=1 << 16,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, **query: str) -> bytes:
        """The answer's body.

        Raises
        ------
        Refusal
            If the server answers with an error.
        UnreachableError
            If it does not answer.
        """
        async with self._asked("GET", path, query, None, "", _ANSWER_S) as response:
            return await response.read()

    async def read(self, path: str, **query: str) -> Json:
        """An object."""
        found: Json = json.loads(await self.get(path, **query))
        return found

    async def write(self, method: str, path: str, body: Any, **query: str) -> Json:
        """Create an object (POST), change it by a JSON patch (PATCH), or delete it (DELETE); Any: JSON.

        Fields that the server does not know are refused, never dropped.
        """
        kind = "application/json-patch+json" if method == "PATCH" else "application/json"
        strict = {} if method == "DELETE" else {"fieldValidation": "Strict"}
        async with self._asked(method, path, {**strict, **query}, body, kind, _ANSWER_S) as response:
            found: Json = json.loads(await response.read())
            return found

    async def watch(self, path: str, version: str, **query: str) -> AsyncIterator[Json]:
        """Events from a version on, until the server ends the watch."""
        asked = {"watch": "1", "allowWatchBookmarks": "1", "resourceVersion": version, "timeoutSeconds": "240", **query}
        async with self.stream(path, **asked) as lines:
            async for event in _lines(lines):
                yield json.loads(event)

    @contextlib.asynccontextmanager
    async def stream(self, path: str, **query: str) -> AsyncIterator[StreamReader]:
        """A long answer, to be read as it comes."""
        async with self._asked("GET", path, query, None, "", None) as response:
            yield response.content

    @contextlib.asynccontextmanager
    async def _asked(
        self, method: str, path: str, query: Mapping[str, str], body: Any, kind: str, within_s: float | None
    ) -> AsyncIterator[ClientResponse]:
        assert self._session is not None
        try:
            async with self._session.request(
                method,
                path,
                params=query,
                data=None if body is None else json.dumps(body),
                headers={"Content-Type": kind} if body is not None else {},
                timeout=ClientTimeout(total=within_s),
            ) as response:
                if response.status >= 400:
                    raise _refusal(response.status, await response.read(), answered="Audit-Id" in response.headers)
                yield response
        except (ClientError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            detail = "it took too long" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
            raise UnreachableError(f"the connection to the cluster was lost: {detail}") from error


async def _lines(stream: StreamReader) -> AsyncIterator[bytes]:
    """Lines of any length that a watch may have."""
    begun = b""
    async for chunk in stream.iter_any():
        *whole, begun = (begun + chunk).split(b"\n")
        for line in whole:
            if line:
                yield line
        if len(begun) > _LINE_BYTES:
            raise UnreachableError("the API server sent an event that is too long to be one")


def _refusal(status: int, body: bytes, *, answered: bool) -> Exception:
    """What an error says; not ``answered``: it was kubectl that spoke, because it could not reach the server."""
    text = body.decode(errors="replace").strip()
    try:
        told = json.loads(text)
        return Refusal(status, told.get("reason", ""), told["message"], told.get("details"))
    except (ValueError, KeyError, TypeError, AttributeError):
        if answered:
            return Refusal(status, "", text)
        hint = ": is there a kubeconfig?" if "127.0.0.1:8080" in text or "[::1]:8080" in text else ""
        return UnreachableError(f"the cluster does not answer ({text}){hint}")


def _right(user: str, verb: str, resource: str, namespace: str | None) -> str:
    """Which right is missing, and which of the chart's roles has it."""
    if resource == "chips" and verb not in ("get", "list", "watch"):
        role = "kubecal-admin"
    elif resource == "calibrationsessions" and verb not in ("get", "list", "watch"):
        role = "kubecal-experimenter"
    else:
        role = "kubecal-viewer"
    where = f" in namespace {namespace!r}" if namespace else ""
    return f"user {user!r} may not {verb} {resource}{where}: ask for the ClusterRole {role} there"


def _causes(causes: Sequence[Mapping[str, str]]) -> list[str]:
    """One sentence for each thing that is wrong, the field before it."""
    found = []
    for cause in causes:
        message = _VALUE.sub("", cause.get("message", ""))
        field = "" if _DECODING.match(message) else cause.get("field", "")
        message = _DECODING.sub("", message)
        whole = f"{field}: {message}" if field and field != "<nil>" and not message.startswith(field) else message
        if whole and whole not in found:
            found.append(whole)
    return found
