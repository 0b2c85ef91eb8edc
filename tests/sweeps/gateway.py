"""A reverse proxy between one operator and the API server: every request and every watch event can be meddled with."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import yaml
from aiohttp import web

from tests.cluster import kubeconfig
from tests.sweeps.calls import Answer, Call, Cut, Event, Meddler

_MUTATING = ("POST", "PUT", "PATCH", "DELETE")
_PASSED_ON = ("Authorization", "Accept", "Content-Type", "User-Agent")


class Gateway:
    """Plain HTTP on loopback in front, TLS behind; use it as an asynchronous context manager."""

    def __init__(self, account: Path) -> None:
        self._account = account
        found = yaml.safe_load(account.read_text())
        cluster = found["clusters"][0]["cluster"]
        self._server: str = cluster["server"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._tls = ssl.create_default_context(cadata=authority)
        self._runner: web.AppRunner | None = None
        self._upstream: aiohttp.ClientSession | None = None
        self._port = 0
        self._handling: set[asyncio.Task[web.StreamResponse]] = set()
        self.meddler = Meddler()

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0, ssl=self._tls)
        self._upstream = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self._accept)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        assert self._upstream is not None
        for task in self._handling:
            task.cancel()
        await asyncio.gather(*self._handling, return_exceptions=True)
        await self._upstream.close()
        await self._runner.cleanup()

    def kubeconfig(self, path: Path) -> Path:
        """The account's kubeconfig, with us for a server."""
        content = yaml.safe_load(self._account.read_text())
        content["clusters"][0]["cluster"]["server"] = f"http://127.0.0.1:{self._port}"
        return kubeconfig.write(path, yaml.safe_dump(content))

    async def _accept(self, request: web.Request) -> web.StreamResponse:
        # A task of our own: the request of an operator that was killed is carried out all the same.
        task = asyncio.create_task(self._handle(request))
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)
        return await asyncio.shield(task)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("watch") in ("1", "true"):
            return await self._watch(request)
        try:
            body = await request.read()
        except ConnectionError:
            # Killed before it was sent whole.
            return _broken(request)
        call = _call_of(request, body)
        if "/leases" in call.path:
            # Renewed by the clock: they would make every count another one.
            answer: Answer | None = await self._forward(request, body)
        else:
            answer = await self.meddler.around(call, lambda: self._forward(request, body))
        if answer is None:
            return _broken(request)
        headers = {"Content-Type": "application/json"}
        if answer.retry_after_s is not None:
            headers["Retry-After"] = str(answer.retry_after_s)
        response = web.StreamResponse(status=answer.status, headers=headers)
        try:
            await response.prepare(request)
            await response.write(answer.body)
            await response.write_eof()
        except (ConnectionError, aiohttp.ClientError):
            return response
        finally:
            if answer.then is not None:
                answer.then()
        return response

    async def _forward(self, request: web.Request, body: bytes) -> Answer:
        async with self._asked(request, body) as answer:
            return Answer(answer.status, await answer.read(), _seconds(answer.headers.get("Retry-After")))

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        kind = request.path.rsplit("/", 1)[-1]
        try:
            async with self._asked(request, b"") as answer:
                if answer.status >= 400:
                    return web.Response(status=answer.status, body=await answer.read())
                await response.prepare(request)
                rest = b""
                async for chunk in answer.content.iter_any():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in filter(None, lines):
                        event = Event(kind, str(json.loads(line)["type"]), line)
                        for each in await self.meddler.event(event):
                            await response.write(each + b"\n")
        except Cut as cut:
            await response.write(_error_event(cut.status))
        except (ConnectionError, aiohttp.ClientError, TimeoutError):
            # The operator is dead, or the server is: either way nothing comes any more.
            return _broken(request)
        return response

    def _asked(self, request: web.Request, body: bytes) -> Any:  # aiohttp's request context manager has no public name
        assert self._upstream is not None
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        headers["Accept-Encoding"] = "identity"
        url = self._server + request.raw_path
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        return self._upstream.request(request.method, url, data=body or None, headers=headers, timeout=timeout)


def status_body(code: int, reason: str, message: str) -> bytes:
    """A Status, as the API server refuses."""
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
    return json.dumps({**status, "reason": reason, "message": message}).encode()


def _call_of(request: web.Request, body: bytes) -> Call:
    parts = [part for part in request.path.split("/") if part]
    short = "/".join(parts[parts.index("namespaces") + 2 :]) if "namespaces" in parts else request.path
    name = ""
    if request.method == "POST" and body:
        name = " " + str(json.loads(body).get("metadata", {}).get("name", ""))
    what = f"{request.method} {short}{name}"
    return Call(what, request.method in _MUTATING, False, request.method, request.path, body)


def _broken(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.StreamResponse()


def _error_event(status: int) -> bytes:
    body = json.loads(status_body(status, "Expired", "too old resource version"))
    return json.dumps({"type": "ERROR", "object": body}).encode() + b"\n"


def _seconds(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
