"""Doing what was decided, in one fixed order.

The order is the design (controller.md): what is on record comes before what acts on it, deletes before creates,
and what people read comes last. A phase that fails skips the creates and what needs its result; deletes and the
status go on. The next pass starts over from what is then observed, so nothing here is retried in place.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kubecal.api.catalogue import Catalogue
from kubecal.api.session import SessionStatus
from kubecal.engine.model import (
    CreateBlocked,
    CreatePod,
    Decision,
    DeletePod,
    HoldersUpdate,
    RecordsHealth,
    Reservation,
    SessionRef,
    StatusPatch,
)
from kubecal.records.control import ControlRecords
from kubecal.records.store import RecordsUnavailable
from kubecal_operator import names
from kubecal_operator.cache import Cache
from kubecal_operator.client import MUTATION_TIMEOUT_S, ApiClient
from kubecal_operator.errors import ApiError
from kubecal_operator.events import announce
from kubecal_operator.pods import task_pod
from kubecal_operator.settings import Settings
from kubecal_operator.throttle import StatusThrottle
from kubecal_operator.views import chip_view, hardware_of, pod_view, session_view

_LOG = logging.getLogger(__name__)
_AT_ONCE = 32
"""Calls under way at a time within one phase."""
_BLOCKED_FIRST_S, _BLOCKED_MOST_S = 1.0, 30.0
_LOG_LINES = 50
_AGAIN_S = 1.0
"""After a call that failed for now: not at once, or an outage would be a storm."""


@dataclass(frozen=True)
class Outcome:
    """What a pass left."""

    again_at: datetime | None
    """When to decide again what could not be done now; None: all was done, so decide at once what follows."""


def _only_counts(decision: Decision, written: Sequence[StatusPatch]) -> bool:
    """Whether the decision held nothing but counts that have to wait."""
    phases = (name for name in decision.__dataclass_fields__ if name not in ("wake_at", "status_patches"))
    return not written and not any(getattr(decision, name) for name in phases)


class Executor:
    """Executes decisions of one operator."""

    def __init__(
        self,
        client: ApiClient,
        records: ControlRecords,
        cache: Cache,
        settings: Settings,
        may_act: Callable[[], bool],
        catalogue: Catalogue,
    ) -> None:
        self._client, self._records, self._cache = client, records, cache
        self._settings, self._may_act, self._catalogue = settings, may_act, catalogue
        self._throttle = StatusThrottle()
        self._limit = asyncio.Semaphore(_AT_ONCE)

    async def execute(self, decision: Decision) -> Outcome:
        """Carry out one decision, phase by phase."""
        safe = await self._finalizers(decision.add_finalizer)
        safe = await self._phase(self._intents, decision) and safe
        safe = await self._holders(decision.holders) and safe
        safe = await self._statuses([patch for patch in decision.status_patches if patch.early]) and safe
        complete = await self._each(self._delete, decision.deletes) and safe
        if safe:
            self._reserve(decision.creates)
            complete = await self._each(self._create, decision.creates) and complete
        complete = await self._phase(self._settle, decision) and complete
        due, held_back = self._throttle.due([p for p in decision.status_patches if not p.early], datetime.now(UTC))
        complete = await self._statuses(due) and complete
        complete = await self._each(self._remove_finalizer, decision.remove_finalizer) and complete
        for announcement in decision.announcements:
            await announce(self._client, announcement, self._settings.identity)
        if not complete:
            return Outcome(datetime.now(UTC) + timedelta(seconds=_AGAIN_S))
        return Outcome(held_back if _only_counts(decision, due) else None)

    # ------------------------------------------------------------------ (0) and (a)

    async def _finalizers(self, refs: Iterable[SessionRef]) -> bool:
        """The finalizer is the first write: an object deleted in between must not leave a record behind."""
        return await self._each(self._add_finalizer, refs)

    async def _add_finalizer(self, ref: SessionRef) -> None:
        path = names.custom(ref.namespace, names.SESSIONS, ref.name)
        current = await self._client.get(path)
        if current["metadata"]["uid"] != ref.uid:
            return
        kept = current["metadata"].get("finalizers", [])
        if names.FINALIZER in kept or current["metadata"].get("deletionTimestamp"):
            self._cache.put_session(session_view(current))
            return
        # The version makes it a test-and-set: another controller's finalizer is not lost.
        version = current["metadata"]["resourceVersion"]
        body = {"metadata": {"resourceVersion": version, "finalizers": [*kept, names.FINALIZER]}}
        self._cache.put_session(session_view(await self._client.merge(path, body)))

    async def _intents(self, decision: Decision) -> None:
        """(a) What must be on record before a pod is touched."""
        now = datetime.now(UTC)
        ready = [one for one in decision.admissions if self._finalized(one.ref.uid)]
        if ready:
            image = self._settings.task_image
            admitted = await self._records.admit(ready, catalogue=self._catalogue, image=image, now=now)
            self._cache.put_records(admitted, admitted)
        if decision.replans:
            replanned = await self._records.replan(decision.replans, now)
            self._cache.put_records(replanned, replanned)
        if decision.cancels:
            await self._records.request_cancel(decision.cancels, now)
            for intent in decision.cancels:
                self._cache.change_record(intent.ref.uid, cancel_requested=True, cancel_reason=intent.reason)
        if decision.next_attempts:
            logs = await self._logs((one.ref, one.log_pod) for one in decision.next_attempts)
            self._cache.merge_rows(await self._records.next_attempts(decision.next_attempts, now, logs))
        if decision.read_rows:
            self._cache.merge_rows(await self._records.read_rows(decision.read_rows, now))

    def _finalized(self, uid: str) -> bool:
        session = self._cache.sessions.get(uid)
        return session is not None and session.finalized

    async def _logs(self, wanted: Iterable[tuple[SessionRef, str]]) -> dict[str, str]:
        """Last lines of failed pods; a log that cannot be had is not worth an attempt."""
        found: dict[str, str] = {}
        for ref, name in wanted:
            if not name:
                continue
            try:
                path = f"{names.pods(ref.namespace, name)}/log"
                found[name] = await self._client.text(path, tailLines=str(_LOG_LINES))
            except (ApiError, OSError, TimeoutError) as error:
                _LOG.info("no log of pod %s: %s", name, error)
        return found

    # ------------------------------------------------------------------ (b) and (e)

    async def _holders(self, updates: Iterable[HoldersUpdate]) -> bool:
        """Who holds the chip is stored before its first pod, and only over the version that was decided on."""
        return await self._each(self._write_holders, updates)

    async def _write_holders(self, update: HoldersUpdate) -> None:
        chip = update.chip
        body = {
            "metadata": {"resourceVersion": chip.resource_version},
            "status": update.status.model_dump(mode="json", by_alias=True),
        }
        written = await self._client.merge(names.custom(chip.namespace, names.CHIPS, chip.name, "status"), body)
        self._cache.chips[(chip.namespace, chip.name)] = chip_view(written)

    async def _statuses(self, patches: Iterable[StatusPatch]) -> bool:
        return await self._each(self._write_status, patches)

    async def _write_status(self, patch: StatusPatch) -> None:
        ref = patch.ref
        path = names.custom(ref.namespace, names.SESSIONS, ref.name, "status")
        # Merge patches keep what they do not name: fields that went away are named as null.
        old = self._cache.sessions[ref.uid].status if ref.uid in self._cache.sessions else SessionStatus()
        body = patch.status.model_dump(mode="json", by_alias=True, exclude_none=True)
        absent = {k: None for k in old.model_dump(by_alias=True, exclude_none=True) if k not in body}
        written = await self._client.merge(path, {"metadata": {"uid": ref.uid}, "status": {**body, **absent}})
        self._cache.put_session(session_view(written))

    # ------------------------------------------------------------------ (c)

    async def _delete(self, delete: DeletePod) -> None:
        pod = delete.pod
        try:
            body = {"preconditions": {"uid": pod.uid}}
            await self._client.delete(names.pods(pod.namespace, pod.name), body)
        except ApiError as error:
            if error.not_found:
                self._cache.drop_pod(pod.namespace, pod.name, pod.uid, datetime.now(UTC))
                return
            if not error.conflict:
                raise
            return
        known = self._cache.pods.get((pod.namespace, pod.name))
        if known is not None and known.uid == pod.uid:
            self._cache.pods[(pod.namespace, pod.name)] = replace(known, deleting_since=datetime.now(UTC))

    def _reserve(self, creates: Iterable[CreatePod]) -> None:
        """Claims are reserved before the first await, so that no pass in between can take the same wires."""
        until = datetime.now(UTC) + timedelta(seconds=2 * MUTATION_TIMEOUT_S)
        for create in creates:
            self._cache.reservations[create.pod_name] = Reservation(
                create.ref.uid, create.pod_name, create.planned.wires, until
            )

    async def _create(self, create: CreatePod) -> None:
        if not self._may_act():
            self._cache.reservations.pop(create.pod_name, None)
            return
        path = names.pods(create.ref.namespace)
        try:
            body = await self._client.create(path, task_pod(create, self._settings))
        except ApiError as error:
            await self._create_failed(create, error)
            return
        self._cache.blocked.pop(create.ref.uid, None)
        self._take(create, body)

    async def _create_failed(self, create: CreatePod, error: ApiError) -> None:
        if error.outcome_unknown:
            # The reservation stays until a live look answers: 200, or 404 once the server's own timeout is over.
            await self._look(create)
            return
        if error.already_exists:
            await self._claim_existing(create)
            return
        self._cache.reservations.pop(create.pod_name, None)
        if error.refused_for_good:
            self._cache.rejected[create.pod_name] = error.message
        elif error.namespace_terminating or error.conflict:
            _LOG.info("pod %s was not created: %s", create.pod_name, error)
        else:
            self._block(create, error)

    async def _look(self, create: CreatePod) -> None:
        for _ in range(3):
            await asyncio.sleep(MUTATION_TIMEOUT_S)
            try:
                self._take(create, await self._client.get(names.pods(create.ref.namespace, create.pod_name)))
                return
            except ApiError as error:
                if error.not_found:
                    self._cache.reservations.pop(create.pod_name, None)
                    return

    async def _claim_existing(self, create: CreatePod) -> None:
        """AlreadyExists: ours only if its owner is this session and the name is the one we computed."""
        body = await self._client.get(names.pods(create.ref.namespace, create.pod_name))
        owners = [one["uid"] for one in body["metadata"].get("ownerReferences", ()) if one.get("controller")]
        if owners == [create.ref.uid]:
            self._take(create, body)
            return
        self._cache.reservations.pop(create.pod_name, None)
        self._cache.rejected[create.pod_name] = (
            f"NameTaken: a pod {create.pod_name!r} that is not this session's exists: delete it"
        )

    def _take(self, create: CreatePod, body: Mapping[str, Any]) -> None:
        view = pod_view(body, datetime.now(UTC))
        if view is not None:
            self._cache.put_pod(view, hardware_of(body))
        self._cache.reservations.pop(create.pod_name, None)

    def _block(self, create: CreatePod, error: ApiError) -> None:
        """Quota and policy: the session waits and tries again, ever more slowly."""
        now = datetime.now(UTC)
        known = self._cache.blocked.get(create.ref.uid)
        since = known.since if known is not None else now
        waited_s = (now - since).total_seconds()
        delay_s = error.retry_after_s or min(_BLOCKED_MOST_S, max(_BLOCKED_FIRST_S, waited_s))
        reason = "QuotaExceeded" if error.quota_exceeded else "Forbidden" if error.status == 403 else "Refused"
        self._cache.blocked[create.ref.uid] = CreateBlocked(
            reason=reason, message=error.message, since=since, retry_at=now + timedelta(seconds=delay_s)
        )

    # ------------------------------------------------------------------ (d) and (f)

    async def _settle(self, decision: Decision) -> None:
        now = datetime.now(UTC)
        if decision.settle_rows:
            logs = await self._logs((one.ref, one.log_pod) for one in decision.settle_rows)
            self._cache.merge_rows(await self._records.settle_rows(decision.settle_rows, now, logs))
        if decision.settle_executions:
            await self._records.settle_executions(decision.settle_executions, now)
            for settled in decision.settle_executions:
                changes: dict[str, object] = {"status": settled.status}
                if settled.started_at is not None:
                    changes["held_at"] = settled.started_at
                self._cache.change_record(settled.ref.uid, **changes)

    async def _remove_finalizer(self, ref: SessionRef) -> None:
        path = names.custom(ref.namespace, names.SESSIONS, ref.name)
        await remove_finalizer(self._client, path, ref.uid)
        session = self._cache.sessions.get(ref.uid)
        if session is not None:
            self._cache.sessions[ref.uid] = replace(session, finalized=False)

    # ------------------------------------------------------------------ how phases fail

    async def _phase(self, work: Callable[[Decision], Awaitable[None]], decision: Decision) -> bool:
        """A phase on the database; False if it failed, and then the gate asks the database what is wrong."""
        try:
            await work(decision)
        except RecordsUnavailable as error:
            self._cache.health = RecordsHealth(False, error.reason, error.message, datetime.now(UTC))
            _LOG.warning("MongoDB: %s", error.message)
            return False
        return True

    async def _each(self, work: Callable[..., Awaitable[None]], intents: Iterable[object]) -> bool:
        """All intents of a phase side by side; False if any failed for now."""

        async def one(intent: object) -> bool:
            async with self._limit:
                try:
                    await work(intent)
                except ApiError as error:
                    if error.not_found or error.conflict:
                        _LOG.debug("looked at again in the next pass: %s", error)
                    else:
                        _LOG.warning("%s", error)
                    return False
            return True

        return all(await asyncio.gather(*(one(intent) for intent in intents)))


async def remove_finalizer(client: ApiClient, path: str, uid: str) -> None:
    """Let the object go; one that is gone or another by now is left alone."""
    try:
        current = await client.get(path)
        kept = current["metadata"].get("finalizers", [])
        if current["metadata"]["uid"] != uid or names.FINALIZER not in kept:
            return
        rest = [name for name in kept if name != names.FINALIZER]
        version = current["metadata"]["resourceVersion"]
        await client.merge(path, {"metadata": {"resourceVersion": version, "finalizers": rest}})
    except ApiError as error:
        if not error.not_found:
            raise
