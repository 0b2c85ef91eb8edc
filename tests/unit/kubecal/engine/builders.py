"""Observations and their parts, with everything a test does not care about filled in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from kubecal.api.catalogue import Catalogue
from kubecal.api.chip import ChipSpec, ChipStatus, Holder
from kubecal.api.conditions import ConditionType
from kubecal.api.naming import pod_name, task_id
from kubecal.api.request import Receipt, TaskTrouble, Verdict
from kubecal.api.session import SessionSpec
from kubecal.api.session_status import SessionStatus
from kubecal.engine.decide import decide
from kubecal.engine.intents import Decision, StatusPatch
from kubecal.engine.model import (
    AttemptRow,
    ChipView,
    MemberRow,
    Observed,
    Plan,
    PlannedTask,
    PodView,
    RecordsHealth,
    RowStatus,
    SessionRecord,
    SessionRef,
    SessionView,
    TaskKey,
    Terminated,
)
from kubecal.engine.plan import plan_session

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CATALOGUE = Catalogue.model_validate(
    {
        "tasks": [
            {
                "name": "Rabi",
                "kind": "Qubit",
                "description": "drives",
                "runParameters": [{"name": "shots", "kind": "Integer", "minimum": 1, "maximum": 10_000}],
                "timeoutS": 600.0,
                "r2Threshold": 0.6,
                "durationS": 20.0,
            },
            {
                "name": "T1",
                "kind": "Qubit",
                "description": "drives",
                "runParameters": [
                    {"name": "shots", "kind": "Integer", "minimum": 1, "maximum": 10_000},
                    {"name": "wait", "kind": "Number", "unit": "us", "minimum": 0.0},
                ],
                "timeoutS": 900.0,
                "durationS": 10.0,
            },
            {"name": "Compute", "kind": "Qubit", "description": "only computes", "drives": False, "durationS": 1.0},
            {
                "name": "Many",
                "kind": "Qubit",
                "description": "can measure several qubits in one pod",
                "batch": True,
                "outputs": [{"name": "quality"}],
                "durationS": 15.0,
            },
            {
                "name": "Readout",
                "kind": "Mux",
                "description": "acts on a MUX",
                "outputs": [{"name": "resonance", "unit": "GHz"}],
                "durationS": 30.0,
            },
            {
                "name": "Cross",
                "kind": "Coupling",
                "description": "drives two qubits",
                "outputs": [{"name": "zx", "unit": "MHz"}],
                "durationS": 40.0,
            },
            {
                "name": "Configure",
                "kind": "Chip",
                "description": "acts on the chip",
                "outputs": [{"name": "uptime"}],
                "durationS": 5.0,
            },
        ],
        "backends": [
            {
                "name": "fake",
                "configSchema": {
                    "type": "object",
                    "properties": {"seed": {"type": "integer"}, "clock": {"type": "object"}},
                    "additionalProperties": False,
                },
                "takesClock": True,
                "simulated": True,
            }
        ],
    }
)
FIRST = TaskKey("check", "Rabi", "0", 0)
SECOND = TaskKey("check", "T1", "0", 0)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


# ---------------------------------------------------------------- objects


def chip_spec(**changes: Any) -> ChipSpec:
    body = {"topology": {"squareLattice": {"rows": 2, "columns": 2}}, "backend": {"name": "fake"}}
    return ChipSpec.model_validate({**body, **changes})


def chip(
    name: str = "fridge-a",
    namespace: str = "lab",
    *,
    held_by: Sequence[SessionView] = (),
    generation: int = 1,
    **spec: Any,
) -> ChipView:
    """A chip, and which sessions hold it since noon."""
    the_spec = chip_spec(**spec)
    holders = tuple(Holder(uid=one.ref.uid, session=one.ref.name, since=NOON) for one in held_by)
    return ChipView(
        uid=f"uid-of-{namespace}-{name}-{_mark(the_spec)}",
        namespace=namespace,
        name=name,
        generation=generation,
        resource_version="1",
        spec=the_spec,
        status=ChipStatus(holders=holders),
        created_at=NOON,
    )


def session_spec(tasks: Iterable[str] = ("Rabi", "T1"), **changes: Any) -> SessionSpec:
    body = {
        "chip": "fridge-a",
        "targets": {"all": True},
        "steps": [{"name": "check", "tasks": [{"task": name} for name in tasks]}],
    }
    return SessionSpec.model_validate({**body, **changes})


def session(name: str = "morning", *, tasks: Iterable[str] = ("Rabi", "T1"), **spec: Any) -> SessionView:
    """A session that was applied at noon, and of which nothing is on record."""
    the_spec = session_spec(tasks, **spec)
    return SessionView(
        ref=SessionRef(f"uid-of-{name}-{_mark(the_spec)}", "lab", name),
        created_at=NOON,
        generation=1,
        spec=the_spec,
        status=SessionStatus(),
        finalized=True,
    )


def _mark(spec: ChipSpec | SessionSpec) -> str:
    """An object of another spec is another object: plans are kept by uid and generation."""
    return sha256(spec.model_dump_json().encode()).hexdigest()[:8]


def planned(view: SessionView, on: ChipView | None = None) -> Plan:
    """The session's plan."""
    the_chip = on or chip()
    assert view.spec is not None
    assert the_chip.spec is not None
    return plan_session(view.spec, the_chip.name, the_chip.spec, CATALOGUE)


