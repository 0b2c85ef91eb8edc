"""Figures and raw data in GridFS, under ids made of their content.

Storing the same bytes again changes nothing, so an attempt that was interrupted while it stored simply
stores again. Chunks come before the file's own document: who finds the document finds all of the file. The
layout is GridFS's own, and any GridFS reader reads it; only the ids are ours, which its uploaders would
answer with a duplicate key after a half-finished upload.

Every file carries ``stored_at``, when somebody last began to rely on it, by the server's own clock. Who stores
content that is there already moves this mark first, before looking which chunks are there: a file whose mark is
fresh is not removed (:mod:`kubecal.records.retention` tells why that is enough). So a row may refer to a file only
if its writer has stored it within the last day, in whatever attempt the content was first seen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ClientBulkWriteException

from kubecal.records.failures import DUPLICATE_KEY, write_error_codes
from kubecal.records.results import FileContent
from kubecal.records.store import Document, RecordStore

_CHUNK_BYTES = 255 * 1024
_FILES_AT_ONCE = 25
"""Figures are some tens of KiB each."""
_NOW = {"$currentDate": {"stored_at": True}}
"""Moves the mark; pods' clocks have no say in what is removed."""


class MissingFileError(LookupError):
    """There is no such file, or not any more; the message says which where the records know."""


async def store_files(store: RecordStore, files: Sequence[FileContent], owner: Document, now: datetime) -> None:
    """Store files that may be there already; three round trips for all of them.

    Parameters
    ----------
    owner
        What their ``metadata`` repeats of the attempt that made them.
    """
    if not files:
        return
    async with store.connected() as database:
        # By itself, not beside the chunks: those of a file that is being removed could still be found there, and
        # then be gone.
        await _write(database, [_mark(database, file) for file in files])
        chunks = [write for file in files for write in _chunks(database, file)]
        if chunks:
            await _write(database, chunks)
        await _write(database, [_entry(database, file, owner, now) for file in files])


async def read_file(store: RecordStore, file_id: str) -> bytes:
    """The content of one file.

    Raises
    ------
    MissingFileError
        If it was never stored, or is raw data that was pruned; the message says which.
    """
    async with store.connected() as database:
        entry = await database["fs.files"].find_one({"_id": file_id}, {"length": 1})
        parts = await database["fs.chunks"].find({"files_id": file_id}).sort("n").to_list()
    content = b"".join(part["data"] for part in parts)
    if entry is None or len(content) != entry["length"]:
        raise MissingFileError(await _missing(store, file_id))
    return content


async def read_files(store: RecordStore, file_ids: Sequence[str]) -> AsyncIterator[tuple[str, bytes]]:
    """The contents of many files that are there, in the order given: a round trip for many, a few MiB at a time."""
    for at in range(0, len(file_ids), _FILES_AT_ONCE):
        wanted = file_ids[at : at + _FILES_AT_ONCE]
        async with store.connected() as database:
            parts = await database["fs.chunks"].find({"files_id": {"$in": list(wanted)}}).to_list()
        by_file: dict[str, dict[int, bytes]] = {}
        for part in parts:
            by_file.setdefault(part["files_id"], {})[part["n"]] = part["data"]
        for file_id in wanted:
            if chunks := by_file.get(file_id):
                yield file_id, b"".join(chunks[number] for number in sorted(chunks))


def file_name(file_id: str) -> str:
    """The name under which a file was stored, from its id."""
    return file_id.partition("-")[2]


async def _missing(store: RecordStore, file_id: str) -> str:
    """Why a file is not there. Rows come after their files, so one that a row refers to was there once."""
    async with store.connected() as database:
        row = await database.task_result_history.find_one({"raw_data_path": file_id}, sort=[("end_at", -1)])
    if row is None:
        return f"file {file_id} is not stored: take its id from figure_path or raw_data_path of a row"
    when = f" on {row['raw_data_pruned_at']:%Y-%m-%d}" if row.get("raw_data_pruned_at") else ""
    what = f"{row['name']} on {row['target']} in execution {row['execution_id']}"
    return (
        f"raw data {file_name(file_id)} of {what} was pruned{when}: results and figures are kept, raw data for as "
        "many days as the chart's records.rawRetentionDays says"
    )


async def _write(database: AsyncDatabase[Document], writes: Sequence[UpdateOne]) -> None:
    try:
        await database.client.bulk_write(writes, ordered=False)
    except ClientBulkWriteException as error:
        # Somebody stores the same content at this moment: then it is there.
        if set(write_error_codes(error)) != {DUPLICATE_KEY}:
            raise


def _chunks(database: AsyncDatabase[Document], file: FileContent) -> list[UpdateOne]:
    namespace = f"{database.name}.fs.chunks"
    parts = range(0, len(file.content), _CHUNK_BYTES)
    return [
        UpdateOne(
            {"_id": f"{file.file_id}/{number}"},
            {"$setOnInsert": {"files_id": file.file_id, "n": number, "data": file.content[at : at + _CHUNK_BYTES]}},
            upsert=True,
            namespace=namespace,
        )
        for number, at in enumerate(parts)
    ]


def _entry(database: AsyncDatabase[Document], file: FileContent, owner: Document, now: datetime) -> UpdateOne:
    document = {
        "length": len(file.content),
        "chunkSize": _CHUNK_BYTES,
        "uploadDate": now,
        "filename": file.name,
        "metadata": {**owner, "contentType": file.content_type, "sha256": file.file_id.split("-", 1)[0]},
    }
    return UpdateOne(
        {"_id": file.file_id}, {"$setOnInsert": document, **_NOW}, upsert=True, namespace=f"{database.name}.fs.files"
    )


def _mark(database: AsyncDatabase[Document], file: FileContent) -> UpdateOne:
    return UpdateOne({"_id": file.file_id}, _NOW, namespace=f"{database.name}.fs.files")
