"""Documents of the collections as labs' dashboards read them: built and parsed here, nowhere else.

Field names and meaning follow QDash's. Times are UTC datetimes; days are the chip's.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import bson
from pydantic import BaseModel

from kubecal.api.catalogue import TargetKind
from kubecal.api.chip import ChipSpec
from kubecal.api.naming import task_id
from kubecal.api.request import Verdict
from kubecal.api.session import SessionSpec
from kubecal.api.wires import Wire, wire_of
from kubecal.engine.earlier import Disputed, StoredAttempt
from kubecal.engine.intents import Admission
from kubecal.engine.model import (
    AttemptRow,
    ChipView,
    MemberRow,
    PinnedImage,
    PlanFacts,
    PlannedTask,
    RowStatus,
    SessionRecord,
    SessionRef,
    TaskKey,
    Trouble,
    task_key,
)

Document = dict[str, Any]
"""A BSON document; Any: values are whatever BSON holds."""

ROW_FIELDS = (
    *("session_uid", "step", "name", "target", "ordinal", "attempt", "wires", "grace_s"),
    *("status", "trouble", "reason", "verdict", "checksum", "message", "start_at", "end_at", "interrupted_at"),
    *("claimed_by", "superseded", "superseded_at", "suggestion", "system_info", "numbers"),
    *("attempt_id", "qid", "excluded", "disputed"),
)
"""What of a row decisions need; the rest of a document can be large."""
EXECUTION_FIELDS = (
    *("session_uid", "execution_id", "driver_id", "status", "start_at", "planned", "cancel_requested", "cancel_reason"),
    *("chip_spec", "chip_generation", "catalogue_hash", "image", "images", "facts", "open"),
    *("chip_id", "chip_uid", "note.spec"),
)
"""What of an execution decisions need."""
OPEN = (RowStatus.SCHEDULED.value, RowStatus.RUNNING.value)
"""Statuses of rows whose record does not yet say what came out."""
ENDED = ("completed", "failed", "cancelled")
"""Statuses of executions that are final."""

_PACK_ABOVE = 200_000
"""Bytes of BSON above which a spec is stored compressed: the largest manifests would come near 1 MiB."""


def day_of(moment: datetime, zone: ZoneInfo) -> str:
    """The day in the chip's time zone, YYYYMMDD."""
    return moment.astimezone(zone).strftime("%Y%m%d")


def attempt_id(ref: SessionRef, key: TaskKey, attempt: int) -> str:
    """What identifies an attempt; where it has only one row, also the ``_id`` of that."""
    return row_id(ref, key, attempt, key.target)


def row_id(ref: SessionRef, key: TaskKey, attempt: int, judged: str) -> str:
    """The ``_id`` of the row of one of those that an attempt judges: a member of several, or its target."""
    return task_id(ref.uid, key.step, key.task, key.target, key.ordinal, attempt, judged)


def entity_id(parameter: str, chip_id: str, qid: str, execution_id: str, row: str) -> str:
    """The id of one version of one parameter."""
    return f"{parameter}:{chip_id}:{qid}:{execution_id}:{row}"


def elapsed_s(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds between two moments, where both are known."""
    return (end - start).total_seconds() if start is not None and end is not None else None


def stamped(username: str, project_id: str, now: datetime) -> Document:
    """What every document carries."""
    return {
        "project_id": project_id,
        "username": username,
        "system_info": {"created_at": now, "updated_at": now},
    }


def pack(spec: BaseModel) -> Document | bytes:
    """A manifest's spec as a document, or compressed where it is large."""
    document: Document = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if len(bson.encode(document)) <= _PACK_ABOVE:
        return document
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), level=9)


def unpack(stored: Document | bytes) -> Document:
    """What :func:`pack` was given, as a manifest would write it."""
    if isinstance(stored, bytes):
        document: Document = json.loads(zlib.decompress(stored))
        return document
    return stored


# ---------------------------------------------------------------- executions


