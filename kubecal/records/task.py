"""The task pod's side: claim the attempt, read its inputs, end it.

An attempt belongs to the pod whose uid stands in its row. The claim is one conditional write, the end one
transaction whose first write is conditional on that claim, so two pods of one attempt, or a pod that comes
back after it was given up, can never both publish. Every call may be repeated after a failure: what was
done already is not done again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ClientBulkWriteException

from kubecal.api.request import TaskRequest
from kubecal.api.wires import Wire
from kubecal.engine.model import RowStatus, Trouble
from kubecal.records.documents import OPEN, Document, elapsed_s, entity_id, wires_document
from kubecal.records.failures import duplicate_at, unwrap
from kubecal.records.files import store_files
from kubecal.records.publication import Current, publication, value_document
from kubecal.records.results import (
    MAX_LOG_TAIL,
    MAX_STACK_TRACE,
    AttemptResult,
    CrashReport,
    FileContent,
    InputOffers,
    InputRecord,
    Offer,
    OutputRecord,
)
from kubecal.records.store import KeyTaken, RecordStore

_MAX_MESSAGE = 4_000
_SESSION_ROWS = 200
"""Newest ok results of a session that are looked through for inputs of one target."""


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
        self._id = request.task_id
        self._upstream_id = ""

    async def claim(self, now: datetime, wires: Sequence[Wire] | None = None) -> None:
        """Take the attempt, immediately before its inputs are read.

        Parameters
        ----------
        now
            The pod's clock.
        wires
            What the pod holds, as its annotation says; None keeps what was planned.

        Raises
        ------
        NotClaimed
            If another pod has it, it was superseded or settled, or there is no such row.
        """
        held = {} if wires is None else {"wires": wires_document(wires)}
        async with self._store.connected() as database:
            claim = await database.task_result_history.update_one(
                {
                    **self._own(),
                    "claimed_by": {"$in": [None, self._pod_uid]},
                    "superseded": False,
                    "status": {"$in": OPEN},
                },
                {
                    "$set": {
                        **self._touched(now),
                        **held,
                        "claimed_by": self._pod_uid,
                        "status": RowStatus.RUNNING.value,
                        "start_at": now,
                    }
                },
            )
            if not claim.matched_count:
                raise NotClaimed(self._refusal(await database.task_result_history.find_one(self._own())))

    async def inputs(self) -> InputOffers:
        """What the records offer as inputs: the session's own newest ok outputs, and what is published."""
        request = self._request
        # The collection that grows stands first and the small one is joined to it: any server finds the rows by
        # their index, and not every server does so for a collection that is joined.
        pipeline: list[Mapping[str, Any]] = [  # Any: a pipeline's stages
            {
                "$match": {
                    "session_uid": request.session_uid,
                    "qid": request.target,
                    "status": RowStatus.COMPLETED.value,
                }
            },
            {"$sort": {"end_at": -1}},
            {"$limit": _SESSION_ROWS},
            {"$project": {"output_parameters": 1, "output_parameter_names": 1, "end_at": 1}},
            {"$unionWith": {"coll": "qubit", "pipeline": [{"$match": self._target()}, {"$project": {"data": 1}}]}},
        ]
        async with self._store.connected() as database:
            documents = await (await database.task_result_history.aggregate(pipeline)).to_list()
        published: Document = next((each["data"] for each in documents if "data" in each), {})
        rows = sorted((each for each in documents if "end_at" in each), key=lambda each: each["end_at"], reverse=True)
        self._upstream_id = str(rows[0]["_id"]) if rows else ""
        session: dict[str, Offer] = {}
        for row in rows:
            for name in row["output_parameter_names"]:
                session.setdefault(name, self._offer(row["output_parameters"][name]))
        return InputOffers(session, {name: self._offer(value) for name, value in published.items()})

    async def finish(self, result: AttemptResult) -> str:
        """Store a result and publish what it may publish, all or nothing.

        Returns
        -------
        str
            The checksum for the receipt, which the row repeats.

        Raises
        ------
        LostClaim
            If the attempt was superseded or settled meanwhile.
        """
        digest = checksum(result)
        now = datetime.now(UTC)
        await self._store_files(_files(result), now)

        async def end(database: AsyncDatabase[Document], session: AsyncClientSession) -> None:
            await self._end(database, session, result, digest, now)

        try:
            await self._store.transaction(end)
        except _FenceLost as lost:
            await self._after_lost_fence(lost, result, digest, now)
        return digest

    async def crashed(self, report: CrashReport, now: datetime) -> None:
        """Keep what is known of an attempt that ends without a verdict; the controller says what becomes of it."""
        await self._store_files(report.raw_data, now)
        async with self._store.connected() as database:
            await database.task_result_history.update_one(
                {**self._own(), "claimed_by": self._pod_uid, "status": {"$in": OPEN}},
                {
                    "$set": {
                        **self._touched(now),
                        "stack_trace": report.stack_trace[-MAX_STACK_TRACE:],
                        "log_tail": report.log_tail[-MAX_LOG_TAIL:],
                        "message": f"{report.reason}: {report.message}"[:_MAX_MESSAGE],
                        "input_parameters": _inputs_document(report.inputs),
                        "run_parameters": dict(report.run_parameters),
                        "raw_data_path": [file.file_id for file in report.raw_data],
                    }
                },
            )

    async def interrupted(self, now: datetime) -> None:
        """Say that SIGTERM ended it; not final, since only the controller knows what it was for."""
        async with self._store.connected() as database:
            await database.task_result_history.update_one(
                {**self._own(), "claimed_by": self._pod_uid, "status": RowStatus.RUNNING.value},
                {"$set": {**self._touched(now), "interrupted_at": now}},
            )

    # ------------------------------------------------------------ the end

    async def _end(
        self,
        database: AsyncDatabase[Document],
        session: AsyncClientSession,
        result: AttemptResult,
        digest: str,
        now: datetime,
    ) -> None:
        """Body of the end's transaction: what is there, then every write, the fence first."""
        writes = []
        if result.ok and self._request.publish and any(output.accepted for output in result.outputs):
            current = await self._current(database, session, [output.name for output in result.outputs])
            measured_at = _milliseconds(result.measured_at)
            writes = publication(self._request, result, measured_at, current, database.name, now)
        fence = UpdateOne(
            # An upsert, so that a claim that was lost is an error and takes everything behind it along.
            {**self._own(), "claimed_by": self._pod_uid, "superseded": False, "status": RowStatus.RUNNING.value},
            {"$set": self._ended(result, digest, now)},
            upsert=True,
            namespace=f"{database.name}.task_result_history",
        )
        try:
            await database.client.bulk_write([fence, *writes], session=session)
        except ClientBulkWriteException as error:
            at = duplicate_at(error)
            if at == 0:
                raise _FenceLost from error
            if at is not None:
                raise KeyTaken from error
            raise unwrap(error) from error

    async def _current(
        self, database: AsyncDatabase[Document], session: AsyncClientSession, names: Sequence[str]
    ) -> Current:
        """What is published for the target, and the numbers of its current versions; one round trip."""
        pipeline: list[Mapping[str, Any]] = [  # Any: a pipeline's stages
            {"$match": {**self._target(), "parameter_name": {"$in": list(names)}, "valid_until": None}},
            {"$project": {"_id": 0, "parameter_name": 1, "version": 1}},
            {"$unionWith": {"coll": "qubit", "pipeline": [{"$match": self._target()}, {"$project": {"data": 1}}]}},
        ]
        documents = await (await database.parameter_versions.aggregate(pipeline, session=session)).to_list()
        return Current(
            data=next((each["data"] for each in documents if "data" in each), {}),
            versions={each["parameter_name"]: each["version"] for each in documents if "version" in each},
        )

    async def _after_lost_fence(self, lost: _FenceLost, result: AttemptResult, digest: str, now: datetime) -> None:
        """Tell a repeat, whose first call was stored although its answer was lost, from a claim that is gone."""
        async with self._store.majority() as database:
            row = await database.task_result_history.find_one(self._own())
            if row is not None and row["claimed_by"] == self._pod_uid and row["checksum"] == digest:
                return
            # Kept where it belongs, with the status it was given up with; it publishes nothing.
            late = {name: value for name, value in self._ended(result, digest, now).items() if name not in _JUDGED}
            await database.task_result_history.update_one(
                {**self._own(), "claimed_by": self._pod_uid, "checksum": None}, {"$set": late}
            )
        raise LostClaim(self._refusal(row)) from lost

    def _ended(self, result: AttemptResult, digest: str, now: datetime) -> Document:
        """The row's fields that a result sets."""
        measured_at = _milliseconds(result.measured_at)
        figures = result.figures
        return {
            **self._touched(now),
            "status": (RowStatus.COMPLETED if result.ok else RowStatus.FAILED).value,
            "trouble": None if result.ok else Trouble.VERDICT.value,
            "message": result.message[:_MAX_MESSAGE],
            "verdict": result.verdict.value,
            "checksum": digest,
            "interrupted_at": None,
            "start_at": result.started_at,
            "end_at": result.ended_at,
            "elapsed_time": elapsed_s(result.started_at, result.ended_at),
            "measured_at": measured_at,
            "upstream_id": self._upstream_id,
            "stack_trace": result.stack_trace[-MAX_STACK_TRACE:],
            "log_tail": result.log_tail[-MAX_LOG_TAIL:],
            "input_parameters": _inputs_document(result.inputs),
            "run_parameters": dict(result.run_parameters),
            "output_parameters": {output.name: self._output(output, measured_at) for output in result.outputs},
            "output_parameter_names": [output.name for output in result.outputs if output.accepted],
            "quality_metrics": dict(result.metrics),
            "numbers": _numbers(result),
            "checks": [asdict(check) for check in result.checks],
            "suggestion": _suggestion_document(result),
            "figure_path": [file.file_id for figure in figures for file in (figure.svg, figure.png)],
            "json_figure_path": [figure.json.file_id for figure in figures],
            "raw_data_path": [file.file_id for file in result.raw_data],
        }

    def _output(self, output: OutputRecord, measured_at: datetime) -> Document:
        return {
            **value_document(output, self._request, measured_at),
            "accepted": output.accepted,
            "group": output.group,
        }

    async def _store_files(self, files: Sequence[FileContent], now: datetime) -> None:
        request = self._request
        owner = {
            "task_id": self._id,
            "execution_id": request.execution_id,
            "project_id": request.chip.project_id,
            "chip_id": request.chip.chip_id,
            "username": request.username,
        }
        await store_files(self._store, files, owner, now)

    def _own(self) -> Document:
        return {"_id": self._id}

    def _target(self) -> Document:
        chip = self._request.chip
        return {"project_id": chip.project_id, "chip_id": chip.chip_id, "qid": self._request.target}

    def _touched(self, now: datetime) -> Document:
        return {"system_info.updated_at": now}

    def _offer(self, value: Document) -> Offer:
        request = self._request
        return Offer(
            name=value["parameter_name"],
            value=value["value"],
            error=value["error"],
            unit=value["unit"],
            calibrated_at=value["calibrated_at"],
            entity_id=entity_id(
                value["parameter_name"], request.chip.chip_id, request.target, value["execution_id"], value["task_id"]
            ),
        )

    def _refusal(self, row: Document | None) -> str:
        request = self._request
        what = f"attempt {request.attempt} of {request.task} on {request.target}"
        if row is None:
            return f"{what} has no record: it was never planned, or its execution was removed"
        if row["superseded"]:
            return f"{what} was given up and a later attempt opened: its result counts for nothing"
        if row["status"] not in OPEN:
            return f"{what} is already {row['status']}: {row['message'] or row['reason'] or 'no reason recorded'}"
        return f"{what} is claimed by pod {row['claimed_by']}, and this is pod {self._pod_uid}"


