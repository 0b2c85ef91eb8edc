"""The kind CalibrationSession: which chip, which targets, which tasks in which order. Written by the experimenter."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from kubecal.api.actions import ExecutionId, GivenParameters, TaskName
from kubecal.api.chip import Name
from kubecal.api.model import Boolean, Integer, KubernetesObject, Model, Unique, rule, unchangeable
from kubecal.api.session_status import SessionStatus
from kubecal.api.steps import Parking, RunParameters, Step
from kubecal.api.targets import Targets

MAX_STEPS, MAX_PLANNED = 256, 20_000
Tags = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=63)], ...], Field(max_length=32), Unique()]


class Parameters(Model):
    """Run parameters: entry over tasks over defaults over the task's own."""

    defaults: RunParameters = Field(default_factory=dict)
    """For every task that knows the name."""
    tasks: dict[TaskName, RunParameters] = Field(default_factory=dict, max_length=64)
    """For one task, by its name."""


class TargetFailurePolicy(StrEnum):
    """What a failed task does to its target and to the session."""

    STOP_TARGET = "StopTarget"
    CONTINUE = "Continue"
    STOP_SESSION = "StopSession"


class RetriedVerdict(StrEnum):
    """Verdicts that another attempt may change."""

    HARDWARE_ERROR = "hardware_error"
    NO_SIGNAL = "no_signal"
    WINDOW = "window"
    IMPRECISE = "imprecise"
    INCONSISTENT = "inconsistent"


class Retry(Model):
    """What is measured again because its data were not good enough; crashes and disruptions have rules of their own."""

    limit: Integer = Field(default=2, ge=0, le=10)
    """Further attempts of a task after a verdict listed in `on`; 0: none."""
    backoff_seconds: Integer = Field(default=5, ge=0, le=3600)
    """From the end of such an attempt to the next one."""
    on: Annotated[tuple[RetriedVerdict, ...], Field(max_length=16), Unique()] = tuple(RetriedVerdict)
    """Verdicts after which the task is measured again; after `inconsistent` once, which then decides."""
    adapt: Boolean = True
    """True: the next attempt takes the run parameters that the one before suggests, word for word."""


class Publish(StrEnum):
    """When results become the chip's current parameters."""

    ON_SUCCESS = "OnSuccess"
    REVIEW = "Review"
    NEVER = "Never"


class LockScope(StrEnum):
    """What of the hardware a session keeps others from."""

    CHIP = "Chip"
    TARGETS = "Targets"


class Lock(Model):
    """What a session holds while it runs."""

    scope: LockScope = LockScope.CHIP
    """Chip: everything; Targets: the wires of its own tasks, so that sessions with disjoint wires run side by side."""


class Deadlines(Model):
    """How long things may take."""

    pending_seconds: Integer = Field(default=600, ge=1, le=604800)
    """A pod from creation to running; a session from creation to having a valid chip."""
    task_seconds: Integer | None = Field(default=None, ge=1, le=604800)
    """Timeout of tasks that do not say their own."""
    session_seconds: Integer = Field(default=86400, ge=1, le=31536000)
    """The session from holding the chip to its end."""


FIXED_FIELDS = (
    *("chip", "targets", "parameters", "onTargetFailure", "publish", "deadlines", "parking", "idleSeconds"),
    *("username", "flowName", "retry", "suspendHoldSeconds", "lock", "executionId", "source"),
)
"""Fields of a session's spec that never change."""


class Outcome(Model):
    """How a session ends itself: nothing more starts, and what runs is stopped."""

    result: Literal["Completed", "Failed"]
    """Failed: the session failed, whatever its tasks say; Completed: its tasks decide."""
    message: str = Field(default="", max_length=1024)
    """Why, in one sentence."""


class SourceInputs(StrEnum):
    """Which inputs a session that repeats an earlier execution takes."""

    CURRENT = "Current"
    SNAPSHOT = "Snapshot"


class SourceOnly(StrEnum):
    """Which tasks a session that repeats an earlier execution runs."""

    ALL = "All"
    FAILED = "Failed"


class Source(Model):
    """An earlier execution that this session repeats, wholly or in part."""

    execution_id: ExecutionId = ""
    """Of which execution, on the same chip; empty: none."""
    inputs: SourceInputs = SourceInputs.CURRENT
    """Snapshot: each task takes the inputs it had then; Current: as any session."""
    only: SourceOnly = SourceOnly.ALL
    """Failed: only tasks that have not succeeded then."""
    overrides: GivenParameters = GivenParameters()
    """Inputs by hand, for this session only; they win over all others."""

    @rule(
        # The API server also asks it of the bare default {}, where nothing is filled in yet.
        "(has(self.executionId) && self.executionId != '') || "
        "((!has(self.inputs) || self.inputs == 'Current') && (!has(self.only) || self.only == 'All'))",
        "give executionId: inputs Snapshot and only Failed are about an earlier execution",
    )
    def _of_something(self) -> bool:
        return bool(self.execution_id) or (self.inputs is SourceInputs.CURRENT and self.only is SourceOnly.ALL)


