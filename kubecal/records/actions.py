"""Steps that change records instead of measuring: set, publish, revert, exclude.

Each is one transaction: the change, and the end of the row that says what it did. The row is open only once, so a
repeat after a crash, or after an answer that was lost, changes nothing. What cannot be done ends the row as failed,
with a sentence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from kubecal.api.actions import ExcludeResults, PublishResults, RevertExecution, SetParameters
from kubecal.api.catalogue import Catalogue, Output
from kubecal.api.chip import ChipSpec
from kubecal.engine.intents import RunAction
from kubecal.engine.model import AttemptRow, RowStatus
from kubecal.records.documents import OPEN, Document, attempt_id, attempt_rows, day_of
from kubecal.records.publication import Owner, Writer, Writing, calibrated_at
from kubecal.records.store import RecordStore

VALUE_FIELDS = (
    *("parameter_name", "qid_role", "value", "value_type", "error", "unit", "description"),
    *("calibrated_at", "cooldown_id", "execution_id", "task_id"),
)
"""What a value document consists of."""
_PLACE = ("project_id", "chip_id", "qid")
_NAMED = 8


class Impossible(Exception):  # noqa: N818 - an answer, not a fault: the row says so
    """What is asked for cannot be done; the message says why and what to correct."""


@dataclass
class Change:
    """What an action comes to."""

    message: str
    writes: list[UpdateOne] = field(default_factory=list)
    values: dict[str, dict[str, Document]] = field(default_factory=dict)
    """Value documents that became current, by qubit or coupling and name; for the row."""


class ActionRecords:
    """Carries out changes of records for a driver."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store

    async def execute(
        self, intents: Sequence[RunAction], catalogue: Catalogue, now: datetime
    ) -> dict[str, tuple[AttemptRow, ...]]:
        """Carry them out, one after the other; their rows by session uid, as they stand then."""
        found: dict[str, tuple[AttemptRow, ...]] = defaultdict(tuple)
        for intent in intents:

            async def body(
                database: AsyncDatabase[Document], session: AsyncClientSession, intent: RunAction = intent
            ) -> Document | None:
                return await _carry_out(_Desk(intent, catalogue, now, database, session))

            row = await self._store.transaction(body)
            if row is not None:
                found[intent.ref.uid] += tuple(attempt_rows([row], now))
        return dict(found)


@dataclass(frozen=True)
class _Desk:
    """One intent, and the transaction in which it is carried out."""

    intent: RunAction
    catalogue: Catalogue
    now: datetime
    database: AsyncDatabase[Document]
    session: AsyncClientSession

    @property
    def chip(self) -> ChipSpec:
        """The session's chip, as it was admitted."""
        assert self.intent.chip.spec is not None
        return self.intent.chip.spec

    @property
    def row(self) -> str:
        """The ``_id`` of the action's row."""
        return attempt_id(self.intent.ref, self.intent.key, self.intent.attempt)

    @property
    def place(self) -> Document:
        """The chip in the records."""
        return {"project_id": self.chip.project_id, "chip_id": self.intent.chip.name}

    def namespace(self, collection: str) -> str:
        """For a write."""
        return f"{self.database.name}.{collection}"

    def writer(self, qid: str, execution_id: str, task: str, row: str) -> Writer:
        """Writes values of a qubit or coupling, as the results of this task."""
        place = (self.chip.project_id, self.intent.chip.name, self.intent.spec.username)
        return Writer(Writing(*place, execution_id, task, row), owner_of(qid, row), self.database.name, self.now)

    async def current(self, qids: Sequence[str]) -> dict[str, Mapping[str, Document]]:
        """What is published of qubits and couplings, by their ids."""
        found: dict[str, Mapping[str, Document]] = {}
        for collection in ("qubit", "coupling"):
            ids = [qid for qid in qids if owner_of(qid, "").collection == collection]
            if ids:
                key = {**self.place, "qid": {"$in": ids}}
                async for each in self.database[collection].find(key, {"qid": 1, "data": 1}, session=self.session):
                    found[each["qid"]] = each["data"]
        return found

    async def versions(self, qids: Sequence[str]) -> dict[tuple[str, str], list[Document]]:
        """All versions by (qid, parameter), oldest first."""
        found: dict[tuple[str, str], list[Document]] = defaultdict(list)
        key = {**self.place, "qid": {"$in": list(qids)}}
        async for each in self.database.parameter_versions.find(key, session=self.session):
            found[each["qid"], each["parameter_name"]].append(each)
        for versions in found.values():
            versions.sort(key=lambda each: each["version"])
        return found

    def day(self, moment: datetime) -> str:
        """The chip's day."""
        return day_of(moment, self.chip.zone)


