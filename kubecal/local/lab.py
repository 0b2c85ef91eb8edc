"""This computer as a lab: what was recorded here, what runs here whoever started it, and new sessions.

What runs is asked over its socket, also when it is this very program that runs it; what is over is in the records.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import itertools
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from kubecal.api.catalogue import Catalogue
from kubecal.api.chip import Chip
from kubecal.api.explanation import SessionExplanation
from kubecal.api.model import Metadata
from kubecal.api.naming import spoken_target
from kubecal.api.session import CalibrationSession
from kubecal.lab.lab import (
    Change,
    LabError,
    NotFoundInLabError,
    RefusedError,
    Sight,
    StandingChip,
    StandingSession,
)
from kubecal.local.catalogue import installed_catalogue
from kubecal.local.changing import said_of_ended
from kubecal.local.control.asking import (
    Found,
    RunGoneError,
    SilentError,
    ask,
    chips_in_use,
    lines,
    running_sessions,
    said_of_silent,
    updates,
)
from kubecal.local.control.messages import Question
from kubecal.local.errors import LocalRunError
from kubecal.local.installation import driver_id, said_of_left_behind, settle_left_behind
from kubecal.local.past import past_chip, past_session
from kubecal.local.seen import Seen
from kubecal.local.task_files import TaskFiles
from kubecal.local.views import standing_session
from kubecal.local.workplace import Workplace, checked, workplace
from kubecal.reading.answers import TaskState
from kubecal.reading.records import Records, RecordsError
from kubecal.reading.stored import StoredRecords
from kubecal.records.control import ControlRecords
from kubecal.records.documents import ENDED
from kubecal.records.hardware import HardwareClaims
from kubecal.records.sessions import StoredSession, StoredSessions
from kubecal.records.store import RecordStore, RecordsUnavailable

if TYPE_CHECKING:
    from kubecal.local.hosted import HostedRun
    from kubecal.local.refusals import Asked

_ASK_AGAIN_S = 0.5
"""How often to look how it stands with a session that nobody answers for."""
_NAMES_SHOWN = 8
_STEM = 50
"""Characters of a made name before its number: 63 are allowed."""


class LocalLab:
    """This computer; implements :class:`kubecal.lab.lab.Lab`.

    Parameters
    ----------
    mongo_uri
        A MongoDB replica set instead of the embedded server.
    jobs
        Most tasks of new sessions at a time; 0: one a core on a simulated chip.
    task_files
        Python files whose task classes new sessions may name beside those that are installed; None: those that the
        environment names.
    catalogue
        Of the installed tasks and those files, where it is known already.
    notice
        Told in a sentence what happens besides the sessions.
    """

    def __init__(
        self,
        *,
        mongo_uri: str = "",
        jobs: int = 0,
        task_files: Sequence[Path] | None = None,
        catalogue: Catalogue | None = None,
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        files = TaskFiles.given() if task_files is None else TaskFiles.of(task_files)
        self._mongo_uri, self._jobs, self._task_files, self._notice = mongo_uri, jobs, files, notice
        self._stack = contextlib.AsyncExitStack()
        self._place: Workplace | None = None
        self._store: RecordStore | None = None
        self._run: HostedRun | None = None
        self._starting = asyncio.Lock()
        self._catalogue = catalogue
        self._chips: dict[str, Chip] = {}

    # ------------------------------------------------------------------ the place

    @property
    def where(self) -> str:
        """In words, for messages."""
        return "this computer"

    @property
    def records(self) -> Records:
        """What was recorded here."""
        return StoredRecords(self._opened()[1])

    async def __aenter__(self) -> Self:
        place = workplace(self._mongo_uri)
        # The database takes a moment to start and to stop.
        self._place = await asyncio.to_thread(place.__enter__)
        self._stack.push_async_callback(asyncio.to_thread, place.__exit__, None, None, None)
        self._store = self._place.store()
        self._stack.push_async_callback(self._store.close)
        try:
            await checked(self._store)
            await self._settle()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        self._place = self._store = self._run = None

    # ------------------------------------------------------------------ looking

    async def chips(self) -> Sequence[StandingChip]:
        """All chips: in use, given, and of earlier runs as the newest execution on each has them."""
        found = {one.name: one for one in await chips_in_use(self._folder)}
        given = (StandingChip(name, "", chip) for name, chip in self._chips.items())
        with asking():
            stored = await self._sessions.newest_by_chip()
        for chip in (*given, *map(past_chip, stored)):
            found.setdefault(chip.name, chip)
        return [found[name] for name in sorted(found)]

    async def chip(self, name: str) -> StandingChip:
        """One chip."""
        for chip in await chips_in_use(self._folder):
            if chip.name == name:
                return chip
        if name in self._chips:
            return StandingChip(name, "", self._chips[name])
        with asking():
            stored = await self._sessions.on_chip(name)
            if stored is None:
                known = await self._sessions.names("chip_id")
                raise NotFoundInLabError(_no_such("chip", name, [*known, *self._chips]))
        return past_chip(stored)

    async def sessions(self) -> Sequence[StandingSession]:
        """The newest session of every name, the newest first."""
        with asking():
            stored = await self._sessions.newest_by_session()
        found = {one.name: past_session(one) for one in stored}
        for session in (one.session for one in (await self._running()).sessions):
            if session.name not in found or session.created_at >= found[session.name].created_at:
                found[session.name] = session
        return sorted(found.values(), key=lambda one: one.created_at, reverse=True)

    async def session(self, name: str) -> StandingSession:
        """The newest session of a name."""
        running = (await self._running()).called(name)
        if running is not None:
            return running.session
        stored = await self._stored(name)
        return past_session(stored, await self._tasks(stored))

    async def explain(self, name: str) -> SessionExplanation:
        """Why tasks of a session do not run."""
        everybody = await self._running()
        running = everybody.called(name)
        if running is not None:
            reply = await ask(self._folder, running.socket, Question("explain", name))
            if reply.explanation is not None:
                return reply.explanation.model_copy(update={"namespace": ""})
        stored = await self._stored(name)
        if stored.status not in ENDED:
            raise _unreachable(name, everybody)
        # As with what runs sessions: most only look, and what decides takes its time to import.
        from kubecal.local.explained import explained

        records = ControlRecords(self._opened()[1], driver_id(self._folder))
        with asking():
            record = (await records.load([stored.uid], datetime.now(UTC))).get(stored.uid)
        return explained(stored, record, await self._known_tasks())

    # ------------------------------------------------------------------ following

    async def follow(self, name: str) -> AsyncIterator[Sight]:
        """What there is to see of a session, until it has ended."""
        sight: Sight | None = None
        while (running := (await self._running()).called(name)) is not None:
            seen = Seen()
            try:
                async for update in updates(self._folder, running.socket, name):
                    if update is None and sight is not None:
                        sight = replace(sight, problem=said_of_silent(running.pid), notices=())
                        yield sight
                    elif update is not None and (update.tells or sight is None or sight.problem != update.problem):
                        sight = seen.after(update)
                        yield sight
                return
            except RunGoneError as gone:
                if sight is not None:
                    yield replace(sight, seen_at=datetime.now(UTC), problem=f"{gone}: waiting for its tasks to end")
        async for sight in self._recorded(name):
            yield sight

    async def _recorded(self, name: str) -> AsyncIterator[Sight]:
        """A session that nobody answers for, as its record says, until that says how it ended."""
        before: tuple[StoredSession, Sequence[TaskState]] | None = None
        while True:
            await self._settle()
            stored = await self._stored(name)
            tasks = await self._tasks(stored)
            over = stored.status in ENDED
            if (stored, tasks) != before or over:
                problem = "" if over else "nobody on this computer drives it: only its record is shown"
                chip, session = past_chip(stored).chip, past_session(stored, tasks)
                yield Sight(session, chip, tuple(tasks), datetime.now(UTC), problem)
            if over:
                return
            before = (stored, tasks)
            await asyncio.sleep(_ASK_AGAIN_S)

    async def logs(self, name: str, *, task: str = "", target: str = "", follow: bool = False) -> AsyncIterator[str]:
        """Lines of the tasks' logs, each after the task's name."""
        running = (await self._running()).called(name)
        if running is None:
            stored = await self._stored(name)
            execution, project = stored.execution_id, stored.chip_spec.project_id
        else:
            execution = running.session.status.execution_id
            project = (await self.chip(running.session.session.spec.chip)).chip.spec.project_id
        if execution:
            with asking():
                rows = await self.records.results(execution, project=project)
            for row in rows:
                if row.ended_at is not None and task in ("", row.task) and target in ("", row.target, row.qid):
                    attempt = f" (attempt {row.attempt})" if row.attempt > 1 else ""
                    for line in row.log_tail.splitlines():
                        yield f"{row.task} on {spoken_target(row.qid)}{attempt} | {line}"
        if running is not None:
            question = Question("logs", name, task=task, target=target, follow=follow)
            async for line in lines(self._folder, running.socket, question):
                yield line

    # ------------------------------------------------------------------ acting

    async def create(self, session: CalibrationSession, chip: Chip | None = None) -> StandingSession:
        """Begin a session in this process, with tasks in processes of their own.

        It runs as long as this lab is open: leaving it cancels what still runs.
        """
        named = await self._named(session)
        if chip is None:
            chip = (await self.chip(named.spec.chip)).chip
        await self.check([(named, chip)])
        async with self._starting:
            if self._run is None:
                # Not before: most only look, and what decides and answers takes its time to import.
                from kubecal.local.hosted import HostedRun

                self._opened()[0].only_looks = False
                run = HostedRun(self._opened()[0], await self._known_tasks(), self._task_files, self._jobs)
                await run.start()
                self._stack.push_async_callback(run.close)
                self._run = run
        self._chips[chip.metadata.name] = chip
        return standing_session(await self._run.add(chip, named))

    async def check(self, asked: Sequence[Asked]) -> None:
        """Look at sessions that are to be created, so that none is begun when another cannot be.

        Raises
        ------
        RefusedError
            If one cannot be planned, or has the name of one that runs; a line for every reason.
        """
        from kubecal.local.refusals import refuse_unplannable

        refuse_unplannable(asked, await self._known_tasks())
        names = {session.metadata.name for session, _ in asked}
        problems = [
            f"session {one.name!r} runs already, since {one.created_at:%H:%M:%S} UTC: wait for its end, cancel it "
            f"(kubecal cancel {one.name}), or give this one another name"
            for one in (running.session for running in (await self._running()).sessions)
            if one.name in names and not _over(one)
        ]
        if problems:
            raise RefusedError("\n".join(problems))

    async def change(self, name: str, change: Change) -> StandingSession:
        """Change a session that runs."""
        return await self._act(Question("change", name, change))

    async def interrupt(self, name: str, by: str) -> StandingSession:
        """Cancel a session, and have its records say by what it was interrupted."""
        return await self._act(Question("change", name, Change(cancel=True), reason=f"interrupted by {by}"))

    async def kill(self, name: str) -> StandingSession:
        """Kill the running tasks of a session that is being cancelled: they leave their instrument as it is."""
        return await self._act(Question("kill", name))

    async def delete(self, name: str) -> None:
        """Refused: a session of this computer is no object."""
        raise RefusedError(
            f"on this computer there is nothing to delete: stop the session with kubecal cancel {name}; "
            "its records stay"
        )

    async def _act(self, question: Question) -> StandingSession:
        everybody = await self._running()
        running = everybody.called(question.session)
        if running is None:
            stored = await self._stored(question.session)
            if stored.status in ENDED:
                raise RefusedError(said_of_ended(question.session, stored.phase))
            raise _unreachable(question.session, everybody)
        reply = await ask(self._folder, running.socket, question)
        assert reply.session is not None
        return reply.session

    # ------------------------------------------------------------------ parts

    def _opened(self) -> tuple[Workplace, RecordStore]:
        if self._place is None or self._store is None:
            raise RuntimeError("the lab is not open: use it as an asynchronous context manager")
        return self._place, self._store

    @property
    def _folder(self) -> Path:
        return self._opened()[0].folder

    @property
    def _sessions(self) -> StoredSessions:
        return StoredSessions(self._opened()[1])

    async def _settle(self) -> None:
        """End on record what killed runs left unfinished: whoever looks should see the truth."""
        records = ControlRecords(self._opened()[1], driver_id(self._folder))
        claims = HardwareClaims(self._opened()[1], "")
        with asking():
            left = await settle_left_behind(self._folder, records, claims)
        if left:
            self._notice(said_of_left_behind(left))

    async def _running(self) -> Found:
        """Every session that a process answers for."""
        return await running_sessions(self._folder)

    async def _stored(self, name: str) -> StoredSession:
        """The newest execution of a session's name; raises NotFoundInLabError."""
        with asking():
            stored = await self._sessions.named(name)
            known = await self._sessions.names("name") if stored is None else ()
        if stored is None:
            raise NotFoundInLabError(
                _no_such("session", name, [*known, *(one.session.name for one in (await self._running()).sessions)])
            )
        return stored

    async def _tasks(self, stored: StoredSession) -> tuple[TaskState, ...]:
        with asking():
            return tuple(await self.records.tasks(stored.execution_id, project=stored.chip_spec.project_id))

    async def _known_tasks(self) -> Catalogue:
        """The catalogue, of which authors' part is read in a process that takes a second."""
        if self._catalogue is None:
            self._catalogue = await asyncio.to_thread(installed_catalogue, self._task_files)
        return self._catalogue

    async def _named(self, session: CalibrationSession) -> CalibrationSession:
        """The session, with a name that is free where it has none."""
        if session.metadata.name:
            return session
        with asking():
            taken = set(await self._sessions.names("name"))
        taken |= {one.session.name for one in (await self._running()).sessions}
        stem = _as_name(session.spec.flow_name) or "session"
        name = next(name for number in itertools.count(1) if (name := f"{stem}-{number}") not in taken)
        return session.model_copy(update={"metadata": Metadata(name=name)})


