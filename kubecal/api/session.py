"""The kind CalibrationSession: which chip, which targets, which tasks in which order. Written by the experimenter."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from kubecal.api.chip import MAX_QUBITS, Name, QubitIds
from kubecal.api.conditions import Condition
from kubecal.api.model import (
    Boolean,
    Integer,
    KubernetesObject,
    Matching,
    Model,
    Number,
    Unique,
    rule,
    shortened,
    unchangeable,
)

MAX_STEPS, MAX_TASKS_PER_STEP, MAX_PLANNED = 256, 64, 20_000
TaskName = Annotated[
    str,
    Field(min_length=1, max_length=63),
    Matching(r"[A-Za-z][A-Za-z0-9]*", "write the name of a task: letters and digits, like CheckT1"),
]
StepName = Annotated[
    str,
    Field(min_length=1, max_length=63),
    Matching(
        r"[a-z0-9]([-a-z0-9]*[a-z0-9])?",
        "write lower-case letters, digits and -, beginning and ending with a letter or digit",
    ),
]
Muxes = Annotated[tuple[Annotated[Integer, Field(ge=0, le=MAX_QUBITS)], ...], Field(max_length=MAX_QUBITS), Unique()]
Tags = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=63)], ...], Field(max_length=32), Unique()]
ExecutionId = Annotated[
    str,
    Field(max_length=16),
    Matching(r"([0-9]{8}-[0-9]{3,7})?", "write YYYYMMDD-NNN, like 20261123-004"),
]
RunParameters = Annotated[dict[str, Any], Field(max_length=64)]
"""Values by name; Any: checked strictly against the catalogue."""


class Exclude(Model):
    """Targets that are left out."""

    qubits: QubitIds = ()
    """Qubit ids."""


class Targets(Model):
    """What is calibrated: one of qubits, muxes and all."""

    qubits: QubitIds = ()
    """Qubits by id."""
    muxes: Muxes = ()
    """All qubits of these MUXes."""
    all: Boolean = False
    """Every qubit of the chip that is not disabled."""
    exclude: Exclude = Exclude()
    """Left out of what the other fields name."""

    @rule(
        "[has(self.qubits) && size(self.qubits) > 0, has(self.muxes) && size(self.muxes) > 0, self.all]"
        ".filter(given, given).size() == 1",
        "give exactly one of qubits, muxes and all: nothing is never everything",
    )
    def _one_of(self) -> bool:
        return [bool(self.qubits), bool(self.muxes), self.all].count(True) == 1


class ScheduleMode(StrEnum):
    """Which targets may be driven at the same time."""

    PARALLEL = "Parallel"
    ISOLATED = "Isolated"
    MUX_SERIAL = "MuxSerial"
    SERIAL = "Serial"


class Schedule(Model):
    """How many targets of a step run side by side."""

    mode: ScheduleMode = ScheduleMode.ISOLATED
    """Isolated: no two neighbours; Parallel: all; MuxSerial: one target of a MUX at a time; Serial: one of the chip."""
    max_parallel: Integer = Field(default=0, ge=0, le=10000)
    """Most tasks of this step at a time; 0: no limit."""


class TaskEntry(Model):
    """One measurement in a step."""

    task: TaskName
    """The task's name in the catalogue."""
    parameters: RunParameters = Field(default_factory=dict)
    """Run parameters of this entry; they win over all others."""
    timeout_seconds: Integer | None = Field(default=None, ge=1, le=604800)
    """How long the task may take; default deadlines.taskSeconds, else the task's own."""
    r2_threshold: Number | None = Field(default=None, ge=0, le=1)
    """The fit's R2 must be above it; only for tasks with an R2 gate."""


class OnEmpty(StrEnum):
    """What becomes of a session of which no target passes a filter."""

    STOP = "Stop"
    SKIP = "Skip"
    FAIL = "Fail"


