"""Raw data is removed when it is old enough; results and figures stay for ever.

Files are named by their content, so a file of an old attempt may be the file of one that ends at this very moment.
Nothing is locked against that. Three things keep it safe:

1. *Who refers to a file has just stored it.* A row names its files in a write that comes after
   :func:`~kubecal.records.files.store_files`, which first moves each file's mark ``stored_at`` (the server's clock)
   and then puts what is missing. Between the two lie seconds, or a transaction that is tried again for half a
   minute; a day is allowed (``_MARGIN``).
2. *Only a file that no younger row refers to is removed, and only while its mark is older than a day*, counted back
   from before the first look at the rows. A row that came before the look was seen. One that comes after it was
   stored less than a day before, so its mark is younger than what the removal asks for.
3. *Mark, chunks and entry go in one transaction*, whose condition is the mark. A writer that moved the mark first
   makes the removal match nothing, or lose a write conflict and look again. A writer that comes second waits for the
   removal to end, finds neither entry nor chunks, and stores both again. Without the transaction it would find old
   chunks that are gone a moment later; without the mark in front of its chunks, the same.

A row is noted (``raw_data_pruned_at``) after the last of its files is gone, and keeps ``raw_data_path``: it still says
what there was. Killed at any point, the next run finds the rows that are not noted, removes what is left and notes
them (the server lets go of the dead one's transaction within a minute). Two runs at once do each other no harm: both
remove the same. A file that a younger row holds goes when that row's time has come; until then each run looks at the
older row again.

Nothing grows with what there is to remove: rows are read in pages, and a transaction removes a bounded number of
bytes, or one file.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from kubecal.records.indexes import HAS_RAW_DATA
from kubecal.records.store import Document, RecordStore

_MARGIN = timedelta(days=1)
"""How long after storing a file a row may still come to refer to it."""
_ROWS = 200
"""Rows of one page."""
_FILES = 100
_BYTES = 64 * 2**20
"""What one transaction removes at most, unless it is a single file: short enough not to be in the way."""
_TRANSACTION_S = 90.0
"""Longer than the 60 s for which a server keeps the transaction of a run that was killed, and its files locked."""


@dataclass(frozen=True)
class Pruned:
    """What was removed."""

    files: int
    size_bytes: int
    before: datetime
    """Attempts that ended earlier were looked at."""

    def __str__(self) -> str:
        files = "1 file" if self.files == 1 else f"{self.files} files"
        unit, name = (2**20, "MiB") if self.size_bytes >= 2**20 else (2**10, "KiB")
        size = f"{self.size_bytes / unit:.0f} {name}"
        return f"removed {files}, {size}, of attempts that ended before {self.before:%Y-%m-%d}"


@dataclass(frozen=True)
class _File:
    """A file that is there."""

    id: str
    size_bytes: int


@dataclass(frozen=True)
class _Cutoffs:
    """What is old; both fixed before the first look at the rows."""

    ended: datetime
    stored: datetime


async def server_time(store: RecordStore) -> datetime:
    """The server's clock, the one by which files are marked."""
    async with store.connected() as database:
        told: datetime = (await database.command("hello"))["localTime"]
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told


async def prune(store: RecordStore, keep: timedelta, now: datetime) -> Pruned:
    """Remove the raw data of attempts that ended longer than ``keep`` ago.

    Parameters
    ----------
    keep
        For how long raw data is kept, at least a day.
    now
        The server's clock (:func:`server_time`), taken before this call.

    Raises
    ------
    RecordsUnavailable
        If the server cannot be used; what was removed until then is noted at the next call.
    """
    if keep < _MARGIN:
        raise ValueError(f"raw data is kept for at least a day, not for {keep}: a row may still come to refer to it")
    cutoffs = _Cutoffs(ended=now - keep, stored=now - _MARGIN)
    files = size_bytes = 0
    async for rows in _pages(store, cutoffs.ended):
        removed = await _prune_rows(store, rows, cutoffs, now)
        files += len(removed)
        size_bytes += sum(file.size_bytes for file in removed)
    return Pruned(files, size_bytes, cutoffs.ended)


