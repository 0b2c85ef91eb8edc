"""A TCP proxy that can be cut: a database that goes away and comes back, with all that was in it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit


class Proxy:
    """Stands before the server of a URI; use it as an asynchronous context manager."""

    def __init__(self, uri: str, rewrite: Callable[[bytes], bytes] | None = None) -> None:
        self._parts = urlsplit(uri)
        self.rewrite = rewrite
        """What is made of the server's answers, of the same length; None: they pass as they are."""
        self._server: asyncio.Server | None = None
        self._port = 0
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def uri(self) -> str:
        """The same database, through us."""
        return urlunsplit(self._parts._replace(netloc=f"127.0.0.1:{self._port}"))

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()

    async def mend(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Refuse connections, and break those there are."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Awaitable[None] | None:
        return self.pass_on(reader, writer)

    async def pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: Callable[[bytes], bytes] = bytes
    ) -> None:
        """Connect a client with the server until one of them ends; ``asked`` is made of what the client sends."""
        there, back = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        self._open |= {writer, back}
        try:
            await asyncio.gather(_pump(reader, back, asked), _pump(there, writer, self._answer))
        finally:
            self._open -= {writer, back}
            back.close()
            writer.close()

    def _answer(self, data: bytes) -> bytes:
        return self.rewrite(data) if self.rewrite is not None else data


async def _pump(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, made_of: Callable[[bytes], bytes] = bytes
) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65536):
            sink.write(made_of(data))
            await sink.drain()
    with contextlib.suppress(OSError, RuntimeError):
        sink.close()
