"""What an accepted result changes beside its own row: parameters, their versions and history, provenance, note.

Pure: from what is there and what was measured to the writes, so that the rule (a value that is not newer than
the one there does not replace it, and a group goes whole or not at all) can be read and tested as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pymongo import UpdateMany, UpdateOne

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import TaskRequest
from kubecal.records.documents import Document, day_of, entity_id
from kubecal.records.results import AttemptResult, OutputRecord

NOT_REVERTED = {"reverted_at": "", "reverted_in": ""}
"""What a version loses that was taken back and is current again."""


@dataclass(frozen=True)
class Owner:
    """Whose values an attempt's row holds."""

    collection: str
    """``qubit`` or ``coupling``: where they are published; empty: nowhere."""
    qid: str
    """Id of the qubit or coupling."""
    row: str
    """``_id`` of the row."""

    @property
    def role(self) -> str:
        """``qid_role`` of its values."""
        return "coupling" if self.collection == "coupling" else ""


@dataclass(frozen=True)
class Writing:
    """Who publishes: an attempt of an execution, or a change by hand."""

    project_id: str
    chip_id: str
    username: str
    execution_id: str
    task: str
    """Name of the task."""
    row: str
    """``_id`` of its row."""


def owner_of(request: TaskRequest, judged: str) -> Owner:
    """Whose values come out where this one is judged; those of a chip task stay in its row."""
    collections = {TargetKind.COUPLING: "coupling", TargetKind.CHIP: ""}
    return Owner(collections.get(request.kind, "qubit"), judged, request.row_id(judged))


@dataclass(frozen=True)
class Current:
    """What is published for a qubit or coupling now."""

    data: Mapping[str, Document] = field(default_factory=dict)
    """Value documents by parameter."""
    versions: Mapping[str, int] = field(default_factory=dict)
    """The highest number of a version of each parameter: of the current one, unless that was taken back."""


def value_document(output: OutputRecord, request: TaskRequest, owner: Owner, measured_at: datetime) -> Document:
    """One value as ``qubit.data`` and a row's ``output_parameters`` hold it."""
    return {
        "parameter_name": output.name,
        "qid_role": owner.role,
        "value": output.value,
        "value_type": "float",
        "error": output.error,
        "unit": output.unit,
        "description": output.description,
        "calibrated_at": measured_at,
        "cooldown_id": request.chip.cooldown,
        "execution_id": request.execution_id,
        "task_id": owner.row,
    }


def publishable(
    outputs: Sequence[OutputRecord], data: Mapping[str, Document], measured_at: datetime
) -> list[OutputRecord]:
    """The outputs that replace what is there: accepted, and no member of their group is newer there.

    Equal times: this one wins, which makes a repeat of the same result harmless and a run on a fixed clock work.
    """
    groups: dict[str, list[OutputRecord]] = {}
    for output in outputs:
        groups.setdefault(output.group or f"\x1f{output.name}", []).append(output)
    chosen = []
    for members in groups.values():
        newer = any(calibrated_at(data.get(member.name)) > measured_at for member in members)
        if all(member.accepted for member in members) and not newer:
            chosen += members
    return chosen


def calibrated_at(value: Document | None) -> datetime:
    """When a value was measured or set; long ago where there is none."""
    oldest = datetime.fromisoformat("0001-01-01T00:00:00+00:00")
    moment = value.get("calibrated_at") if value else None
    return moment if isinstance(moment, datetime) else oldest


def publication(
    request: TaskRequest,
    owner: Owner,
    result: AttemptResult,
    measured_at: datetime,
    current: Current,
    database: str,
    now: datetime,
) -> list[UpdateOne | UpdateMany]:
    """The writes that publish what is publishable of one row; none where nothing is.

    Parameters
    ----------
    owner
        Whose values the result's are.
    measured_at
        When the values were measured, in whole milliseconds as BSON keeps them.
    current
        What is published for the owner now, read in the same transaction.
    database
        Name of the database, for the writes' namespaces.
    """
    chosen = publishable(result.outputs, current.data, measured_at)
    if not chosen:
        return []
    values = {output.name: value_document(output, request, owner, measured_at) for output in chosen}
    chip = request.chip
    writing = Writing(chip.project_id, chip.chip_id, request.username, request.execution_id, request.task, owner.row)
    writer = Writer(writing, owner, database, now)
    used = sorted(each.entity_id for each in result.inputs if each.entity_id)
    return [
        writer.state(values),
        writer.day({**current.data, **values}, day_of(measured_at, ZoneInfo(chip.time_zone))),
        *writer.versions(values, current.versions),
        writer.activity(map(writer.entity, values.values()), used, result.started_at, result.ended_at),
        writer.note({owner.qid: values}),
    ]