def execution_document(
    admission: Admission, execution_id: str, driver_id: str, now: datetime, **pinned: str
) -> Document:
    """A new execution; ``pinned`` are catalogue_hash and image."""
    ref, spec = admission.ref, admission.spec
    chip = chip_copy(admission.chip)
    project = _spec_of(admission.chip).project_id
    return {
        **stamped(spec.username, project, now),
        **chip,
        **pinned,
        "execution_id": execution_id,
        "session_uid": ref.uid,
        "driver_id": driver_id,
        "name": ref.name,
        "chip_id": admission.chip.name,
        "flow_name": spec.flow_name or ref.name,
        "status": "scheduled",
        "phase": "Pending",
        "tags": list(spec.tags),
        "note": {"text": spec.note, "session": {"namespace": ref.namespace, "name": ref.name}, "spec": pack(spec)},
        "message": "",
        "start_at": None,
        "end_at": None,
        "elapsed_time": None,
        "calib_data_path": f"{project}/{execution_id}",
        "counts": {},
        "cancel_requested": False,
        "cancel_reason": "",
        **images_document(admission.images),
        "facts": facts_document(admission.facts),
        "open": spec.open,
        # Rows follow in batches of their own; until all are there the session counts as not admitted.
        "planned": False,
    }


def images_document(images: Mapping[str, PinnedImage]) -> Document:
    """The authors' images that an execution's tasks run in."""
    return {"images": {name: asdict(pinned) for name, pinned in images.items()}}


def chip_copy(chip: ChipView) -> Document:
    """The execution's own copy of the chip: what it was planned for, whatever the admin changes later."""
    return {
        "chip_spec": pack(_spec_of(chip)),
        "chip_generation": chip.generation,
        "chip_uid": chip.uid,
        "cooldown_id": _spec_of(chip).cooldown,
        "hardware_id": _spec_of(chip).hardware_id or f"{chip.namespace}/{chip.name}",
        "time_zone": _spec_of(chip).time_zone,
    }


def session_record(execution: Document, rows: Sequence[AttemptRow], driver_id: str) -> SessionRecord:
    """What the engine sees of an execution."""
    return SessionRecord(
        execution_id=execution["execution_id"],
        chip_spec=ChipSpec.model_validate(unpack(execution["chip_spec"])),
        chip_generation=execution["chip_generation"],
        catalogue_hash=execution["catalogue_hash"],
        image=execution["image"],
        status=execution["status"],
        rows=tuple(rows),
        cancel_requested=execution["cancel_requested"],
        cancel_reason=execution["cancel_reason"],
        ours=execution["driver_id"] == driver_id,
        held_at=execution["start_at"],
        facts=facts_of(execution["facts"]),
        was_open=execution["open"],
        chip_name=execution["chip_id"],
        chip_uid=execution["chip_uid"],
        spec=partial(_session_spec, execution["note"]["spec"]),
        images={name: PinnedImage(**pinned) for name, pinned in execution["images"].items()},
    )


def _session_spec(stored: Document | bytes) -> SessionSpec:
    return SessionSpec.model_validate(unpack(stored))


def facts_document(facts: PlanFacts) -> Document:
    """What a plan was made with, so that the same comes out of it again."""
    return {
        "frequencies_ghz": dict(facts.frequencies_ghz),
        "unfinished": [list(key) for key in sorted(facts.unfinished)],
        "problem": facts.problem,
        "stored": {execution: list(map(_stored_document, found)) for execution, found in facts.stored.items()},
    }


def facts_of(stored: Document) -> PlanFacts:
    """What :func:`facts_document` was given."""
    unfinished = frozenset(TaskKey(*key) for key in stored["unfinished"])
    attempts = {
        execution: tuple(_stored_attempt(execution, one) for one in found)
        for execution, found in stored.get("stored", {}).items()
    }
    return PlanFacts(stored["frequencies_ghz"], unfinished, stored["problem"], attempts)


def _stored_document(one: StoredAttempt) -> list[Any]:
    """Any: a document; as a list, because an execution may have thousands."""
    return [one.session_uid, one.step, one.task, one.target, one.ordinal, one.attempt, list(one.members)]


def _stored_attempt(execution: str, stored: Sequence[Any]) -> StoredAttempt:
    session_uid, step, task, target, ordinal, attempt, members = stored
    return StoredAttempt(execution, session_uid, step, task, target, ordinal, attempt, tuple(members))


