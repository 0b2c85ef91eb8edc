"""What the engine sees: values only, no I/O, no clock, no framework.

A driver (operator or local runner) observes the world into an :class:`Observed`, calls
:func:`kubecal.engine.decide.decide`, executes the :class:`kubecal.engine.intents.Decision` in its fixed order of
phases, and starts over. The decision is a pure function of the observation, so a driver that crashed at any write
comes to the same end: it observes again and decides again.

One observation covers one lock domain (``hardwareId``): all chips, sessions, pods and records that can
share a wire are decided together, in one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from sys import intern
from typing import Any, NamedTuple

from kubecal.api.catalogue import Catalogue, TargetKind
from kubecal.api.chip import ChipSpec, ChipStatus, ParameterCounts
from kubecal.api.request import Receipt, TaskTrouble, Verdict
from kubecal.api.session import SessionSpec
from kubecal.api.session_status import SessionStatus
from kubecal.api.steps import Action, Filter
from kubecal.api.wires import Wire
from kubecal.engine.earlier import Disputed, StoredAttempt
from kubecal.engine.lanes import NOWHERE, Standing, Way, ways


class TaskKey(NamedTuple):
    """One planned task of a session; attempts of it are counted from 1. See :func:`task_key`.

    A tuple, because a pass looks thousands of them up: hashed in C, not by a method.
    """

    step: str
    task: str
    target: str
    ordinal: int
    """0 for a task's first occurrence in its step."""


def task_key(step: str, task: str, target: str, ordinal: int) -> TaskKey:
    """A key read from somewhere: thousands of rows and pods name the same few steps, tasks and targets."""
    return TaskKey(intern(step), intern(task), intern(target), ordinal)


@dataclass(frozen=True)
class SessionRef:
    """Which session is meant; the uid decides, the name is for people."""

    uid: str
    namespace: str
    name: str


@dataclass(frozen=True)
class PlannedTask:
    """One task on one target, fully resolved but for its inputs."""

    key: TaskKey
    wires: tuple[Wire, ...]
    parameters: Mapping[str, Any]
    """Run parameters after precedence (entry > tasks > defaults), without class defaults; checked by the catalogue."""
    timeout_s: float
    r2_threshold: float | None
    """None where the task has no R2 gate."""
    duration_s: float
    """Estimate from the catalogue; orders who goes first."""
    max_parallel: int
    """The step's limit of tasks at a time; 0: none."""
    kind: TargetKind = TargetKind.QUBIT
    members: tuple[str, ...] = ()
    """The qubits of a MUX or batch task, each judged by itself; empty for other tasks."""
    image: str = ""
    """Short name of the author's image it runs in; empty: the built-in one."""
    standing: Standing = NOWHERE
    """What it waits for, and what waits for it."""
    action: Action | None = None
    """A change of records that the driver makes itself, without a pod; None: a task."""
    stored: StoredAttempt | None = None
    """Whose raw data are analysed anew instead of measuring; None: it measures."""
    publishes: bool = True
    """False: not even where the session's results are."""

    @property
    def judged(self) -> tuple[str, ...]:
        """What is judged, each in a row of its own: the members of a MUX or batch task, else the target."""
        return self.members or (self.key.target,)


