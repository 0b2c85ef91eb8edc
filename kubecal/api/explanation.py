"""Why tasks do not run: the reasons, and the answer of ``/explain`` that ``kubecal explain`` shows."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import ConfigDict

from kubecal.api.model import Model


class Reason(StrEnum):
    """What keeps a task from running, or ended it; those that a person can do something about come first."""

    PODS_BLOCKED = "PodsBlocked"
    """The API server refuses its pod, or the pod cannot start."""
    POD_STUCK = "PodStuck"
    """Its pod is on a node that does not answer."""
    RECORDS_UNAVAILABLE = "RecordsUnavailable"
    """MongoDB cannot be used."""
    CATALOGUE_CHANGED = "CatalogueChanged"
    """The session was planned with a catalogue that the operator no longer has."""
    MAINTENANCE = "Maintenance"
    """The chip is in maintenance."""
    SUSPENDED = "Suspended"
    """The session is suspended."""
    CHIP_HELD = "ChipHeld"
    """Others hold the chip, or come before the session in the queue."""
    RETRY_AT = "RetryAt"
    """Its last attempt failed; the next one comes, after a while."""
    WAITS_FOR_POD = "WaitsForPod"
    """The pod of an earlier attempt has not ended yet."""
    WAITS_FOR_WIRE = "WaitsForWire"
    """Another task holds a qubit, MUX or module that it needs."""
    MAX_PARALLEL = "MaxParallel"
    """As many tasks run as the step or the chip allows."""
    BARRIER = "Barrier"
    """Its step begins when every target is done with those before."""
    FILTER = "Filter"
    """A filter has not judged its target yet."""
    WAITS_FOR_TASK = "WaitsForTask"
    """Its target is not done with an earlier task."""
    POD_STARTING = "PodStarting"
    """Its pod is on its way."""
    FAILED = "Failed"
    SKIPPED = "Skipped"
    CANCELLED = "Cancelled"


class TaskExplanation(Model):
    """Why one task does not run."""

    model_config = ConfigDict(extra="ignore")

    step: str
    task: str
    target: str
    ordinal: int
    attempt: int
    reason: str
    """One of :class:`Reason`; text, so that an older command line can show what a newer operator says."""
    message: str
    until: datetime | None = None
    """When it goes on by itself, where that is known."""


class SessionExplanation(Model):
    """Why the tasks of one session that do not run do not; those that succeeded or run are only counted.

    Unknown fields are left aside: an older command line understands a newer operator.
    """

    model_config = ConfigDict(extra="ignore")

    namespace: str
    session: str
    chip: str
    execution_id: str
    phase: str
    progress: str
    message: str
    """What the session as a whole waits for, or how it ended; may be empty."""
    running: int
    succeeded: int
    tasks: tuple[TaskExplanation, ...]
