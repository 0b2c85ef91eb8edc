"""What the engine decides, in the order in which a driver executes it; values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kubecal.api.catalogue import Catalogue
from kubecal.api.chip import ChipSpec, ChipStatus
from kubecal.api.session import SessionSpec
from kubecal.api.session_status import SessionStatus
from kubecal.api.steps import Action
from kubecal.engine.earlier import Disputed
from kubecal.engine.model import (
    ChipView,
    PinnedImage,
    Plan,
    PlanFacts,
    PlannedTask,
    PodView,
    RowStatus,
    SessionRef,
    TaskKey,
    Trouble,
)


@dataclass(frozen=True)
class Admission:
    """(a) Insert the execution and its planned rows; idempotent by session uid and task id."""

    ref: SessionRef
    plan: Plan
    spec: SessionSpec
    chip: ChipView
    facts: PlanFacts = field(default_factory=PlanFacts)
    """Kept with the execution: the same plan must come out of it again."""
    images: Mapping[str, PinnedImage] = field(default_factory=dict)
    """Authors' images that its tasks run in, by their short names."""
    catalogues: Mapping[str, Catalogue] = field(default_factory=dict)
    """What is known of the tasks of these images."""


@dataclass(frozen=True)
class LookUp:
    """(a) Read what a plan needs besides manifests, before the session can be admitted."""

    ref: SessionRef
    spec: SessionSpec
    chip: ChipView


@dataclass(frozen=True)
class RunAction:
    """(a) Change records as a step says, and end its row with what came of it, in one transaction."""

    ref: SessionRef
    key: TaskKey
    attempt: int
    action: Action
    spec: SessionSpec
    chip: ChipView
    """The session's chip, as it was admitted."""
    execution_id: str
    authors: tuple[Catalogue, ...] = ()
    """Catalogues of the authors' images that are known besides the built-in one."""


@dataclass(frozen=True)
class Replan:
    """(a) Chip or tasks changed while the session did not hold the chip, or steps were appended: rows planned anew."""

    ref: SessionRef
    execution_id: str
    plan: Plan
    chip: ChipView
    drop: tuple[tuple[TaskKey, int, tuple[str, ...]], ...]
    """Open attempts of tasks that the new plan no longer has, or members that their tasks no longer have."""
    images: Mapping[str, PinnedImage] = field(default_factory=dict)
    """Authors' images that its tasks run in from now on, by their short names."""
    built_in: PinnedImage | None = None
    """The built-in image from now on; None: it stays as it is."""


@dataclass(frozen=True)
class CancelIntent:
    """(a) Store that cancelling was asked for, before the first pod is deleted."""

    ref: SessionRef
    reason: str


@dataclass(frozen=True)
class NextAttempt:
    """(a) Supersede attempt n if it has no result, and open attempt n+1, in one transaction.

    Where superseding matches nothing the attempt has a result, and the driver hands back its row instead. After a
    verdict (``trouble`` is Verdict) the attempt keeps its result, and n+1 is opened beside it.
    """

    ref: SessionRef
    key: TaskKey
    attempt: int
    """The one that ended."""
    trouble: Trouble
    reason: str
    message: str
    log_pod: str = ""
    """Name of the pod whose last lines belong into the row; empty: none."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Run parameters in which attempt n+1 differs from n: what n suggested; Any: as the task wrote them."""
    members: tuple[str, ...] = ()
    """Of a MUX or batch task those that attempt n+1 measures."""


@dataclass(frozen=True)
class HoldersUpdate:
    """(b) ``Chip.status`` as it should be, with a resourceVersion precondition."""

    chip: ChipView
    status: ChipStatus


@dataclass(frozen=True)
class DeletePod:
    """(c) Delete with a uid precondition."""

    pod: PodView
    reason: str


@dataclass(frozen=True)
class SweepPods:
    """(e) Remove the session's pods that succeeded, after what there is to say of them was recorded and shown."""

    ref: SessionRef
    settled: tuple[PodView, ...]
    """Those whose record is final. Where one call removes all that succeeded, the others are settled from theirs."""


@dataclass(frozen=True)
class CreatePod:
    """(c) Create the attempt's pod or process."""

    ref: SessionRef
    planned: PlannedTask
    attempt: int
    charged_retries: int
    measure_at: datetime
    execution_id: str
    spec: SessionSpec
    chip: ChipView
    chip_spec: ChipSpec
    """The execution's own copy."""
    catalogue_hash: str
    image: str
    pod_name: str
    members: tuple[str, ...] = ()
    """Of a MUX or batch task those that are measured now: the planned ones that are still in the session."""
    disputed: Mapping[str, Disputed] = field(default_factory=dict)
    """What an inconsistent attempt before this one found, by what is judged."""


@dataclass(frozen=True)
class SettleRow:
    """(d) End a row that has no result and will not get one; conditional on it not being final."""

    ref: SessionRef
    key: TaskKey
    attempt: int
    status: RowStatus
    trouble: Trouble | None
    reason: str
    message: str
    log_pod: str = ""
    members: tuple[str, ...] = ()
    """Of a MUX or batch task the rows of these members; empty: of all."""


@dataclass(frozen=True)
class SettleExecution:
    """(d) Write the execution's status; final ones once and for all."""

    ref: SessionRef
    status: str
    phase: str
    message: str
    counts: Mapping[str, int]
    started_at: datetime | None = None
    """Set when the chip was first held."""
    ended_at: datetime | None = None


@dataclass(frozen=True)
class StatusPatch:
    """(b) where ``early``, else (e)."""

    ref: SessionRef
    status: SessionStatus
    early: bool
    """ChipHeld or Cancelling changes: written before pods are touched."""
    urgent: bool
    """False: mere counts; the driver may hold it back up to 2 s and must send the last one."""


@dataclass(frozen=True)
class Announcement:
    """(g) An Event."""

    ref: SessionRef
    type: str
    """Normal or Warning."""
    reason: str
    message: str


@dataclass(frozen=True)
class Decision:
    """What to do now, phase by phase; a failed phase skips what needs its result (controller.md)."""

    add_finalizer: tuple[SessionRef, ...] = ()
    look_ups: tuple[LookUp, ...] = ()
    admissions: tuple[Admission, ...] = ()
    replans: tuple[Replan, ...] = ()
    cancels: tuple[CancelIntent, ...] = ()
    next_attempts: tuple[NextAttempt, ...] = ()
    actions: tuple[RunAction, ...] = ()
    holders: tuple[HoldersUpdate, ...] = ()
    deletes: tuple[DeletePod, ...] = ()
    creates: tuple[CreatePod, ...] = ()
    settle_rows: tuple[SettleRow, ...] = ()
    settle_executions: tuple[SettleExecution, ...] = ()
    status_patches: tuple[StatusPatch, ...] = ()
    sweeps: tuple[SweepPods, ...] = ()
    remove_finalizer: tuple[SessionRef, ...] = ()
    delete_sessions: tuple[SessionRef, ...] = ()
    """(f) Finished sessions that nobody wants to see any more; their records stay."""
    announcements: tuple[Announcement, ...] = ()
    read_rows: tuple[tuple[SessionRef, TaskKey, int], ...] = ()
    """Attempts whose record must be read from the primary before more can be concluded; receipts: within 5 s."""
    wake_at: datetime | None = None
    """When to decide again though nothing happened (a deadline, a backoff)."""

    @property
    def empty(self) -> bool:
        """Whether nothing is to be done; a driver that sees this is at rest until ``wake_at``."""
        return not any(getattr(self, name) for name in self.__dataclass_fields__ if name not in ("wake_at",))