@dataclass(frozen=True)
class Plan:
    """All tasks of a session, and what each target goes through."""

    tasks: tuple[PlannedTask, ...]
    chains: Mapping[str, tuple[TaskKey, ...]]
    """For every qubit, coupling and the chip the tasks that judge it, first to last."""
    own: tuple[str, ...] = ()
    """The session's own targets, on which its final phase depends."""
    steps: tuple[str, ...] = ()
    """Names of the steps in order."""
    barriers: frozenset[str] = frozenset()
    """Steps that begin when every target is done with those before."""
    filters: Mapping[str, Filter] = field(default_factory=dict)
    """Steps that choose which targets go on, by name."""
    judges: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Which targets a filter chooses from, by the filter's name."""
    unjudged: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Which targets pass a filter without a look: what it judges was measured in the execution that is repeated."""
    ends: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Control and target qubit of every coupling."""
    auto: frozenset[str] = frozenset()
    """Steps about the couplings whose qubits come that far."""
    parking: tuple[PlannedTask, ...] = ()
    """What runs last in any case."""
    parking_s: float = 0.0
    """How long that may take in all."""
    problems: tuple[str, ...] = ()
    """Why this session cannot be planned, a sentence each."""
    invalid: Mapping[str, str] = field(default_factory=dict)
    """Steps of which nothing is planned, and why; where there are others, ``problems`` is about these only."""

    @cached_property
    def remaining(self) -> Mapping[TaskKey, Way]:
        """What is left from each task on, itself included: the longest way to the end."""
        found = ways((task.standing, task.duration_s) for task in self.tasks)
        return {task.key: way for task, way in zip(self.tasks, found, strict=True)}

    @cached_property
    def step_places(self) -> Mapping[str, int]:
        """Where each step stands in ``steps``."""
        return {step: number for number, step in enumerate(self.steps)}

    @cached_property
    def couplings_by_step(self) -> Mapping[str, tuple[str, ...]]:
        """The couplings that each step is about."""
        found: dict[str, dict[str, None]] = {}
        for target in self.ends:
            for key in self.chains.get(target, ()):
                found.setdefault(key.step, {})[target] = None
        return {step: tuple(couplings) for step, couplings in found.items()}

    @cached_property
    def places(self) -> Mapping[TaskKey, int]:
        """Where each task stands in ``tasks``."""
        return {task.key: number for number, task in enumerate(self.tasks)}

    @cached_property
    def by_key(self) -> Mapping[TaskKey, PlannedTask]:
        """All tasks, those of parking included."""
        return {task.key: task for task in (*self.tasks, *self.parking)}


class RowStatus(StrEnum):
    """``status`` of a row of task_result_history."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class Trouble(StrEnum):
    """Why an attempt gave no verdict, or one that is not ok; decides whether it is charged."""

    DISRUPTION = "Disruption"
    """Deleted, evicted, node lost, interrupted, never started: not charged."""
    CRASH = "Crash"
    """Non-zero exit, out of memory, no result stored: charged."""
    VERDICT = "Verdict"
    """Measured and judged, not ok."""


@dataclass(frozen=True, slots=True)
class MemberRow:
    """What the record of an attempt says of one of several that it judged."""

    qid: str
    status: RowStatus
    verdict: Verdict | None = None
    message: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    suggestion: Mapping[str, Any] = field(default_factory=dict)
    disputed: Disputed | None = None
    """Of the verdict inconsistent."""


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt as its record says: one row, or the rows of its members taken together."""

    key: TaskKey
    attempt: int
    status: RowStatus
    read_at: datetime
    """When this row was read or written by this driver, on the driver's clock."""
    claimed_by: str | None = None
    """Uid of the pod that claimed it."""
    superseded: bool = False
    superseded_at: datetime | None = None
    trouble: Trouble | None = None
    reason: str = ""
    """CamelCase reason of the trouble: TaskTimeout, Evicted, ResultMissing, ..."""
    verdict: Verdict | None = None
    checksum: str | None = None
    message: str = ""
    interrupted_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    wires: tuple[Wire, ...] = ()
    grace_s: int = 0
    """terminationGracePeriodSeconds the attempt's pod was created with."""
    opened_at: datetime | None = None
    """When a driver opened it, on that driver's clock."""
    numbers: Mapping[str, float] = field(default_factory=dict)
    """Values and quality metrics by name, for filters."""
    suggestion: Mapping[str, Any] = field(default_factory=dict)
    """Run parameters its data suggest for another attempt; Any: as the task wrote them."""
    members: tuple[MemberRow, ...] = ()
    """The rows of a MUX or batch task; empty where there is only one row."""
    disputed: Disputed | None = None
    """Of the verdict inconsistent."""
    excluded: bool = False
    """Whether somebody took it out of statistics and filters."""

    @property
    def final(self) -> bool:
        """Whether the record says what came out, so that nothing may change it any more."""
        return self.status not in (RowStatus.SCHEDULED, RowStatus.RUNNING)


@dataclass(frozen=True)
class PlanFacts:
    """What a plan needs besides manifests; looked up once, at admission, and kept with the execution."""

    frequencies_ghz: Mapping[str, float] = field(default_factory=dict)
    """Measured qubit_frequency by qubit, where couplings are directed by it."""
    unfinished: frozenset[TaskKey] = frozenset()
    """Tasks that have not succeeded in the execution that is repeated."""
    problem: str = ""
    """Why the execution that is to be repeated or analysed anew cannot be; empty: it can."""
    stored: Mapping[str, tuple[StoredAttempt, ...]] = field(default_factory=dict)
    """Attempts whose data can be analysed anew, in the order in which they began, by execution."""

    @cached_property
    def mark(self) -> tuple[object, ...]:
        """Equal marks mean equal facts."""
        stored = frozenset(one for attempts in self.stored.values() for one in attempts)
        return (tuple(sorted(self.frequencies_ghz.items())), self.unfinished, self.problem, stored)