def chip_document(chip: ChipView) -> Document:
    """What ``chip`` says of a chip; merged into the document, which keeps its notes."""
    topology = _spec_of(chip).topology.resolve()
    return {
        "size": len(topology.sites),
        "topology": {
            "qubits": [asdict(site) for site in topology.sites],
            "couplings": [coupling.id for coupling in topology.couplings],
        },
    }


def _spec_of(chip: ChipView) -> ChipSpec:
    if chip.spec is None:
        raise ValueError(f"chip {chip.name!r} does not parse and cannot be recorded: {chip.spec_problem}")
    return chip.spec


# ---------------------------------------------------------------- rows


_TASK_TYPES = {
    TargetKind.QUBIT: "qubit",
    TargetKind.MUX: "qubit",
    TargetKind.COUPLING: "coupling",
    TargetKind.CHIP: "global",
}
"""``task_type`` of each kind; of a MUX task each row is about one qubit."""


def planned_rows(
    ref: SessionRef, planned: PlannedTask, execution: Document, grace_s: int, now: datetime
) -> list[Document]:
    """The rows of a task's first attempt, as long as nothing has happened to it."""
    return [_planned_row(ref, planned, judged, execution, grace_s, now) for judged in planned.judged]


def _planned_row(
    ref: SessionRef, planned: PlannedTask, judged: str, execution: Document, grace_s: int, now: datetime
) -> Document:
    key = planned.key
    identity = row_id(ref, key, 1, judged)
    return {
        "_id": identity,
        "task_id": identity,
        "attempt_id": attempt_id(ref, key, 1),
        **stamped(execution["username"], execution["project_id"], now),
        "session_uid": ref.uid,
        "execution_id": execution["execution_id"],
        "chip_id": execution["chip_id"],
        "name": key.task,
        "task_type": "system" if planned.action is not None else _TASK_TYPES[planned.kind],
        "qid": "" if planned.kind is TargetKind.CHIP else judged,
        "step": key.step,
        "target": key.target,
        "ordinal": key.ordinal,
        "attempt": 1,
        "wires": wires_document(planned.wires),
        "grace_s": grace_s,
        "tags": list(execution["tags"]),
        "run_parameters": dict(planned.parameters),
        "adapted": {},
        "cooldown_id": execution["cooldown_id"],
        "source_task_id": _source_row(planned, judged),
        **_untouched(),
    }


def _source_row(planned: PlannedTask, judged: str) -> str:
    """The row whose data are analysed anew; empty where it measures."""
    source = planned.stored
    if source is None:
        return ""
    place = (source.step, source.task, source.target, source.ordinal)
    return task_id(source.session_uid, *place, source.attempt, judged)


def following_row(
    previous: Document, attempt: int, identity: str, row: str, now: datetime, adapted: Mapping[str, Any] | None = None
) -> Document:
    """The row of the next attempt: planned as the one before was but for adapted run parameters, and untouched.

    Parameters
    ----------
    identity, row
        Of the attempt, and of its row.
    """
    planned = {name: value for name, value in previous.items() if name in _PLANNED_FIELDS}
    return {
        **planned,
        "run_parameters": {**planned["run_parameters"], **(adapted or {})},
        "adapted": dict(adapted or {}),
        "_id": row,
        "task_id": row,
        "attempt_id": identity,
        "attempt": attempt,
        "system_info": {"created_at": now, "updated_at": now},
        **_untouched(),
    }


_PLANNED_FIELDS = frozenset(
    {"project_id", "username", "session_uid", "execution_id", "chip_id", "name", "task_type", "qid", "step", "target"}
    | {"ordinal", "wires", "grace_s", "tags", "run_parameters", "cooldown_id", "source_task_id"}
)
PLANNED_PROJECTION = dict.fromkeys((*_PLANNED_FIELDS, *ROW_FIELDS), 1)
"""What of a row the next attempt's needs."""