_JUDGED = frozenset({"status", "trouble", "message", "checksum", "interrupted_at"})
"""What a late result leaves as it was when the attempt was given up."""


class _FenceLost(Exception):  # noqa: N818 - never leaves this module
    """The conditional write at the head of the end's transaction matched nothing."""


def checksum(result: AttemptResult) -> str:
    """SHA-256 of what is stored of a result, 64 hexadecimal digits."""
    fileless = replace(result, figures=(), raw_data=(), log_tail="")
    text = json.dumps(
        [asdict(fileless), [file.file_id for file in _files(result)]],
        sort_keys=True,
        default=_plain,
        separators=(",", ":"),
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return _milliseconds(value).astimezone(UTC).isoformat()
    raise TypeError(f"a result holds numbers, texts and times, not {type(value).__name__}: {value!r}")


def _milliseconds(moment: datetime) -> datetime:
    """A time as BSON keeps it, so that comparing with what was stored compares equals."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _files(result: AttemptResult) -> list[FileContent]:
    drawn = [file for figure in result.figures for file in (figure.svg, figure.png, figure.json)]
    return [*drawn, *result.raw_data]


def _inputs_document(inputs: Sequence[InputRecord]) -> Document:
    return {each.name: {**asdict(each), "value_type": "float"} for each in inputs}


def _numbers(result: AttemptResult) -> dict[str, float]:
    """What filters ask for, without the rest of a document: accepted values, and quality metrics."""
    values = {output.name: float(output.value) for output in result.outputs if output.accepted}
    return {name: value for name, value in {**result.metrics, **values}.items() if isfinite(value)}


def _suggestion_document(result: AttemptResult) -> Document | None:
    if result.suggestion is None:
        return None
    return {"parameters": dict(result.suggestion.parameters), "reason": result.suggestion.reason}