def _as_before() -> str:
    """CEL: the steps have the names they had, or the session is open and more were appended.

    That no step of a known name changes is the step's own rule. With the last old name at its old index, equal names
    in equal order mean that what was there is a prefix of what is there. (``slice`` does not exist.)
    """
    last = "size(oldSelf.steps)"
    return (
        "self.steps.map(n, n.name) == oldSelf.steps.map(o, o.name) "
        "|| (oldSelf.open && size(self.steps) > size(oldSelf.steps) "
        f"&& ({last} == 0 || self.steps[{last}-1].name == oldSelf.steps[{last}-1].name) "
        "&& self.steps.filter(n, oldSelf.steps.exists(o, o.name == n.name)).map(n, n.name) "
        "== oldSelf.steps.map(o, o.name))"
    )


class SessionSpec(Model):
    """The desired state of a CalibrationSession; most of it cannot change."""

    transitions: ClassVar = (
        *unchangeable(FIXED_FIELDS, "cannot be changed after creation: apply a session of another name"),
        {
            "rule": _as_before(),
            "message": "steps can only be appended, and only while open is true: apply a session of another name",
            "reason": "FieldValueForbidden",
            "fieldPath": ".steps",
        },
        {
            "rule": "oldSelf.open || !self.open",
            "message": "open cannot become true again: apply a session of another name",
            "reason": "FieldValueForbidden",
            "fieldPath": ".open",
        },
        {
            "rule": "!has(oldSelf.outcome) || (has(self.outcome) && self.outcome == oldSelf.outcome)",
            "message": "outcome cannot be changed once it is given: apply a session of another name",
            "reason": "FieldValueForbidden",
            "fieldPath": ".outcome",
        },
        {
            "rule": "!oldSelf.cancel || self.cancel",
            "message": "cancel cannot be taken back: apply a session of another name",
            "reason": "FieldValueForbidden",
            "fieldPath": ".cancel",
        },
    )

    chip: Name
    """Name of the Chip, in the same namespace."""
    targets: Targets
    """What is calibrated: exactly one of qubits, muxes, couplings, all and chip."""
    parameters: Parameters = Parameters()
    """Run parameters; a step's entry wins over `tasks`, `tasks` over `defaults`, these over the task's own."""
    steps: Annotated[tuple[Step, ...], Field(max_length=MAX_STEPS), Unique(("name",))]
    """In order; a target that has finished one starts the next. An open session may begin without any."""
    parking: Parking | None = None
    """What runs last in any case."""
    on_target_failure: TargetFailurePolicy = TargetFailurePolicy.STOP_TARGET
    """StopTarget: a failed target stops; Continue: it goes on; StopSession: everybody stops."""
    retry: Retry = Retry()
    """Measuring again after a bad verdict."""
    publish: Publish = Publish.ON_SUCCESS
    """OnSuccess: accepted outputs become the chip's parameters; Review: after a look, by a step `publish`; Never."""
    deadlines: Deadlines = Deadlines()
    """How long things may take."""
    lock: Lock = Lock()
    """What the session holds while it runs."""
    priority: Integer = Field(default=0, ge=0, le=1000)
    """Of the sessions that wait for a chip, the one with the highest starts first."""
    suspend: Boolean = False
    """True: running tasks finish, nothing new starts, and the session's clock stands, until it is false again."""
    suspend_hold_seconds: Integer = Field(default=600, ge=0, le=604800)
    """How long a suspended session keeps its chip from others; after that it queues again when it is resumed."""
    cancel: Boolean = False
    """True: stop the pods and end as Cancelled; cannot be taken back."""
    open: Boolean = False
    """True: steps may be appended, and the session keeps its chip until this is false, or it idles too long."""
    idle_seconds: Integer = Field(default=1800, ge=1, le=604800)
    """How long an open session may have nothing to do; then it ends as Completed."""
    outcome: Outcome | None = None
    """Ends the session; can be given once."""
    source: Source = Source()
    """An earlier execution that this session repeats."""
    execution_id: ExecutionId = ""
    """YYYYMMDD-NNN of its execution, if nobody has it yet; absent: the next one of the day."""
    username: str = Field(default="", max_length=253)
    """A label on the execution, no right."""
    flow_name: str = Field(default="", max_length=253)
    """A label on the execution; default the session's name."""
    tags: Tags = ()
    """Labels on the execution and its results."""
    note: str = Field(default="", max_length=8192)
    """For people; kept with the execution."""
    ttl_seconds_after_finished: Integer | None = Field(default=None, ge=0, le=31536000)
    """How long the object stays after its end; absent: until somebody deletes it. Its records stay in any case."""


class CalibrationSession(KubernetesObject):
    """A calibration session: tasks on targets of one chip, in steps. Deleting it stops its pods."""

    kind: Literal["CalibrationSession"] = "CalibrationSession"
    """Always CalibrationSession."""
    spec: SessionSpec
    """The desired state."""
    status: SessionStatus = SessionStatus()
    """The observed state, written by the operator."""
