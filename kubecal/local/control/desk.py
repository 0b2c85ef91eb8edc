"""The answering end of a run's socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from kubecal.api.naming import spoken_target
from kubecal.api.session import SessionSpec
from kubecal.api.session_status import SessionStatus
from kubecal.engine.model import ChipView, PodView
from kubecal.lab.lab import LabError, NotFoundInLabError, RefusedError
from kubecal.local.attempts import AttemptStates
from kubecal.local.changing import changed_spec, said_of_ended
from kubecal.local.control.messages import (
    HEARTBEAT_S,
    MAX_LINE,
    Failed,
    Line,
    Question,
    Reply,
    Update,
    read_question,
    reply_line,
)
from kubecal.local.control.sockets import listening
from kubecal.local.logs import new_lines
from kubecal.local.run import Driven, LocalRun
from kubecal.local.views import chip_of, standing_chip, standing_session
from kubecal.reading.answers import TaskState

_SIGHTS_APART_S = 0.1
"""A person sees no more, and a session of thousands of tasks has other things to do."""
_LINES_APART_S = 0.2
_ON_REQUEST = "cancelled on request"


@contextlib.asynccontextmanager
async def answering(run: LocalRun, folder: Path) -> AsyncIterator[None]:
    """Answer whoever connects, until the context ends; then whoever follows is told how it ended first."""
    desk = _Desk(run)
    with listening(folder) as socket:
        server = await asyncio.start_unix_server(desk.serve, sock=socket, limit=MAX_LINE)
        try:
            yield
        finally:
            server.close()
            await desk.close()


class _Desk:
    def __init__(self, run: LocalRun) -> None:
        self._run = run
        self._serving: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one question; who does not wait for the answer is let go."""
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            # Cancelled it is only by ourselves, and a server's task that ends so is a traceback in Python 3.11.
            with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError, asyncio.CancelledError):
                question = read_question(await reader.readuntil())
                async with _until_gone(reader):
                    async for reply in self._replies(question):
                        writer.write(reply_line(reply))
                        await writer.drain()
        finally:
            self._serving.discard(task)
            writer.close()

    async def close(self) -> None:
        """Let go of those who are still connected: every session has ended, and they have been told."""
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _replies(self, question: Question) -> AsyncIterator[Reply]:
        try:
            match question.ask:
                case "sessions":
                    yield Reply(sessions=tuple(standing_session(one.view) for one in self._run.driven))
                case "chips":
                    yield Reply(chips=tuple(map(standing_chip, self._run.chips)))
                case "change":
                    yield self._change(question)
                case "kill":
                    driven = self._called(question.session)
                    driven.driver.processes.kill(driven.uid)
                    yield Reply(session=standing_session(driven.view))
                case "explain":
                    driven = self._called(question.session)
                    # Another thread, so that passes go on meanwhile.
                    yield Reply(explanation=await asyncio.to_thread(driven.driver.explain, driven.uid))
                case "follow":
                    async for update in self._follow(self._called(question.session)):
                        yield Reply(update=update)
                case "logs":
                    async for text in self._logs(self._called(question.session), question):
                        yield Reply(line=Line(text))
        except LabError as error:
            yield Reply(failed=Failed.of(error))

    def _called(self, name: str) -> Driven:
        driven = self._run.called(name)
        if driven is None:
            raise NotFoundInLabError(f"there is no session {name!r} here any more")
        return driven

    def _change(self, question: Question) -> Reply:
        driven = self._called(question.session)
        view = driven.view
        assert view.spec is not None, "sessions of this computer parse"
        assert question.change is not None, "who asks for a change says which"
        if driven.driver.has_ended(view):
            raise RefusedError(said_of_ended(view.ref.name, str(view.status.phase)))
        spec = changed_spec(view.ref.name, view.spec, question.change)
        driven.driver.change(driven.uid, spec, question.reason or _ON_REQUEST if spec.cancel else "")
        return Reply(session=standing_session(driven.view))

    async def _follow(self, driven: Driven) -> AsyncIterator[Update]:
        """Everything once, then what changes, until the session has ended and was shown so."""
        sent = _Sent()
        with self._run.watchers.watching() as watcher:
            while True:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(watcher.changed.wait(), HEARTBEAT_S)
                watcher.changed.clear()
                if self._run.failure is not None:
                    raise self._run.failure
                last = driven.driver.has_ended(driven.view)
                yield sent.update(driven, watcher.notices(), last=last)
                if last:
                    return
                await asyncio.sleep(_SIGHTS_APART_S)

    async def _logs(self, driven: Driven, question: Question) -> AsyncIterator[str]:
        """What the running tasks have printed, and print."""
        read: dict[str, int] = {}
        while True:
            over = driven.driver.has_ended(driven.view)
            for process in driven.driver.pods:
                if process.session_uid == driven.uid and _wanted(process, question):
                    path = driven.driver.processes.output_of(process.name)
                    lines, read[process.name] = new_lines(path, read.get(process.name, 0), process.terminated is None)
                    for line in lines:
                        yield f"{_called(process)} | {line}"
            if over or not question.follow:
                return
            await asyncio.sleep(_LINES_APART_S)


class _Sent:
    """What one follower knows already."""

    def __init__(self) -> None:
        self._states = AttemptStates()
        self._tasks: dict[str, TaskState] = {}
        self._spec: SessionSpec | None = None
        self._status: SessionStatus | None = None
        self._chip: ChipView | None = None

    def update(self, driven: Driven, notices: tuple[str, ...], *, last: bool) -> Update:
        """What it does not know yet."""
        view, chip = driven.view, driven.chip
        changed = tuple(
            one for one in self._states.of(view, driven.driver.pods) if self._tasks.get(one.task_id) is not one
        )
        self._tasks.update((one.task_id, one) for one in changed)
        same_spec, same_status, same_chip = view.spec is self._spec, view.status == self._status, chip is self._chip
        self._spec, self._status, self._chip = view.spec, view.status, chip
        return Update(
            seen_at=datetime.now(UTC),
            session=None if same_spec else standing_session(view),
            status=None if same_status else view.status,
            chip=None if same_chip or chip is None else chip_of(chip),
            tasks=changed,
            problem="" if driven.driver.health.available else driven.driver.health.message,
            notices=notices,
            last=last,
        )


def _wanted(process: PodView, question: Question) -> bool:
    key = process.key
    return question.task in ("", key.task) and question.target in ("", key.target)


def _called(process: PodView) -> str:
    attempt = f" (attempt {process.attempt})" if process.attempt > 1 else ""
    return f"{process.key.task} on {spoken_target(process.key.target)}{attempt}"


@contextlib.asynccontextmanager
async def _until_gone(reader: asyncio.StreamReader) -> AsyncIterator[None]:
    """Stop answering when nobody is at the other end any more, also while there is nothing to say."""
    task = asyncio.current_task()
    assert task is not None

    async def leave() -> None:
        await reader.read()
        task.cancel()

    watch = asyncio.create_task(leave())
    try:
        yield
    finally:
        watch.cancel()
