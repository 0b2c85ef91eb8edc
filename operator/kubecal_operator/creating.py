"""Creating pods: at most one of a name, and never one whose wires another may have got.

The claims of a create are reserved before its first await, so no pass in between can take the same wires. A POST
whose outcome nobody knows keeps its reservation until a GET by name finds the pod, or does not although the server's
own timeout is over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any

from kubecal.engine.intents import CreatePod
from kubecal.engine.model import CreateBlocked
from kubecal_operator import names
from kubecal_operator.cache import Cache
from kubecal_operator.client import MUTATION_TIMEOUT_S, ApiClient
from kubecal_operator.errors import ApiError
from kubecal_operator.pods import task_pod
from kubecal_operator.saying import SayOnce
from kubecal_operator.settings import Settings
from kubecal_operator.views import hardware_of, pod_view, version_of

_LOG = logging.getLogger(__name__)
_SAY = SayOnce(_LOG)
_BLOCKED_FIRST_S, _BLOCKED_MOST_S = 1.0, 30.0
_UNKNOWN_FOR_S = MUTATION_TIMEOUT_S + 1.0
"""After that the server has carried the request out, or never will."""
_LOOK_S = 1.0
_AT_ONCE = 32
"""Creates under way at a time."""


class Created(Enum):
    """What became of one create."""

    DONE = auto()
    """There is a pod, or there never will be one: nothing to try again."""
    BLOCKED = auto()
    """Quota or policy is against it: later."""
    LATER = auto()
    """The server could not do it now."""


class Creator:
    """Creates pods of one operator.

    Parameters
    ----------
    may_create
        Asked immediately before each POST: whether this replica leads, and has waited long enough.
    poke
        Told of a domain when something comes out that no watch would tell.
    """

    def __init__(
        self,
        client: ApiClient,
        cache: Cache,
        settings: Settings,
        may_create: Callable[[], bool],
        poke: Callable[[str | None], None],
    ) -> None:
        self._client, self._cache, self._settings = client, cache, settings
        self._may_create, self._poke = may_create, poke
        self._limit = asyncio.Semaphore(_AT_ONCE)
        self._looks: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """Stop looking for what became of creates."""
        for look in self._looks:
            look.cancel()

    async def create(self, creates: Iterable[CreatePod]) -> bool:
        """Create all of these side by side; False if some could not be created for now."""
        wanted = [create for create in creates if create.ref.uid in self._cache.sessions]
        self._reserve(wanted)
        results = await asyncio.gather(*(self._one(create) for create in wanted))
        for create, (result, _) in zip(wanted, results, strict=True):
            if result is Created.DONE:
                # Some got through: whatever blocked them was loosened, so waiting begins anew for the others.
                self._cache.blocked.pop(create.ref.uid, None)
        for create, (result, error) in zip(wanted, results, strict=True):
            if result is Created.BLOCKED and error is not None:
                self._block(create.ref.uid, error)
        return all(result is not Created.LATER for result, _ in results)

    def _reserve(self, creates: Iterable[CreatePod]) -> None:
        self._cache.reserve(creates, _from_now(_UNKNOWN_FOR_S))

    def _release(self, create: CreatePod) -> None:
        self._cache.release(create.pod_name)

    async def _one(self, create: CreatePod) -> tuple[Created, ApiError | None]:
        async with self._limit:
            if not self._may_create():
                self._release(create)
                return Created.LATER, None
            try:
                path = names.pods(create.ref.namespace)
                self._take(await self._client.create(path, task_pod(create, self._settings)))
            except ApiError as error:
                return await self._refused(create, error), error
            return Created.DONE, None

    async def _refused(self, create: CreatePod, error: ApiError) -> Created:
        if error.outcome_unknown:
            self._look_later(create)
            return Created.DONE
        if error.already_exists:
            return await self._existing(create)
        self._release(create)
        if error.refused_for_good:
            self._cache.rejected[create.pod_name] = (create.ref.uid, error.message)
            return Created.DONE
        if error.namespace_terminating:
            self._cache.namespace_ends(create.ref.namespace)
            return Created.DONE
        if error.quota_exceeded or error.forbidden:
            return Created.BLOCKED
        _SAY.warning(f"a pod of {create.ref.namespace}/{create.ref.name} was not created: {error}")
        return Created.LATER

    # ------------------------------------------------------------------ names that are taken, outcomes unknown

    async def _existing(self, create: CreatePod) -> Created:
        """AlreadyExists: the pod is ours only if its owner is this session; its name is the one we computed."""
        try:
            self._adopt(create, await self._client.get(names.pods(create.ref.namespace, create.pod_name)))
        except ApiError as error:
            # Gone in between, or no answer: decided again.
            self._release(create)
            _LOG.debug("the pod that has the name %s: %s", create.pod_name, error)
            return Created.LATER
        return Created.DONE

    def _adopt(self, create: CreatePod, body: dict[str, Any]) -> None:
        owners = [one["uid"] for one in body["metadata"].get("ownerReferences", ()) if one.get("controller")]
        if owners == [create.ref.uid]:
            self._take(body)
        else:
            self._cache.rejected[create.pod_name] = (
                create.ref.uid,
                f"NameTaken: there is a pod {create.pod_name!r} that is not this session's: delete it",
            )
        self._release(create)

    def _look_later(self, create: CreatePod) -> None:
        look = asyncio.create_task(self._look(create, _from_now(_UNKNOWN_FOR_S)))
        self._looks.add(look)
        look.add_done_callback(self._looks.discard)

    async def _look(self, create: CreatePod, known_at: datetime) -> None:
        """Ask until the server says what became of the create."""
        while create.pod_name in self._cache.reservations:
            held = self._cache.reservations[create.pod_name]
            self._cache.reservations[create.pod_name] = replace(held, until=_from_now(2 * _LOOK_S))
            await asyncio.sleep(_LOOK_S)
            try:
                self._adopt(create, await self._client.get(names.pods(create.ref.namespace, create.pod_name)))
            except ApiError as error:
                if error.not_found and datetime.now(UTC) >= known_at:
                    self._release(create)
        session = self._cache.sessions.get(create.ref.uid)
        if session is not None:
            self._poke(self._cache.domain_of_session(session))

    def _take(self, body: Mapping[str, Any]) -> None:
        view = pod_view(body, datetime.now(UTC))
        if view is not None:
            self._cache.put_pod(view, hardware_of(body), version_of(body))
            self._cache.reservations.pop(view.name, None)

    # ------------------------------------------------------------------ quota and policy

    def _block(self, uid: str, error: ApiError) -> None:
        """The session waits and tries again, ever more slowly."""
        now = datetime.now(UTC)
        known = self._cache.blocked.get(uid)
        if known is not None and known.retry_at > now:
            return
        since = known.since if known is not None else now
        waited_s = (now - since).total_seconds()
        self._cache.blocked[uid] = CreateBlocked(
            reason="QuotaExceeded" if error.quota_exceeded else "Forbidden",
            message=error.message,
            since=since,
            retry_at=now + timedelta(seconds=min(_BLOCKED_MOST_S, max(_BLOCKED_FIRST_S, waited_s))),
        )


def _from_now(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)
