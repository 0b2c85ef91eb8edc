"""The local driver: observes processes and records, asks the engine, does what it says.

It is the operator's loop without Kubernetes. What the API server keeps for the operator (objects, their
status, who holds the chip) this driver keeps in memory: when it dies, its task processes die with it, so
there is nothing to come back to, and whoever looks next settles what it left in the database as cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic.alias_generators import to_camel
from pymongo.errors import PyMongoError

from kubecal.api.catalogue import Catalogue
from kubecal.api.chip import Chip
from kubecal.api.explanation import SessionExplanation
from kubecal.api.session import SessionSpec
from kubecal.engine.decide import decide
from kubecal.engine.explaining import explain
from kubecal.engine.intents import CreatePod, Decision
from kubecal.engine.model import (
    AttemptRow,
    ChipView,
    Observed,
    PodView,
    RecordsHealth,
    Reservation,
    SessionRecord,
    SessionView,
)
from kubecal.engine.request import build_request
from kubecal.lab.lab import RefusedError
from kubecal.local.beside import Beside
from kubecal.local.installation import Lifeline
from kubecal.local.processes import TaskProcesses
from kubecal.local.task_files import TaskFiles
from kubecal.records.actions import ActionRecords
from kubecal.records.control import ControlRecords
from kubecal.records.facts import look_up
from kubecal.records.hardware import HardwareClaims
from kubecal.records.store import RecordStore, RecordsUnavailable

IMAGE = "local"
"""What stands in the records where the cluster has an image."""
_RETRY_S = 2.0
"""How long to wait before asking again a database that did not answer, or for hardware that is held."""


class LocalDriver:
    """Runs the sessions of one lock domain to their end; more may be added while it does."""

    def __init__(
        self,
        *,
        hardware_id: str,
        catalogue: Catalogue,
        task_files: TaskFiles,
        store: RecordStore,
        records: ControlRecords,
        claims: HardwareClaims,
        folder: Path,
        uri_file: Path,
        jobs: Callable[[Sequence[ChipView]], int],
        lifeline: Lifeline,
        beside: Beside,
        settle_dead: Callable[[], Awaitable[None]],
        listener: Callable[[], None],
    ) -> None:
        self.hardware_id = hardware_id
        """The lock domain."""
        self._chips: dict[str, ChipView] = {}
        self._sessions: dict[str, SessionView] = {}
        self._catalogue = catalogue
        self._store = store
        self._records = records
        self._claims = claims
        self._jobs = jobs
        self._lifeline = lifeline
        self._settle_dead = settle_dead
        self._listener = listener
        self._changed = asyncio.Event()
        self._health = RecordsHealth(available=True)
        self._local_holder = ""
        self._holds_hardware = False
        self._rejected: dict[str, str] = {}
        self._beside = beside
        self._beside.join(self)
        self.reservations: tuple[Reservation, ...] = ()
        """Processes that were decided on and are not there yet."""
        self.processes = TaskProcesses(folder, uri_file, lambda: self._beside.changed(self), lifeline, task_files)
        self.over = False
        """Whether it takes no more sessions: the last one has ended."""

    @property
    def sessions(self) -> tuple[SessionView, ...]:
        """The sessions as they stand."""
        return tuple(self._sessions.values())

    @property
    def chips(self) -> tuple[ChipView, ...]:
        """The chips of this hardware."""
        return tuple(self._chips.values())

    @property
    def pods(self) -> tuple[PodView, ...]:
        """The processes, as the engine sees pods."""
        return self.processes.views

    def wake(self) -> None:
        """Have it look again: something changed."""
        self._changed.set()

    @property
    def health(self) -> RecordsHealth:
        """Whether the records can be used, as far as the last pass knows."""
        return self._health

    def add(self, chip: ChipView, session: SessionView) -> None:
        """One more session, and its chip as its manifest has it; not after ``over``.

        Raises
        ------
        RefusedError
            If the chip is another than the one that a session holds now.
        """
        known = self._chips.get(chip.name)
        if known is not None:
            chip = _renewed(known, chip)
        self._lifeline.hold(session.ref.uid)
        self._chips[chip.name] = chip
        self._sessions[session.ref.uid] = session
        self.wake()

    def change(self, uid: str, spec: SessionSpec, cancel_reason: str = "") -> None:
        """Another spec for a session, which the next pass obeys; who asks has looked whether it may change so."""
        session = self._sessions[uid]
        reason = session.cancel_reason or cancel_reason
        self._replace(uid, spec=spec, generation=session.generation + 1, cancel_reason=reason)
        self.wake()

    def cancel(self, reason: str) -> None:
        """Ask for every session to be cancelled; the engine does the rest."""
        for uid, session in self._sessions.items():
            if session.spec is not None and not session.spec.cancel:
                self.change(uid, session.spec.model_copy(update={"cancel": True}), reason)

    def explain(self, uid: str) -> SessionExplanation:
        """Why tasks of a session do not run."""
        return explain(self._observe(), self._sessions[uid])

    def has_ended(self, session: SessionView) -> bool:
        """Whether a session is over, in memory and in the records, and no process of it is left."""
        return (
            session.status.phase is not None
            and session.status.phase.final
            and (session.record is None or session.record.status not in ("scheduled", "running"))
            and not any(one.session_uid == session.ref.uid and one.terminated is None for one in self.pods)
        )

    async def run(self) -> None:
        """Decide and execute until every session has ended and nothing is left to do."""
        try:
            while not all(map(self.has_ended, self.sessions)):
                self._changed.clear()
                decision = await self._pass()
                self._listener()
                if self._at_rest(decision):
                    await self._rest(decision.wake_at)
        finally:
            self.over = True
            await self.processes.close()
            if self._holds_hardware:
                # A database that fails now must not hide why we are leaving; the hold expires by itself.
                with contextlib.suppress(RecordsUnavailable, PyMongoError):
                    await self._claims.release()
            self._lifeline.let_go()
            self._beside.leave(self)

    def _at_rest(self, decision: Decision) -> bool:
        return decision.empty or not self._health.available

    async def _rest(self, wake_at: datetime | None) -> None:
        """Wait for a change, the engine's next deadline, or the time to ask a silent database again."""
        limits = [30.0]
        if wake_at is not None:
            limits.append((wake_at - datetime.now(UTC)).total_seconds())
        if not self._health.available or self._local_holder:
            limits.append(_RETRY_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), max(0.0, min(limits)))

    # ------------------------------------------------------------------ one pass

    async def _pass(self) -> Decision:
        """Observe, decide, execute; a database that fails in between is asked again in the next pass."""
        try:
            await self._take_hardware()
            if not self._health.available:
                self._health = await self._store.check()
        except RecordsUnavailable as error:
            self._health = RecordsHealth(False, error.reason, error.message, datetime.now(UTC))
        decision = decide(self._observe())
        decision = replace(decision, creates=tuple(self._within_capacity(decision.creates)))
        with self._reserved(decision.creates):
            try:
                await self._execute_records(decision)
            except RecordsUnavailable as error:
                self._health = RecordsHealth(False, error.reason, error.message, datetime.now(UTC))
                decision = replace(decision, creates=())
            await self._execute_processes(decision)
        with contextlib.suppress(RecordsUnavailable):
            await self._settle(decision)
        self._show(decision)
        return decision

    @contextlib.contextmanager
    def _reserved(self, creates: Sequence[CreatePod]) -> Iterator[None]:
        """Before anything is awaited: domains beside this one must not decide on the same modules."""
        now = datetime.now(UTC)
        self.reservations = tuple(Reservation(one.ref.uid, one.pod_name, one.planned.wires, now) for one in creates)
        try:
            yield
        finally:
            started = {view.name for view in self.processes.views}
            all_started = all(one.pod_name in started for one in self.reservations)
            self.reservations = ()
            if not all_started:
                self._beside.lets_go(self)

    async def _take_hardware(self) -> None:
        """Every local session holds its hardware in the database, simulated or not (rule 14)."""
        if self._holds_hardware:
            return
        if self._local_holder:
            # Whoever held it may have been killed, and its tasks may have ended since we looked.
            await self._settle_dead()
        names = ", ".join(session.ref.name for session in self._sessions.values())
        who = f"kubecal run of {names} (pid {os.getpid()} on {socket.gethostname()})"
        self._local_holder = await self._claims.take(self.hardware_id, who)
        self._holds_hardware = not self._local_holder

    async def keep_hardware(self, every_s: float) -> None:
        """Renew the hold until cancelled; run beside :meth:`run`."""
        while True:
            await asyncio.sleep(every_s)
            if self._holds_hardware:
                with contextlib.suppress(RecordsUnavailable):
                    await self._claims.beat()

    def _observe(self) -> Observed:
        now = datetime.now(UTC)
        return Observed(
            now=now,
            hardware_id=self.hardware_id,
            chips=self.chips,
            sessions=self.sessions,
            pods=self.pods,
            catalogue=self._catalogue,
            image=IMAGE,
            images=self._images(),
            records=self._health,
            rejected=dict(self._rejected),
            local_holder=self._local_holder,
            elsewhere=self._beside.elsewhere(self, now),
        )

    def _images(self) -> dict[tuple[str, str], Catalogue | str]:
        """There is one environment here: whatever image a task names, its process knows the installed tasks."""
        specs = ((chip.namespace, chip.spec) for chip in self._chips.values() if chip.spec is not None)
        return {(namespace, one.catalogue): self._catalogue for namespace, spec in specs for one in spec.pods.images}

    # ------------------------------------------------------------------ execution, in the engine's order

    async def _execute_records(self, decision: Decision) -> None:
        """(0) and (a): what must be on record before a process is touched."""
        now = datetime.now(UTC)
        for ref in decision.add_finalizer:
            self._replace(ref.uid, finalized=True)
        if decision.look_ups:
            for uid, facts in (await look_up(self._store, decision.look_ups)).items():
                self._replace(uid, facts=facts)
        if decision.admissions:
            admitted = await self._records.admit(decision.admissions, catalogue=self._catalogue, image=IMAGE, now=now)
            self._take_records(admitted.records)
            for uid, why in admitted.refused.items():
                self._replace(uid, refusal=why)
        if decision.replans:
            self._take_records(await self._records.replan(decision.replans, now))
        if decision.cancels:
            await self._records.request_cancel(decision.cancels, now)
            for intent in decision.cancels:
                self._replace_record(intent.ref.uid, cancel_requested=True, cancel_reason=intent.reason)
        if decision.next_attempts:
            self._merge(await self._records.next_attempts(decision.next_attempts, now, self._logs(decision)))
        if decision.actions:
            self._merge(await ActionRecords(self._store).execute(decision.actions, (self._catalogue,), now))
        if decision.read_rows:
            self._merge(await self._records.read_rows(decision.read_rows, now))

    async def _execute_processes(self, decision: Decision) -> None:
        """(b) and (c): who holds the chip, then ends, then beginnings."""
        for update in decision.holders:
            version = str(int(self._chips[update.chip.name].resource_version) + 1)
            self._chips[update.chip.name] = replace(
                self._chips[update.chip.name], status=update.status, resource_version=version
            )
        now = datetime.now(UTC)
        for delete in decision.deletes:
            self.processes.delete(delete.pod, now)
        for pod in (pod for sweep in decision.sweeps for pod in sweep.settled):
            self.processes.delete(pod, now)
        for create in decision.creates:
            try:
                await self.processes.create(create, build_request(create), now)
            except OSError as error:
                self._rejected[create.pod_name] = f"the task's process cannot be started: {error}"

    def _within_capacity(self, creates: Sequence[CreatePod]) -> Sequence[CreatePod]:
        """As many as this computer should run at a time; the engine offers the rest again."""
        jobs = self._jobs(self.chips)
        if not jobs:
            return creates
        running = sum(view.terminated is None for view in self.processes.views)
        return creates[: max(0, jobs - running)]

    async def _settle(self, decision: Decision) -> None:
        """(d): rows and executions that have come to their end."""
        now = datetime.now(UTC)
        if decision.settle_rows:
            self._merge(await self._records.settle_rows(decision.settle_rows, now, self._logs(decision)))
        if decision.settle_executions:
            await self._records.settle_executions(decision.settle_executions, now)
            for settled in decision.settle_executions:
                changes: dict[str, object] = {"status": settled.status}
                if settled.started_at is not None:
                    changes["held_at"] = settled.started_at
                self._replace_record(settled.ref.uid, **changes)

    def _show(self, decision: Decision) -> None:
        """(e) and (f): the status, and letting go."""
        for patch in decision.status_patches:
            self._replace(patch.ref.uid, status=patch.status)
        for ref in decision.remove_finalizer:
            self._replace(ref.uid, finalized=False)

    # ------------------------------------------------------------------ what came back

    def _logs(self, decision: Decision) -> dict[str, str]:
        """Last lines of the processes whose rows ask for them."""
        names = {one.log_pod for one in decision.next_attempts} | {one.log_pod for one in decision.settle_rows}
        return {name: self.processes.last_lines(name) for name in names if name}

    def _replace(self, uid: str, **changes: object) -> None:
        self._sessions[uid] = replace(self._sessions[uid], **changes)  # type: ignore[arg-type]

    def _replace_record(self, uid: str, **changes: object) -> None:
        record = self._sessions[uid].record
        if record is not None:
            self._replace(uid, record=replace(record, **changes))  # type: ignore[arg-type]

    def _take_records(self, records: Mapping[str, SessionRecord]) -> None:
        for uid, record in records.items():
            self._replace(uid, record=record)

    def _merge(self, rows: Mapping[str, Sequence[AttemptRow]]) -> None:
        """Newer knowledge of some rows replaces the older."""
        for uid, changed in rows.items():
            session = self._sessions.get(uid)
            if session is None or (record := session.record) is None:
                # Results that were excluded may be those of another session.
                continue
            by_key = {(row.key, row.attempt): row for row in record.rows}
            by_key.update({(row.key, row.attempt): row for row in changed})
            self._replace_record(uid, rows=tuple(by_key.values()))


_FIXED_WHILE_HELD = ("topology", "wiring", "backend", "hardware_id")


def _renewed(known: ChipView, given: ChipView) -> ChipView:
    """The chip as a newer manifest has it."""
    if known.spec == given.spec:
        return known
    for field in _FIXED_WHILE_HELD if known.status.holders else ():
        if getattr(known.spec, field) != getattr(given.spec, field):
            name = to_camel(field)
            sentence = next(one["message"] for one in Chip.transitions if one["fieldPath"] == f".spec.{name}")
            raise RefusedError(f"chip {known.name!r}: {sentence}")
    version = str(int(known.resource_version) + 1)
    return replace(known, spec=given.spec, generation=known.generation + 1, resource_version=version)