def recorded(view: SessionView, *rows: AttemptRow, on: ChipView | None = None, **changes: Any) -> SessionView:
    """The session with its execution on record: rows as planned, but for those that are given."""
    the_chip = on or chip()
    assert the_chip.spec is not None
    given = {one.key for one in rows}
    plan = planned(view, the_chip)
    open_rows = [planned_row(task) for task in plan.by_key.values() if task.key not in given]
    record = SessionRecord(
        execution_id="20261123-000",
        chip_spec=the_chip.spec,
        chip_generation=the_chip.generation,
        catalogue_hash=CATALOGUE.hash,
        image="kubecal/tasks:1",
        status="scheduled",
        rows=(*open_rows, *rows),
    )
    return replace(view, record=replace(record, **changes))


ONE = {"targets": {"qubits": ["0"]}}


def one(*rows: AttemptRow, **changes: Any) -> SessionView:
    """A session of two tasks on one qubit, on record."""
    return recorded(session(**ONE), *rows, **changes)


# ---------------------------------------------------------------- attempts


def row(key: TaskKey = FIRST, attempt: int = 1, status: RowStatus = RowStatus.SCHEDULED, **changes: Any) -> AttemptRow:
    return AttemptRow(**{"key": key, "attempt": attempt, "status": status, "read_at": NOON, **changes})


def planned_row(task: PlannedTask, **changes: Any) -> AttemptRow:
    """A task's first attempt as it is planned, with a row for each of several members."""
    members = tuple(MemberRow(qid, RowStatus.SCHEDULED) for qid in task.members)
    return row(task.key, **{"wires": task.wires, "members": members, **changes})


def given_up(key: TaskKey = FIRST, attempt: int = 1, **changes: Any) -> AttemptRow:
    """An attempt after which another was opened."""
    return row(key, attempt, RowStatus.CANCELLED, **{"superseded": True, "superseded_at": NOON, **changes})


def pod(view: SessionView | None = None, key: TaskKey = FIRST, attempt: int = 1, **changes: Any) -> PodView:
    """The attempt's pod, bound and running."""
    ref = (view or session()).ref
    name = pod_name(ref.name, ref.uid, key.step, key.task, key.target, key.ordinal, attempt)
    fields: dict[str, Any] = {
        "uid": f"uid-of-{name}",
        "name": name,
        "namespace": ref.namespace,
        "session_uid": ref.uid,
        "key": key,
        "attempt": attempt,
        "wires": (),
        "created_at": NOON,
        "phase": "Running",
        "node": "worker",
        "started_at": NOON,
    }
    return PodView(**{**fields, **changes})


def terminated(exit_code: int = 1, **changes: Any) -> Terminated:
    fields: dict[str, Any] = {"signal": 0, "reason": "Error", "outcome": None, "finished_at": NOON, "seen_at": NOON}
    return Terminated(**{"exit_code": exit_code, **fields, **changes})


def receipt(view: SessionView | None = None, key: TaskKey = FIRST, attempt: int = 1, verdict: str = "ok") -> Receipt:
    ref = (view or session()).ref
    identity = task_id(ref.uid, key.step, key.task, key.target, key.ordinal, attempt, key.target)
    return Receipt(attempt=identity, checksum="0" * 64, verdict=Verdict(verdict))


def trouble(reason: str) -> TaskTrouble:
    return TaskTrouble(reason=reason, message=f"{reason}, it says")


# ---------------------------------------------------------------- observation and decision


def observed(*sessions: SessionView, chips: Sequence[ChipView] | None = None, **changes: Any) -> Observed:
    """What is seen at noon."""
    fields: dict[str, Any] = {
        "now": NOON,
        "hardware_id": "lab/fridge-a",
        "chips": tuple(chips) if chips is not None else (chip(),),
        "sessions": sessions,
        "pods": (),
        "catalogue": CATALOGUE,
        "image": "kubecal/tasks:1",
        "records": RecordsHealth(available=True),
    }
    return Observed(**{**fields, **changes})


def held(*sessions: SessionView, **changes: Any) -> Observed:
    """What is seen at noon, and the first session has the chip since then."""
    return observed(*sessions, **{"chips": [chip(held_by=sessions[:1])], **changes})


def decided(*sessions: SessionView, **changes: Any) -> Decision:
    return decide(held(*sessions, **changes))


def nothing(decision: Decision, *phases: str) -> bool:
    """Whether nothing is to be done in any of these phases."""
    return not any(getattr(decision, phase) for phase in phases)


def patch_of(decision: Decision) -> StatusPatch:
    """The only status that is written."""
    (patch,) = decision.status_patches
    return patch


def reason_of(status: SessionStatus | ChipStatus, kind: ConditionType) -> tuple[str, str]:
    """Status and reason of a condition."""
    (found,) = [one for one in status.conditions if one.type == kind]
    return found.status.value, found.reason
