"""What stands at the end of a run: what failed and why, the calibrated parameters, how it went, the figures' folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kubecal.api.catalogue import Catalogue
from kubecal.api.naming import spoken_target
from kubecal.api.session_status import SessionStatus
from kubecal.api.units import readable
from kubecal.lab.lab import StandingSession
from kubecal.reading.answers import OutputValue, Result
from kubecal.reading.quantities import duration, quantity, spoken

_TOLD_SIGMAS = 5.0
"""Nearer to the value that it replaces a result is as good as the same."""
_STYLES = {"Completed": "bold green", "Cancelled": "bold yellow"}


@dataclass(frozen=True)
class RunOutcome:
    """What came out of one session."""

    session: StandingSession
    results: tuple[Result, ...]
    figures: Path | None
    """Folder of the figures; None when there are none."""
    figures_problem: str = ""
    """Why they could not be written as files, in a sentence."""


def print_outcome(console: Console, outcome: RunOutcome, catalogue: Catalogue, *, all_values: bool) -> None:
    """The end of one session, the worst first."""
    last = last_attempts(outcome.results)
    failed = [row for row in last if row.status == "failed"]
    good = [row for row in last if row.outputs and row.verdict == "ok"]
    console.print()
    for row in failed:
        print_failure(console, row)
    if failed:
        console.print()
    if good:
        console.print(parameter_table(good, catalogue, all_values=all_values))
        console.print()
    console.print(summary(outcome))
    if outcome.figures is not None:
        console.print(Text(f"figures: {short_path(outcome.figures)}"), soft_wrap=True)
    if outcome.figures_problem:
        console.print(Text(outcome.figures_problem, style="yellow"))


def last_attempts(results: Sequence[Result]) -> list[Result]:
    """What became of every planned task, by step and qubit, in the order in which they ended."""
    last: dict[tuple[str, str, str, int], Result] = {}
    for row in results:
        key = (row.step, row.qid, row.task, row.ordinal)
        if key not in last or row.attempt > last[key].attempt:
            last[key] = row
    return list(last.values())


def print_failure(console: Console, row: Result) -> None:
    """One failed task: where, what, why."""
    line = Text("failed: ", style="bold red")
    line.append(f"{_label(row)} on {spoken_target(row.qid)}", style="not bold default")
    if row.verdict:
        line.append(f", {row.verdict}")
    if row.attempt > 1:
        line.append(f" (attempt {row.attempt})", style="not bold default")
    console.print(line)
    if row.message:
        console.print(Padding(Text(row.message), (0, 0, 0, 4), expand=False))


def parameter_table(rows: Sequence[Result], catalogue: Catalogue, *, all_values: bool) -> Table:
    """Every calibrated parameter: value, error, unit, verdict, under its qubit.

    Parameters
    ----------
    all_values
        Also what belongs to the fit and the readout rather than to the qubit.
    """
    # With all values names and units are long: single gaps keep the table within 80 columns.
    table = Table(box=None, header_style="bold", pad_edge=False, collapse_padding=all_values)
    for title in ("task", "parameter", "value", "unit", "verdict"):
        table.add_column(title, no_wrap=True)
    shown = [(row, [o for o in row.outputs if all_values or o.name in _headline(row, catalogue)]) for row in rows]
    texts = {id(o): quantity(o.value, o.error) for _, outputs in shown for o in outputs}
    width = max((len(value) for value, _ in texts.values()), default=0)
    several_steps = len({row.step for row in rows}) > 1
    shown.sort(key=lambda one: (_numeric(one[0].qid), one[0].step) if several_steps else (_numeric(one[0].qid), ""))
    for place, group in groupby(shown, lambda one: (one[0].qid, one[0].step)):
        table.add_row(Text(spoken_target(place[0]) + (f", {place[1]}" if several_steps else ""), style="bold"))
        for row, outputs in group:
            for number, output in enumerate(outputs):
                value, error = texts[id(output)]
                table.add_row(
                    f"  {_label(row)}" if number == 0 else "",
                    output.name,
                    f"{value:>{width}}" + (f" ± {error}" if error else ""),
                    output.unit,
                    _verdict(row, output, _ageing(row, catalogue), first=number == 0),
                )
    return table


def summary(outcome: RunOutcome) -> Text:
    """``demo completed: all 24 tasks ok in 33 s, execution 20261124-000``."""
    status = outcome.session.status
    text = Text.assemble(
        (outcome.session.name, "bold"), " ", (spoken(str(status.phase)), _STYLES.get(str(status.phase), "bold red"))
    )
    counts = status.tasks
    if counts.planned:
        several = "all " if counts.planned > 1 else ""
        ok = several if counts.succeeded == counts.planned else f"{counts.succeeded} of "
        text.append(f": {ok}{counts.planned} {'task' if counts.planned == 1 else 'tasks'} ok")
        for number, name in (
            (counts.failed, "failed"),
            (counts.skipped, "skipped"),
            (counts.cancelled, "cancelled"),
        ):
            text.append(f", {number} {name}" if number else "")
    if status.started_at and status.finished_at:
        text.append(f" in {duration((status.finished_at - status.started_at).total_seconds())}")
    if status.execution_id:
        text.append(f", execution {status.execution_id}")
    reason = _reason(status)
    return text.append(f": {reason}" if reason else "")


def short_path(path: Path) -> str:
    """A path as a person writes it."""
    home = os.path.expanduser("~").rstrip("/")
    return "~" + str(path)[len(home) :] if home and str(path).startswith(home + os.sep) else str(path)


def _reason(status: SessionStatus) -> str:
    """Why the session as a whole ended; what the tasks' own lines say already is not said again."""
    if status.phase in ("Completed", "Cancelled") or status.message.startswith("failed on "):
        return ""
    return status.message


def _headline(row: Result, catalogue: Catalogue) -> frozenset[str]:
    """What a task calibrates: the outputs that age; a check that only compares shows what it found."""
    return _ageing(row, catalogue) or frozenset(output.name for output in row.outputs)


def _ageing(row: Result, catalogue: Catalogue) -> frozenset[str]:
    """The outputs that are properties of the target, which drift; the others belong to the measurement's settings."""
    task = catalogue.task_by_name.get(row.task)
    return frozenset(output.name for output in task.outputs if output.drift is not None) if task else frozenset()


def _verdict(row: Result, output: OutputValue, ageing: frozenset[str], *, first: bool) -> Text:
    if not output.accepted:
        return Text("not accepted", style="bold red")
    previous, sigmas = output.previous, abs(output.sigmas or 0.0)
    if previous is not None and sigmas >= _TOLD_SIGMAS and output.name in ageing:
        by, unit = readable(output.value - previous, output.unit)
        text = f"moved {by:+.3g} {unit}".rstrip() + f", {sigmas:.1f} sigma"
        # What a drift explains is told; what it does not was measured twice, and stands out.
        return Text(text, style="bold yellow" if output.name in row.moved else "yellow")
    return Text(row.verdict, style="green") if first else Text("")


def _label(row: Result) -> str:
    return f"{row.task} #{row.ordinal + 1}" if row.ordinal else row.task


def _numeric(qid: str) -> tuple[int, str]:
    """Qubits by number, couplings by their control behind them, the chip last."""
    if qid.isdigit():
        return (int(qid), "")
    first = qid.split("-")[0]
    return ((1 << 20) + int(first) if first.isdigit() else 1 << 30, qid)
