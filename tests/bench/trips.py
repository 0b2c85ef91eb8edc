"""A TCP proxy before a MongoDB server that counts the commands it is sent.

Counted on the wire, as the database sees them, and not by whoever sends them: retries and the drivers' own commands
are trips too. What a driver says to watch the server, or to say goodbye, is nobody's task and is left out.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable

from tests.controller.proxy import Proxy
from tests.mongodb_wire import HEADER, command_of

_NOT_WORK = ("hello", "isMaster", "ismaster", "ping", "endSessions")


class CommandCounter:
    """Reads one connection's bytes and tells each command's name."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell, self._rest = tell, b""

    def feed(self, data: bytes) -> None:
        """What a client sent next."""
        self._rest += data
        while len(self._rest) >= HEADER.size:
            length = HEADER.unpack_from(self._rest)[0]
            if len(self._rest) < length:
                return
            message, self._rest = self._rest[:length], self._rest[length:]
            command = command_of(message)
            if command is not None:
                self._tell(command[0])


class CountingProxy(Proxy):
    """Stands before the server of a URI; use it as an asynchronous context manager."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.commands: Counter[str] = Counter()
        """How often each command was sent."""

    def _count(self, command: str) -> None:
        if command not in _NOT_WORK:
            self.commands[command] += 1

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        counter = CommandCounter(self._count)

        def counted(data: bytes) -> bytes:
            counter.feed(data)
            return data

        with contextlib.suppress(ConnectionError):
            await self.pass_on(reader, writer, counted)
