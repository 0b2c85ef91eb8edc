"""The task pod's side: claim the attempt, read its inputs, end it.

An attempt belongs to the pod whose uid stands in its rows: one row, or one for each qubit that a MUX or batch task
judges. The claim takes all of them or none, and the end is one transaction whose first writes are conditional on
that claim, so two pods of one attempt, or a pod that comes back after it was given up, can never both publish.
Every call may be repeated after a failure: what was done already is not done again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ClientBulkWriteException

from kubecal.api.request import TaskRequest
from kubecal.api.wires import Wire
from kubecal.engine.model import RowStatus
from kubecal.records.documents import OPEN, Document, wires_document
from kubecal.records.ended import (
    JUDGED,
    attempt_checksum,
    checksum,
    crashed_row,
    ended_row,
    files_of,
    inputs_of,
    milliseconds,
)
from kubecal.records.failures import duplicate_at, unwrap
from kubecal.records.files import MissingFileError, file_name, read_file, store_files
from kubecal.records.offers import Stages, among, offers_of, offers_pipeline, session_rows
from kubecal.records.publication import Current, owner_of, publication
from kubecal.records.results import AttemptResult, CrashReport, FileContent, InputOffers, StoredData, raw_type
from kubecal.records.store import KeyTaken, RecordStore


class NotClaimed(Exception):  # noqa: N818 - an answer, not a fault: somebody else has the attempt
    """The attempt is not ours to run: exit without driving anything."""


class LostClaim(Exception):  # noqa: N818 - an answer, not a fault: the attempt was given up meanwhile
    """The attempt was superseded or settled before its result came; the data was kept, nothing was published."""


class AttemptRecords:
    """The records of one attempt, for the pod that runs it."""

    def __init__(self, store: RecordStore, request: TaskRequest, pod_uid: str) -> None:
        self._store = store
        self._request = request
        self._pod_uid = pod_uid
        self._rows = {judged: request.row_id(judged) for judged in request.judged}
        self._upstream: Mapping[str, str] = {}

    async def claim(self, now: datetime, wires: Sequence[Wire] | None = None) -> None:
        """Take the attempt with all its rows, immediately before its inputs are read.

        Parameters
        ----------
        now
            The pod's clock.
        wires
            What the pod holds, as its annotation says; None keeps what was planned.

        Raises
        ------
        NotClaimed
            If another pod has it, one of its rows was superseded or settled, or there is no such row.
        """
        held = {} if wires is None else {"wires": wires_document(wires)}
        change = {
            "$set": {
                **self._touched(now),
                **held,
                "claimed_by": self._pod_uid,
                "status": RowStatus.RUNNING.value,
                "start_at": now,
                "cooldown_id": self._request.chip.cooldown,
            }
        }
        try:
            await (self._claim_one(change) if len(self._rows) == 1 else self._claim_all(change))
        except _NotAll as refused:
            raise NotClaimed(self._refusal(await self._found())) from refused

    async def _claim_one(self, change: Document) -> None:
        """One write, which needs no transaction to be all or nothing."""
        async with self._store.connected() as database:
            if not (await database.task_result_history.update_one(self._free(), change)).matched_count:
                raise _NotAll

    async def _claim_all(self, change: Document) -> None:
        async def take(database: AsyncDatabase[Document], session: AsyncClientSession) -> None:
            taken = await database.task_result_history.update_many(self._free(), change, session=session)
            if taken.matched_count < len(self._rows):
                raise _NotAll

        await self._store.transaction(take)

    def _free(self) -> Document:
        """A condition on rows: they are this attempt's, and this pod may have them."""
        return {
            "_id": among([*self._rows.values()]),
            "claimed_by": {"$in": [None, self._pod_uid]},
            "superseded": False,
            "status": {"$in": OPEN},
        }

    async def inputs(self) -> dict[str, InputOffers]:
        """What the records offer as inputs, by the ids of the qubits and the coupling whose parameters it reads."""
        request = self._request
        if not request.parameter_ids:
            return {}
        async with self._store.connected() as database:
            documents = await (await database.task_result_history.aggregate(offers_pipeline(request))).to_list()
        self._upstream = self._built_on(session_rows(documents))
        return offers_of(documents, request)

    def _built_on(self, rows: Sequence[Document]) -> dict[str, str]:
        """The newest result of this session for each row: that of its member, or of anything its task reads."""
        if not self._request.members:
            return dict.fromkeys(self._rows, str(rows[0]["_id"])) if rows else {}
        return {row["qid"]: str(row["_id"]) for row in reversed(rows)}

    async def stored(self) -> StoredData:
        """The data that are analysed anew, and what they were measured with.

        Raises
        ------
        MissingFileError
            If they are not there any more; the message says why and since when.
        """
        request = self._request
        sources = {judged: request.source_row_id(judged) for judged in request.judged}
        async with self._store.connected() as database:
            found = await database.task_result_history.find({"_id": among([*sources.values()])}).to_list()
        rows = {row["_id"]: row for row in found}
        if any(source not in rows for source in sources.values()):
            execution = request.reanalyses.execution_id if request.reanalyses is not None else ""
            raise MissingFileError(
                f"{request.task} on {request.target} has no record in execution {execution} any more: it was removed"
            )
        # What several members share is the attempt's, and stands in each of their rows.
        row = rows[sources[request.judged[0]]]
        files = [(file_name(each), await read_file(self._store, each)) for each in row["raw_data_path"]]
        return StoredData(
            measured_at=row["measured_at"],
            cooldown_id=row["cooldown_id"],
            run_parameters=row["run_parameters"],
            inputs={judged: inputs_of(rows[source]) for judged, source in sources.items()},
            raw_data=tuple(FileContent(name, raw_type(name), content) for name, content in files),
        )

    def of(self, stored: StoredData) -> AttemptRecords:
        """The records of the same attempt, which says of its results that they are as old as its data."""
        return AttemptRecords(self._store, stored.of_then(self._request), self._pod_uid)

    async def finish(self, results: Mapping[str, AttemptResult]) -> str:
        """Store what came out and publish what it may publish, all or nothing.

        Parameters
        ----------
        results
            By what is judged: each of the request's ``judged``.

        Returns
        -------
        str
            The checksum for the receipt; each row repeats that of its own result.

        Raises
        ------
        LostClaim
            If the attempt was superseded or settled meanwhile.
        ValueError
            If a result is missing, or is about something else.
        """
        if set(results) != set(self._rows):
            raise ValueError(
                f"{self._what()} judges {', '.join(self._rows)}, and its results are about {', '.join(results)}: "
                "hand over one for each"
            )
        now = datetime.now(UTC)
        await self._store_files(files_of(results.values()), now)

        async def end(database: AsyncDatabase[Document], session: AsyncClientSession) -> None:
            await self._end(database, session, results, now)

        try:
            await self._store.transaction(end)
        except _FenceLost as lost:
            await self._after_lost_fence(lost, results, now)
        return attempt_checksum(results)

    async def crashed(self, report: CrashReport, now: datetime) -> None:
        """Keep what is known of an attempt that ends without a verdict; the controller says what becomes of it."""
        await self._store_files(report.raw_data, now)
        async with self._store.connected() as database:
            await database.task_result_history.bulk_write(
                [
                    UpdateOne(
                        {"_id": row, "claimed_by": self._pod_uid, "status": {"$in": OPEN}},
                        {"$set": {**self._touched(now), **crashed_row(report, judged)}},
                    )
                    for judged, row in self._rows.items()
                ]
            )

    async def interrupted(self, now: datetime) -> None:
        """Say that SIGTERM ended it; not final, since only the controller knows what it was for."""
        mine = {"_id": among([*self._rows.values()]), "claimed_by": self._pod_uid, "status": RowStatus.RUNNING.value}
        async with self._store.connected() as database:
            await database.task_result_history.update_many(
                mine, {"$set": {**self._touched(now), "interrupted_at": now}}
            )

    # ------------------------------------------------------------ the end

    async def _end(
        self,
        database: AsyncDatabase[Document],
        session: AsyncClientSession,
        results: Mapping[str, AttemptResult],
        now: datetime,
    ) -> None:
        """Body of the end's transaction: what is there, then every write, the fences first."""
        request = self._request
        published = {judged: result for judged, result in results.items() if self._publishes(judged, result)}
        current = await self._current(database, session, published) if published else {}
        writes = [
            write
            for judged, result in published.items()
            for write in publication(
                request,
                owner_of(request, judged),
                result,
                milliseconds(result.measured_at),
                current[judged],
                database.name,
                now,
            )
        ]
        fences = [self._fence(judged, result, database.name, now) for judged, result in results.items()]
        try:
            await database.client.bulk_write([*fences, *writes], session=session)
        except ClientBulkWriteException as error:
            at = duplicate_at(error)
            if at is not None and at < len(fences):
                raise _FenceLost from error
            if at is not None:
                raise KeyTaken from error
            raise unwrap(error) from error

    def _publishes(self, judged: str, result: AttemptResult) -> bool:
        wanted = self._request.publish and owner_of(self._request, judged).collection != ""
        return wanted and result.ok and any(output.accepted for output in result.outputs)

    def _fence(self, judged: str, result: AttemptResult, database: str, now: datetime) -> UpdateOne:
        """An upsert, so that a claim that was lost is an error and takes everything behind it along."""
        mine = {"claimed_by": self._pod_uid, "superseded": False, "status": RowStatus.RUNNING.value}
        return UpdateOne(
            {"_id": self._rows[judged], **mine},
            {"$set": self._ended(judged, result, now)},
            upsert=True,
            namespace=f"{database}.task_result_history",
        )

    def _ended(self, judged: str, result: AttemptResult, now: datetime) -> Document:
        owner = owner_of(self._request, judged)
        return {**self._touched(now), **ended_row(self._request, owner, result, self._upstream.get(judged, ""))}

    async def _current(
        self, database: AsyncDatabase[Document], session: AsyncClientSession, published: Mapping[str, AttemptResult]
    ) -> dict[str, Current]:
        """What is published for each now, and the highest numbers of its versions; one round trip."""
        chip, ids = self._request.chip, list(published)
        place = {"project_id": chip.project_id, "chip_id": chip.chip_id, "qid": among(ids)}
        names = sorted({output.name for result in published.values() for output in result.outputs})
        state = [{"$match": place}, {"$project": {"qid": 1, "data": 1}}]
        pipeline: Stages = [
            # All of them, since the current one has not the highest number where later ones were taken back. An index
            # holds everything that is asked for.
            {"$match": {**place, "parameter_name": {"$in": names}}},
            {"$group": {"_id": {"qid": "$qid", "name": "$parameter_name"}, "version": {"$max": "$version"}}},
            {"$unionWith": {"coll": owner_of(self._request, ids[0]).collection, "pipeline": state}},
        ]
        documents = await (await database.parameter_versions.aggregate(pipeline, session=session)).to_list()
        data = {each["qid"]: each["data"] for each in documents if "data" in each}
        versions: dict[str, dict[str, int]] = {one: {} for one in ids}
        for each in documents:
            if "version" in each:
                versions[each["_id"]["qid"]][each["_id"]["name"]] = each["version"]
        return {one: Current(data.get(one, {}), versions[one]) for one in ids}

    async def _after_lost_fence(self, lost: _FenceLost, results: Mapping[str, AttemptResult], now: datetime) -> None:
        """Tell a repeat, whose first call was stored although its answer was lost, from a claim that is gone."""
        rows = await self._found()
        if all(self._stored(rows.get(self._rows[judged]), result) for judged, result in results.items()):
            return
        # Kept where it belongs, with the status it was given up with; it publishes nothing.
        late = [
            UpdateOne(
                {"_id": self._rows[judged], "claimed_by": self._pod_uid, "checksum": None},
                {"$set": _without_judgement(self._ended(judged, result, now))},
            )
            for judged, result in results.items()
        ]
        async with self._store.connected() as database:
            await database.task_result_history.bulk_write(late)
        raise LostClaim(self._refusal(rows)) from lost

    def _stored(self, row: Document | None, result: AttemptResult) -> bool:
        return row is not None and row["claimed_by"] == self._pod_uid and row["checksum"] == checksum(result)

    async def _found(self) -> dict[str, Document]:
        """The attempt's rows under their ids; something is concluded from them."""
        async with self._store.majority() as database:
            rows = await database.task_result_history.find({"_id": among([*self._rows.values()])}).to_list()
        return {row["_id"]: row for row in rows}

    async def _store_files(self, files: Sequence[FileContent], now: datetime) -> None:
        request = self._request
        owner = {
            "task_id": request.task_id,
            "execution_id": request.execution_id,
            "project_id": request.chip.project_id,
            "chip_id": request.chip.chip_id,
            "username": request.username,
        }
        await store_files(self._store, files, owner, now)

    def _touched(self, now: datetime) -> Document:
        return {"system_info.updated_at": now}

    # ------------------------------------------------------------ why not

    def _refusal(self, rows: Mapping[str, Document]) -> str:
        """Why the attempt is not this pod's, by the first row that is not."""
        reasons = (self._reason(judged, rows.get(row)) for judged, row in self._rows.items())
        free = f"{self._what()} was not free at that moment: another pod let go of it meanwhile"
        return next((reason for reason in reasons if reason), free)

    def _reason(self, judged: str, row: Document | None) -> str:
        what = self._what() + (f" for qubit {judged}" if self._request.members else "")
        if row is None:
            return f"{what} has no record: it was never planned, or its execution was removed"
        if row["superseded"]:
            return f"{what} was given up and a later attempt opened: its result counts for nothing"
        if row["status"] not in OPEN:
            return f"{what} is already {row['status']}: {row['message'] or row['reason'] or 'no reason recorded'}"
        if row["claimed_by"] not in (None, self._pod_uid):
            return f"{what} is claimed by pod {row['claimed_by']}, and this is pod {self._pod_uid}"
        return ""

    def _what(self) -> str:
        request = self._request
        return f"attempt {request.attempt} of {request.task} on {request.target}"


def _without_judgement(fields: Mapping[str, Any]) -> Document:  # Any: a document
    return {name: value for name, value in fields.items() if name not in JUDGED}


class _NotAll(Exception):  # noqa: N818 - never leaves this module
    """Not every row of the attempt could be taken."""


class _FenceLost(Exception):  # noqa: N818 - never leaves this module
    """A conditional write at the head of the end's transaction matched nothing."""
