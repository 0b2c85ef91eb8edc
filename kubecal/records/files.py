"""Figures and raw data in GridFS, under ids made of their content.

Storing the same bytes again changes nothing, so an attempt that was interrupted while it stored simply
stores again. Chunks come before the file's own document: who finds the document finds all of the file. The
layout is GridFS's own, and any GridFS reader reads it; only the ids are ours, which its uploaders would
answer with a duplicate key after a half-finished upload.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ClientBulkWriteException

from kubecal.records.failures import DUPLICATE_KEY, write_error_codes
from kubecal.records.results import FileContent
from kubecal.records.store import Document, RecordStore

_CHUNK_BYTES = 255 * 1024


class MissingFileError(LookupError):
    """There is no such file (any more)."""


async def store_files(store: RecordStore, files: Sequence[FileContent], owner: Document, now: datetime) -> None:
    """Store files that may be there already; two round trips for all of them.

    Parameters
    ----------
    owner
        What their ``metadata`` repeats of the attempt that made them.
    """
    if not files:
        return
    async with store.connected() as database:
        chunks = [write for file in files for write in _chunks(database, file)]
        if chunks:
            await _write(database, chunks)
        await _write(database, [_entry(database, file, owner, now) for file in files])


async def read_file(store: RecordStore, file_id: str) -> bytes:
    """The content of one file.

    Raises
    ------
    MissingFileError
        If it was never stored, or its raw data was pruned.
    """
    async with store.connected() as database:
        entry = await database["fs.files"].find_one({"_id": file_id})
        parts = await database["fs.chunks"].find({"files_id": file_id}).sort("n").to_list()
    content = b"".join(part["data"] for part in parts)
    if entry is None or len(content) != entry["length"]:
        raise MissingFileError(f"file {file_id} is not (or no longer) stored")
    return content


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
        {"_id": file.file_id}, {"$setOnInsert": document}, upsert=True, namespace=f"{database.name}.fs.files"
    )
