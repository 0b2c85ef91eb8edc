"""A proxy before MongoDB that knows commands: each can be meddled with, and the server can go away and come back."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from urllib.parse import urlunsplit

from bson.binary import UUID_SUBTYPE, Binary
from pymongo import AsyncMongoClient

from tests.controller.proxy import Proxy
from tests.mongodb_wire import HEADER, command_of
from tests.sweeps.calls import Answer, Call, Meddler

_LSID = b"\x03lsid\0\x1e\0\0\0\x05id\0\x10\0\0\0\x04"
_QUIET = frozenset({"hello", "ismaster", "ping", "endsessions", "buildinfo"})
"""Commands that come by the clock, or say nothing."""
_READS = frozenset({"find", "aggregate", "getmore", "count", "distinct", "listcollections", "listindexes"})


class DatabaseGateway(Proxy):
    """Stands before the server of a URI; use it as an asynchronous context manager."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self._serving: set[asyncio.Task[None]] = set()
        self._sessions: set[bytes] = set()
        """Ids of the client's sessions: what it leaves open when it dies."""
        self.meddler = Meddler()

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, value, trace)
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

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

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # No coroutine: one of those the streams would watch themselves, and complain of its end when we cancel it. A
        # task of our own, ended with us: what a client that died has asked is carried out all the same.
        task = asyncio.create_task(self._converse(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
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
            number = HEADER.unpack_from(message)[1]
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
            answered = waiting.pop(HEADER.unpack_from(message)[2], None)
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
    head = await reader.readexactly(HEADER.size)
    return head + await reader.readexactly(HEADER.unpack(head)[0] - HEADER.size)


def _session_of(message: bytes) -> set[bytes]:
    """The id of the session a command belongs to, if it names one."""
    # As BSON has it: a document named lsid with a UUID named id.
    start = message.find(_LSID)
    place = start + len(_LSID)
    return {message[place : place + 16]} if start >= 0 else set()


def _call_of(message: bytes) -> Call | None:
    """The command a message carries; None: one that nobody counts."""
    found = command_of(message)
    if found is None or found[0].lower() in _QUIET:
        return None
    name, collection = found
    return Call(f"mongodb {name} {collection}".rstrip(), name.lower() not in _READS, database=True)
