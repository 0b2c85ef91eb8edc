"""A proxy before MongoDB that knows commands: each can be meddled with, and the server can go away and come back."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from bson.binary import UUID_SUBTYPE, Binary
from pymongo import AsyncMongoClient

from tests.sweeps.calls import Answer, Call, Meddler

_OP_MSG = 2013
_HEADER = struct.Struct("<iiii")
_LSID = b"\x03lsid\0\x1e\0\0\0\x05id\0\x10\0\0\0\x04"
_QUIET = frozenset({"hello", "ismaster", "ping", "endsessions", "buildinfo"})
"""Commands that come by the clock, or say nothing."""
_READS = frozenset({"find", "aggregate", "getmore", "count", "distinct", "listcollections", "listindexes"})


class DatabaseGateway:
    """Stands before the server of a URI; use it as an asynchronous context manager."""

    def __init__(self, uri: str) -> None:
        self._parts = urlsplit(uri)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._sessions: set[bytes] = set()
        """Ids of the client's sessions: what it leaves open when it dies."""
        self.meddler = Meddler()

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
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def mend(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Refuse connections, and break those there are."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    async def end_sessions(self) -> None:
        """Let go of transactions that were cut off.

        A server does that after transactionLifetimeLimitSeconds, a minute, or when it restarts; until then they keep
        others from writing the same documents. No sweep waits a minute for what the server does in any case.
        """
        ids, self._sessions = self._sessions, set()
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(urlunsplit(self._parts))
        try:
            await client.admin.command("killSessions", [{"id": Binary(each, UUID_SUBTYPE)} for each in ids])
        finally:
            await client.close()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        self._open |= {writer, back}
        waiting: dict[int, asyncio.Future[bytes]] = {}
        answers = asyncio.create_task(_pass_answers(there, writer, waiting))
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while True:
                    message = await _message(reader)
                    if not await self._asked(message, writer, back, waiting):
                        break
        finally:
            answers.cancel()
            self._open -= {writer, back}
            back.close()
            writer.close()

    async def _asked(
        self,
        message: bytes,
        writer: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
        waiting: dict[int, asyncio.Future[bytes]],
    ) -> bool:
        """One message of the client; False: its connection ends."""
        call = _call_of(message)
        self._sessions |= _session_of(message)
        if call is None:
            back.write(message)
            await back.drain()
            return True

        async def forward() -> Answer:
            number = _HEADER.unpack_from(message)[1]
            answered = waiting[number] = asyncio.get_running_loop().create_future()
            back.write(message)
            await back.drain()
            return Answer(200, await answered)

        answer = await self.meddler.around(call, forward)
        if answer is None:
            writer.transport.abort()
            return False
        writer.write(answer.body)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        if answer.then is not None:
            answer.then()
        return True


async def _pass_answers(
    there: asyncio.StreamReader, writer: asyncio.StreamWriter, waiting: dict[int, asyncio.Future[bytes]]
) -> None:
    try:
        while True:
            message = await _message(there)
            answered = waiting.pop(_HEADER.unpack_from(message)[2], None)
            if answered is not None and not answered.done():
                answered.set_result(message)
            else:
                writer.write(message)
                await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        for answered in waiting.values():
            if not answered.done():
                answered.set_exception(ConnectionResetError("the server closed the connection"))
        writer.close()


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(_HEADER.size)
    return head + await reader.readexactly(_HEADER.unpack(head)[0] - _HEADER.size)


def _session_of(message: bytes) -> set[bytes]:
    """The id of the session a command belongs to, if it names one."""
    # As BSON has it: a document named lsid with a UUID named id.
    start = message.find(_LSID)
    place = start + len(_LSID)
    return {message[place : place + 16]} if start >= 0 else set()


def _call_of(message: bytes) -> Call | None:
    """The command a message carries; None: one that nobody counts."""
    if _HEADER.unpack_from(message)[3] != _OP_MSG:
        return None
    # Flags, then the section of kind 0: a document whose first element is the command, and its value the collection.
    place = _HEADER.size + 4
    if message[place] != 0:
        return None
    kind, start = message[place + 5], place + 6
    end = message.index(b"\0", start)
    name = message[start:end].decode()
    if name.lower() in _QUIET:
        return None
    collection = ""
    if kind == 2:
        length = struct.unpack_from("<i", message, end + 1)[0]
        collection = " " + message[end + 5 : end + 4 + length].decode()
    return Call(f"mongodb {name}{collection}", name.lower() not in _READS, database=True)
