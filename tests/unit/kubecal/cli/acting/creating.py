"""A lab in memory that takes sessions, and a command line that speaks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace

import pytest
from typer.testing import CliRunner, Result

from kubecal.api.chip import Chip
from kubecal.api.session import CalibrationSession
from kubecal.api.session_status import SessionStatus
from kubecal.cli.main import app
from kubecal.lab.lab import Sight, StandingSession
from kubecal.reading.answers import TaskState
from tests.unit.kubecal.cli.in_memory import MORNING, MemoryLab, MemoryRecords, a_chip, a_session, an_execution

Typed = Callable[..., Result]
"""Types words after ``kubecal``; ``by`` is what is typed on standard input."""


@dataclass
class CreatingLab(MemoryLab):
    """Takes every session, and ends it at once."""

    created: list[CalibrationSession] = field(default_factory=list)
    ends_as: SessionStatus = field(default_factory=lambda: SessionStatus(phase="Completed"))
    rows: tuple[TaskState, ...] = ()

    async def create(self, session: CalibrationSession, chip: Chip | None = None) -> StandingSession:
        self.created.append(session)
        return replace(a_session(session.metadata.name or "new-1"), session=session)

    async def follow(self, name: str) -> AsyncIterator[Sight]:
        ended = replace(a_session(name), status=self.ends_as)
        yield Sight(ended, a_chip().chip, self.rows, MORNING)


def a_lab(records: MemoryRecords | None = None) -> CreatingLab:
    """A lab with a chip, a session that ended and its execution."""
    return CreatingLab(
        records=records or MemoryRecords([an_execution()]), standing=[a_session()], known_chips=[a_chip()]
    )


def typing_into(lab: MemoryLab, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """The command line, whatever lab its options name."""
    monkeypatch.setattr("kubecal.cli.answering.open_lab", lambda *_: lab)
    monkeypatch.setenv("KUBECAL_LAB", "local")

    def typed(*words: str, by: str | None = None) -> Result:
        return CliRunner().invoke(app, words, input=by)

    return typed
