"""Doing what was decided, in one fixed order.

The order is the design: what is on record comes before what acts on it, deletes before creates, and what people
read comes last. A phase that fails skips the creates and what needs its result; deletes and the status go on. The
next pass starts over from what is then observed, so nothing here is retried in place.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Protocol, TypeVar

from kubecal.api.catalogue import Catalogue
from kubecal.engine.intents import (
    Admission,
    CancelIntent,
    Decision,
    DeletePod,
    HoldersUpdate,
    LookUp,
    NextAttempt,
    Replan,
    RunAction,
    SettleExecution,
    SettleRow,
    StatusPatch,
    SweepPods,
)
from kubecal.engine.model import RecordsHealth, SessionRef
from kubecal.records.actions import ActionRecords
from kubecal.records.control import ControlRecords
from kubecal.records.facts import look_up
from kubecal.records.failures import Unusable
from kubecal.records.store import RecordsUnavailable
from kubecal_operator import names
from kubecal_operator.cache import Cache
from kubecal_operator.client import ApiClient, Json
from kubecal_operator.creating import Creator
from kubecal_operator.errors import ApiError
from kubecal_operator.events import announce
from kubecal_operator.finalizers import add_finalizer, remove_finalizer
from kubecal_operator.relist import exists
from kubecal_operator.saying import SayOnce
from kubecal_operator.settings import Settings
from kubecal_operator.throttle import StatusThrottle
from kubecal_operator.verify import Verifier
from kubecal_operator.views import chip_view, session_view, version_of

_LOG = logging.getLogger(__name__)
_SAY = SayOnce(_LOG)
_AT_ONCE = 32
"""Calls under way at a time within one phase."""
_DELETES_AT_ONCE = 100
"""Whoever cancels watches the instrument: its pods are all told to stop before the first has been answered."""
_LOG_LINES = 50
_LOCKED_FOR_S = 10.0
"""How long records that are locked are left alone: others are looked after meanwhile."""
_AGAIN_S = 1.0
"""After a call that failed for now: not at once, or an outage would be a storm."""


class Acted(IntEnum):
    """Whether a pass changed something."""

    NOT = 0
    BY_ITSELF = 1
    """Something was changed, and nothing is to be decided before news of it come."""
    AND_MORE_FOLLOWS = 2
    """What follows from it is to be decided at once."""


@dataclass(frozen=True)
class Outcome:
    """What a pass left."""

    acted: Acted
    again_at: datetime | None = None
    """When to decide again what could not be done now."""


@dataclass(frozen=True)
class Written:
    """What became of a phase on the database."""

    done: bool = True
    """False: the database could not be used, and nothing may follow."""
    locked: frozenset[str] = frozenset()
    """Uids of sessions whose records somebody else's transaction holds; of all others it was written."""
    why: RecordsUnavailable | None = None
    """What was in the way, of the last of them."""

    def __or__(self, other: Written) -> Written:
        return Written(self.done and other.done, self.locked | other.locked, other.why or self.why)


class _OfSession(Protocol):
    @property
    def ref(self) -> SessionRef: ...


Intent = TypeVar("Intent", bound=_OfSession)


