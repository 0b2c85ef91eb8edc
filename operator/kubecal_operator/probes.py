"""The operator's HTTP server: ``/livez``, ``/readyz`` and what people may ask.

kopf has an endpoint of its own, which answers only after its start-up handlers; ours answers while the operator
still waits for CRDs that are too old, so that the kubelet does not restart what only has to wait.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

from aiohttp import web


class Probes:
    """A small server; use it as an asynchronous context manager.

    Parameters
    ----------
    trouble
        What is wrong so that only a restart helps; empty: nothing.
    waiting
        What keeps the operator from being ready; empty: nothing.
    questions
        What else it answers.
    """

    def __init__(
        self,
        port: int,
        trouble: Callable[[], str],
        waiting: Callable[[], str],
        questions: Sequence[web.RouteDef] = (),
    ) -> None:
        self._port = port
        application = web.Application()
        probes = [web.get("/livez", _answer(trouble)), web.get("/readyz", _answer(waiting))]
        application.add_routes([*probes, *questions])
        self._runner = web.AppRunner(application, handle_signals=False, access_log=None, shutdown_timeout=1.0)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, None, self._port).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()


def _answer(problem: Callable[[], str]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        text = problem()
        return web.Response(text=text or "ok", status=503 if text else 200)

    return answer
