"""Figures and raw data over HTTP. Their ids are made of their content, so whoever has one never asks again."""

from __future__ import annotations

import asyncio
from pathlib import PurePath

from aiohttp import web

from kubecal.reading.records import RecordsError
from kubecal.reading.stored import StoredRecords
from kubecal.reading.wire import FILES_TYPE, file_header, stream_end
from kubecal_api.questions import Question

_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".json": "application/json", ".npz": "application/x-npz"}
_HARMLESS = {
    # Figures come from pods, and are shown on the API server's own address: nothing in them may run there.
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "X-Content-Type-Options": "nosniff",
}
_STREAM_S = 600.0
"""A stream that nobody reads to its end keeps others from their turn."""


class Files:
    """Answers with files."""

    def __init__(self, records: StoredRecords) -> None:
        self._records = records

    async def one(self, request: web.Request) -> web.StreamResponse:
        """``GET /v1/files/ID``."""
        Question(request)
        file_id = request.match_info["file"]
        headers = {**_HARMLESS, "Cache-Control": "private, max-age=31536000, immutable", "ETag": f'"{file_id}"'}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        content = await self._records.file(file_id)
        kind = _TYPES.get(PurePath(file_id).suffix, "application/octet-stream")
        return web.Response(body=content, content_type=kind, headers=headers)

    async def of_execution(self, request: web.Request) -> web.StreamResponse:
        """``GET /v1/executions/ID/figures``: all of one form in one stream."""
        question = Question(request, "form")
        found = self._records.figures(request.match_info["execution"], project=question.project, form=question.form())
        # What is wrong with the question is known before the first byte, and is a status then.
        first = await anext(found, None)
        response = web.StreamResponse(headers={"Content-Type": FILES_TYPE, **_HARMLESS})
        await response.prepare(request)
        count = 0
        try:
            async with asyncio.timeout(_STREAM_S):
                while first is not None:
                    file_id, content = first
                    await response.write(file_header(file_id, content))
                    await response.write(content)
                    count += 1
                    first = await anext(found, None)
        except (RecordsError, TimeoutError) as error:
            await response.write(stream_end(count, str(error) or f"{_STREAM_S:.0f} s were not enough: ask for less"))
        else:
            await response.write(stream_end(count))
        await response.write_eof()
        return response
