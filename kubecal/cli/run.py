"""``kubecal run``: sessions on this computer, from manifests to a table of parameters."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kubecal.api.catalogue import built_in_catalogue
from kubecal.api.manifests import ManifestError, load_manifests
from kubecal.cli.live import LiveView, quantity
from kubecal.local.embedded import EmbeddedServerError
from kubecal.local.run import LocalRun, LocalRunError, RunOutcome
from kubecal.records.reading import ResultRow

_USAGE = 2


def run_files(files: Sequence[Path], *, mongo_uri: str, figures: Path | None, jobs: int) -> int:
    """Run the manifests' sessions; the exit code: 0 only if all completed, 1 if not, 2 if they cannot be run."""
    console = Console(highlight=False)
    errors = Console(stderr=True, highlight=False)
    try:
        manifests = load_manifests(files)
        if not manifests.sessions:
            errors.print("there is no CalibrationSession in these files: nothing to run")
            return _USAGE
        with LiveView(console) as live:
            run = LocalRun(
                manifests=manifests,
                catalogue=built_in_catalogue(),
                mongo_uri=mongo_uri,
                figures=figures,
                jobs=jobs,
                listener=live.update,
                notice=live.notice,
            )
            outcomes = run.run()
    except (ManifestError, LocalRunError, EmbeddedServerError) as error:
        errors.print(Text(str(error), style="red"))
        return _USAGE
    for outcome in outcomes:
        print_outcome(console, outcome)
    return 0 if all(outcome.session.status.phase == "Completed" for outcome in outcomes) else 1


def print_outcome(console: Console, outcome: RunOutcome) -> None:
    """The closing table of one session."""
    status = outcome.session.status
    console.print()
    if outcome.results:
        console.print(results_table(outcome.results))
    style = {"Completed": "bold green", "Cancelled": "bold yellow"}.get(str(status.phase), "bold red")
    counts = status.tasks
    summary = Text.assemble(
        (outcome.session.ref.name, "bold"),
        " ",
        (str(status.phase), style),
        f": {counts.succeeded} of {counts.planned} tasks ok",
    )
    if counts.failed:
        summary.append(f", {counts.failed} failed")
    if status.message:
        summary.append(f". {status.message}")
    console.print(summary)
    if outcome.figures is not None:
        console.print(Text(f"figures: {_short(outcome.figures)}"), soft_wrap=True)


def results_table(results: Sequence[ResultRow]) -> Table:
    """Every output of every task's last attempt, by qubit; failed tasks with their reason."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("qubit", "task", "parameter", "value", "verdict"):
        table.add_column(title, overflow="fold")
    last: dict[tuple[str, str, str, int], ResultRow] = {}
    for row in results:
        if row.verdict is not None or row.message:
            last[(row.qid, row.step, row.task, row.ordinal)] = max(
                row, last.get((row.qid, row.step, row.task, row.ordinal), row), key=lambda one: one.attempt
            )
    previous = ""
    for row in sorted(last.values(), key=lambda one: int(one.qid) if one.qid.isdigit() else 0):
        verdict = str(row.verdict or row.status)
        cell = Text(verdict, style="green" if verdict == "ok" else "bold red")
        shown = row.qid if row.qid != previous else ""
        previous = row.qid
        if verdict != "ok":
            table.add_row(shown, row.task, Text(row.message), "", cell)
            continue
        for number, output in enumerate(row.outputs):
            value = quantity(output.value, output.error, output.unit)
            table.add_row(shown if number == 0 else "", row.task if number == 0 else "", output.name, value, cell)
            cell = Text("")
    return table


def _short(path: Path) -> str:
    """A path as a person writes it."""
    home = os.path.expanduser("~")
    return "~" + str(path)[len(home) :] if str(path).startswith(home + os.sep) else str(path)