def owner_of(qid: str, row: str) -> Owner:
    """Whose values they are: those of a coupling have a - in their id."""
    return Owner("coupling" if "-" in qid else "qubit", qid, row)


async def _carry_out(desk: _Desk) -> Document | None:
    """Body of the transaction: the row as it stands afterwards; None: there is no such row."""
    row = await desk.database.task_result_history.find_one({"_id": desk.row}, session=desk.session)
    if row is None or row["status"] not in OPEN or row["superseded"]:
        return row
    try:
        change = await _change(desk)
        status = RowStatus.COMPLETED
    except Impossible as problem:
        change, status = Change(str(problem)), RowStatus.FAILED
    ended = {
        "status": status.value,
        "reason": "" if status is RowStatus.COMPLETED else "Impossible",
        "message": change.message,
        "start_at": desk.now,
        "end_at": desk.now,
        "elapsed_time": 0.0,
        "run_parameters": desk.intent.action.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "output_parameters": change.values,
        "output_parameter_names": sorted({name for values in change.values.values() for name in values}),
        "system_info.updated_at": desk.now,
    }
    fence = UpdateOne(
        {"_id": desk.row, "status": {"$in": OPEN}, "superseded": False},
        {"$set": ended},
        namespace=desk.namespace("task_result_history"),
    )
    await desk.database.client.bulk_write([fence, *change.writes], session=desk.session)
    return {**row, **{name: value for name, value in ended.items() if "." not in name}}


async def _change(desk: _Desk) -> Change:
    action = desk.intent.action
    if isinstance(action, SetParameters):
        return await _set(desk, action)
    if isinstance(action, PublishResults):
        return await _publish(desk, action)
    if isinstance(action, RevertExecution):
        return await _revert(desk, action)
    return await _exclude(desk, action)


# ---------------------------------------------------------------- set


async def _set(desk: _Desk, action: SetParameters) -> Change:
    given = action.by_id
    known = known_parameters(desk.catalogue)
    execution, task = desk.intent.execution_id, desk.intent.key.task
    values = {
        qid: {
            name: {
                "parameter_name": name,
                "qid_role": owner_of(qid, "").role,
                "value": one.value,
                "value_type": "float",
                "error": one.error,
                "unit": known[name].unit if name in known else "",
                "description": known[name].description if name in known else "",
                "calibrated_at": desk.now,
                "cooldown_id": desk.chip.cooldown,
                "execution_id": execution,
                "task_id": desk.row,
            }
            for name, one in parameters.items()
        }
        for qid, parameters in given.items()
    }
    writes = await _made_current(desk, {qid: [(task, desk.row, each)] for qid, each in values.items()})
    number = sum(map(len, values.values()))
    return Change(f"set {_many(number, 'parameter')} of {_many(len(values), 'target')}", writes, values)


def known_parameters(catalogue: Catalogue) -> Mapping[str, Output]:
    """Every output of any task, by its name."""
    return {output.name: output for task in catalogue.tasks for output in task.outputs}


_Published = tuple[str, str, Mapping[str, Document]]
"""Name and row of a task, and value documents of it."""


