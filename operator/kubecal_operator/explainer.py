"""``GET /explain/NAMESPACE/SESSION``: why tasks of a session do not run.

People reach it through the API server's service proxy with their own kubeconfig, so the API server asks who they are.
Errors are written as the API server writes its own: kubectl then shows their sentence, and of other texts nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from kubecal.api.failure import failure
from kubecal.engine.explaining import explain
from kubecal.engine.model import Observed, SessionView
from kubecal_operator.cache import Cache
from kubecal_operator.lease import Lease
from kubecal_operator.observe import Observer
from kubecal_operator.settings import Settings

PATH = "/explain/{namespace}/{session}"


class Explainer:
    """Answers from what the next pass would see.

    Parameters
    ----------
    leads
        Whether this replica acts: a standby has not read the records, and knows half of it.
    """

    def __init__(
        self, cache: Cache, observer: Observer, settings: Settings, lease: Lease, leads: Callable[[], bool]
    ) -> None:
        self._cache, self._observer, self._settings = cache, observer, settings
        self._lease, self._leads = lease, leads
        self._one_at_a_time = asyncio.Lock()
        """Thousands of tasks take a tenth of a second, which passes need more."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The session's explanation as JSON, or why there is none."""
        namespace, name = request.match_info["namespace"], request.match_info["session"]
        if not self._leads():
            return _refusal(503, "ServiceUnavailable", self._who_leads())
        async with self._one_at_a_time:
            # Only now: what was there before waiting for others may be gone.
            session = self._session(namespace, name)
            if session is None:
                return _refusal(404, "NotFound", self._unknown(namespace, name))
            observed = self._observer.observe(self._cache.domain_of_session(session))
            # Another thread, so that the passes of other hardware go on meanwhile.
            text = await asyncio.to_thread(_told, observed, session.ref.uid)
        return web.json_response(text=text)

    def _session(self, namespace: str, name: str) -> SessionView | None:
        refs = self._cache.sessions.values()
        return next((one for one in refs if (one.ref.namespace, one.ref.name) == (namespace, name)), None)

    def _unknown(self, namespace: str, name: str) -> str:
        served = self._settings.namespaces
        if namespace not in served:
            return f"this operator does not serve namespace {namespace!r} (it serves {', '.join(served)})"
        return f"there is no CalibrationSession {name!r} in namespace {namespace!r}"

    def _who_leads(self) -> str:
        me, leader = self._settings.identity, self._lease.holder
        if not leader:
            return f"replica {me} stands by, and none leads yet: ask again in a few seconds"
        if leader == me:
            return f"replica {me} is about to lead: ask again in a few seconds"
        return f"replica {me} stands by: {leader} leads"


def _told(observed: Observed, uid: str) -> str:
    session = next(one for one in observed.sessions if one.ref.uid == uid)
    return explain(observed, session).model_dump_json(by_alias=True, exclude_none=True)


def _refusal(code: int, reason: str, message: str) -> web.Response:
    return web.json_response(failure(code, reason, message), status=code)
