"""How a session ended, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rich.text import Text

from kubecal.api.session_status import SessionStatus
from kubecal.cli.screen import printable
from kubecal.reading.answers import Execution
from kubecal.reading.quantities import duration, spoken

_STYLES = {"Completed": "bold green", "Cancelled": "bold yellow", "Running": "bold"}
_QUIET = ("Completed", "Cancelled", "Running")
"""Phases whose message says nothing that the line does not."""


@dataclass(frozen=True)
class Told:
    """What is told of a session."""

    name: str
    phase: str
    message: str = ""
    execution_id: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Tasks: planned, succeeded, failed, skipped, cancelled."""
    started_at: datetime | None = None
    ended_at: datetime | None = None


def told_of_status(name: str, status: SessionStatus) -> Told:
    """What a session's status tells."""
    return Told(
        name=name,
        phase=str(status.phase or "Pending"),
        message=status.message,
        execution_id=status.execution_id,
        counts=status.tasks.model_dump(),
        started_at=status.started_at,
        ended_at=status.finished_at,
    )


def told_of_execution(execution: Execution) -> Told:
    """What its record tells."""
    return Told(
        name=execution.session,
        phase=execution.phase,
        message=execution.message,
        execution_id=execution.execution_id,
        counts=execution.counts,
        started_at=execution.started_at,
        ended_at=execution.ended_at,
    )


def summary(told: Told) -> Text:
    """``demo completed: all 24 tasks ok in 33 s, execution 20261124-000``."""
    text = Text.assemble((told.name, "bold"), " ", (spoken(told.phase), _STYLES.get(told.phase, "bold red")))
    planned, succeeded = told.counts.get("planned", 0), told.counts.get("succeeded", 0)
    if planned:
        several = "all " if planned > 1 else ""
        ok = several if succeeded == planned else f"{succeeded} of "
        text.append(f": {ok}{planned} {'task' if planned == 1 else 'tasks'} ok")
        for name in ("failed", "skipped", "cancelled"):
            number = told.counts.get(name, 0)
            text.append(f", {number} {name}" if number else "")
    if told.started_at and told.ended_at:
        text.append(f" in {duration((told.ended_at - told.started_at).total_seconds())}")
    if told.execution_id:
        text.append(f", execution {told.execution_id}")
    # What the tasks' own lines say already is not said again.
    said = told.phase in _QUIET or told.message.startswith("failed on ") or not told.message
    return text.append("" if said else f": {printable(told.message)}")
