"""What stands at the end of a run: what came out, how it went, and where the figures are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, Group
from rich.text import Text

from kubecal.api.catalogue import Catalogue
from kubecal.cli.summary import summary, told_of_status
from kubecal.cli.values import outcome_parts
from kubecal.lab.lab import Lab, StandingSession
from kubecal.reading.answers import Result
from kubecal.reading.attempts import last_attempts


@dataclass(frozen=True)
class RunOutcome:
    """What came out of one session."""

    session: StandingSession
    results: tuple[Result, ...]
    figures: Path | None = None
    """Folder of the figures; None when there are none."""
    figures_problem: str = ""
    """Why they could not be written as files, in a sentence."""


async def outcome_of(lab: Lab, session: StandingSession) -> RunOutcome:
    """What was recorded of a session that has ended."""
    execution = session.status.execution_id
    if not execution:
        return RunOutcome(session, ())
    project = (await lab.chip(session.session.spec.chip)).chip.spec.project_id
    return RunOutcome(session, tuple(await lab.records.results(execution, project=project)))


def print_outcome(console: Console, outcome: RunOutcome, catalogue: Catalogue, *, all_values: bool) -> None:
    """The end of one session, the worst first."""
    console.print()
    parts = outcome_parts(last_attempts(outcome.results), catalogue, all_values=all_values)
    console.print(Group(*parts, summary(told_of_status(outcome.session.name, outcome.session.status))))
    if outcome.figures is not None:
        console.print(Text(f"figures: {short_path(outcome.figures)}"), soft_wrap=True)
    if outcome.figures_problem:
        console.print(Text(outcome.figures_problem, style="yellow"))


def short_path(path: Path) -> str:
    """A path as a person writes it."""
    home = os.path.expanduser("~").rstrip("/")
    return "~" + str(path)[len(home) :] if home and str(path).startswith(home + os.sep) else str(path)
