"""Rows of attempts as the driver writes them: planned, given up, opened, ended.

A row with a result is never touched here: every write is conditional on there being none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from pymongo import UpdateMany, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from kubecal.engine.intents import NextAttempt, Replan, SettleRow
from kubecal.engine.model import Plan, RowStatus, SessionRef, Trouble
from kubecal.records.documents import (
    OPEN,
    PLANNED_PROJECTION,
    Document,
    attempt_id,
    following_row,
    planned_rows,
    row_id,
)
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
    rows = (row for task in plan.by_key.values() for row in planned_rows(ref, task, execution, grace_s, now))
    for row in rows:
        namespace = f"{database}.{_COLLECTION}"
        writes.append(UpdateOne({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True, namespace=namespace))
        if renew:
            unclaimed = {"_id": row["_id"], "status": RowStatus.SCHEDULED.value, "claimed_by": None}
            fields = {name: row[name] for name in ("wires", "grace_s", "run_parameters", "cooldown_id")}
            writes.append(UpdateOne(unclaimed, {"$set": fields}, namespace=namespace))
    return writes


def dropped(replan: Replan) -> list[SettleRow]:
    """The ends of rows that a new plan no longer has."""
    why = f"chip {replan.chip.name} changed before the session got it, and the task is no longer planned"
    return [
        SettleRow(replan.ref, key, attempt, RowStatus.CANCELLED, None, "NoLongerPlanned", why, members=members)
        for key, attempt, members in replan.drop
    ]


def settle_write(database: str, intent: SettleRow, now: datetime, logs: Mapping[str, str]) -> UpdateMany:
    """End the rows of an attempt that have no result, or those of some members."""
    fields: Document = {
        "status": intent.status.value,
        "trouble": intent.trouble.value if intent.trouble else None,
        "reason": intent.reason,
        "end_at": now,
        **_said(intent.message, intent.log_pod, logs),
    }
    which = {"qid": {"$in": list(intent.members)}} if intent.members else {}
    return _unless_final(database, attempt_id(intent.ref, intent.key, intent.attempt), fields, now, which)


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
    pairs = [(each, _identity(each, 0), _identity(each, 1)) for each in intents]
    wanted = [identity for _, first, second in pairs for identity in (first, second)]
    cursor = database[_COLLECTION].find({"attempt_id": {"$in": wanted}}, PLANNED_PROJECTION, session=session)
    rows: dict[str, list[Document]] = defaultdict(list)
    for document in await cursor.to_list():
        rows[document["attempt_id"]].append(document)
    opened = [
        following_row(row, intent.attempt + 1, second, _row_after(row, intent), now, intent.parameters)
        for intent, first, second in pairs
        if second not in rows
        for row in rows[first]
        if _followed(row, intent)
    ]
    if opened:
        try:
            await database[_COLLECTION].insert_many(opened, session=session)
        except DuplicateKeyError as error:
            raise KeyTaken from error
    return [*(row for several in rows.values() for row in several), *opened]


def _followed(row: Document, intent: NextAttempt) -> bool:
    """Whether an attempt may follow this one."""
    if intent.members and row["qid"] not in intent.members:
        return False
    if intent.trouble is Trouble.VERDICT:
        return bool(row["status"] == RowStatus.FAILED and row["verdict"] and not row["superseded"])
    return bool(row["superseded"])


def _identity(intent: NextAttempt, later: int) -> str:
    return attempt_id(intent.ref, intent.key, intent.attempt + later)


def _row_after(row: Document, intent: NextAttempt) -> str:
    """The ``_id`` of a row's successor; the row of a chip task has no qubit, and is that of its target."""
    return row_id(intent.ref, intent.key, intent.attempt + 1, row["qid"] or intent.key.target)


def _give_up(database: str, intent: NextAttempt, now: datetime, logs: Mapping[str, str]) -> UpdateMany:
    fields: Document = {
        "superseded": True,
        "superseded_at": now,
        "status": _GIVEN_UP_AS[intent.trouble].value,
        "trouble": intent.trouble.value,
        "reason": intent.reason,
        "end_at": now,
        **_said(intent.message, intent.log_pod, logs),
    }
    return _unless_final(database, _identity(intent, 0), fields, now, {})


def _said(message: str, log_pod: str, logs: Mapping[str, str]) -> Document:
    """What there is to read about an end; a pod's own words stay where there are no others."""
    said = {"message": message} if message else {}
    if log_pod in logs:
        said["log_tail"] = logs[log_pod][-MAX_LOG_TAIL:]
    return said


def _unless_final(database: str, identity: str, fields: Document, now: datetime, which: Document) -> UpdateMany:
    return UpdateMany(
        {"attempt_id": identity, "status": {"$in": OPEN}, "superseded": False, **which},
        {"$set": {**fields, "system_info.updated_at": now}},
        namespace=f"{database}.{_COLLECTION}",
    )
