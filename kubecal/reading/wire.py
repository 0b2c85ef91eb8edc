"""How answers travel from ``kubecal-api``: pages as JSON, and many files in one stream.

Both ends are here. A stream of files is, for each, a line of JSON ``{"id": ..., "size": ...}`` and then so many bytes;
it ends with the line ``{"end": COUNT}``, so that one that was cut off is known to be, or with ``{"error": SENTENCE}``.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Protocol, TypeVar

from pydantic import BaseModel, Field, create_model

from kubecal.reading.answers import Answer
from kubecal.reading.pages import Page
from kubecal.reading.records import RecordsError

FILES_TYPE = "application/vnd.kubecal.files"
A = TypeVar("A", bound=Answer)


def written(items: Sequence[Answer], after: str = "") -> str:
    """A list as JSON: ``{"items": [...], "next": MARK}``."""
    listed = ",".join(item.model_dump_json(by_alias=True) for item in items)
    return f'{{"items":[{listed}],"next":{json.dumps(after)}}}'


class _Listed(BaseModel):
    next: str = Field(default="")


def parsed(kind: type[A], text: bytes) -> Page[A]:
    """What :func:`written` wrote.

    Raises
    ------
    pydantic.ValidationError
        If it is something else.
    """
    model = create_model("Listed", __base__=_Listed, items=(tuple[kind, ...], ...))  # type: ignore[valid-type]
    listed = model.model_validate_json(text)
    items: tuple[A, ...] = getattr(listed, "items")  # noqa: B009 - the model is made at run time
    return Page(items, listed.next)


def file_header(file_id: str, content: bytes) -> bytes:
    """What stands before a file in a stream."""
    return json.dumps({"id": file_id, "size": len(content)}).encode() + b"\n"


def stream_end(count: int, error: str = "") -> bytes:
    """What stands at the end of a stream."""
    return json.dumps({"error": error} if error else {"end": count}).encode() + b"\n"


class ByteStream(Protocol):
    """What bytes are read from; :class:`asyncio.StreamReader` and aiohttp's are."""

    async def readline(self) -> bytes:
        """A line with its end, or what there is where it ends without."""

    async def readexactly(self, n: int) -> bytes:
        """So many bytes; raises :class:`asyncio.IncompleteReadError` where it ends before."""


async def files_of(stream: ByteStream) -> AsyncIterator[tuple[str, bytes]]:
    """The files of a stream.

    Raises
    ------
    RecordsError
        If whoever sent it could not go on, or it was cut off.
    """
    count = 0
    while True:
        line = await stream.readline()
        told = json.loads(line) if line.endswith(b"\n") else {}
        if "error" in told:
            raise RecordsError(told["error"])
        if told.get("end") == count:
            return
        if "id" not in told:
            raise RecordsError(f"the stream of figures was cut off after {count}: ask again")
        yield told["id"], await stream.readexactly(told["size"])
        count += 1