def _untouched() -> Document:
    return {
        "status": RowStatus.SCHEDULED.value,
        "claimed_by": None,
        "superseded": False,
        "superseded_at": None,
        "trouble": None,
        "reason": "",
        "interrupted_at": None,
        "message": "",
        "stack_trace": "",
        "log_tail": "",
        "upstream_id": "",
        "input_parameters": {},
        "output_parameters": {},
        "output_parameter_names": [],
        "quality_metrics": {},
        "verdict": None,
        "moved": {},
        "shift": {},
        "disputed": None,
        "checks": [],
        "numbers": {},
        "suggestion": None,
        "checksum": None,
        "measured_at": None,
        "figure_path": [],
        "json_figure_path": [],
        "raw_data_path": [],
        "excluded": False,
        "excluded_reason": "",
        "excluded_by": "",
        "excluded_at": None,
        "start_at": None,
        "end_at": None,
        "elapsed_time": None,
    }


def attempt_rows(documents: Iterable[Mapping[str, Any]], now: datetime) -> list[AttemptRow]:
    """Attempts as the engine sees them, each of one row or of several; Any: documents."""
    several: dict[str, list[Mapping[str, Any]]] = {}
    found = []
    for document in documents:
        if document["qid"] in ("", document["target"]):
            found.append(_attempt_row(document, now))
        else:
            several.setdefault(document["attempt_id"], []).append(document)
    return found + [_joined(rows, now) for rows in several.values()]


def attempts_by_session(documents: Iterable[Document], now: datetime) -> dict[str, tuple[AttemptRow, ...]]:
    """The same, by the uid of their session."""
    sorted_out: dict[str, list[Document]] = {}
    for document in documents:
        sorted_out.setdefault(document["session_uid"], []).append(document)
    return {uid: tuple(attempt_rows(rows, now)) for uid, rows in sorted_out.items()}


def _joined(documents: list[Mapping[str, Any]], now: datetime) -> AttemptRow:
    """Several rows of one attempt as one; what has not ended speaks for all, and then what came out last."""
    documents.sort(key=lambda document: (len(document["qid"]), document["qid"]))
    rows = [_attempt_row(document, now) for document in documents]
    members = tuple(
        MemberRow(document["qid"], row.status, row.verdict, row.message, row.numbers, row.suggestion, row.disputed)
        for document, row in zip(documents, rows, strict=True)
    )
    # One that was left out before the attempt began says nothing about the attempt.
    speaks = min(rows, key=lambda row: (row.final, row.claimed_by is None, row.status is RowStatus.SKIPPED))
    return replace(speaks, members=members, verdict=None, numbers={}, suggestion={}, disputed=None)


_NONE: Mapping[str, Any] = MappingProxyType({})
"""One for all rows: most have neither numbers nor a suggestion. Any: as the documents have them."""


def _attempt_row(document: Mapping[str, Any], now: datetime) -> AttemptRow:
    return AttemptRow(
        key=task_key(document["step"], document["name"], document["target"], document["ordinal"]),
        attempt=document["attempt"],
        status=RowStatus(document["status"]),
        read_at=now,
        claimed_by=document["claimed_by"],
        superseded=document["superseded"],
        superseded_at=document["superseded_at"],
        trouble=Trouble(document["trouble"]) if document["trouble"] else None,
        reason=document["reason"],
        verdict=Verdict(document["verdict"]) if document["verdict"] else None,
        checksum=document["checksum"],
        message=document["message"],
        interrupted_at=document["interrupted_at"],
        started_at=document["start_at"],
        ended_at=document["end_at"],
        wires=wires_of(document["wires"]),
        grace_s=document["grace_s"],
        opened_at=document["system_info"]["created_at"],
        numbers=_NONE if document.get("excluded") else document.get("numbers") or _NONE,
        excluded=bool(document.get("excluded")),
        suggestion=(document["suggestion"] or {}).get("parameters") or _NONE,
        disputed=_disputed(document.get("disputed")),
    )


def _disputed(stored: Mapping[str, Any] | None) -> Disputed | None:
    """Any: a document."""
    if not stored:
        return None
    return Disputed(stored["measured_at"], {name: (value, error) for name, (value, error) in stored["values"].items()})


def wires_document(wires: Sequence[Wire]) -> list[list[str]]:
    """Wires as the pod's annotation lists them."""
    return [[wire.mode.value, wire.kind.value, wire.id] for wire in sorted(wires)]


def wires_of(stored: Sequence[Sequence[str]]) -> tuple[Wire, ...]:
    """The wires a row repeats."""
    return tuple(wire_of(mode, kind, identity) for mode, kind, identity in stored)
