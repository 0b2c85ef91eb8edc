"""The asking end of a run's socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from kubecal.lab.lab import LabError, StandingChip, StandingSession
from kubecal.local.control.messages import HEARTBEAT_S, MAX_LINE, Question, Reply, Update, question_line, read_reply
from kubecal.local.control.sockets import connected, names

_SILENT_S = 5 * HEARTBEAT_S
_ANSWER_S = 5.0
"""A run that is deciding about thousands of tasks answers after that; one that is stopped does not."""


class RunGoneError(LabError):
    """The run ended before it had answered: it was killed, or is over."""


class SilentError(LabError):
    """The run does not answer."""


@dataclass(frozen=True)
class Running:
    """A session that a process answers for."""

    socket: str
    session: StandingSession

    @property
    def pid(self) -> str:
        """Of the process."""
        return _pid(self.socket)


@dataclass(frozen=True)
class Found:
    """What the runs of a data folder answered."""

    sessions: tuple[Running, ...]
    silent: tuple[str, ...]
    """Pids of those that do not answer."""

    def called(self, name: str) -> Running | None:
        """The newest session of a name."""
        found = [one for one in self.sessions if one.session.name == name]
        return max(found, key=lambda one: one.session.created_at, default=None)


async def running_sessions(folder: Path) -> Found:
    """Sessions of all runs of a data folder."""
    sockets = names(folder)
    answers = await asyncio.gather(*(_answer(folder, socket, Question("sessions")) for socket in sockets))
    found = [
        Running(socket, session)
        for socket, reply in zip(sockets, answers, strict=True)
        if isinstance(reply, Reply)
        for session in reply.sessions or ()
    ]
    silent = [_pid(socket) for socket, reply in zip(sockets, answers, strict=True) if isinstance(reply, SilentError)]
    return Found(tuple(found), tuple(silent))


async def chips_in_use(folder: Path) -> list[StandingChip]:
    """Chips of all runs that answer."""
    answers = await asyncio.gather(*(_answer(folder, socket, Question("chips")) for socket in names(folder)))
    return [chip for reply in answers if isinstance(reply, Reply) for chip in reply.chips or ()]


async def ask(folder: Path, socket: str, question: Question) -> Reply:
    """The one answer to a question.

    Raises
    ------
    RunGoneError
        If there is nobody any more.
    SilentError
        If it does not answer.
    LabError
        As the run says.
    """
    try:
        async with asyncio.timeout(_ANSWER_S), contextlib.aclosing(_replies(folder, socket, question)) as replies:
            async for reply in replies:
                return reply
    except TimeoutError:
        raise SilentError(said_of_silent(_pid(socket))) from None
    raise RunGoneError(f"the process that ran it (pid {_pid(socket)}) is gone")


async def updates(folder: Path, socket: str, session: str) -> AsyncIterator[Update | None]:
    """What there is to see of a session; ends with its last, or raises RunGoneError. None: it has been silent."""
    last = False
    async with contextlib.aclosing(_replies(folder, socket, Question("follow", session))) as replies:
        coming: asyncio.Future[Reply | None] = asyncio.ensure_future(anext(replies, None))
        try:
            while not last:
                await asyncio.wait([coming], timeout=_SILENT_S)
                if not coming.done():
                    yield None
                    continue
                reply = coming.result()
                if reply is None:
                    raise RunGoneError(f"the process that ran it (pid {_pid(socket)}) is gone")
                if reply.update is not None:
                    last = reply.update.last
                    yield reply.update
                if not last:
                    coming = asyncio.ensure_future(anext(replies, None))
        finally:
            coming.cancel()
            with contextlib.suppress(asyncio.CancelledError, LabError):
                await coming


async def lines(folder: Path, socket: str, question: Question) -> AsyncIterator[str]:
    """Lines of logs."""
    async for reply in _replies(folder, socket, question):
        if reply.line is not None:
            yield reply.line.text


def said_of_silent(pid: str) -> str:
    """What a person is told of a run that does not answer."""
    return f"the process that runs it (pid {pid}) does not answer: if it is stopped, let it go on with kill -CONT {pid}"


async def _answer(folder: Path, socket: str, question: Question) -> Reply | LabError:
    try:
        return await ask(folder, socket, question)
    except LabError as error:
        return error


async def _replies(folder: Path, socket: str, question: Question) -> AsyncGenerator[Reply, None]:
    connection = connected(folder, socket)
    if connection is None:
        return
    reader, writer = await asyncio.open_unix_connection(sock=connection, limit=MAX_LINE)
    try:
        writer.write(question_line(question))
        while line := await _line(reader):
            reply = read_reply(line)
            if reply.failed is not None:
                raise reply.failed.error()
            yield reply
    finally:
        writer.close()


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next line; empty: there is none, or only half of one, because who wrote it was killed."""
    try:
        line = await reader.readline()
    except OSError:
        return b""
    return line if line.endswith(b"\n") else b""


def _pid(socket: str) -> str:
    return socket.partition("-")[0]
