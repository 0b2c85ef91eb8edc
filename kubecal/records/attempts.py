"""Rows of attempts as the driver writes them: planned, given up, opened, ended.

A row with a result is never touched here: every write is conditional on there being none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from kubecal.engine.intents import NextAttempt, Replan, SettleRow
from kubecal.engine.model import Plan, RowStatus, SessionRef, Trouble
from kubecal.records.documents import OPEN, PLANNED_PROJECTION, Document, following_row, planned_row, row_id
from kubecal.records.results import MAX_LOG_TAIL
from kubecal.records.store import KeyTaken

_COLLECTION = "task_result_history"
_GIVEN_UP_AS = {
    Trouble.DISRUPTION: RowStatus.CANCELLED,
    Trouble.CRASH: RowStatus.FAILED,
}


def planned_writes(
    database: str, ref: SessionRef, plan: Plan, execution: Document, grace_s: int, now: datetime, *, renew: bool
) -> list[UpdateOne]:
    """Insert the rows that are missing; with ``renew`` also bring those up to date that nobody has claimed."""
    writes = []
    for planned in plan.tasks:
        row = planned_row(ref, planned, execution, grace_s, now)
        namespace = f"{database}.{_COLLECTION}"
        writes.append(UpdateOne({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True, namespace=namespace))
        if renew:
            unclaimed = {"_id": row["_id"], "status": RowStatus.SCHEDULED.value, "claimed_by": None}
            fields = {name: row[name] for name in ("wires", "grace_s", "run_parameters")}
            writes.append(UpdateOne(unclaimed, {"$set": fields}, namespace=namespace))
    return writes


def dropped(replan: Replan) -> list[SettleRow]:
    """The ends of rows that a new plan no longer has."""
    why = f"chip {replan.chip.name} changed before the session got it, and the task is no longer planned"
    return [
        SettleRow(replan.ref, key, attempt, RowStatus.CANCELLED, None, "NoLongerPlanned", why)
        for key, attempt in replan.drop
    ]


def settle_write(database: str, intent: SettleRow, now: datetime, logs: Mapping[str, str]) -> UpdateOne:
    """End one row that has no result."""
    fields: Document = {
        "status": intent.status.value,
        "trouble": intent.trouble.value if intent.trouble else None,
        "reason": intent.reason,
        "end_at": now,
        **_said(intent.message, intent.log_pod, logs),
    }
    return _unless_final(database, row_id(intent.ref, intent.key, intent.attempt), fields, now)


async def supersede(
    database: AsyncDatabase[Document],
    session: AsyncClientSession,
    intents: Sequence[NextAttempt],
    now: datetime,
    logs: Mapping[str, str],
) -> list[Document]:
    """Body of the transaction that gives attempts up and opens the next ones; returns their rows.

    An attempt that has a result is not given up, and none is opened after it, unless the intent is to measure again
    after its verdict. One that was given up before, because this call is a repeat, has its successor already, whatever
    became of that.
    """
    lost = [_give_up(database.name, each, now, logs) for each in intents if each.trouble is not Trouble.VERDICT]
    if lost:
        await database.client.bulk_write(lost, session=session)
    pairs = [(each, row_id(each.ref, each.key, each.attempt), _next_id(each)) for each in intents]
    wanted = [identity for _, first, second in pairs for identity in (first, second)]
    cursor = database[_COLLECTION].find({"_id": {"$in": wanted}}, PLANNED_PROJECTION, session=session)
    rows = {document["_id"]: document for document in await cursor.to_list()}
    opened = [
        following_row(rows[first], intent.attempt + 1, second, now, intent.parameters)
        for intent, first, second in pairs
        if first in rows and _followed(rows[first], intent) and second not in rows
    ]
    if opened:
        try:
            await database[_COLLECTION].insert_many(opened, session=session)
        except DuplicateKeyError as error:
            raise KeyTaken from error
    return [*rows.values(), *opened]


def _followed(row: Document, intent: NextAttempt) -> bool:
    """Whether an attempt may follow this one."""
    if intent.trouble is Trouble.VERDICT:
        return bool(row["status"] == RowStatus.FAILED and row["verdict"] and not row["superseded"])
    return bool(row["superseded"])


def _next_id(intent: NextAttempt) -> str:
    return row_id(intent.ref, intent.key, intent.attempt + 1)


def _give_up(database: str, intent: NextAttempt, now: datetime, logs: Mapping[str, str]) -> UpdateOne:
    fields: Document = {
        "superseded": True,
        "superseded_at": now,
        "status": _GIVEN_UP_AS[intent.trouble].value,
        "trouble": intent.trouble.value,
        "reason": intent.reason,
        "end_at": now,
        **_said(intent.message, intent.log_pod, logs),
    }
    return _unless_final(database, row_id(intent.ref, intent.key, intent.attempt), fields, now)


def _said(message: str, log_pod: str, logs: Mapping[str, str]) -> Document:
    """What there is to read about an end; a pod's own words stay where there are no others."""
    said = {"message": message} if message else {}
    if log_pod in logs:
        said["log_tail"] = logs[log_pod][-MAX_LOG_TAIL:]
    return said


def _unless_final(database: str, identity: str, fields: Document, now: datetime) -> UpdateOne:
    return UpdateOne(
        {"_id": identity, "status": {"$in": OPEN}, "superseded": False},
        {"$set": {**fields, "system_info.updated_at": now}},
        namespace=f"{database}.{_COLLECTION}",
    )