class Executor:
    """Executes decisions of one operator.

    Parameters
    ----------
    leads
        Asked before each call: a replica that lost its Lease in the midst of a decision stops there.
    """

    def __init__(
        self,
        client: ApiClient,
        records: ControlRecords,
        cache: Cache,
        settings: Settings,
        catalogue: Catalogue,
        *,
        creator: Creator,
        verifier: Verifier,
        leads: Callable[[], bool],
        ill: Callable[[], None],
    ) -> None:
        self._client, self._records, self._cache = client, records, cache
        self._actions = ActionRecords(records.store)
        self._settings, self._catalogue = settings, catalogue
        self._creator, self._verifier, self._leads, self._ill = creator, verifier, leads, ill
        self._throttle = StatusThrottle()
        self._limit, self._deletes = asyncio.Semaphore(_AT_ONCE), asyncio.Semaphore(_DELETES_AT_ONCE)
        self._locked: dict[str, tuple[float, RecordsUnavailable]] = {}
        """Sessions whose records somebody's transaction held, by uid: until when that is believed, and what it said."""

    async def execute(self, domain: str, decision: Decision, pressed: Callable[[], bool]) -> Outcome:
        """Carry out one decision on a domain, phase by phase.

        Parameters
        ----------
        pressed
            Whether another pass over the domain is waiting for this one to end.
        """
        # (0) The finalizer is the first write: an object deleted in between must not leave a record behind.
        safe = await self._each(self._add_finalizer, decision.add_finalizer)
        # (a) On record before a pod is touched: whoever comes after us must know what we were about to do.
        intents = await self._recorded(self._intents, decision)
        safe = intents.done and safe
        # (b) Who holds the chip stands on the chip before its first pod, and people see "Cancelling" before pods go.
        safe = await self._each(self._write_holders, decision.holders) and safe
        safe = (
            await self._each(self._write_status, [patch for patch in decision.status_patches if patch.early]) and safe
        )
        # (c) Deletes free what creates may need, and are right whatever failed before them. Creates are not.
        complete = await self._each(self._delete, decision.deletes, self._deletes) and safe
        if safe:
            creates = [create for create in decision.creates if create.ref.uid not in intents.locked]
            complete = await self._creator.create(creates) and complete
        # (d) Settling can wait for what moves things on.
        settled = await self._recorded(self._settle, decision)
        complete = settled.done and complete
        unwritten = intents.why or settled.why
        self._say_unwritten(domain, unwritten)
        complete = complete and unwritten is None
        self._verifier.ask(decision.read_rows)
        # (e) What people read, even where the database is away: it is how they learn of it.
        late = [patch for patch in decision.status_patches if not patch.early]
        due, held_back = self._throttle.due(late, datetime.now(UTC), pressed=pressed())
        complete = await self._each(self._write_status, due) and complete
        complete = await self._each(self._sweep, decision.sweeps) and complete
        # (f) Only now: an object that is let go is gone, and its status and record are the last that is known of it.
        complete = await self._each(self._remove_finalizer, decision.remove_finalizer) and complete
        complete = await self._each(self._delete_session, decision.delete_sessions) and complete
        # (g) Nothing depends on Events.
        for announcement in decision.announcements:
            await announce(self._client, announcement, self._settings.identity)
        if not complete:
            return Outcome(Acted.NOT, datetime.now(UTC) + timedelta(seconds=_AGAIN_S))
        return Outcome(_acts(decision, due), held_back)

    # ------------------------------------------------------------------ (0) and (f)

    async def _add_finalizer(self, ref: SessionRef) -> None:
        self._saw_session(ref, await add_finalizer(self._client, ref))

    async def _remove_finalizer(self, ref: SessionRef) -> None:
        self._saw_session(ref, await remove_finalizer(self._client, ref))
        session = self._cache.sessions.get(ref.uid)
        if session is not None:
            self._cache.sessions[ref.uid] = replace(session, finalized=False)

    async def _delete_session(self, ref: SessionRef) -> None:
        path = names.custom(ref.namespace, names.SESSIONS, ref.name)
        await self._client.delete(path, {"preconditions": {"uid": ref.uid}})

    def _saw_session(self, ref: SessionRef, body: Json | None) -> None:
        if body is None or body["metadata"]["uid"] != ref.uid:
            self._cache.drop_session(ref.uid)
        else:
            self._cache.put_session(session_view(body, self._cache.sessions.get(ref.uid)), version_of(body))

    # ------------------------------------------------------------------ (a) and (d): the database

    async def _intents(self, decision: Decision) -> Written:
        written = await self._by_session(self._look_up, decision.look_ups)
        written |= await self._by_session(self._admit, [one for one in decision.admissions if self._finalized(one)])
        written |= await self._by_session(self._replan, decision.replans)
        written |= await self._by_session(self._request_cancel, decision.cancels)
        written |= await self._by_session(self._open_next, decision.next_attempts)
        return written | await self._by_session(self._act, decision.actions)

    async def _look_up(self, look_ups: Sequence[LookUp]) -> None:
        for uid, facts in (await look_up(self._records.store, look_ups)).items():
            self._cache.put_facts(uid, facts)

    async def _act(self, actions: Sequence[RunAction]) -> None:
        self._cache.merge_rows(await self._actions.execute(actions, (self._catalogue,), datetime.now(UTC)))

    async def _admit(self, admissions: Sequence[Admission]) -> None:
        image, now = self._settings.task_image, datetime.now(UTC)
        admitted = await self._records.admit(admissions, catalogue=self._catalogue, image=image, now=now)
        self._cache.put_records(admitted.records, admitted.records)
        self._cache.refuse(admitted.refused)

    async def _replan(self, replans: Sequence[Replan]) -> None:
        replanned = await self._records.replan(replans, datetime.now(UTC))
        self._cache.put_records(replanned, replanned)

    async def _request_cancel(self, intents: Sequence[CancelIntent]) -> None:
        await self._records.request_cancel(intents, datetime.now(UTC))
        for intent in intents:
            self._cache.change_record(intent.ref.uid, cancel_requested=True, cancel_reason=intent.reason)

    async def _open_next(self, intents: Sequence[NextAttempt]) -> None:
        logs = await self._logs((one.ref, one.log_pod) for one in intents)
        self._cache.merge_rows(await self._records.next_attempts(intents, datetime.now(UTC), logs))

    def _finalized(self, admission: Admission) -> bool:
        session = self._cache.sessions.get(admission.ref.uid)
        return session is not None and session.finalized

    async def _settle(self, decision: Decision) -> Written:
        rows = await self._by_session(self._settle_rows, decision.settle_rows)
        # The end of a session comes after the ends of its tasks.
        ends = [one for one in decision.settle_executions if one.ref.uid not in rows.locked]
        return rows | await self._by_session(self._settle_executions, ends)

    async def _settle_rows(self, intents: Sequence[SettleRow]) -> None:
        logs = await self._logs((one.ref, one.log_pod) for one in intents)
        self._cache.merge_rows(await self._records.settle_rows(intents, datetime.now(UTC), logs))

    async def _settle_executions(self, intents: Sequence[SettleExecution]) -> None:
        await self._records.settle_executions(intents, datetime.now(UTC))
        for settled in intents:
            changes: dict[str, object] = {"status": settled.status}
            if settled.started_at is not None:
                changes["held_at"] = settled.started_at
            self._cache.change_record(settled.ref.uid, **changes)

    async def _by_session(self, work: Callable[[list[Intent]], Awaitable[None]], intents: Iterable[Intent]) -> Written:
        """Write for each session by itself: records that somebody's transaction holds keep back no other session."""
        by_session: dict[SessionRef, list[Intent]] = {}
        for intent in intents:
            by_session.setdefault(intent.ref, []).append(intent)
        written = Written()
        for ref, its in by_session.items():
            why = self._known_locked(ref.uid)
            if why is None:
                try:
                    await work(its)
                    continue
                except RecordsUnavailable as error:
                    if error.reason is not Unusable.LOCKED:
                        raise
                    _SAY.warning(f"{ref.namespace}/{ref.name}: {error.message}")
                    self._locked[ref.uid], why = (time.monotonic() + _LOCKED_FOR_S, error), error
            written |= Written(locked=frozenset({ref.uid}), why=why)
        return written

    def _known_locked(self, uid: str) -> RecordsUnavailable | None:
        """What kept a session's records from being written a moment ago: finding out again would stop all others."""
        until, why = self._locked.get(uid, (0.0, None))
        if time.monotonic() < until:
            return why
        self._locked.pop(uid, None)
        return None

    def _say_unwritten(self, domain: str, why: RecordsUnavailable | None) -> None:
        """What the next pass tells of the records."""
        if why is None:
            self._cache.unwritten.pop(domain, None)
        else:
            self._cache.unwritten[domain] = RecordsHealth(False, why.reason, why.message, datetime.now(UTC))

    async def _logs(self, wanted: Iterable[tuple[SessionRef, str]]) -> dict[str, str]:
        """Last lines of failed pods; a log that cannot be had is not worth an attempt."""

        async def last_lines(ref: SessionRef, name: str) -> tuple[str, str]:
            try:
                path = f"{names.pods(ref.namespace, name)}/log"
                return name, await self._client.text(path, tailLines=str(_LOG_LINES))
            except ApiError as error:
                _LOG.debug("no log of pod %s: %s", name, error)
                return name, ""

        found = await asyncio.gather(*(last_lines(ref, name) for ref, name in wanted if name))
        return {name: text for name, text in found if text}

    # ------------------------------------------------------------------ (b) and (e)

    async def _write_holders(self, update: HoldersUpdate) -> None:
        """Only over the version that was decided on: two who want the chip must not both get it."""
        chip = update.chip
        body = {
            "metadata": {"resourceVersion": chip.resource_version},
            "status": update.status.model_dump(mode="json", by_alias=True),
        }
        try:
            written = await self._client.merge(names.custom(chip.namespace, names.CHIPS, chip.name, "status"), body)
        except ApiError as error:
            if error.conflict:
                # Our view is old, and its news may have been lost: look, rather than wait for the watch.
                current = await self._client.get(names.custom(chip.namespace, names.CHIPS, chip.name))
                self._cache.put_chip(chip_view(current, chip))
            raise
        self._cache.put_chip(chip_view(written, chip))

    async def _write_status(self, patch: StatusPatch) -> None:
        ref = patch.ref
        session = self._cache.sessions.get(ref.uid)
        if session is None:
            return
        before = session.status.model_dump(mode="json", by_alias=True, exclude_none=True)
        body = with_nulls(before, patch.status.model_dump(mode="json", by_alias=True, exclude_none=True))
        path = names.custom(ref.namespace, names.SESSIONS, ref.name, "status")
        try:
            written = await self._client.merge(path, {"metadata": {"uid": ref.uid}, "status": body})
        except ApiError as error:
            if not (error.not_found or error.conflict):
                raise
            # Gone, or another session of that name: a live look decides which.
            if not await exists(self._client, names.all_custom(ref.namespace, names.SESSIONS), ref.name, ref.uid):
                self._cache.drop_session(ref.uid)
            return
        self._cache.put_session(session_view(written, session), version_of(written))

    # ------------------------------------------------------------------ (c)

    async def _delete(self, delete: DeletePod) -> None:
        pod = delete.pod
        path = names.pods(pod.namespace)
        try:
            await self._client.delete(f"{path}/{pod.name}", {"preconditions": {"uid": pod.uid}})
        except ApiError as error:
            if not (error.not_found or error.conflict):
                raise
            # Gone, or another pod of that name: a live look decides which.
            if not await exists(self._client, path, pod.name, pod.uid):
                self._cache.drop_pod(pod.namespace, pod.name, pod.uid)
            return
        known = self._cache.pods.get((pod.namespace, pod.name))
        if known is not None and known.uid == pod.uid:
            self._cache.pods[(pod.namespace, pod.name)] = replace(known, deleting_since=datetime.now(UTC))

    async def _sweep(self, sweep: SweepPods) -> None:
        """One call for all that succeeded, also those that did so since: they are settled from their record.

        What the server's time was too short for is left for the next pass.
        """
        ref = sweep.ref
        selector = f"{names.TASK_PODS},{names.LABEL_SESSION_UID}={ref.uid}"
        removed = await self._client.delete_collection(
            names.pods(ref.namespace), labelSelector=selector, fieldSelector="status.phase=Succeeded"
        )
        for meta in removed:
            if not meta.get("finalizers"):
                self._cache.drop_pod(ref.namespace, meta["name"], meta["uid"])

    # ------------------------------------------------------------------ how phases fail

    async def _recorded(self, work: Callable[[Decision], Awaitable[Written]], decision: Decision) -> Written:
        """A phase on the database; where it fails as a whole the gate asks the database what is wrong."""
        if not self._leads():
            return Written(done=False)
        try:
            return await work(decision)
        except RecordsUnavailable as error:
            if self._cache.health.available:
                self._cache.health = RecordsHealth(False, error.reason, error.message, datetime.now(UTC))
            self._ill()
            return Written(done=False, why=error)

    async def _each(
        self, work: Callable[..., Awaitable[None]], intents: Iterable[object], limit: asyncio.Semaphore | None = None
    ) -> bool:
        """All intents of a phase side by side; False if any failed for now."""

        async def one(intent: object) -> bool:
            async with limit or self._limit:
                if not self._leads():
                    return False
                try:
                    await work(intent)
                except ApiError as error:
                    if error.not_found or error.conflict:
                        _LOG.debug("looked at again in the next pass: %s", error)
                    else:
                        _SAY.warning(str(error))
                    return False
            return True

        return all(await asyncio.gather(*(one(intent) for intent in intents)))


def with_nulls(before: Json, after: Json) -> Json:
    """A merge patch that makes ``after`` of ``before``: it keeps what it does not name, so what went away is null."""
    patch: Json = {key: None for key in before if key not in after}
    for key, value in after.items():
        known = before.get(key)
        patch[key] = with_nulls(known, value) if isinstance(value, dict) and isinstance(known, dict) else value
    return patch


_WAITING = ("wake_at", "status_patches", "read_rows")
"""Fields of a decision that change nothing which the next pass could see at once."""
_BY_ITSELF = ("creates", "deletes", "sweeps", "announcements")
"""Fields of which nothing follows before the watch has news of the pods."""


def _acts(decision: Decision, written: Sequence[StatusPatch]) -> Acted:
    """Whether executing a decision changed something."""
    said = [*written, *(patch for patch in decision.status_patches if patch.early)]
    done = [name for name in decision.__dataclass_fields__ if name not in _WAITING and getattr(decision, name)]
    if any(patch.urgent for patch in said) or any(name not in _BY_ITSELF for name in done):
        return Acted.AND_MORE_FOLLOWS
    return Acted.BY_ITSELF if said or done else Acted.NOT