async def _made_current(desk: _Desk, by_qid: Mapping[str, Sequence[_Published]]) -> list[UpdateOne]:
    """The writes that make values current: state, day, versions, history, provenance."""
    current, versions = await desk.current(list(by_qid)), await desk.versions(list(by_qid))
    writes: list[UpdateOne] = []
    for qid, published in by_qid.items():
        data = dict(current.get(qid, {}))
        for task, row, values in published:
            execution = next(iter(values.values()))["execution_id"]
            writer = desk.writer(qid, execution, task, row)
            data |= values
            newest = {name: known[-1]["version"] for (its, name), known in versions.items() if its == qid}
            writes.append(writer.state(values))
            for value in values.values():
                writes += writer.version(value, newest)
                writes.append(_valid_again(desk, writer.entity(value)))
            writes += [writer.activity(values, (), desk.now, desk.now), writer.note(values)]
        writes.append(desk.writer(qid, desk.intent.execution_id, "", "").day(data, desk.day(desk.now)))
    return writes


def _valid_again(desk: _Desk, entity: str) -> UpdateOne:
    """A version that was taken back before is current again."""
    return UpdateOne(
        {"entity_id": entity}, {"$set": {"valid_until": None}}, namespace=desk.namespace("parameter_versions")
    )


# ---------------------------------------------------------------- publish


async def _publish(desk: _Desk, action: PublishResults) -> Change:
    rows = await _results(desk, action)
    accepted = _newest(rows, action)
    if not accepted:
        wanted = " that were asked for" if action.targets or action.parameters else ""
        raise Impossible(
            f"execution {action.execution_id} has no accepted results of chip {desk.intent.chip.name!r}{wanted}: "
            "correct publish"
        )
    current = await desk.current(list(accepted))
    by_qid: dict[str, list[_Published]] = {}
    published: dict[str, dict[str, Document]] = {}
    older = 0
    for qid, groups in accepted.items():
        for task, row, values in groups:
            there = current.get(qid, {})
            if any(calibrated_at(there.get(name)) > value["calibrated_at"] for name, value in values.items()):
                older += len(values)
                continue
            by_qid.setdefault(qid, []).append((task, row, values))
            published.setdefault(qid, {}).update(values)
    writes = await _made_current(desk, by_qid)
    number = sum(map(len, published.values()))
    message = f"published {_many(number, 'parameter')} of {_many(len(published), 'target')}"
    if older:
        message += f"; {_many(older, 'result')} left aside, because what is current is newer"
    return Change(f"{message} of execution {action.execution_id}", writes, published)


async def _results(desk: _Desk, action: PublishResults) -> list[Document]:
    """The execution's rows with results, oldest first."""
    key: Document = {**desk.place, "execution_id": action.execution_id, "status": RowStatus.COMPLETED.value}
    if (
        await desk.database.execution_history.find_one(
            {**desk.place, "execution_id": action.execution_id}, {"_id": 1}, session=desk.session
        )
        is None
    ):
        raise Impossible(
            f"chip {desk.intent.chip.name!r} has no execution {action.execution_id}: correct the execution id"
        )
    if action.targets:
        key["qid"] = {"$in": list(action.targets)}
    fields = dict.fromkeys(("name", "qid", "end_at", "output_parameters", "excluded", "task_type"), 1)
    rows = await desk.database.task_result_history.find(key, fields, session=desk.session).to_list()
    rows = [row for row in rows if not row.get("excluded") and row["task_type"] in ("qubit", "coupling")]
    return sorted(rows, key=lambda row: (row["end_at"], row["_id"]))


def _newest(rows: Sequence[Document], action: PublishResults) -> dict[str, list[_Published]]:
    """The newest accepted values of each qubit and coupling; what belongs to one group stays together."""
    newest: dict[str, dict[str, _Published]] = defaultdict(dict)
    for row in rows:
        groups: dict[str, dict[str, Document]] = defaultdict(dict)
        for name, value in row["output_parameters"].items():
            groups[value["group"] or f"\x1f{name}"][name] = value
        for group, values in groups.items():
            wanted = not action.parameters or set(values).intersection(action.parameters)
            if wanted and all(value["accepted"] for value in values.values()):
                plain = {name: {each: value[each] for each in VALUE_FIELDS} for name, value in values.items()}
                newest[row["qid"]][group] = (row["name"], row["_id"], plain)
    return {qid: list(groups.values()) for qid, groups in newest.items()}


