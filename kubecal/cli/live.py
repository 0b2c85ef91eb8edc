"""What a person sees while sessions run: a line per result that came out, and below them where things stand.

How a session ended is not said here: the closing lines say it once.
"""

from __future__ import annotations

import time
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from kubecal.api.naming import spoken_target
from kubecal.api.request import Verdict
from kubecal.lab.lab import Sight, StandingSession
from kubecal.reading.answers import TaskState
from kubecal.reading.quantities import duration

_RUNNING_SHOWN = 6
_REFRESH_PER_S = 8
_TASK_WIDTH, _TARGET_WIDTH = 16, 10
_OWN_TURN = "waits for its turn"
"""What a session that nothing hinders says for an instant."""


class LiveView:
    """Shows one local run. In a pipe only the lines are printed, without colour."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=_REFRESH_PER_S, transient=True)
        self._shown: set[str] = set()
        self._sights: dict[str, Sight] = {}
        self._said: dict[str, str] = {}
        self._began = time.monotonic()

    def __enter__(self) -> LiveView:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def notice(self, sentence: str) -> None:
        """A sentence of its own."""
        self._console.print(Text(sentence, style="yellow"))

    def update(self, sight: Sight) -> None:
        """Take in what there is to see of a session."""
        for sentence in sight.notices:
            self.notice(sentence)
        self._sights[sight.session.name] = sight
        self._announce(sight.session)
        for task in sight.tasks:
            self._result(task)
        if self._console.is_terminal:
            self._live.update(self._render())

    def _announce(self, session: StandingSession) -> None:
        """A line when it begins, and one for whatever it waits for."""
        line = _standing(session)
        if line and line != self._said.get(session.uid):
            self._said[session.uid] = line
            self._console.print(Text.assemble((session.name, "bold"), f" {line}"))

    def _result(self, task: TaskState) -> None:
        """A line for every attempt that ended, once; a bad one with its reason below."""
        if task.task_id in self._shown or task.ended_at is None or task.started_at is None:
            return
        self._shown.add(task.task_id)
        good = task.verdict == Verdict.OK
        line = Text.assemble(
            f"  {task.task:<{_TASK_WIDTH}} {spoken_target(task.qid):<{_TARGET_WIDTH}} ",
            (f"{task.verdict or task.status:<15}", "green" if good else "bold red"),
            (f"{(task.ended_at - task.started_at).total_seconds():5.1f} s", "dim"),
        )
        if task.attempt > 1:
            line.append(f"  attempt {task.attempt}")
        if good and task.message:
            line.append(f"  {task.message}")
        self._console.print(line)
        if task.message and not good:
            self._console.print(Padding(Text(task.message), (0, 0, 0, 6), expand=False))

    def _render(self) -> RenderableType:
        parts: list[RenderableType] = [Text()]
        for sight in self._sights.values():
            parts.append(self._bar(sight.session))
        for sight in self._sights.values():
            parts += self._running(sight)
        return Group(*parts)

    def _bar(self, session: StandingSession) -> RenderableType:
        counts = session.status.tasks
        ended = counts.succeeded + counts.failed + counts.skipped + counts.cancelled
        line = Table.grid(padding=(0, 1))
        line.add_row(
            Text(session.name, style="bold"),
            ProgressBar(total=max(1, counts.planned), completed=ended, width=32, complete_style="green"),
            Text(f"{ended}/{counts.planned}"),
            Text(f"{counts.failed} failed", style="bold red") if counts.failed else Text(""),
            Text(duration(time.monotonic() - self._began), style="dim"),
        )
        return line

    def _running(self, sight: Sight) -> list[RenderableType]:
        running = [task for task in sight.tasks if task.status == "running" and task.started_at is not None]
        lines: list[RenderableType] = [
            Text(f"  {task.task} on {spoken_target(task.qid)}, {_seconds(sight.seen_at, task)} s", style="dim")
            for task in running[:_RUNNING_SHOWN]
        ]
        if len(running) > _RUNNING_SHOWN:
            lines.append(Text(f"  and {len(running) - _RUNNING_SHOWN} more", style="dim"))
        return lines


def _seconds(now: datetime, task: TaskState) -> str:
    return f"{(now - (task.started_at or now)).total_seconds():.0f}"


def _standing(session: StandingSession) -> str:
    """Where a session stands, in the words after its name; empty where there is nothing to say."""
    status = session.status
    if status.phase == "Running" and status.tasks.planned:
        size = f"{status.tasks.planned} {'task' if status.tasks.planned == 1 else 'tasks'}"
        # While it runs the message is about failures, which have their own lines, or maintenance.
        return f"running, execution {status.execution_id}, {size}"
    if status.phase in ("Pending", "Queued") and status.message not in ("", _OWN_TURN):
        return f"{str(status.phase).lower()}: {status.message}"
    return ""
