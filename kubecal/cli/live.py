"""What a person sees while sessions run: a line per result that came out, and below them where things stand."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from kubecal.api.request import Receipt, Verdict
from kubecal.engine.model import PodView, SessionView, TaskKey
from kubecal.local.driver import Progress

_RUNNING_SHOWN = 6
_REFRESH_PER_S = 8


def quantity(value: float, error: float | None, unit: str) -> str:
    """``31.2 ± 0.8 us``: the error to two digits, the value to the same place."""
    if error is None or not error > 0:
        return f"{value:.6g} {unit}".strip()
    places = max(0, 1 - _exponent(error))
    return f"{value:.{places}f} ± {error:.{places}f} {unit}".strip()


def _exponent(number: float) -> int:
    return int(f"{number:e}".partition("e")[2])


class LiveView:
    """Shows one local run. In a pipe only the lines are printed, without colour."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=_REFRESH_PER_S, transient=True)
        self._shown: set[tuple[str, TaskKey, int]] = set()
        self._views: dict[str, Progress] = {}
        self._phases: dict[str, str] = {}
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
            self._views[view.ref.uid] = progress
            self._announce(view)
        for process in progress.processes.views:
            self._result(progress, process)
        if self._console.is_terminal:
            self._live.update(self._render(progress))

    def _announce(self, view: SessionView) -> None:
        phase = str(view.status.phase or "")
        if phase and phase != self._phases.get(view.ref.uid):
            self._phases[view.ref.uid] = phase
            text = Text.assemble((view.ref.name, "bold"), f" {phase.lower()}")
            if view.status.execution_id:
                text.append(f", execution {view.status.execution_id}")
            if view.status.message and view.status.phase != "Running":
                text.append(f": {view.status.message}")
            self._console.print(text)

    def _result(self, progress: Progress, process: PodView) -> None:
        """A line for every attempt that ended, once."""
        mark = (process.session_uid, process.key, process.attempt)
        if process.terminated is None or mark in self._shown:
            return
        self._shown.add(mark)
        outcome = process.terminated.outcome
        took = (process.terminated.seen_at - process.created_at).total_seconds()
        line = Text.assemble("  ", f"{process.key.task:<16} ", f"qubit {process.key.target:<4} ")
        if isinstance(outcome, Receipt):
            good = outcome.verdict is Verdict.OK
            line.append(f"{outcome.verdict:<15}", style="green" if good else "bold red")
            line.append(f"{took:5.1f} s", style="dim")
            if outcome.message:
                line.append(f"  {outcome.message}")
        else:
            reason = outcome.reason if outcome else f"exit {process.terminated.exit_code}"
            line.append(f"{reason:<15}", style="bold red")
            line.append(f"{took:5.1f} s", style="dim")
            if outcome is not None and outcome.message:
                line.append(f"  {outcome.message}")
        self._console.print(line)

    def _render(self, progress: Progress) -> RenderableType:
        parts: list[RenderableType] = [Text()]
        for view in progress.sessions:
            parts.append(self._bar(view))
        parts += self._running(progress.processes.views, progress.now)
        if progress.local_holder:
            parts.append(Text(f"waits for {progress.local_holder}", style="yellow"))
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
            Text(f"{time.monotonic() - self._began:.0f} s", style="dim"),
        )
        return line

    def _running(self, processes: Sequence[PodView], now: datetime) -> list[RenderableType]:
        running = [process for process in processes if process.terminated is None]
        lines: list[RenderableType] = [
            Text(f"  {process.key.task} on qubit {process.key.target}, {_seconds(now, process)} s", style="dim")
            for process in running[:_RUNNING_SHOWN]
        ]
        if len(running) > _RUNNING_SHOWN:
            lines.append(Text(f"  and {len(running) - _RUNNING_SHOWN} more", style="dim"))
        return lines


def _seconds(now: datetime, process: PodView) -> str:
    return f"{(now - process.created_at).total_seconds():.0f}"
