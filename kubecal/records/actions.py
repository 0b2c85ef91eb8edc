"""Steps that change records instead of measuring: set, publish, revert, exclude.

Each is one transaction: the change, and the end of the row that says what it did. The row is open only once, so a
repeat after a crash, or after an answer that was lost, changes nothing. What cannot be done ends the row as failed,
with a sentence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ClientBulkWriteException

from kubecal.api.actions import PublishResults, RevertExecution, SetParameters
from kubecal.api.catalogue import Catalogue
from kubecal.engine.intents import RunAction
from kubecal.engine.model import AttemptRow, RowStatus
from kubecal.records.changes.desk import Change, Desk, Impossible, Values
from kubecal.records.changes.excluding import exclude_results
from kubecal.records.changes.publishing import publish_results
from kubecal.records.changes.reverting import revert_execution
from kubecal.records.changes.setting import set_parameters
from kubecal.records.documents import ENDED, OPEN, ROW_FIELDS, Document, attempts_by_session
from kubecal.records.failures import duplicate_at
from kubecal.records.store import KeyTaken, RecordStore

_LISTED = 1_000
"""Values that a change's row repeats; all of them stand in ``parameter_versions``."""


class ActionRecords:
    """Carries out changes of records for a driver."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store

    async def execute(
        self, intents: Sequence[RunAction], catalogues: Sequence[Catalogue], now: datetime
    ) -> dict[str, tuple[AttemptRow, ...]]:
        """Carry them out, one after the other.

        Parameters
        ----------
        catalogues
            What is known of tasks and backends, the built-in one first: whose units values by hand are in, and what
            time it is on a simulated chip.

        Returns
        -------
        dict
            By session uid all attempts that were changed, as they stand then: the changes' own, and those with results
            that were excluded, whosever they are.
        """
        found: dict[str, tuple[AttemptRow, ...]] = defaultdict(tuple)
        for intent in intents:

            async def body(
                database: AsyncDatabase[Document], session: AsyncClientSession, intent: RunAction = intent
            ) -> list[Document]:
                return await _carry_out(Desk(intent, (*catalogues, *intent.authors), now, database, session))

            for uid, attempts in attempts_by_session(await self._store.transaction(body), now).items():
                found[uid] += attempts
        return dict(found)


async def _carry_out(desk: Desk) -> list[Document]:
    """Body of the transaction; the rows that it changed, and its own."""
    if not await _is_wanted(desk):
        return await _rows(desk, [desk.attempt])
    try:
        change, status = await _change(desk), RowStatus.COMPLETED
    except Impossible as problem:
        change, status = Change(str(problem)), RowStatus.FAILED
    end = UpdateOne(
        {"_id": desk.attempt},
        {"$set": _ended(desk, change, status)},
        namespace=desk.namespace("task_result_history"),
    )
    try:
        await desk.database.client.bulk_write([end, *change.writes], session=desk.session)
    except ClientBulkWriteException as error:
        if duplicate_at(error) is not None:
            # A task published the first value of a qubit, or the first of a day, at this moment.
            raise KeyTaken from error
        raise
    return await _rows(desk, [desk.attempt, *change.attempts])


async def _is_wanted(desk: Desk) -> bool:
    """Whether it was not carried out, given up or cancelled before."""
    still_open = {"_id": desk.attempt, "status": {"$in": OPEN}, "superseded": False}
    goes_on = {"session_uid": desk.intent.ref.uid, "cancel_requested": False, "status": {"$nin": ENDED}}
    row = await desk.database.task_result_history.find_one(still_open, {"_id": 1}, session=desk.session)
    execution = await desk.database.execution_history.find_one(goes_on, {"_id": 1}, session=desk.session)
    return row is not None and execution is not None


async def _rows(desk: Desk, attempts: Sequence[str]) -> list[Document]:
    """Attempts as they stand in this transaction, with all their rows."""
    key = {"attempt_id": {"$in": list(attempts)}}
    return await desk.database.task_result_history.find(key, ROW_FIELDS, session=desk.session).to_list()


async def _change(desk: Desk) -> Change:
    action = desk.intent.action
    if isinstance(action, SetParameters):
        return await set_parameters(desk, action)
    if isinstance(action, PublishResults):
        return await publish_results(desk, action)
    if isinstance(action, RevertExecution):
        return await revert_execution(desk, action)
    return await exclude_results(desk, action)


def _ended(desk: Desk, change: Change, status: RowStatus) -> Document:
    """The fields of the change's row that its end sets."""
    outputs = _outputs(change.values)
    return {
        "status": status.value,
        "reason": "" if status is RowStatus.COMPLETED else "Impossible",
        "message": change.message,
        "start_at": desk.now,
        "end_at": desk.now,
        "elapsed_time": 0.0,
        "run_parameters": desk.intent.action.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "output_parameters": outputs,
        "output_parameter_names": list(outputs),
        "system_info.updated_at": desk.now,
    }


def _outputs(values: Values) -> Document:
    """What became current as other rows have their outputs, told apart by whose they are."""
    listed = ((qid, value) for qid, by_name in values.items() for value in by_name.values())
    return {
        f"{value['parameter_name']}:{qid}": {**value, "qid": qid, "accepted": True, "group": ""}
        for qid, value in islice(listed, _LISTED)
    }
