"""The observed state of a CalibrationSession, written by the operator."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from kubecal.api.conditions import Condition
from kubecal.api.model import Model, Number, Unique, shortened


class Phase(StrEnum):
    """Where a session stands."""

    PENDING = "Pending"
    QUEUED = "Queued"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    CANCELLING = "Cancelling"
    COMPLETED = "Completed"
    PARTIALLY_FAILED = "PartiallyFailed"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def final(self) -> bool:
        """Whether nothing follows."""
        return self in (Phase.COMPLETED, Phase.PARTIALLY_FAILED, Phase.FAILED, Phase.CANCELLED)


class TaskCounts(Model):
    """How many tasks are in which state."""

    planned: int = 0
    """All that the session's plan has."""
    running: int = 0
    """Those whose pod runs."""
    succeeded: int = 0
    """Those with verdict ok."""
    failed: int = 0
    """Those with another verdict, and those that crashed too often."""
    skipped: int = 0
    """Those that the session's own rules left out."""
    cancelled: int = 0
    """Those that cancel, deletion or a deadline stopped."""


class StepStatus(Model):
    """How far a step has come."""

    name: str
    """The step's name."""
    phase: str
    """Waiting, Running or Finished."""
    succeeded: int = 0
    """Tasks of the step with verdict ok."""
    failed: int = 0
    """Tasks of the step that failed."""
    targets_out: int = 0
    """Targets that have passed the step."""


class Failure(Model):
    """A task that ended in failure."""

    task: str
    """The task's name."""
    target: str
    """What it acted on."""
    attempt: int
    """The last attempt, counted from 1."""
    verdict: str = ""
    """The judgement of its data; empty for a crash."""
    message: Annotated[str, shortened(1024), Field(max_length=1024)] = ""
    """What went wrong, in one sentence."""


MAX_WAITS = 8


class Wait(Model):
    """Tasks that do not run for one reason, and an example of them."""

    reason: str
    """What keeps them, such as WaitsForWire, Barrier or RetryAt; `kubecal explain` tells it of every task."""
    tasks: int
    """How many they are."""
    task: str
    """One of them."""
    target: str
    """What that one acts on."""
    message: Annotated[str, shortened(512), Field(max_length=512)] = ""
    """What keeps that one, in one sentence."""


class WaitingFor(Model):
    """What a queued session waits for."""

    session: str
    """Who holds the chip, or stands before it in the queue."""
    since: datetime
    """Since when it waits for that one."""


class Suspension(Model):
    """What a session's clock has left out."""

    since: datetime | None = None
    """Since when it stands; absent while it goes."""
    seconds: Number = 0.0
    """How long it stood before."""


class SessionStatus(Model):
    """The observed state of a CalibrationSession, written by the operator."""

    observed_generation: int = 0
    """Generation of the spec this status speaks of."""
    execution_id: str = ""
    """YYYYMMDD-NNN, in MongoDB."""
    phase: Phase | None = None
    """Where the session stands."""
    progress: str = ""
    """Tasks ended in any way / planned."""
    conditions: Annotated[tuple[Condition, ...], Unique(("type",))] = ()
    """What is as it should be, and what is not."""
    started_at: datetime | None = None
    """When it first held the chip."""
    finished_at: datetime | None = None
    """When it ended."""
    message: Annotated[str, shortened(2048), Field(max_length=2048)] = ""
    """One sentence a person can act on."""
    tasks: TaskCounts = TaskCounts()
    """Counts."""
    steps: Annotated[tuple[StepStatus, ...], Unique(("name",))] = ()
    """How far each step has come."""
    failures: tuple[Failure, ...] = Field(default=(), max_length=20)
    """The last 20 failures."""
    waits: tuple[Wait, ...] = Field(default=(), max_length=MAX_WAITS)
    """Why tasks that do not run do not, in brief."""
    waiting_for: WaitingFor | None = None
    """Who holds the chip, while queued."""
    suspended: Suspension | None = None
    """Time that deadlines.sessionSeconds does not count."""
    idle_since: datetime | None = None
    """Since when an open session has nothing to do."""
    parking_since: datetime | None = None
    """Since when its parking tasks run."""
