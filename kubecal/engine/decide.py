"""The whole decision: a pure function of what was observed of one lock domain.

Every session is looked at once, in one of its situations (unreadable, over, to be cancelled, without a chip, not
yet admitted, waiting, running); each situation returns early. Sessions that hold the hardware come first, so
that what they take is taken before others ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

from kubecal.api.catalogue import Catalogue
from kubecal.api.chip import ChipStatus, Holder
from kubecal.api.conditions import ConditionType
from kubecal.api.session import Phase, SessionSpec, WaitingFor
from kubecal.engine.attempts import live, task_state
from kubecal.engine.claims import HeldWires
from kubecal.engine.conditions import Claimed, merged
from kubecal.engine.draft import Draft
from kubecal.engine.model import (
    Admission,
    Announcement,
    CancelIntent,
    ChipView,
    Decision,
    DeletePod,
    HoldersUpdate,
    Observed,
    Plan,
    PlannedTask,
    PodView,
    Replan,
    RowStatus,
    SessionRecord,
    SessionView,
    SettleExecution,
    StatusPatch,
    TaskKey,
)
from kubecal.engine.phases import RECORD_STATUS, Ended, final_phase
from kubecal.engine.plan import plan_session
from kubecal.engine.queue import Held, in_line, shown_queue, valid_holders
from kubecal.engine.running import (
    Running,
    delete_superseded,
    end_all,
    end_attempts,
    failed_targets,
    hold_of_lost,
    skip_after_failures,
    start_tasks,
)
from kubecal.engine.status import Standing, chip_held, count_tasks, finished, first_failures, session_status, valid

_NEEDS_RECORDS = ("admissions", "replans", "next_attempts", "read_rows", "settle_rows", "settle_executions", "creates")
_WAITS_FOR_CHIP = "ChipNotFound"


def decide(observed: Observed) -> Decision:
    """What to do now. Same observation, same decision."""
    return _Pass(observed).decision()


class _Pass:
    """One observation being decided."""

    def __init__(self, observed: Observed) -> None:
        self.observed = observed
        self.now = observed.now
        self.draft = Draft()
        self.pods: dict[str, list[PodView]] = {}
        for pod in observed.pods:
            self.pods.setdefault(pod.session_uid, []).append(pod)
        self.chips = {(chip.namespace, chip.name): chip for chip in observed.chips if not chip.deleted}
        self.sessions = {session.ref.uid: session for session in observed.sessions}
        self.holders = self._holders()
        self.held = self._held_wires()
        self.waiting: list[tuple[SessionView, ChipView]] = []
        self.released: set[str] = set()

    def decision(self) -> Decision:
        holding = {held.holder.uid for held in self.holders}
        for session in sorted(self.observed.sessions, key=lambda one: one.ref.uid not in holding):
            self._session(session)
        self._queue()
        if not self.observed.records.available:
            self.draft.drop(_NEEDS_RECORDS)
        if not self.observed.may_create:
            self.draft.drop(("creates",))
        return self.draft.decision()

    # ------------------------------------------------------------------ what holds now

    def _holders(self) -> list[Held]:
        return valid_holders(self.observed.chips, self._active, lambda uid: any(map(live, self.pods.get(uid, []))))

    def _active(self, uid: str) -> bool:
        session = self.sessions.get(uid)
        return session is not None and not (session.status.phase is not None and session.status.phase.final)

    def _held_wires(self) -> HeldWires:
        held = HeldWires()
        for pod in self.observed.pods:
            if live(pod):
                held.take(pod.name, pod.wires)
        for reservation in self.observed.reservations:
            held.take(reservation.pod_name, reservation.wires)
            self.draft.wake(reservation.until)
        for session in self.observed.sessions:
            if session.record is not None:
                pods = tuple(self.pods.get(session.ref.uid, []))
                hold_of_lost(session.record, pods, held, self.now, self.draft)
        return held

    # ------------------------------------------------------------------ one session

    def _session(self, session: SessionView) -> None:
        phase = session.status.phase
        if phase is not None and phase.final:
            self._over(session)
        elif session.spec is None:
            self._unreadable(session)
        elif not session.record_known:
            # Nothing may be concluded from a record that was not read: not even that there is none.
            self._show(session, Standing(phase or Phase.PENDING, self.observed.records.message, self._unknown()))
        elif session.record is not None and not session.record.ours:
            message = "its execution belongs to another installation of kubecal: apply it under another name"
            self._show(session, Standing(phase or Phase.PENDING, message, (valid(message),)))
        elif self._to_cancel(session):
            self._cancel(session, session.spec)
        else:
            self._on_chip(session, session.spec)

    def _unknown(self) -> tuple[Claimed, ...]:
        return (self._stored(),)

    def _over(self, session: SessionView) -> None:
        """A final phase stands; the record follows it, and a deleted object is let go."""
        pods = self.pods.get(session.ref.uid, [])
        record = session.record
        if record is not None and record.ours and record.status in ("scheduled", "running"):
            phase = session.status.phase or Phase.FAILED
            self.draft.add("settle_executions", self._settled(session, phase, session.status.message))
            return
        for pod in pods:
            if pod.terminated is None and pod.deleting_since is None:
                self.draft.add("deletes", DeletePod(pod, "its session is over"))
        if session.deleted_at is not None and session.finalized and not any(map(live, pods)):
            self.draft.add("remove_finalizer", session.ref)

    def _unreadable(self, session: SessionView) -> None:
        if session.deleted_at is not None and session.finalized:
            self.draft.add("remove_finalizer", session.ref)
            return
        self._fail_unplanned(session, session.spec_problem)

    def _fail_unplanned(self, session: SessionView, problem: str) -> None:
        """Invalid: no id, no record, no pod."""
        if session.deleted_at is not None:
            if session.finalized:
                self.draft.add("remove_finalizer", session.ref)
            return
        claims = (valid(problem), finished(Phase.FAILED, problem))
        self._show(session, Standing(Phase.FAILED, problem, claims, finished_at=self.now), urgent=True)
        self._announce(session, "Warning", "Invalid", problem)

    # ------------------------------------------------------------------ cancelling

    def _to_cancel(self, session: SessionView) -> bool:
        asked = session.record is not None and session.record.cancel_requested
        return session.deleted_at is not None or asked or (session.spec is not None and session.spec.cancel)

    def _cancel(self, session: SessionView, spec: SessionSpec) -> None:
        reason = "deleted" if session.deleted_at is not None else "cancelled by spec.cancel"
        record = session.record
        if record is None:
            self._cancel_unplanned(session, reason)
            return
        run = self._running(session, spec, record, self._chip_of(session, spec, record))
        if self._through(run):
            # Asked for after the last task had ended: what came out stands.
            if not record.cancel_requested:
                self._finish(run, "")
            else:
                self._finish(run, "", cancelled=True)
            return
        if not record.cancel_requested:
            self.draft.add("cancels", CancelIntent(session.ref, reason))
        end_all(run, RowStatus.CANCELLED, "Cancelled", f"the session was {record.cancel_reason or reason}", self.draft)
        claims = (valid(), self._held_claim(session), self._stored(), *self._pod_claims(run))
        message = f"{reason}: waiting for {sum(map(live, run.pods))} pods to stop"
        standing = self._standing(run, Phase.CANCELLING, message, claims)
        self._show(session, standing, early=session.status.phase is not Phase.CANCELLING)

    def _cancel_unplanned(self, session: SessionView, reason: str) -> None:
        if session.deleted_at is not None:
            if session.finalized:
                self.draft.add("remove_finalizer", session.ref)
            return
        message = f"{reason} before it was planned"
        claims = (valid(), finished(Phase.CANCELLED, message))
        self._show(session, Standing(Phase.CANCELLED, message, claims, finished_at=self.now), urgent=True)

    # ------------------------------------------------------------------ towards running

    def _on_chip(self, session: SessionView, spec: SessionSpec) -> None:
        chip = self.chips.get((session.ref.namespace, spec.chip))
        record = session.record
        if record is not None and (chip is None or chip.spec is None):
            self._chip_deleted(session, spec, record)
            return
        if chip is None or chip.spec is None:
            self._without_chip(session, spec, chip)
            return
        if record is None:
            self._admit(session, spec, chip)
            return
        if not any(held.holder.uid == session.ref.uid for held in self.holders):
            self._wait(session, spec, record, chip)
            return
        self._run(self._running(session, spec, record, chip))

    def _without_chip(self, session: SessionView, spec: SessionSpec, chip: ChipView | None) -> None:
        """People apply both files at once, so a missing chip is waited for."""
        if chip is None:
            reason, problem = _WAITS_FOR_CHIP, f"there is no Chip {spec.chip!r} in namespace {session.ref.namespace!r}"
        else:
            reason, problem = "ChipInvalid", f"Chip {spec.chip!r} is not valid: {chip.spec_problem}"
        until = session.created_at + timedelta(seconds=spec.deadlines.pending_seconds)
        if until <= self.now:
            self._fail_unplanned(session, f"{problem}: apply it, then apply this session under another name")
            return
        self.draft.wake(until)
        claims = (valid(), chip_held(False, reason, problem))
        self._show(session, Standing(Phase.PENDING, f"{problem}: waiting for it", claims))

    def _admit(self, session: SessionView, spec: SessionSpec, chip: ChipView) -> None:
        plan = _plan(_PlanKey(session, spec, chip, self.observed.catalogue))
        if plan.problems:
            self._fail_unplanned(session, "; ".join(plan.problems))
            return
        if not session.finalized:
            self.draft.add("add_finalizer", session.ref)
        self.draft.add("admissions", Admission(session.ref, plan, spec, chip))
        message = "" if self.observed.records.available else self.observed.records.message
        claims = (valid(), chip_held(False, "Waiting", "not planned yet"), self._stored())
        self._show(session, Standing(Phase.PENDING, message, claims))

    def _wait(self, session: SessionView, spec: SessionSpec, record: SessionRecord, chip: ChipView) -> None:
        """Queued; what changed of the chip meanwhile is planned anew before it may be held."""
        if record.chip_generation != chip.generation and chip.spec is not None:
            plan = _plan(_PlanKey(session, spec, chip, self.observed.catalogue))
            if plan.problems:
                problem = f"the chip changed while the session waited: {'; '.join(plan.problems)}"
                self._finish(self._running(session, spec, record, chip), problem)
                return
            keep = {task.key for task in plan.tasks}
            drop = tuple(sorted({row.key for row in record.rows} - keep))
            self.draft.add("replans", Replan(session.ref, record.execution_id, plan, chip, drop))
            return
        self.waiting.append((session, chip))
        reason, message, waiting_for = self._waits_for(session, chip)
        run = self._running(session, spec, record, chip)
        claims = (valid(), chip_held(False, reason, message), self._stored())
        standing = self._standing(run, Phase.QUEUED, message, claims)
        self._show(session, replace(standing, waiting_for=waiting_for))

    def _waits_for(self, session: SessionView, chip: ChipView) -> tuple[str, str, WaitingFor | None]:
        if chip.spec is not None and chip.spec.maintenance:
            return "Maintenance", f"chip {chip.name!r} is in maintenance: nothing new starts", None
        if self.holders:
            holder = self.holders[0].holder
            text = f"waits for session {holder.session}, which holds the chip"
            known = session.status.waiting_for
            since = known.since if known is not None and known.session == holder.session else self.now
            return "Held", text, WaitingFor(session=holder.session, since=since)
        if self.observed.local_holder:
            return "HeldLocally", f"the instruments are held by {self.observed.local_holder}", None
        return "Waiting", "waits for its turn", None

    def _chip_deleted(self, session: SessionView, spec: SessionSpec, record: SessionRecord) -> None:
        """Running tasks finish, then the session fails."""
        chip = self._chip_of(session, spec, record)
        run = self._running(session, spec, record, chip)
        message = f"Chip {spec.chip!r} was deleted while the session was on it"
        self._drain(run, message, "ChipDeleted")

    # ------------------------------------------------------------------ running

    def _run(self, run: Running) -> None:
        if run.plan.problems:
            # Made with another catalogue: nothing is concluded, and nothing started, until that one is back.
            problem = "; ".join(run.plan.problems)
            self._show(run.session, self._standing(run, Phase.RUNNING, problem, (valid(problem),)))
            return
        if run.record.status == "scheduled":
            since = self._since(run.session)
            self.draft.add("settle_executions", self._started(run, since))
        end_attempts(run, self.draft)
        delete_superseded(run, self.draft)
        deadline = self._since(run.session) + timedelta(seconds=run.spec.deadlines.session_seconds)
        if deadline <= self.now and not self._through(run):
            self._past_deadline(run)
            return
        self.draft.wake(deadline)
        self._wake_for_pending(run)
        skipped = skip_after_failures(run, self.draft)
        if self._through(run):
            self._finish(run, self._stopped(run))
            return
        maintenance = run.chip.spec is not None and run.chip.spec.maintenance
        if not maintenance and not self._creates_blocked(run):
            start_tasks(run, skipped, self.held, self.draft)
        message = f"chip {run.chip.name!r} is in maintenance: running tasks finish, nothing new starts" * maintenance
        claims = (valid(), self._held_claim(run.session), self._stored(), *self._pod_claims(run))
        self._show(run.session, self._standing(run, Phase.RUNNING, message or first_failures(run.states), claims))

    def _creates_blocked(self, run: Running) -> bool:
        blocked = self.observed.blocked.get(run.session.ref.uid)
        if blocked is None or blocked.retry_at <= self.now:
            return False
        self.draft.wake(blocked.retry_at)
        return True

    def _wake_for_pending(self, run: Running) -> None:
        pending_s = run.spec.deadlines.pending_seconds
        for pod in run.pods:
            if pod.terminated is None and pod.started_at is None and pod.deleting_since is None:
                self.draft.wake(pod.created_at + timedelta(seconds=pending_s))

    def _past_deadline(self, run: Running) -> None:
        seconds = run.spec.deadlines.session_seconds
        message = f"not done after {seconds} s (deadlines.sessionSeconds)"
        end_all(run, RowStatus.CANCELLED, "DeadlineExceeded", message, self.draft)
        claims = (valid(), self._held_claim(run.session), self._stored(), *self._pod_claims(run))
        self._show(run.session, self._standing(run, Phase.RUNNING, message, claims))

    def _drain(self, run: Running, message: str, reason: str) -> None:
        """Let running tasks finish, start none, then fail."""
        end_attempts(run, self.draft)
        alive = {pod.key for pod in run.pods if live(pod)}
        if self._through(run):
            self._finish(run, message)
            return
        if not alive:
            end_all(run, RowStatus.SKIPPED, reason, message, self.draft)
        claims = (valid(), chip_held(False, reason, message), self._stored(), *self._pod_claims(run))
        self._show(run.session, self._standing(run, Phase.RUNNING, message, claims))

    # ------------------------------------------------------------------ the end

    def _through(self, run: Running) -> bool:
        """Whether every task has ended and its record says so, and no pod lives."""
        ended = all(state.state.ended and state.recorded for state in run.states.values())
        return bool(run.states) and ended and not any(map(live, run.pods))

    def _stopped(self, run: Running) -> str:
        """Why a session that is through has failed as a whole; empty: it has not."""
        if any(row.reason == "DeadlineExceeded" for row in run.record.rows):
            return f"not done after {run.spec.deadlines.session_seconds} s (deadlines.sessionSeconds)"
        if run.spec.on_target_failure == "StopSession" and failed_targets(run):
            return f"stopped at the first failure (onTargetFailure: StopSession): {first_failures(run.states)}"
        return ""

    def _finish(self, run: Running, failure: str, *, cancelled: bool = False) -> None:
        phase = final_phase(Ended(cancelled, failure, len(run.plan.chains), failed_targets(run)))
        message = failure or first_failures(run.states)
        if phase is Phase.CANCELLED:
            message = f"the session was {run.record.cancel_reason}"
        elif phase is Phase.COMPLETED:
            message = f"all {len(run.states)} tasks ok"
        claims = (valid(), chip_held(False, "Released"), self._stored(), finished(phase, message))
        standing = replace(self._standing(run, phase, message, claims), finished_at=self.now)
        if run.record.status in ("scheduled", "running"):
            self.draft.add("settle_executions", self._settled(run.session, phase, message, run))
        self._show(run.session, standing, urgent=True)
        self.released.add(run.session.ref.uid)
        kind = "Normal" if phase in (Phase.COMPLETED, Phase.CANCELLED) else "Warning"
        self._announce(run.session, kind, phase.value, message)

    def _settled(self, session: SessionView, phase: Phase, message: str, run: Running | None = None) -> SettleExecution:
        tasks = count_tasks(run.states) if run is not None else session.status.tasks
        return SettleExecution(
            ref=session.ref,
            status=RECORD_STATUS[phase],
            phase=phase.value,
            message=message,
            counts=tasks.model_dump(),
            ended_at=session.status.finished_at or self.now,
        )

    def _started(self, run: Running, since: datetime) -> SettleExecution:
        return SettleExecution(
            ref=run.session.ref,
            status="running",
            phase=Phase.RUNNING.value,
            message="",
            counts=count_tasks(run.states).model_dump(),
            started_at=since,
        )

    # ------------------------------------------------------------------ the queue

    def _queue(self) -> None:
        """Give the free hardware to the head of the line, and write down who holds and who waits."""
        line = in_line(self.waiting, self.now)
        chosen: tuple[SessionView, ChipView] | None = None
        keep = [held for held in self.holders if held.holder.uid not in self.released]
        if not keep and not self.released and not self.observed.local_holder and self.observed.records.available:
            open_line = [pair for pair in line if pair[1].spec is not None and not pair[1].spec.maintenance]
            chosen = open_line[0] if open_line else None
        if chosen is not None:
            line = [pair for pair in line if pair is not chosen]
        holder_name = keep[0].holder.session if keep else chosen[0].ref.name if chosen else ""
        for chip in self.observed.chips:
            holders = tuple(held.holder for held in keep if held.chip.uid == chip.uid)
            if chosen is not None and chosen[1].uid == chip.uid:
                holders = (*holders, Holder(uid=chosen[0].ref.uid, session=chosen[0].ref.name, since=self.now))
            self._show_chip(chip, holders, shown_queue(chip, line, holder_name))

    def _show_chip(self, chip: ChipView, holders: tuple[Holder, ...], queue: tuple[object, ...]) -> None:
        problem = chip.spec_problem
        claims = (valid(problem),)
        status = chip.status.model_copy(
            update={
                "observed_generation": chip.generation,
                "conditions": merged(chip.status.conditions, claims, self.now, chip.generation),
                "holders": holders,
                "queue": queue,
            }
        )
        if status != chip.status and not chip.deleted:
            self.draft.add("holders", HoldersUpdate(chip, status))

    # ------------------------------------------------------------------ parts

    def _running(self, session: SessionView, spec: SessionSpec, record: SessionRecord, chip: ChipView) -> Running:
        planned_chip = replace(chip, spec=record.chip_spec, generation=record.chip_generation)
        key = _PlanKey(session, spec, planned_chip, self.observed.catalogue)
        plan = _plan(key)
        pods = tuple(self.pods.get(session.ref.uid, []))
        rows_by_key: dict[TaskKey, list[object]] = {}
        for row in sorted(record.rows, key=lambda one: one.attempt):
            rows_by_key.setdefault(row.key, []).append(row)
        pods_by_key: dict[TaskKey, list[PodView]] = {}
        for pod in pods:
            pods_by_key.setdefault(pod.key, []).append(pod)
        states = {
            task.key: task_state(
                task.key,
                rows_by_key.get(task.key, ()),  # type: ignore[arg-type]
                pods_by_key.get(task.key, ()),
                session.ref,
                now=self.now,
                pending_s=spec.deadlines.pending_seconds,
                rejected=self.observed.rejected,
                gone=self.observed.gone,
            )
            for task in plan.tasks
        }
        return Running(session, spec, record, chip, plan, _planned(key), states, pods, self.observed)

    def _chip_of(self, session: SessionView, spec: SessionSpec, record: SessionRecord) -> ChipView:
        """The chip, or when it is gone what the record remembers of it."""
        chip = self.chips.get((session.ref.namespace, spec.chip))
        if chip is not None:
            return chip
        gone = next((one for one in self.observed.chips if one.name == spec.chip), None)
        if gone is not None:
            return gone
        return ChipView(
            uid="",
            namespace=session.ref.namespace,
            name=spec.chip,
            generation=record.chip_generation,
            resource_version="",
            spec=record.chip_spec,
            status=ChipStatus(),
            deleted=True,
        )

    def _since(self, session: SessionView) -> datetime:
        """Since when it holds the chip."""
        held = next((one for one in self.holders if one.holder.uid == session.ref.uid), None)
        return held.holder.since if held is not None else session.status.started_at or self.now

    def _held_claim(self, session: SessionView) -> Claimed:
        holds = any(held.holder.uid == session.ref.uid for held in self.holders)
        return chip_held(holds, "Held" if holds else "Waiting")

    def _stored(self) -> Claimed:
        records = self.observed.records
        reason = "Stored" if records.available else records.reason or "Unreachable"
        return Claimed(ConditionType.RESULTS_STORED, records.available, reason, records.message)

    def _pod_claims(self, run: Running) -> tuple[Claimed, ...]:
        """PodsBlocked and PodStuck, where there is something to say."""
        claims: list[Claimed] = []
        refused = self.observed.blocked.get(run.session.ref.uid)
        stuck = [pod for pod in run.pods if pod.terminated is None and pod.blocked_reason]
        if refused is not None:
            claims.append(Claimed(ConditionType.PODS_BLOCKED, True, refused.reason, refused.message))
        elif stuck:
            pod = stuck[0]
            text = f"pod {pod.name} ({len(stuck)} in all): {pod.blocked_message}"
            claims.append(Claimed(ConditionType.PODS_BLOCKED, True, pod.blocked_reason, text))
        else:
            claims.append(Claimed(ConditionType.PODS_BLOCKED, False, "PodsStart"))
        lost = [pod for pod in run.pods if pod.node_lost and pod.holds_wires]
        if lost:
            text = (
                f"node {lost[0].node} does not answer and may still drive qubit "
                f"{', '.join(sorted({pod.key.target for pod in lost}))}: bring it back, or when it is off, "
                f"taint it node.kubernetes.io/out-of-service"
            )
            claims.append(Claimed(ConditionType.POD_STUCK, True, "NodeLost", text))
        else:
            claims.append(Claimed(ConditionType.POD_STUCK, False, "PodsAnswer"))
        return tuple(claims)

    def _standing(self, run: Running, phase: Phase, message: str, claims: tuple[Claimed, ...]) -> Standing:
        started = self._since(run.session) if phase is not Phase.QUEUED else None
        return Standing(phase, message, claims, started_at=started, plan=run.plan, states=run.states)

    def _show(self, session: SessionView, standing: Standing, *, early: bool = False, urgent: bool = False) -> None:
        status = session_status(session, standing, self.now)
        if status == session.status:
            return
        told = {c.type: (c.status, c.reason) for c in session.status.conditions}
        changed = status.phase is not session.status.phase or told != {
            c.type: (c.status, c.reason) for c in status.conditions
        }
        self.draft.add("status_patches", StatusPatch(session.ref, status, early, urgent or changed))

    def _announce(self, session: SessionView, kind: str, reason: str, message: str) -> None:
        self.draft.add("announcements", Announcement(session.ref, kind, reason, message))


class _PlanKey:
    """Plans are made once: equal keys mean equal plans, since specs change only with their generation."""

    def __init__(self, session: SessionView, spec: SessionSpec, chip: ChipView, catalogue: Catalogue) -> None:
        self.spec, self.chip, self.catalogue = spec, chip, catalogue
        self.identity = (session.ref.uid, session.generation, chip.uid, chip.generation, catalogue.hash)

    def __hash__(self) -> int:
        return hash(self.identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _PlanKey) and self.identity == other.identity


@lru_cache(maxsize=512)
def _plan(key: _PlanKey) -> Plan:
    if key.chip.spec is None:
        raise ValueError("a chip that does not parse has no plan")
    return plan_session(key.spec, key.chip.name, key.chip.spec, key.catalogue)


@lru_cache(maxsize=512)
def _planned(key: _PlanKey) -> Mapping[TaskKey, PlannedTask]:
    return {task.key: task for task in _plan(key).tasks}