class Writer:
    """The writes of one publication; all keep ``created_at`` of what is there."""

    def __init__(self, writing: Writing, owner: Owner, database: str, now: datetime) -> None:
        self._writing = writing
        self._owner = owner
        self._database = database
        self._now = now

    def state(self, values: Mapping[str, Document]) -> UpdateOne:
        """The current parameters of the qubit or coupling."""
        fields = {f"data.{name}": value for name, value in values.items()}
        return self._upsert(self._owner.collection, self._place(), {**fields, "status": "completed"}, {"note": {}})

    def day(self, data: Mapping[str, Document], recorded_date: str) -> UpdateOne:
        """The last state of a day: all parameters, not only the new ones."""
        key = {**self._place(), "recorded_date": recorded_date}
        return self._upsert(f"{self._owner.collection}_history", key, {"data": dict(data), "status": "completed"})

    def versions(self, values: Mapping[str, Document], numbers: Mapping[str, int]) -> list[UpdateOne | UpdateMany]:
        """The values as versions of their own, and the ends of those before.

        Parameters
        ----------
        numbers
            The highest number of a version of each parameter.
        """
        by_time: dict[datetime, list[str]] = {}
        for name, value in values.items():
            by_time.setdefault(value["calibrated_at"], []).append(name)
        ends: list[UpdateOne | UpdateMany] = [
            UpdateMany(
                {**self._place(), "parameter_name": {"$in": names}, "valid_until": None},
                {"$set": {"valid_until": at}},
                namespace=self._namespace("parameter_versions"),
            )
            for at, names in by_time.items()
        ]
        return ends + [write for value in values.values() for write in self._version(value, numbers)]

    def _version(self, value: Document, numbers: Mapping[str, int]) -> list[UpdateOne]:
        """One that is there already, ended or taken back, is current again."""
        name, identity = value["parameter_name"], self.entity(value)
        described = {**self._place(), "parameter_name": name, **value, "task_name": self._writing.task}
        version = {**described, "version": numbers.get(name, 0) + 1, "valid_from": value["calibrated_at"]}
        history = {"entity_id": identity, **described}
        return [
            self._upsert(
                "parameter_versions", {"entity_id": identity}, {"valid_until": None}, version, {"$unset": NOT_REVERTED}
            ),
            self._upsert("parameter_history", {"_id": identity}, {}, history),
        ]

    def activity(
        self, generated: Iterable[str], used: Sequence[str], started_at: datetime, ended_at: datetime
    ) -> UpdateOne:
        """Which versions of parameters were made of which; what a row gave at different times is gathered."""
        writing = self._writing
        document = {
            "execution_id": writing.execution_id,
            "task_id": writing.row,
            "task_name": writing.task,
            "chip_id": writing.chip_id,
            "qid": self._owner.qid,
            "project_id": writing.project_id,
            "started_at": started_at,
            "ended_at": ended_at,
            "used": list(used),
        }
        activity_id = f"{writing.execution_id}:{writing.row}"
        gathered = {"$addToSet": {"generated": {"$each": sorted(generated)}}}
        return self._upsert("provenance_activities", {"activity_id": activity_id}, document, more=gathered)

    def note(self, values: Mapping[str, Mapping[str, Document]]) -> UpdateOne:
        """This task's part of the calibration note; one document a row, so that tasks never wait for each other."""
        writing = self._writing
        key = {
            "project_id": writing.project_id,
            "execution_id": writing.execution_id,
            "task_id": writing.row,
            "chip_id": writing.chip_id,
        }
        parts = {
            f"note.{qid}.{name}": value["value"] for qid, by_name in values.items() for name, value in by_name.items()
        }
        return self._upsert("calibration_note", key, {**parts, "timestamp": self._now})

    def _place(self) -> Document:
        return {"project_id": self._writing.project_id, "chip_id": self._writing.chip_id, "qid": self._owner.qid}

    def entity(self, value: Document) -> str:
        """The id of a value's version."""
        chip, name = self._writing.chip_id, value["parameter_name"]
        return entity_id(name, chip, self._owner.qid, value["execution_id"], value["task_id"])

    def _namespace(self, collection: str) -> str:
        return f"{self._database}.{collection}"

    def _upsert(
        self,
        collection: str,
        key: Document,
        changed: Document,
        new: Mapping[str, Any] | None = None,
        more: Document | None = None,
    ) -> UpdateOne:
        """Any: values of a document; ``new`` is written only where there is no document yet, ``more`` are operators."""
        inserted = {name: value for name, value in (new or {}).items() if name not in key}
        if "project_id" not in key and "project_id" not in changed and "project_id" not in inserted:
            inserted["project_id"] = self._writing.project_id
        return UpdateOne(
            key,
            {
                "$set": {**changed, "username": self._writing.username, "system_info.updated_at": self._now},
                "$setOnInsert": {**inserted, "system_info.created_at": self._now},
                **(more or {}),
            },
            upsert=True,
            namespace=self._namespace(collection),
        )
