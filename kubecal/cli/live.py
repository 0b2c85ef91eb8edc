"""What a person sees while sessions run: a line per result that came out, and below them the chip as it stands.

How a session ended is not said here: the closing lines say it once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.text import Text

from kubecal.api.naming import spoken_target
from kubecal.cli.lattice import Room
from kubecal.cli.picture import head, picture
from kubecal.cli.screen import printable
from kubecal.lab.lab import Sight, StandingSession
from kubecal.reading.answers import TaskState
from kubecal.reading.attempts import last_attempts

_REFRESH_PER_S = 2
_TASK_WIDTH, _TARGET_WIDTH, _VERDICT_WIDTH = 16, 10, 15
_LINES_ABOVE = 4
"""Of the terminal for what came out last, above the picture."""
_OWN_TURN = "waits for its turn"
"""What a session that nothing hinders says for an instant."""


class LiveView:
    """Shows sessions while they run. In a pipe only the lines are printed, without colour.

    Parameters
    ----------
    from_start
        False: what had come out before the first sight is not told again.
    """

    def __init__(self, console: Console, *, from_start: bool = True) -> None:
        self._console = console
        self._from_start = from_start
        self._sights: dict[str, tuple[Sight, float]] = {}
        """By session, with when it came, by a clock that only goes forward."""
        self._told: dict[str, int] = {}
        """Results that have their line, by task id, with how far they were."""
        self._said: dict[str, str] = {}
        self._live = Live(
            console=console, refresh_per_second=_REFRESH_PER_S, transient=True, get_renderable=self._picture
        )

    def __enter__(self) -> LiveView:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def notice(self, sentence: str) -> None:
        """A sentence of its own."""
        self._console.print(Text(printable(sentence), style="yellow"))

    def update(self, sight: Sight) -> None:
        """Take in what there is to see of a session."""
        uid = sight.session.uid
        first = uid not in self._sights
        for sentence in sight.notices:
            self.notice(sentence)
        self._announce(sight)
        ended = [one for one in sight.tasks if one.task_id not in self._told and _told_of(one)]
        self._told.update((one.task_id, 1) for one in ended)
        if first and ended and not self._from_start:
            results = "result has" if len(ended) == 1 else "results have"
            self._console.print(Text(f"  {len(ended)} {results} come out before", style="dim"))
        else:
            for one in sorted(ended, key=lambda one: (str(one.ended_at), one.task_id)):
                self._result(one)
        self._sights[uid] = (sight, time.monotonic())

    def _announce(self, sight: Sight) -> None:
        """A line when it begins, one for whatever it waits for, one when the view may be out of date."""
        line = printable(sight.problem) if sight.problem else _standing(sight.session)
        uid = sight.session.uid
        if line and line != self._said.get(uid):
            self._said[uid] = line
            style = "yellow" if sight.problem else ""
            self._console.print(Text.assemble((sight.session.name, "bold"), (f" {line}", style)))

    def _result(self, task: TaskState) -> None:
        """A line for an attempt that ended; a bad one with its reason below."""
        good = task.verdict == "ok"
        line = Text.assemble(
            f"  {task.task:<{_TASK_WIDTH}} {spoken_target(task.qid):<{_TARGET_WIDTH}} ",
            (f"{task.verdict or task.status:<{_VERDICT_WIDTH}}", "green" if good else "bold red"),
        )
        if task.started_at is not None and task.ended_at is not None:
            line.append(f"{(task.ended_at - task.started_at).total_seconds():5.1f} s", style="dim")
        if task.attempt > 1:
            line.append(f"  attempt {task.attempt}")
        message = printable(task.message)
        if good and message:
            line.append(f"  {message}")
        self._console.print(line)
        if message and not good:
            self._console.print(Padding(Text(message), (0, 0, 0, 6), expand=False))

    def _picture(self) -> RenderableType:
        """All sessions; the chip of the one that runs."""
        now = time.monotonic()
        seen = [(sight, sight.seen_at + timedelta(seconds=now - came)) for sight, came in self._sights.values()]
        size = self._console.size
        return pictures(seen, Room(size.width, size.height - _LINES_ABOVE))


def pictures(seen: Sequence[tuple[Sight, datetime]], room: Room) -> RenderableType:
    """Several sessions: heads of all, and the picture of one that runs, each with what time it is for it."""
    if not seen:
        return Text()
    running = [one for one in seen if one[0].session.status.phase == "Running"]
    chosen = (running or list(seen))[0]
    parts: list[RenderableType] = []
    for one in seen:
        if one is not chosen:
            sight, now = one
            parts += [Text(), *head(sight, last_attempts(sight.tasks), now, room)]
    return Group(*parts, picture(*chosen, Room(room.width, room.height - len(parts))))


def _told_of(task: TaskState) -> bool:
    """Whether an attempt has a line of its own: those that were measured, and those that were disrupted."""
    if task.status in ("completed", "failed"):
        return True
    return task.status == "cancelled" and task.started_at is not None and bool(task.message)


def _standing(session: StandingSession) -> str:
    """Where a session stands, in the words after its name; empty where there is nothing to say."""
    status = session.status
    if status.phase == "Running" and status.tasks.planned:
        size = f"{status.tasks.planned} {'task' if status.tasks.planned == 1 else 'tasks'}"
        # While it runs the message is about failures, which have their own lines, or maintenance.
        return f"running, execution {status.execution_id}, {size}"
    if status.phase in ("Pending", "Queued", "Suspended") and status.message not in ("", _OWN_TURN):
        return f"{str(status.phase).lower()}: {printable(status.message)}"
    return ""
