"""What a person sees while sessions run: a line per result that came out, and below them where things stand.

How a session ended is not said here: the closing lines say it once.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from kubecal.api.naming import spoken_target
from kubecal.api.request import Receipt, Verdict
from kubecal.cli.quantities import duration
from kubecal.engine.model import PodView, SessionView, TaskKey, Terminated
from kubecal.local.driver import Progress

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
        self._shown: set[tuple[str, TaskKey, int]] = set()
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

    def update(self, progress: Progress) -> None:
        """Take in what a pass left behind."""
        for view in progress.sessions:
            self._announce(view)
        for process in progress.processes.views:
            self._result(progress, process)
        if self._console.is_terminal:
            self._live.update(self._render(progress))

    def _announce(self, view: SessionView) -> None:
        """A line when it begins, and one for whatever it waits for."""
        line = _standing(view)
        if line and line != self._said.get(view.ref.uid):
            self._said[view.ref.uid] = line
            self._console.print(Text.assemble((view.ref.name, "bold"), f" {line}"))

    def _result(self, progress: Progress, process: PodView) -> None:
        """A line for every attempt that ended, once; a bad one with its reason below."""
        mark = (process.session_uid, process.key, process.attempt)
        if process.terminated is None or mark in self._shown:
            return
        found = _came_out(process.terminated) or _members(progress, process)
        if found is None:
            return
        self._shown.add(mark)
        verdict, message = found
        took = (process.terminated.seen_at - process.created_at).total_seconds()
        good = verdict == Verdict.OK
        line = Text.assemble(
            f"  {process.key.task:<{_TASK_WIDTH}} {spoken_target(process.key.target):<{_TARGET_WIDTH}} ",
            (f"{verdict:<15}", "green" if good else "bold red"),
            (f"{took:5.1f} s", "dim"),
        )
        if process.attempt > 1:
            line.append(f"  attempt {process.attempt}")
        if good and message:
            line.append(f"  {message}")
        self._console.print(line)
        if message and not good:
            self._console.print(Padding(Text(message), (0, 0, 0, 6), expand=False))

    def _render(self, progress: Progress) -> RenderableType:
        parts: list[RenderableType] = [Text()]
        for view in progress.sessions:
            parts.append(self._bar(view))
        parts += self._running(progress.processes.views, progress.now)
        return Group(*parts)

    def _bar(self, view: SessionView) -> RenderableType:
        counts = view.status.tasks
        ended = counts.succeeded + counts.failed + counts.skipped + counts.cancelled
        line = Table.grid(padding=(0, 1))
        line.add_row(
            Text(view.ref.name, style="bold"),
            ProgressBar(total=max(1, counts.planned), completed=ended, width=32, complete_style="green"),
            Text(f"{ended}/{counts.planned}"),
            Text(f"{counts.failed} failed", style="bold red") if counts.failed else Text(""),
            Text(duration(time.monotonic() - self._began), style="dim"),
        )
        return line

    def _running(self, processes: Sequence[PodView], now: datetime) -> list[RenderableType]:
        running = [process for process in processes if process.terminated is None]
        lines: list[RenderableType] = [
            Text(
                f"  {process.key.task} on {spoken_target(process.key.target)}, {_seconds(now, process)} s", style="dim"
            )
            for process in running[:_RUNNING_SHOWN]
        ]
        if len(running) > _RUNNING_SHOWN:
            lines.append(Text(f"  and {len(running) - _RUNNING_SHOWN} more", style="dim"))
        return lines


def _called(key: TaskKey) -> str:
    return f"{key.task} on {spoken_target(key.target)}"


def _seconds(now: datetime, process: PodView) -> str:
    return f"{(now - process.created_at).total_seconds():.0f}"


def _standing(view: SessionView) -> str:
    """Where a session stands, in the words after its name; empty where there is nothing to say."""
    status = view.status
    if status.phase == "Running" and status.tasks.planned:
        size = f"{status.tasks.planned} {'task' if status.tasks.planned == 1 else 'tasks'}"
        # While it runs the message is about failures, which have their own lines, or maintenance.
        return f"running, execution {status.execution_id}, {size}"
    if status.phase in ("Pending", "Queued") and status.message not in ("", _OWN_TURN):
        return f"{str(status.phase).lower()}: {status.message}"
    return ""


def _members(progress: Progress, process: PodView) -> tuple[str, str] | None:
    """What a MUX or batch task found, once its record was read: ok, or on which qubits not."""
    view = next(one for one in progress.sessions if one.ref.uid == process.session_uid)
    rows = view.record.rows if view.record is not None else ()
    row = next((one for one in rows if (one.key, one.attempt) == (process.key, process.attempt)), None)
    if row is None or not row.final:
        return None
    bad = [one for one in row.members if one.verdict not in (None, Verdict.OK)]
    if not bad:
        return Verdict.OK.value, ""
    return str(bad[0].verdict), "; ".join(f"{spoken_target(one.qid)}: {one.message or one.verdict}" for one in bad)


def _came_out(ended: Terminated) -> tuple[str, str] | None:
    """Verdict or reason of an attempt that ended, and its sentence; None: its record tells."""
    outcome = ended.outcome
    if isinstance(outcome, Receipt):
        return (outcome.verdict.value, outcome.message) if outcome.verdict is not None else None
    if outcome is not None:
        return outcome.reason, outcome.message
    if ended.signal:
        return "killed", f"its process was ended by {signal.Signals(ended.signal).name}"
    return f"exit {ended.exit_code}", "its process ended without a result"
