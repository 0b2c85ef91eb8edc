"""The protocol of a lab: chips, sessions, records, and how a session is followed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from kubecal.api.chip import Chip
from kubecal.api.explanation import SessionExplanation
from kubecal.api.session import CalibrationSession
from kubecal.api.session_status import SessionStatus
from kubecal.reading.answers import TaskState
from kubecal.reading.records import Records


class LabError(Exception):
    """The lab could not do what was asked; the message says what is wrong, where, and what to do."""


class NotFoundInLabError(LabError):
    """There is no such chip or session; the message names what there is, and what is close."""


class RefusedError(LabError):
    """The lab refuses: no right, an invalid manifest, a change of what cannot be changed. In the lab's own words."""


@dataclass(frozen=True)
class StandingSession:
    """A session with where it stands."""

    name: str
    namespace: str
    """Empty on this computer."""
    uid: str
    created_at: datetime
    session: CalibrationSession
    status: SessionStatus
    deleting: bool = False


@dataclass(frozen=True)
class StandingChip:
    """A chip with who holds it; ``chip.status`` is its status."""

    name: str
    namespace: str
    chip: Chip


@dataclass(frozen=True)
class Sight:
    """What a live view shows at one moment."""

    session: StandingSession
    chip: Chip | None
    tasks: tuple[TaskState, ...]
    """Every attempt, those that have not begun included; empty before there is an execution."""
    seen_at: datetime
    problem: str = ""
    """Why it may be out of date: a lost connection, a database that is away. Empty: it is not."""
    notices: tuple[str, ...] = ()
    """Sentences about what happens besides the session, each given once."""


@dataclass(frozen=True)
class Change:
    """What may be changed of a session that exists; None and empty: left as it is."""

    cancel: bool | None = None
    suspend: bool | None = None
    open: bool | None = None
    """Only False: the end of an open session."""
    outcome: Mapping[str, str] | None = None
    """``{"result": "Failed" | ..., "message": ...}``."""
    priority: int | None = None
    note: str | None = None
    tags: Sequence[str] | None = None
    append_steps: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    """Steps as a manifest writes them; Any: manifest values."""


class Lab(Protocol):
    """A place where sessions are run. Use it as an asynchronous context manager; every method raises LabError."""

    @property
    def where(self) -> str:
        """In words, for messages: ``this computer``, ``namespace lab of context kind-kubecal``."""

    @property
    def records(self) -> Records:
        """What was recorded here."""

    async def chips(self) -> Sequence[StandingChip]:
        """All chips; on this computer those of earlier runs, as the newest execution has them."""

    async def chip(self, name: str) -> StandingChip:
        """One chip."""

    async def sessions(self) -> Sequence[StandingSession]:
        """All sessions that exist, the newest first; on this computer the newest execution of each name."""

    async def session(self, name: str) -> StandingSession:
        """One session."""

    async def create(self, session: CalibrationSession, chip: Chip | None = None) -> StandingSession:
        """Begin a session; ``chip``: its chip, where the lab may not know it yet (this computer only).

        An empty ``metadata.name`` is replaced by one that is free, made of ``metadata.generate_name`` or the flow.
        Returns at once; :meth:`follow` tells how it goes on.
        """

    async def change(self, name: str, change: Change) -> StandingSession:
        """Change a session that exists: cancel, suspend, resume, append, end."""

    async def delete(self, name: str) -> None:
        """Delete a session's object, which cancels it where it runs. On this computer: RefusedError."""

    def follow(self, name: str) -> AsyncIterator[Sight]:
        """What there is to see of a session, at once and after every change, until it has ended (that sight is last).

        A lost connection is said in ``Sight.problem`` and got over; it raises only what cannot pass by itself.
        """

    async def explain(self, name: str) -> SessionExplanation:
        """Why tasks of a session do not run."""

    def logs(self, name: str, *, task: str = "", target: str = "", follow: bool = False) -> AsyncIterator[str]:
        """Lines of the tasks' logs: of those that run from where they run, of the others from the records."""

    async def __aenter__(self) -> Lab: ...

    async def __aexit__(self, *_: object) -> None: ...
