"""The Lease: at any time at most one replica executes, also when there is only one.

A lease lasts 10 s and must be renewed within 7 s; whoever cannot stops then, and gives no call more time than is
left. A new leader creates nothing before the old lease has run out plus 2 s and it has listed the pods from a quorum.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from kubecal_operator import names
from kubecal_operator.client import MUTATION_TIMEOUT_S, ApiClient
from kubecal_operator.errors import ApiError
from kubecal_operator.saying import SayOnce
from kubecal_operator.settings import Settings

_LOG = logging.getLogger(__name__)
_SAY = SayOnce(_LOG)
DURATION_S = 10
RENEW_S = 7.0
RETRY_S = 1.0
MARGIN_S = 2.0
_CALL_S = 3.0
"""Its own calls: several fit into the time in which it must be renewed."""


class Lease:
    """Keeps trying to hold the Lease; ``leading`` says whether it does."""

    def __init__(self, client: ApiClient, settings: Settings, on_change: Callable[[], None]) -> None:
        self._client, self._settings, self._on_change = client, settings, on_change
        self._renewed = 0.0
        """Monotonic time at which the request was sent that renewed it last."""
        self._seen: tuple[str, str] = ("", "")
        """(holder, renewTime) as last read, and since when on our own clock: nobody else's is trusted."""
        self._seen_since = 0.0
        self.leading = False
        self.free_since = 0.0
        """Monotonic time from which creating is allowed."""

    @property
    def valid(self) -> bool:
        """Whether we lead and a call sent now ends before the lease does."""
        return self.leading and time.monotonic() - self._renewed < RENEW_S

    @property
    def holder(self) -> str:
        """Who leads, as far as this replica knows; empty: nobody, or it has not looked yet."""
        return self._settings.identity if self.leading else self._seen[0]

    @property
    def remaining_s(self) -> float:
        """How long a call sent now may take before somebody else can lead."""
        return DURATION_S - (time.monotonic() - self._renewed)

    @property
    def may_create(self) -> bool:
        """Whether the predecessor's last write has ended for certain."""
        return self.valid and time.monotonic() >= self.free_since

    async def run(self) -> None:
        """Hold it for as long as possible, for ever."""
        while True:
            try:
                leading = await self._try()
            except ApiError as error:
                if not (error.conflict or error.already_exists):
                    _SAY.warning(f"the Lease could not be renewed: {error}")
                leading = self.valid
            if leading != self.leading:
                self.leading = leading
                _LOG.info("this replica %s", "leads" if leading else "stands by")
                self._on_change()
            await asyncio.sleep(RETRY_S)

    async def release(self) -> None:
        """Let go at an orderly end, so that the next one need not wait."""
        if not self.leading:
            return
        self.leading = False
        try:
            lease = await self._client.get(self._path)
            if lease["spec"].get("holderIdentity") == self._settings.identity:
                lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
                await self._client.replace(self._path, lease, timeout_s=_CALL_S)
        except ApiError as error:
            _LOG.info("the Lease was not released and runs out by itself: %s", error)

    @property
    def _path(self) -> str:
        return names.lease(self._settings.own_namespace, self._settings.lease_name)

    async def _try(self) -> bool:
        sent = time.monotonic()
        try:
            lease = await self._client.get(self._path)
        except ApiError as error:
            if not error.not_found:
                raise
            path = names.lease(self._settings.own_namespace)
            await self._client.create(path, self._body(None), timeout_s=_CALL_S)
            self._take(sent, sent)
            return True
        spec = lease["spec"]
        holder = spec.get("holderIdentity", "")
        if holder == self._settings.identity and self.leading:
            if sent - self._renewed > RENEW_S / 3:
                await self._write(lease)
                self._renewed = sent
            return True
        return await self._take_over(lease, holder, sent)

    async def _take_over(self, lease: dict[str, Any], holder: str, sent: float) -> bool:
        mark = (holder, str(lease["spec"].get("renewTime", "")))
        if mark != self._seen:
            self._seen, self._seen_since = mark, sent
        expired_at = self._seen_since + float(lease["spec"].get("leaseDurationSeconds", DURATION_S))
        if holder not in ("", self._settings.identity) and sent < expired_at:
            return False
        try:
            await self._write(lease)
        except ApiError as error:
            if error.conflict:
                return False
            raise
        # One that was let go in order has no call under way. Ours from a former life may: the server ends them.
        waits_s = 0.0 if not holder else MUTATION_TIMEOUT_S if holder == self._settings.identity else MARGIN_S
        self._take(sent, sent + waits_s)
        return True

    def _take(self, renewed: float, free_since: float) -> None:
        self._renewed, self.free_since = renewed, free_since

    async def _write(self, lease: dict[str, Any]) -> None:
        body = {**lease, "spec": {**lease["spec"], **self._body(lease)["spec"]}}
        await self._client.replace(self._path, body, timeout_s=_CALL_S)

    def _body(self, old: dict[str, Any] | None) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        spec: dict[str, Any] = {
            "holderIdentity": self._settings.identity,
            "leaseDurationSeconds": DURATION_S,
            "renewTime": now,
        }
        if old is None or old["spec"].get("holderIdentity") != self._settings.identity:
            spec["acquireTime"] = now
            spec["leaseTransitions"] = (old["spec"].get("leaseTransitions", 0) if old else 0) + 1
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._settings.lease_name, "namespace": self._settings.own_namespace},
            "spec": spec,
        }