class Filter(Model):
    """Which targets go on to the steps that follow."""

    metric: Annotated[str, Field(max_length=63)] = ""
    """An output of a task before, like t1, or the fit's r2; the target's last one counts."""
    min: Number | None = None
    """Least value that passes, in the catalogue's unit."""
    max: Number | None = None
    """Largest value that passes, in the catalogue's unit."""
    status: Literal["", "Succeeded"] = ""
    """Succeeded: targets of which no task has failed."""
    on_empty: OnEmpty = OnEmpty.STOP
    """No target passes: Stop: nothing follows; Skip: only what needs one of them does not; Fail: the session fails."""

    @rule(
        "(has(self.metric) && self.metric != '') != (has(self.status) && self.status != '')",
        "give either metric or status",
    )
    def _one_of(self) -> bool:
        return bool(self.metric) != bool(self.status)

    @rule(
        "!(has(self.metric) && self.metric != '') || has(self.min) || has(self.max)",
        "give min or max: what must the metric be?",
    )
    def _bounded(self) -> bool:
        return not self.metric or self.min is not None or self.max is not None

    @rule(
        "!has(self.min) || !has(self.max) || self.min <= self.max",
        "min must not be above max: exchange or correct them",
    )
    def _ordered(self) -> bool:
        return self.min is None or self.max is None or self.min <= self.max


class Step(Model):
    """Tasks that every target goes through in this order, or a filter of targets."""

    name: StepName
    """Unique in the session."""
    tasks: tuple[TaskEntry, ...] = Field(default=(), max_length=MAX_TASKS_PER_STEP)
    """In order; repeats are allowed."""
    filter: Filter | None = None
    """Instead of tasks: which targets go on."""
    targets: Targets | None = None
    """Narrows the session's targets for this step."""
    schedule: Schedule = Schedule()
    """Which targets run side by side."""
    barrier: Boolean = False
    """True: begins when every target is done with the steps before."""

    @rule(
        "has(self.filter) != (has(self.tasks) && size(self.tasks) > 0)",
        "give either tasks or filter",
    )
    def _one_kind(self) -> bool:
        return (self.filter is not None) != bool(self.tasks)

    @rule(
        "!has(self.filter) || (!has(self.targets) && !self.barrier)",
        "a filter takes all targets as they come: remove targets and barrier",
    )
    def _filters_all(self) -> bool:
        return self.filter is None or (self.targets is None and not self.barrier)


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


class Retry(Model):
    """What is measured again because its data were not good enough; crashes and disruptions have rules of their own."""

    limit: Integer = Field(default=2, ge=0, le=10)
    """Further attempts of a task after a verdict listed in `on`; 0: none."""
    backoff_seconds: Integer = Field(default=5, ge=0, le=3600)
    """From the end of such an attempt to the next one."""
    on: Annotated[tuple[RetriedVerdict, ...], Field(max_length=16), Unique()] = tuple(RetriedVerdict)
    """Verdicts after which the task is measured again."""
    adapt: Boolean = True
    """True: the next attempt takes the run parameters that the one before suggests, word for word."""


class Publish(StrEnum):
    """When results become the chip's current parameters."""

    ON_SUCCESS = "OnSuccess"
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
    *("chip", "targets", "parameters", "steps", "onTargetFailure", "publish", "deadlines"),
    *("username", "flowName", "retry", "suspendHoldSeconds", "lock", "executionId"),
)
"""Fields of a session's spec that never change."""


class SessionSpec(Model):
    """The desired state of a CalibrationSession; only suspend, cancel, priority, note, tags and ttl can change."""

    transitions: ClassVar = (
        *unchangeable(FIXED_FIELDS, "cannot be changed after creation: apply a session of another name"),
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
    """What is calibrated: exactly one of qubits, muxes and all."""
    parameters: Parameters = Parameters()
    """Run parameters; a step's entry wins over `tasks`, `tasks` over `defaults`, these over the task's own."""
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=MAX_STEPS), Unique(("name",))]
    """In order; a target that has finished one starts the next."""
    on_target_failure: TargetFailurePolicy = TargetFailurePolicy.STOP_TARGET
    """StopTarget: a failed target stops; Continue: it goes on; StopSession: everybody stops."""
    retry: Retry = Retry()
    """Measuring again after a bad verdict."""
    publish: Publish = Publish.ON_SUCCESS
    """OnSuccess: accepted outputs become the chip's parameters; Never: they are only recorded."""
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


class CalibrationSession(KubernetesObject):
    """A calibration session: tasks on targets of one chip, in steps. Deleting it stops its pods."""

    kind: Literal["CalibrationSession"] = "CalibrationSession"
    """Always CalibrationSession."""
    spec: SessionSpec
    """The desired state."""
    status: SessionStatus = SessionStatus()
    """The observed state, written by the operator."""
