"""The driver's side of the records: admission, attempts, settlement.

Many intents of one pass go together, in a few round trips however many they are. Every call may be repeated:
after a crash, or a failure whose outcome nobody knows, the next pass decides the same and calls again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from pymongo import ReturnDocument, UpdateMany, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from kubecal.api.catalogue import Catalogue
from kubecal.engine.intents import Admission, CancelIntent, NextAttempt, Replan, SettleExecution, SettleRow
from kubecal.engine.model import AttemptRow, ChipView, Plan, SessionRecord, SessionRef, TaskKey, Trouble
from kubecal.records.attempts import dropped, planned_writes, settle_write, supersede
from kubecal.records.chip_day import chip_day_writes
from kubecal.records.documents import (
    ENDED,
    EXECUTION_FIELDS,
    OPEN,
    ROW_FIELDS,
    Document,
    attempt_id,
    attempts_by_session,
    chip_copy,
    day_of,
    elapsed_s,
    execution_document,
    images_document,
    session_record,
)
from kubecal.records.registry import registry_writes
from kubecal.records.store import KeyTaken, RecordStore

T = TypeVar("T")
Write = UpdateOne | UpdateMany

_BATCH = 1_000
"""Writes of one transaction or bulk write: well below what a server takes, and short enough not to be in the way."""
_UNFINISHED = {"$nin": ENDED}


@dataclass(frozen=True)
class Admitted:
    """What became of sessions that were to be admitted."""

    records: Mapping[str, SessionRecord]
    """By session uid."""
    refused: Mapping[str, str]
    """Why a session cannot have the execution it asks for, by its uid."""


class ControlRecords:
    """What a driver reads and writes.

    Parameters
    ----------
    store
        The process's connection.
    driver_id
        Which installation this is: only its own executions are settled.
    """

    def __init__(self, store: RecordStore, driver_id: str) -> None:
        self.store = store
        self.driver_id = driver_id

    # ------------------------------------------------------------ (a) intents

    async def admit(
        self, admissions: Sequence[Admission], *, catalogue: Catalogue, image: str, now: datetime
    ) -> Admitted:
        """Give each session its execution and planned rows; one that has them keeps them."""
        refused: dict[str, str] = {}
        for admission in admissions:
            execution = await self._execution(admission, catalogue.hash, image, now)
            if execution is None:
                refused[admission.ref.uid] = (
                    f"spec.executionId {admission.spec.execution_id} belongs to another execution of the project: "
                    "leave it out, or choose one that is free, under another name"
                )
                continue
            if execution["driver_id"] != self.driver_id:
                continue
            project_id = execution["project_id"]
            # Before the rows: an execution that counts as planned is not admitted again, whoever was killed in between.
            await self._write(partial(_registered, admission, project_id, catalogue, image, now))
            await self._insert(admission.ref, admission.plan, admission.chip, execution, now, renew=False)
        return Admitted(await self.load([admission.ref.uid for admission in admissions], now), refused)

    async def replan(self, replans: Sequence[Replan], now: datetime) -> dict[str, SessionRecord]:
        """Copy the changed chip and images, end rows that are no longer planned, add and renew the others."""
        for replan in replans:
            async with self.store.connected() as database:
                execution = await database.execution_history.find_one(self._unfinished(replan.ref))
            if execution is None:
                continue
            await self.settle_rows(dropped(replan), now)
            await self._insert(replan.ref, replan.plan, replan.chip, execution, now, renew=True, pinned=_pinned(replan))
        return await self.load([replan.ref.uid for replan in replans], now)

    async def request_cancel(self, intents: Sequence[CancelIntent], now: datetime) -> None:
        """Store that cancelling was asked for; the first reason stays."""
        asked = {"cancel_requested": True, "cancel_requested_at": now, "phase": "Cancelling"}
        await self._write(
            lambda database: [
                UpdateOne(
                    {**self._unfinished(intent.ref), "cancel_requested": False},
                    {"$set": {**asked, "cancel_reason": intent.reason, "system_info.updated_at": now}},
                    namespace=f"{database}.execution_history",
                )
                for intent in intents
            ]
        )

    async def next_attempts(
        self, intents: Sequence[NextAttempt], now: datetime, logs: Mapping[str, str] | None = None
    ) -> dict[str, tuple[AttemptRow, ...]]:
        """Give up attempts that have no result and open the ones after them, together or not at all.

        Parameters
        ----------
        logs
            Last lines of the pods that intents name in ``log_pod``.

        Returns
        -------
        dict
            By session uid the rows as they stand now: attempt n and n + 1, or only n where it has a result.
        """
        changed: dict[str, tuple[AttemptRow, ...]] = defaultdict(tuple)
        for batch in _batches(intents):

            async def body(
                database: AsyncDatabase[Document], session: AsyncClientSession, batch: Sequence[NextAttempt] = batch
            ) -> list[Document]:
                return await supersede(database, session, batch, now, logs or {})

            for uid, rows in attempts_by_session(await self.store.transaction(body), now).items():
                changed[uid] += rows
        return dict(changed)

    # ------------------------------------------------------------ (d) settlement

    async def settle_rows(
        self, intents: Sequence[SettleRow], now: datetime, logs: Mapping[str, str] | None = None
    ) -> dict[str, tuple[AttemptRow, ...]]:
        """End rows that will not get a result; one that has a result keeps it.

        Returns
        -------
        dict
            The rows by session uid, as they stand afterwards.
        """
        await self._write(lambda database: [settle_write(database, intent, now, logs or {}) for intent in intents])
        return await self.read_rows([(intent.ref, intent.key, intent.attempt) for intent in intents], now)

    async def settle_executions(self, intents: Sequence[SettleExecution], now: datetime) -> None:
        """Write where executions stand; what has ended is never written again.

        The chip's day is written with the end, before it: a crash in between repeats it, and it comes out the same.
        """
        if not intents:
            return
        uids = [intent.ref.uid for intent in intents]
        ending = {intent.ref.uid for intent in intents if intent.status in ENDED}
        fields = ("session_uid", "project_id", "chip_id", "time_zone", "execution_id", "username", "start_at")
        async with self.store.connected() as database:
            executions = await database.execution_history.find(
                {"session_uid": {"$in": uids}, "driver_id": self.driver_id, "status": _UNFINISHED}, fields
            ).to_list()
            days = await chip_day_writes(database, [each for each in executions if each["session_uid"] in ending], now)
        starts = {execution["session_uid"]: execution["start_at"] for execution in executions}
        mine = [intent for intent in intents if intent.ref.uid in starts]
        await self._write(
            lambda database: [
                *days,
                *(self._settle(database, each, starts[each.ref.uid], now) for each in mine),
            ]
        )

    async def abandon(self, session_uids: Iterable[str], reason: str, now: datetime) -> None:
        """End executions that nobody drives any more, and all their open rows, as cancelled."""
        uids = list(session_uids)
        async with self.store.connected() as database:
            mine = await database.execution_history.distinct(
                "session_uid", {"session_uid": {"$in": uids}, "driver_id": self.driver_id, "status": _UNFINISHED}
            )
        ended = {"status": "cancelled", "end_at": now, "message": reason, "system_info.updated_at": now}
        await self._write(
            lambda database: [
                UpdateMany(
                    {"session_uid": {"$in": mine}, "status": {"$in": OPEN}},
                    {"$set": {**ended, "trouble": Trouble.DISRUPTION.value, "reason": "Abandoned"}},
                    namespace=f"{database}.task_result_history",
                ),
                UpdateMany(
                    {"session_uid": {"$in": mine}, "status": _UNFINISHED},
                    {"$set": {**ended, "phase": "Cancelled"}},
                    namespace=f"{database}.execution_history",
                ),
            ]
        )

    # ------------------------------------------------------------ reading

    async def load(self, session_uids: Iterable[str], now: datetime) -> dict[str, SessionRecord]:
        """The records of sessions; one that is missing was not (completely) admitted."""
        uids = {"session_uid": {"$in": list(session_uids)}}
        async with self.store.majority() as database:
            executions = await database.execution_history.find({**uids, "planned": True}, EXECUTION_FIELDS).to_list()
            documents = await database.task_result_history.find(uids, ROW_FIELDS).batch_size(5_000).to_list()
        rows = attempts_by_session(documents, now)
        return {
            execution["session_uid"]: session_record(execution, rows.get(execution["session_uid"], ()), self.driver_id)
            for execution in executions
        }

    async def read_rows(
        self, wanted: Sequence[tuple[SessionRef, TaskKey, int]], now: datetime
    ) -> dict[str, tuple[AttemptRow, ...]]:
        """Attempts as a majority has them on the primary: what may be concluded from; by session uid."""
        found: dict[str, tuple[AttemptRow, ...]] = defaultdict(tuple)
        for batch in _batches(wanted):
            ids = {"attempt_id": {"$in": [attempt_id(ref, key, attempt) for ref, key, attempt in batch]}}
            async with self.store.majority() as database:
                documents = await database.task_result_history.find(ids, ROW_FIELDS).to_list()
            for uid, rows in attempts_by_session(documents, now).items():
                found[uid] += rows
        return dict(found)

    async def unfinished(self) -> dict[str, SessionRef]:
        """Executions of this driver that have not ended, by session uid."""
        async with self.store.majority() as database:
            executions = await database.execution_history.find(
                {"driver_id": self.driver_id, "status": _UNFINISHED}, {"session_uid": 1, "note.session": 1}
            ).to_list()
        return {each["session_uid"]: SessionRef(each["session_uid"], **each["note"]["session"]) for each in executions}

    # ------------------------------------------------------------ parts

    async def _execution(self, admission: Admission, catalogue_hash: str, image: str, now: datetime) -> Document | None:
        """The session's execution; a new one takes the id it asks for, or the next of its day, in the same transaction.

        None if somebody else has the id it asks for.
        """

        async def take(database: AsyncDatabase[Document], session: AsyncClientSession) -> Document | None:
            known = await database.execution_history.find_one({"session_uid": admission.ref.uid}, session=session)
            if known is not None:
                return known
            pinned = {"catalogue_hash": catalogue_hash, "image": image}
            document = execution_document(admission, "", self.driver_id, now, **pinned)
            wanted = admission.spec.execution_id
            if wanted and await _taken(database, session, document, wanted):
                return None
            try:
                number = wanted or await _take_number(database, session, document, now)
                document["execution_id"] = number
                document["calib_data_path"] = f"{document['project_id']}/{number}"
                await database.execution_history.insert_one(document, session=session)
            except DuplicateKeyError as error:
                raise KeyTaken from error
            return document

        return await self.store.transaction(take)

    async def _insert(
        self,
        ref: SessionRef,
        plan: Plan,
        chip: ChipView,
        execution: Document,
        now: datetime,
        *,
        renew: bool,
        pinned: Document | None = None,
    ) -> None:
        """Insert planned rows; then, and only then, the execution counts as planned for this chip."""
        grace_s = chip.spec.pods.termination_grace_period_seconds if chip.spec is not None else 0
        copied = chip_copy(chip)
        planned = {"$set": {**copied, **(pinned or {}), "planned": True, "system_info.updated_at": now}}
        await self._write(
            lambda database: [
                *planned_writes(database, ref, plan, {**execution, **copied}, grace_s, now, renew=renew),
                UpdateOne(self._unfinished(ref), planned, namespace=f"{database}.execution_history"),
            ]
        )

    def _unfinished(self, ref: SessionRef) -> Document:
        return {"session_uid": ref.uid, "driver_id": self.driver_id, "status": _UNFINISHED}

    def _settle(self, database: str, intent: SettleExecution, start_at: datetime | None, now: datetime) -> UpdateOne:
        start_at = intent.started_at or start_at
        fields: Document = {
            "status": intent.status,
            "phase": intent.phase,
            "message": intent.message,
            "counts": dict(intent.counts),
            "start_at": start_at,
            "end_at": intent.ended_at,
            "elapsed_time": elapsed_s(start_at, intent.ended_at),
            "system_info.updated_at": now,
        }
        return UpdateOne(self._unfinished(intent.ref), {"$set": fields}, namespace=f"{database}.execution_history")

    async def _write(self, build: Callable[[str], Sequence[Write]]) -> None:
        """Write in order, in batches; nothing where there is nothing to write.

        Parameters
        ----------
        build
            Makes the writes for a database of this name.
        """
        async with self.store.connected() as database:
            for batch in _batches(build(database.name)):
                await database.client.bulk_write(batch)


async def _take_number(
    database: AsyncDatabase[Document], session: AsyncClientSession, execution: Document, now: datetime
) -> str:
    """The next execution id of the project's day that nobody took by name; given back if the transaction fails."""
    day = day_of(now, ZoneInfo(execution["time_zone"]))
    while True:
        counter: Document | None = await database.execution_counter.find_one_and_update(
            {"project_id": execution["project_id"], "date": day},
            {
                "$inc": {"index": 1},
                "$set": {"username": execution["username"], "system_info.updated_at": now},
                "$setOnInsert": {"system_info.created_at": now},
            },
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        # The index counts executions, and the first of a day is 000.
        number = f"{day}-{(counter['index'] if counter is not None else 1) - 1:03d}"
        if not await _taken(database, session, execution, number):
            return number


async def _taken(
    database: AsyncDatabase[Document], session: AsyncClientSession, execution: Document, number: str
) -> bool:
    key = {"project_id": execution["project_id"], "execution_id": number}
    return await database.execution_history.find_one(key, {"_id": 1}, session=session) is not None


def _pinned(replan: Replan) -> Document:
    built_in = replan.built_in
    changed = {"image": built_in.image, "catalogue_hash": built_in.catalogue_hash} if built_in is not None else {}
    return {**images_document(replan.images), **changed}


def _registered(
    admission: Admission, project_id: str, catalogue: Catalogue, image: str, now: datetime, database: str
) -> Sequence[Write]:
    return registry_writes(database, admission, project_id, catalogue, image, now)


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[at : at + _BATCH] for at in range(0, len(items), _BATCH))
