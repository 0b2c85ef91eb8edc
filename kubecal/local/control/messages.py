"""What is said over a run's socket: one question as a line of JSON, then answers, a line each.

Both ends are the same installation, but not always the same version: unknown fields are left aside.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter

from kubecal.api.chip import Chip
from kubecal.api.explanation import SessionExplanation
from kubecal.api.session_status import SessionStatus
from kubecal.lab.lab import Change, LabError, NotFoundInLabError, RefusedError, StandingChip, StandingSession
from kubecal.reading.answers import TaskState

MAX_LINE = 64 * 1024 * 1024
"""Bytes; the largest session with all of its attempts has a few million."""

HEARTBEAT_S = 2.0
"""How often a run says that it lives to whoever follows, when nothing changes."""


@dataclass(frozen=True)
class Question:
    """What somebody wants of a run."""

    ask: Literal["sessions", "chips", "change", "follow", "explain", "logs", "kill"]
    session: str = ""
    change: Change | None = None
    reason: str = ""
    """Why it is cancelled, if the change does that."""
    task: str = ""
    target: str = ""
    follow: bool = False


@dataclass(frozen=True)
class Update:
    """What has changed since the last one; the first one is whole."""

    seen_at: datetime
    session: StandingSession | None = None
    """None: its spec has not changed, which may be large."""
    status: SessionStatus | None = None
    """None: it has not changed."""
    chip: Chip | None = None
    tasks: tuple[TaskState, ...] = ()
    """Attempts that are new or not as they were."""
    problem: str = ""
    notices: tuple[str, ...] = ()
    last: bool = False
    """Whether the session has ended, and its processes with it."""

    @property
    def tells(self) -> bool:
        """Whether there is more in it than that the run lives."""
        return bool(self.session or self.status or self.chip or self.tasks or self.notices or self.last)


@dataclass(frozen=True)
class Line:
    """One line of a log."""

    text: str


@dataclass(frozen=True)
class Failed:
    """The question cannot be answered, and why."""

    kind: Literal["NotFound", "Refused", "Failed"]
    message: str

    @classmethod
    def of(cls, error: LabError) -> Failed:
        """What an error says."""
        match error:
            case NotFoundInLabError():
                return cls("NotFound", str(error))
            case RefusedError():
                return cls("Refused", str(error))
        return cls("Failed", str(error))

    def error(self) -> LabError:
        """The error again."""
        kinds = {"NotFound": NotFoundInLabError, "Refused": RefusedError, "Failed": LabError}
        return kinds[self.kind](self.message)


@dataclass(frozen=True)
class Reply:
    """One line of an answer: exactly one field is given."""

    sessions: tuple[StandingSession, ...] | None = None
    chips: tuple[StandingChip, ...] | None = None
    session: StandingSession | None = None
    update: Update | None = None
    explanation: SessionExplanation | None = None
    line: Line | None = None
    failed: Failed | None = None


_QUESTION, _REPLY = TypeAdapter(Question), TypeAdapter(Reply)


def question_line(question: Question) -> bytes:
    """A question as it is sent."""
    return _QUESTION.dump_json(question, by_alias=True, exclude_defaults=True) + b"\n"


def read_question(line: bytes) -> Question:
    """A question that was received; raises ValueError."""
    return _QUESTION.validate_json(line)


def reply_line(reply: Reply) -> bytes:
    """A reply as it is sent."""
    return _REPLY.dump_json(reply, by_alias=True, exclude_defaults=True) + b"\n"


def read_reply(line: bytes) -> Reply:
    """A reply that was received; raises ValueError."""
    return _REPLY.validate_json(line)