@contextlib.contextmanager
def asking() -> Iterator[None]:
    """Records that cannot be asked are the lab's trouble."""
    try:
        yield
    except (RecordsUnavailable, RecordsError) as error:
        raise LocalRunError(str(error)) from error


def _over(session: StandingSession) -> bool:
    return session.status.phase is not None and session.status.phase.final


def _unreachable(name: str, everybody: Found) -> LabError:
    """Of a session that has not ended, and that nobody answers for."""
    if everybody.silent:
        return SilentError(f"session {name!r}: {said_of_silent(everybody.silent[0])}")
    return RefusedError(f"session {name!r} is not driven by this computer: ask where it runs (--cluster)")


def _no_such(what: str, name: str, known: Iterable[str]) -> str:
    """That there is none of this name, and which there are."""
    names = sorted(set(known))
    if not names:
        return f"there is no {what} {name!r}: nothing was run on this computer yet (--cluster asks a cluster)"
    near = difflib.get_close_matches(name, names, n=1)
    there = ", ".join(names[:_NAMES_SHOWN]) + (", ..." if len(names) > _NAMES_SHOWN else "")
    hint = f"did you mean {near[0]}?" if near else f"there are {there}" if len(names) > 1 else f"there is {there}"
    return f"there is no {what} {name!r} on this computer: {hint}"


def _as_name(text: str) -> str:
    """A text as the name of an object may be written, as far as it goes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_STEM]