@dataclass(frozen=True)
class PinnedImage:
    """An image and the hash of the catalogue that a session was planned with."""

    image: str
    catalogue_hash: str


@dataclass(frozen=True)
class SessionRecord:
    """What MongoDB holds of an admitted session."""

    execution_id: str
    chip_spec: ChipSpec
    """Copy made at admission, and again when the chip was first held."""
    chip_generation: int
    catalogue_hash: str
    image: str
    status: str
    """execution_history.status: scheduled, running, completed, failed, cancelled."""
    rows: tuple[AttemptRow, ...]
    cancel_requested: bool = False
    cancel_reason: str = ""
    ours: bool = True
    """False: another installation wrote it (driver_id); it may be read, not settled."""
    held_at: datetime | None = None
    facts: PlanFacts = field(default_factory=PlanFacts)
    """What was looked up when it was planned."""
    was_open: bool = False
    """Whether it was open when it was admitted."""
    chip_name: str = ""
    """Of the Chip it was admitted on."""
    chip_uid: str = ""
    """Of that object: one that was deleted and made again under its name is another chip."""
    spec: Callable[[], SessionSpec] | None = None
    """What was asked for at admission; read only where the object itself cannot be."""
    images: Mapping[str, PinnedImage] = field(default_factory=dict)
    """Authors' images as they were at admission, by their short names."""

    def image_of(self, name: str) -> PinnedImage:
        """The image that a task entry names; empty: the built-in one."""
        return self.images[name] if name else PinnedImage(self.image, self.catalogue_hash)


@dataclass(frozen=True)
class SessionView:
    """A CalibrationSession object as observed, with its record."""

    ref: SessionRef
    created_at: datetime
    generation: int
    spec: SessionSpec | None
    """None: the object does not parse; ``spec_problem`` says why."""
    status: SessionStatus
    finalized: bool
    """Whether it carries our finalizer."""
    deleted_at: datetime | None = None
    """metadata.deletionTimestamp."""
    spec_problem: str = ""
    record: SessionRecord | None = None
    record_known: bool = True
    """False: MongoDB has not yet been asked (or does not answer): nothing may be concluded from ``record``."""
    cancel_reason: str = ""
    """Why it is cancelled, where its spec was not changed by a person; like ``interrupted by SIGINT``."""
    facts: PlanFacts | None = None
    """What was looked up for its plan; None: nothing yet."""
    refusal: str = ""
    """Why it cannot have the execution it asks for; empty: nothing is known against it."""
    secret_missing: str = ""
    """Name of a Secret the served namespace lacks, as far as pods told."""


@dataclass(frozen=True)
class ChipView:
    """A Chip object as observed."""

    uid: str
    namespace: str
    name: str
    generation: int
    resource_version: str
    spec: ChipSpec | None
    """None: it does not parse; ``spec_problem`` says why."""
    status: ChipStatus
    spec_problem: str = ""
    deleted: bool = False
    created_at: datetime | None = None
    """Of two chips that want the same place in the records, the older one has it."""


@dataclass(frozen=True, slots=True)
class Terminated:
    """The end of a task's process."""

    exit_code: int
    signal: int
    reason: str
    """As the kubelet says: Completed, Error, OOMKilled, DeadlineExceeded, ..."""
    outcome: Receipt | TaskTrouble | None
    """The parsed termination message."""
    finished_at: datetime | None
    seen_at: datetime
    """On the driver's clock."""