async def _pages(store: RecordStore, ended_before: datetime) -> AsyncIterator[list[Document]]:
    """Rows whose raw data may be due, oldest first; those that stay what they are do not come again."""
    wanted = {**HAS_RAW_DATA, "raw_data_pruned_at": None, "end_at": {"$lt": ended_before}}
    query: Document = wanted
    while True:
        async with store.majority() as database:
            found = database.task_result_history.find(query, {"raw_data_path": 1, "end_at": 1})
            rows = await found.sort([("end_at", 1), ("_id", 1)]).limit(_ROWS).to_list()
        if not rows:
            return
        yield rows
        at, last = rows[-1]["end_at"], rows[-1]["_id"]
        # Not one cursor for all: it would outlive the time that one operation may take.
        behind = [{"end_at": {"$gt": at}}, {"end_at": at, "_id": {"$gt": last}}]
        query = {**wanted, "end_at": {"$gte": at, "$lt": ended_before}, "$or": behind}


async def _prune_rows(store: RecordStore, rows: Sequence[Document], cutoffs: _Cutoffs, now: datetime) -> list[_File]:
    """Remove what a page's rows refer to, note those that have nothing left, and tell what was removed."""
    ids = {file for row in rows for file in row["raw_data_path"]}
    removable = ids - await _held(store, ids, cutoffs.ended)
    removed = []
    for group in _groups(await _stored(store, removable, cutoffs.stored)):
        removed += await _remove(store, group, cutoffs.stored)
    left = {file.id for file in await _stored(store, ids)}
    bare = [row["_id"] for row in rows if not left & set(row["raw_data_path"])]
    async with store.connected() as database:
        await database.task_result_history.update_many(
            {"_id": {"$in": bare}, "raw_data_pruned_at": None}, {"$set": {"raw_data_pruned_at": now}}
        )
    return removed


async def _held(store: RecordStore, ids: set[str], ended_before: datetime) -> set[str]:
    """Those of the files that a younger row refers to, or one that has not ended."""
    held: set[str] = set()
    younger = {"raw_data_path": {"$in": sorted(ids)}, "end_at": {"$not": {"$lt": ended_before}}}
    async with store.majority() as database:
        async for row in database.task_result_history.find(younger, {"_id": 0, "raw_data_path": 1}):
            held.update(ids.intersection(row["raw_data_path"]))
    return held


async def _stored(store: RecordStore, ids: set[str], marked_before: datetime | None = None) -> list[_File]:
    """Those of the files that are there, or only those whose mark is older."""
    query: Document = {"_id": {"$in": sorted(ids)}}
    if marked_before is not None:
        query["stored_at"] = {"$lt": marked_before}
    async with store.majority() as database:
        return await _files(database, query)


async def _files(
    database: AsyncDatabase[Document], query: Document, session: AsyncClientSession | None = None
) -> list[_File]:
    found = await database["fs.files"].find(query, {"length": 1}, session=session).sort("_id").to_list()
    return [_File(each["_id"], each["length"]) for each in found]


def _groups(files: Sequence[_File]) -> Iterator[list[_File]]:
    """The files as single transactions remove them."""
    group: list[_File] = []
    for file in files:
        if group and (len(group) == _FILES or sum(each.size_bytes for each in (*group, file)) > _BYTES):
            yield group
            group = []
        group.append(file)
    if group:
        yield group


async def _remove(store: RecordStore, group: Sequence[_File], marked_before: datetime) -> list[_File]:
    """Remove files with their chunks, all but those whose mark was moved; the files that are gone by this."""
    old = {"_id": {"$in": [file.id for file in group]}, "stored_at": {"$lt": marked_before}}

    async def body(database: AsyncDatabase[Document], session: AsyncClientSession) -> list[_File]:
        found = await _files(database, old, session)
        ids = {"$in": [file.id for file in found]}
        # The entries first: it is on them that a writer's mark and this transaction meet.
        await database["fs.files"].delete_many({**old, "_id": ids}, session=session)
        await database["fs.chunks"].delete_many({"files_id": ids}, session=session)
        return found

    return await store.transaction(body, _TRANSACTION_S)