# ---------------------------------------------------------------- revert


async def _revert(desk: _Desk, action: RevertExecution) -> Change:
    key = {**desk.place, "execution_id": action.execution_id}
    mine = await desk.database.parameter_versions.find(key, session=desk.session).to_list()
    if not mine:
        raise Impossible(
            f"execution {action.execution_id} has published nothing of chip {desk.intent.chip.name!r}: "
            "correct revert.executionId"
        )
    touched = sorted({(each["qid"], each["parameter_name"]) for each in mine})
    qids = sorted({qid for qid, _ in touched})
    versions, current = await desk.versions(qids), await desk.current(qids)
    change = Change("")
    data = {qid: dict(current.get(qid, {})) for qid in qids}
    replaced = 0
    for qid, name in touched:
        known = versions[qid, name]
        now = next((each for each in reversed(known) if each["valid_until"] is None), None)
        if now is None or now["execution_id"] != action.execution_id:
            replaced += now is not None
            continue
        before = next((each for each in reversed(known) if each["execution_id"] != action.execution_id), None)
        change.writes += _taken_back(desk, qid, now, before)
        data[qid].pop(name, None)
        if before is not None:
            value = {each: before.get(each) for each in VALUE_FIELDS}
            data[qid][name] = value
            change.values.setdefault(qid, {})[name] = value
    taken = len(touched) - replaced
    for qid in qids if taken else ():
        change.writes.append(desk.writer(qid, desk.intent.execution_id, "", "").day(data[qid], desk.day(desk.now)))
    change.message = f"took back {_many(taken, 'parameter')} that execution {action.execution_id} had published"
    if replaced:
        change.message += f"; {_many(replaced, 'other')} left, because they were measured or set again since"
    return change


def _taken_back(desk: _Desk, qid: str, now: Document, before: Document | None) -> list[UpdateOne]:
    """End a version, and make the one before it current; where there was none the parameter is not known any more."""
    name = now["parameter_name"]
    collection = desk.namespace(owner_of(qid, "").collection)
    stamp: Document = {"username": desk.intent.spec.username, "system_info.updated_at": desk.now}
    end = UpdateOne(
        {"entity_id": now["entity_id"]},
        {"$set": {"valid_until": desk.now}},
        namespace=desk.namespace("parameter_versions"),
    )
    place = {**desk.place, "qid": qid}
    if before is None:
        return [end, UpdateOne(place, {"$unset": {f"data.{name}": ""}, "$set": stamp}, namespace=collection)]
    value = {each: before.get(each) for each in VALUE_FIELDS}
    return [
        end,
        _valid_again(desk, before["entity_id"]),
        UpdateOne(place, {"$set": {f"data.{name}": value, **stamp}}, namespace=collection),
    ]


# ---------------------------------------------------------------- exclude


async def _exclude(desk: _Desk, action: ExcludeResults) -> Change:
    ids = list(action.task_ids)
    key = {**desk.place, "_id": {"$in": ids}}
    known = await desk.database.task_result_history.find(key, {"_id": 1}, session=desk.session).to_list()
    strange = [each for each in ids if each not in {row["_id"] for row in known}]
    if strange:
        raise Impossible(
            f"chip {desk.intent.chip.name!r} has no result {', '.join(strange[:_NAMED])}: correct exclude.taskIds"
        )
    told: dict[str, Any] = {
        "excluded": not action.undo,
        "excluded_reason": "" if action.undo else action.reason,
        "excluded_by": "" if action.undo else desk.intent.spec.username,
        "excluded_at": None if action.undo else desk.now,
        "system_info.updated_at": desk.now,
    }
    namespace = desk.namespace("task_result_history")
    writes = [UpdateOne({**desk.place, "_id": each}, {"$set": told}, namespace=namespace) for each in ids]
    done = "counted again" if action.undo else "taken out of statistics and filters"
    return Change(f"{_many(len(ids), 'result')} {done}", writes)


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
