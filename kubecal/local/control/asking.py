"""The asking end of a run's socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from kubecal.lab.lab import LabError, StandingChip, StandingSession
from kubecal.local.control.messages import MAX_LINE, Question, Reply, Update, question_line, read_reply
from kubecal.local.control.sockets import connected, names

_ANSWER_S = 20.0
"""A run that is deciding about thousands of tasks answers after that; one that is stopped does not."""


class RunGoneError(LabError):
    """The run ended before it had answered: it was killed, or is over."""


async def running_sessions(folder: Path) -> dict[str, list[StandingSession]]:
    """Sessions of all runs of a data folder, by the run's socket; a run that does not answer in time is left out."""
    return {socket: list(reply.sessions or ()) for socket, reply in await _everybody(folder, Question("sessions"))}


async def chips_in_use(folder: Path) -> list[StandingChip]:
    """Chips of all runs."""
    return [chip for _, reply in await _everybody(folder, Question("chips")) for chip in reply.chips or ()]


async def ask(folder: Path, socket: str, question: Question) -> Reply:
    """The one answer to a question.

    Raises
    ------
    RunGoneError
        If there is nobody any more.
    LabError
        As the run says.
    """
    try:
        async with asyncio.timeout(_ANSWER_S):
            async for reply in _replies(folder, socket, question):
                return reply
    except TimeoutError:
        raise LabError(
            f"the process that runs it (pid {_pid(socket)}) does not answer: is it stopped? "
            f"Let it go on with: kill -CONT {_pid(socket)}"
        ) from None
    raise RunGoneError(f"the process that ran it (pid {_pid(socket)}) is gone")


async def updates(folder: Path, socket: str, session: str) -> AsyncIterator[Update]:
    """What there is to see of a session; ends with its last, or raises RunGoneError."""
    last = False
    async for reply in _replies(folder, socket, Question("follow", session)):
        if reply.update is not None:
            last = reply.update.last
            yield reply.update
    if not last:
        raise RunGoneError(f"the process that ran it (pid {_pid(socket)}) is gone")


async def lines(folder: Path, socket: str, question: Question) -> AsyncIterator[str]:
    """Lines of logs."""
    async for reply in _replies(folder, socket, question):
        if reply.line is not None:
            yield reply.line.text


async def _everybody(folder: Path, question: Question) -> Sequence[tuple[str, Reply]]:
    async def one(socket: str) -> tuple[str, Reply] | None:
        try:
            return socket, await ask(folder, socket, question)
        except LabError:
            return None

    return [found for found in await asyncio.gather(*map(one, names(folder))) if found is not None]


async def _replies(folder: Path, socket: str, question: Question) -> AsyncIterator[Reply]:
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
