"""The steps of a session: tasks in their order, filters, and changes of records."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from kubecal.api.actions import (
    ExcludeResults,
    PublishResults,
    ReanalyseResults,
    RevertExecution,
    SetParameters,
    TaskName,
)
from kubecal.api.model import Boolean, Integer, Matching, Model, Number, rule
from kubecal.api.pods import ImageName
from kubecal.api.targets import CouplingGroups, Targets

MAX_TASKS_PER_STEP = 64
StepName = Annotated[
    str,
    Field(min_length=1, max_length=63),
    Matching(
        r"[a-z0-9]([-a-z0-9]*[a-z0-9])?",
        "write lower-case letters, digits and -, beginning and ending with a letter or digit",
    ),
]
RunParameters = Annotated[dict[str, Any], Field(max_length=64)]
"""Values by name; Any: checked strictly against the catalogue."""


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
    image: ImageName = ""
    """One of the chip's images (Chip.spec.pods.images) by its short name; empty: the built-in one."""


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
        "(has(self.metric) && self.metric != '') || (!has(self.min) && !has(self.max))",
        "min and max are bounds of a metric: remove them, or give metric instead of status",
    )
    def _bounds_of_a_metric(self) -> bool:
        return bool(self.metric) or (self.min is None and self.max is None)

    @rule(
        "!has(self.min) || !has(self.max) || self.min <= self.max",
        "min must not be above max: exchange or correct them",
    )
    def _ordered(self) -> bool:
        return self.min is None or self.max is None or self.min <= self.max


class Batch(StrEnum):
    """How many targets one pod measures."""

    NONE = "None"
    MUX = "Mux"
    ALL = "All"


class Step(Model):
    """Tasks that every target goes through in this order, a filter of targets, or a change of records."""

    transitions: ClassVar = (
        {
            "rule": "self == oldSelf",
            "message": "a step cannot be changed: append another while spec.open is true, or apply another session",
            "reason": "FieldValueForbidden",
        },
    )

    name: StepName
    """Unique in the session."""
    tasks: tuple[TaskEntry, ...] = Field(default=(), max_length=MAX_TASKS_PER_STEP)
    """In order; repeats are allowed."""
    filter: Filter | None = None
    """Instead of tasks: which targets go on."""
    set: SetParameters | None = None
    """Instead of tasks: parameters by hand."""
    publish: PublishResults | None = None
    """Instead of tasks: results of an earlier execution become the chip's parameters."""
    revert: RevertExecution | None = None
    """Instead of tasks: what an execution published is taken back."""
    exclude: ExcludeResults | None = None
    """Instead of tasks: results are taken out of statistics and filters."""
    reanalyse: ReanalyseResults | None = None
    """Instead of tasks: raw data of an earlier execution is analysed anew."""
    targets: Targets | None = None
    """Narrows the session's targets for this step, or names couplings or the chip."""
    schedule: Schedule = Schedule()
    """Which targets run side by side."""
    batch: Batch = Batch.NONE
    """Mux, All: one pod measures the targets of a MUX, or all, at once; only for tasks that can."""
    pairs: CouplingGroups = ()
    """An explicit schedule of couplings: groups one after another, each side by side as far as wires allow."""
    barrier: Boolean = False
    """True: begins when every target is done with the steps before."""

    @rule(
        "[has(self.tasks) && size(self.tasks) > 0, has(self.filter), has(self.set), has(self.publish), "
        "has(self.revert), has(self.exclude), has(self.reanalyse)].filter(given, given).size() == 1",
        "give exactly one of tasks, filter, set, publish, revert, exclude and reanalyse",
    )
    def _one_kind(self) -> bool:
        others = (self.filter, self.reanalyse, *self._actions)
        return (bool(self.tasks), *(one is not None for one in others)).count(True) == 1

    @rule(
        "(has(self.tasks) && size(self.tasks) > 0) || (!has(self.targets) && !self.barrier && self.batch == 'None' "
        "&& !(has(self.pairs) && size(self.pairs) > 0) "
        "&& self.schedule.mode == 'Isolated' && self.schedule.maxParallel == 0)",
        "only steps with tasks have targets, schedule, batch, pairs and barrier: remove them",
    )
    def _only_tasks_have_targets(self) -> bool:
        plain = self.targets is None and not self.barrier and self.batch is Batch.NONE and not self.pairs
        return bool(self.tasks) or (plain and self.schedule == Schedule())

    @property
    def _actions(self) -> tuple[Action | None, ...]:
        return (self.set, self.publish, self.revert, self.exclude)

    @property
    def action(self) -> Action | None:
        """What it changes of the records; None: it has tasks, analyses data anew, or is a filter."""
        return next((one for one in self._actions if one is not None), None)


Action = SetParameters | PublishResults | RevertExecution | ExcludeResults
"""What a step without tasks does to the records."""


class Parking(Model):
    """What leaves the instruments safe: runs last in any case, after success, failure, cancellation and deletion."""

    tasks: Annotated[tuple[TaskEntry, ...], Field(min_length=1, max_length=MAX_TASKS_PER_STEP)]
    """In order, for every target of the session; chip tasks once."""
    seconds: Integer = Field(default=300, ge=1, le=86400)
    """How long it may take in all; what is not done then is given up, and the condition NotParked says so."""