@dataclass(frozen=True, slots=True)
class PodView:
    """A task pod (or local process): trimmed to what decisions need."""

    uid: str
    name: str
    namespace: str
    session_uid: str
    key: TaskKey
    attempt: int
    wires: tuple[Wire, ...]
    """As its annotation says, never recomputed."""
    created_at: datetime
    phase: str
    """Pending, Running, Succeeded, Failed, Unknown."""
    node: str = ""
    """Empty: not bound."""
    started_at: datetime | None = None
    """When its container began to run."""
    terminated: Terminated | None = None
    deleting_since: datetime | None = None
    grace_s: int = 60
    deadline_exceeded: bool = False
    """status.reason is DeadlineExceeded."""
    disruption: str = ""
    """Reason of a DisruptionTarget condition or of an eviction: EvictionByEvictionAPI, PreemptionByScheduler, ..."""
    blocked_reason: str = ""
    """Why it does not start: Unschedulable, ImagePull, MountFailed; empty when it is on its way or running."""
    blocked_message: str = ""
    """The scheduler's or kubelet's sentence."""
    node_lost: bool = False
    """Its node is NotReady or unreachable: nothing it says is current."""
    released: bool = False
    """A person (annotation) or the out-of-service taint said that the process is dead."""

    @property
    def holds_wires(self) -> bool:
        """Whether it may still drive a line (rule 2): bound, and neither terminated nor gone.

        A phase Failed that was written for a dead node does not count as terminal: only the container's own
        ``terminated`` state, or a person's word.
        """
        if self.released or self.terminated is not None:
            return False
        if not self.node:
            return False
        return not (self.phase in ("Succeeded", "Failed") and self.started_at is None and not self.node_lost)


@dataclass(frozen=True)
class Reservation:
    """A create that was sent and whose outcome is unknown: its wires stay taken until a live look."""

    session_uid: str
    pod_name: str
    wires: tuple[Wire, ...]
    until: datetime


@dataclass(frozen=True)
class HeldElsewhere:
    """Modules that a task of another lock domain holds: their ids are global, so tasks of two chips exclude there."""

    holder: str
    """Name of its pod."""
    modules: tuple[Wire, ...]
    what: str
    """Its task and target, or what else is known of it, in words."""
    session: SessionRef | None
    """None: its session is gone."""
    chip: str = ""
    """Name of the session's chip."""
    until: datetime | None = None
    """When it lets go by itself."""


@dataclass(frozen=True)
class CreateBlocked:
    """Why the API server refuses this session's pods (quota, policy): retried with backoff."""

    reason: str
    """QuotaExceeded or Forbidden."""
    message: str
    since: datetime
    retry_at: datetime


@dataclass(frozen=True)
class RecordsHealth:
    """Whether MongoDB can be used."""

    available: bool
    reason: str = ""
    """Unreachable, Refused, TooOld, NotReplicaSet, Locked."""
    message: str = ""
    since: datetime | None = None


@dataclass(frozen=True)
class Observed:
    """Everything one pass may know about one lock domain."""

    now: datetime
    hardware_id: str
    chips: tuple[ChipView, ...]
    sessions: tuple[SessionView, ...]
    """All sessions whose chip has this hardware, and those whose chip is missing."""
    pods: tuple[PodView, ...]
    catalogue: Catalogue
    image: str
    records: RecordsHealth
    reservations: tuple[Reservation, ...] = ()
    rejected: Mapping[str, str] = field(default_factory=dict)
    """Server's refusal (400, 422, NameTaken) of a pod, under the pod's name: ends its task."""
    blocked: Mapping[str, CreateBlocked] = field(default_factory=dict)
    """Under the session's uid."""
    parameters: Mapping[str, ParameterCounts] = field(default_factory=dict)
    """What each chip's published parameters are worth, under its uid; of those that were counted."""
    local_holder: str = ""
    """Who holds ``hardware_claims`` for these instruments from outside the cluster; empty: nobody."""
    chips_elsewhere: tuple[ChipView, ...] = ()
    """Chips of other lock domains, as far as they have a name of ours: records are kept by project and name."""
    elsewhere: tuple[HeldElsewhere, ...] = ()
    """Who holds modules of these chips for other lock domains; empty where no two share a module."""
    gone: Mapping[str, datetime] = field(default_factory=dict)
    """Pods this driver knew that are gone by a live look, and when that was: under the pod's name."""
    images: Mapping[tuple[str, str], Catalogue | str] = field(default_factory=dict)
    """Catalogues of authors' images by namespace and name of their ConfigMap; a text: why one cannot be used."""
    unwritten: RecordsHealth | None = None
    """Why what was last to be recorded of this domain was not, although MongoDB answers; None: it was."""
    may_create: bool = True
    """False while this driver is not (yet) allowed to create, e.g. right after taking the Lease."""
