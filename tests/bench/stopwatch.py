"""A reverse proxy between an operator and its API server that notes when what passed by.

    python -m tests.bench.stopwatch KUBECONFIG NOTES

It is a process of its own, so that neither the operator nor what plays the nodes delays its clock. It prints its port
and serves plain HTTP on it until it is ended. Each note is a line of JSON: what (`ended`: a watch brought a pod whose
container has terminated, noted before it is passed on; or a method), when (monotonic), and which pod or path.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import yaml
from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

from kubecal_operator import names

_WRITES = ("POST", "PUT", "PATCH", "DELETE")
_HOP = ("host", "connection", "transfer-encoding", "content-length", "keep-alive")
_MOST_BYTES = 64 * 1024**2


@dataclass(frozen=True)
class Note:
    """Something that passed by."""

    what: str
    at: float
    """Monotonic time of the machine, in seconds: that of every process."""
    path: str
    pod: str = ""
    target: str = ""
    """Session and target of the pod."""


def read_notes(file: Path) -> list[Note]:
    """What was noted so far, oldest first."""
    return [Note(**json.loads(line)) for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")]


class Stopwatch:
    """Passes requests on.

    Parameters
    ----------
    upstream
        The API server's address.
    """

    def __init__(self, upstream: str, notes: TextIO) -> None:
        self._upstream, self._notes = upstream, notes
        self._session: ClientSession | None = None

    async def connect(self, authority: str) -> None:
        """Open the pool of connections to the API server."""
        tls = ssl.create_default_context(cadata=authority)
        connector = TCPConnector(limit=0, ssl=tls)
        timeout = ClientTimeout(total=None)
        self._session = ClientSession(connector=connector, timeout=timeout, auto_decompress=False)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One request; of a watch's answer every piece as it comes."""
        arrived = time.monotonic()
        if self._session is None:
            raise web.HTTPBadGateway
        body = await request.read()
        if request.method in _WRITES:
            self._note(Note(request.method, arrived, request.path, *_posted(request, body)))
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP}
        watches = "watch" in request.query
        async with self._session.request(
            request.method, f"{self._upstream}{request.path_qs}", data=body or None, headers=headers
        ) as answer:
            kept = {key: value for key, value in answer.headers.items() if key.lower() not in _HOP}
            response = web.StreamResponse(status=answer.status, headers=kept)
            await response.prepare(request)
            rest = b""
            async for piece in answer.content.iter_any():
                came = time.monotonic()
                await response.write(piece)
                if watches and request.path.endswith("/pods"):
                    *lines, rest = (rest + piece).split(b"\n")
                    for pod in _ended(lines):
                        self._note(Note("ended", came, request.path, *pod))
            await response.write_eof()
            return response

    def _note(self, note: Note) -> None:
        self._notes.write(json.dumps(asdict(note)) + "\n")
        self._notes.flush()


def _posted(request: web.Request, body: bytes) -> tuple[str, str]:
    """The pod that is created, if it is one."""
    if request.method != "POST" or not request.path.endswith("/pods"):
        return "", ""
    return _named(json.loads(body))


def _ended(lines: list[bytes]) -> Iterator[tuple[str, str]]:
    """Pods of a watch's events whose container has terminated."""
    for line in lines:
        if b'"terminated":{' not in line:
            continue
        body = json.loads(line)["object"]
        states = [one.get("state", {}) for one in body.get("status", {}).get("containerStatuses", ())]
        if any("terminated" in state for state in states):
            yield _named(body)


def _named(body: dict[str, Any]) -> tuple[str, str]:
    meta = body["metadata"]
    return meta["name"], f"{meta['labels'][names.LABEL_SESSION]}/{meta['labels'][names.LABEL_TARGET]}"


async def _run(kubeconfig: str, out: TextIO) -> None:
    cluster = yaml.safe_load(kubeconfig)["clusters"][0]["cluster"]
    stopwatch = Stopwatch(cluster["server"], out)
    await stopwatch.connect(base64.b64decode(cluster["certificate-authority-data"]).decode())
    app = web.Application(client_max_size=_MOST_BYTES)
    app.router.add_route("*", "/{path:.*}", stopwatch.serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with Path(sys.argv[2]).open("a") as notes:
        asyncio.run(_run(Path(sys.argv[1]).read_text(), notes))
