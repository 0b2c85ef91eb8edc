"""A small world around the engine: an API server, a database, processes on instruments, and a driver's memory.

It is as unkind as the real one: pods are evicted, crash, vanish by force while their process goes on, creates are
answered to nobody, records are known only as they were last read, and the driver may die between any two writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import combinations
from typing import Any

from kubecal.api.request import Verdict
from kubecal.api.session_status import Phase, SessionStatus
from kubecal.api.wires import Wire, conflicts
from kubecal.engine.decide import decide
from kubecal.engine.intents import Admission, CreatePod, Decision, DeletePod, NextAttempt, RunAction, SettleRow
from kubecal.engine.model import (
    AttemptRow,
    ChipView,
    MemberRow,
    Observed,
    Plan,
    PodView,
    Reservation,
    RowStatus,
    SessionRecord,
    SessionRef,
    SessionView,
    TaskKey,
    Trouble,
)
from tests.unit.kubecal.engine.builders import (
    CATALOGUE,
    NOON,
    observed,
    planned_row,
    pod,
    receipt,
    row,
    terminated,
    trouble,
)
from tests.unit.kubecal.engine.rows import (
    OPEN,
    comes_before,
    ended,
    has_failed,
    is_charged,
    is_open,
    measured,
    open_members,
    with_members,
)
from tests.unit.kubecal.engine.told import check_told

GRACE_S = 30
Attempt = tuple[str, TaskKey, int]


@dataclass
class Process:
    """A task's process: it may outlive its pod object for a grace period."""

    attempt: Attempt
    uid: str
    wires: tuple[Wire, ...]
    drives: bool = False
    """It has claimed its attempt."""
    ends_at: datetime | None = None
    """When it will have been killed, if that was asked for by force."""


@dataclass
class Memory:
    """What a driver forgets when it dies."""

    records: dict[str, SessionRecord] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)
    gone: dict[str, datetime] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)
    """Names of pods whose create got no answer."""
    created: set[Attempt] = field(default_factory=set)


def _given_up(one: MemberRow) -> bool:
    return one.verdict is None and one.status in (RowStatus.FAILED, RowStatus.CANCELLED)


class World:
    """Everything there is."""

    def __init__(self, chip: ChipView, sessions: Iterable[SessionView]) -> None:
        self.now = NOON
        self.chips = {chip.uid: chip}
        self.sessions = {view.ref.uid: replace(view, finalized=False) for view in sessions}
        self.refs = {uid: view.ref for uid, view in self.sessions.items()}
        self.records: dict[str, SessionRecord] = {}
        self.plans: dict[str, Plan] = {}
        self.rows: dict[Attempt, AttemptRow] = {}
        self.pods: dict[str, PodView] = {}
        self.processes: dict[str, Process] = {}
        self.crashes: Counter[tuple[str, TaskKey]] = Counter()
        self.memory = Memory()
        self.refuse_next, self.silent_next, self.fail_next_action = False, False, False
        self._uids = 0

    # ------------------------------------------------------------------ the driver

    def step(self, writes: int | None = None) -> Decision:
        """Observe, decide and carry out; with ``writes`` the driver dies after so many of them."""
        self.pass_time(0.01)
        seen = self._observe()
        decision = decide(seen)
        check_told(seen, decision)
        begun = {(one.ref.uid, one.planned.key, one.attempt) for one in decision.creates}
        settled = {(one.ref.uid, one.key, one.attempt) for one in decision.settle_rows}
        assert not begun & settled, "what begins is left out, wholly or in part, in the same pass"
        for number, write in enumerate(self._writes(decision)):
            if number == writes:
                self.restart()
                return decision
            write()
            self.check()
        return decision

    def restart(self) -> None:
        """A new driver knows what objects and database say, and nothing else."""
        self.memory = Memory(created={one for one in self.memory.created if self.rows[one].claimed_by})
        # A new driver waits for the old one's Lease to end: longer than a process takes from its start to its claim.
        for uid, process in list(self.processes.items()):
            if process.ends_at is not None and not process.drives:
                del self.processes[uid]
        self._read_records()
        for name, view in self.pods.items():
            if view.terminated is not None:
                self.pods[name] = replace(view, terminated=replace(view.terminated, seen_at=self.now))

    def _observe(self) -> Observed:
        sessions = [replace(one, record=self.memory.records.get(uid)) for uid, one in self.sessions.items()]
        held = [(name, self.pods[name]) for name in self.memory.unseen if name in self.pods]
        reserved = [Reservation(one.session_uid, name, one.wires, self._at(5)) for name, one in held]
        return observed(
            *sessions,
            chips=list(self.chips.values()),
            pods=tuple(view for name, view in self.pods.items() if name not in self.memory.unseen),
            now=self.now,
            rejected=dict(self.memory.rejected),
            gone=dict(self.memory.gone),
            reservations=tuple(reserved),
        )

    def _writes(self, decision: Decision) -> Iterator[Any]:
        """Every write of a decision, in the order of its execution; Any: calls without arguments."""
        yield from (partial(self._change, ref, finalized=True) for ref in decision.add_finalizer)
        yield from (partial(self._admit, one) for one in decision.admissions)
        assert not decision.replans, "the chip's spec never changes here"
        for intent in decision.cancels:
            changes = {"cancel_requested": True, "cancel_reason": intent.reason}
            yield partial(self._change_record, intent.ref, **changes)
        yield from (partial(self._next_attempt, one) for one in decision.next_attempts)
        yield from (partial(self._run_action, one) for one in decision.actions)
        for update in decision.holders:
            yield partial(self._write_chip, replace(update.chip, status=update.status))
        patches = [(one, partial(self._change, one.ref, status=one.status)) for one in decision.status_patches]
        yield from (write for patch, write in patches if patch.early)
        yield from (partial(self._delete, one) for one in decision.deletes)
        yield from (partial(self._create, one) for one in decision.creates)
        yield from (partial(self._settle_row, one) for one in decision.settle_rows)
        for settled in decision.settle_executions:
            yield partial(self._change_record, settled.ref, status=settled.status)
        yield from (partial(self._read, ref, key, attempt) for ref, key, attempt in decision.read_rows)
        yield from (write for patch, write in patches if not patch.early)
        yield from (partial(self.remove_succeeded, one.ref.uid) for one in decision.sweeps)
        yield from (partial(self._change, ref, finalized=False) for ref in decision.remove_finalizer)

    # ------------------------------------------------------------------ writes: objects

    def _change(self, ref: SessionRef, **changes: Any) -> None:
        if ref.uid not in self.sessions:
            return
        status = changes.get("status")
        if status is not None:
            before = self.sessions[ref.uid].status
            assert status != before, "a status that stands already is written again"
            assert not (before.phase is not None and before.phase.final), "a final status is changed"
        self.sessions[ref.uid] = replace(self.sessions[ref.uid], **changes)
        self._sweep()

    def _write_chip(self, view: ChipView) -> None:
        if view.uid in self.chips:
            self.chips[view.uid] = replace(view, resource_version=str(int(view.resource_version) + 1))

    def cancel(self, view: SessionView, *, deletes: bool) -> None:
        """A person wants the session to stop."""
        assert view.spec is not None
        if deletes:
            changed = replace(view, deleted_at=self.now)
        else:
            spec = view.spec.model_copy(update={"cancel": True})
            changed = replace(view, spec=spec, generation=view.generation + 1)
        self.sessions[view.ref.uid] = changed
        self._sweep()

    def suspend(self, view: SessionView, suspend: bool) -> None:
        """A person wants the session to rest, or to go on."""
        assert view.spec is not None
        spec = view.spec.model_copy(update={"suspend": suspend})
        self.sessions[view.ref.uid] = replace(view, spec=spec, generation=view.generation + 1)

    def _sweep(self) -> None:
        """What was deleted and nobody holds back is gone."""
        for uid, view in list(self.sessions.items()):
            if view.deleted_at is not None and not view.finalized:
                del self.sessions[uid]

    def _create(self, create: CreatePod) -> None:
        attempt = (create.ref.uid, create.planned.key, create.attempt)
        known = self.rows[attempt]
        assert attempt not in self.memory.created, f"attempt {attempt} is created twice"
        assert known.status in OPEN, f"attempt {attempt} has ended"
        assert not known.superseded, f"attempt {attempt} was given up"
        charged = self._charged(*attempt[:2])
        assert create.charged_retries == charged, "what a task is charged is its crashes and verdicts on record"
        assert create.members == open_members(known), "an attempt measures those whose rows are open"
        self._check_order(attempt[0], attempt[1], create.members)
        before = (one for one in self.pods.values() if (one.session_uid, one.key) == attempt[:2])
        assert not any(one.node and one.terminated is None for one in before), f"{attempt[:2]} is still at work"
        if self.refuse_next:
            self.refuse_next = False
            self.crashes[attempt[:2]] += 1
            self.memory.rejected[create.pod_name] = "Invalid"
            return
        self.memory.created.add(attempt)
        if create.pod_name in self.pods:
            self.memory.unseen.discard(create.pod_name)
            return
        self._uids += 1
        fields = {"node": "", "phase": "Pending", "started_at": None, "created_at": self.now, "grace_s": GRACE_S}
        view = pod(self._view(create.ref), *attempt[1:], wires=create.planned.wires, **fields)
        self.pods[create.pod_name] = replace(view, uid=f"pod-{self._uids}")
        if self.silent_next:
            self.silent_next = False
            self.memory.unseen.add(create.pod_name)

    def _view(self, ref: SessionRef) -> SessionView:
        return SessionView(ref, NOON, 1, None, SessionStatus(), finalized=True)

    def _delete(self, delete: DeletePod) -> None:
        known = self.pods.get(delete.pod.name)
        if known is not None and known.uid == delete.pod.uid:
            self.delete(known.name)

    # ------------------------------------------------------------------ writes: database

    def _admit(self, admission: Admission) -> None:
        view = self.sessions.get(admission.ref.uid)
        if view is None or not view.finalized:
            return
        spec = admission.chip.spec
        assert spec is not None
        record = SessionRecord("20261123-000", spec, admission.chip.generation, CATALOGUE.hash, "", "scheduled", ())
        self.records.setdefault(admission.ref.uid, record)
        self.plans.setdefault(admission.ref.uid, admission.plan)
        for task in admission.plan.by_key.values():
            planned = planned_row(task, grace_s=GRACE_S)
            self.rows.setdefault((admission.ref.uid, task.key, 1), planned)
        self._read_records()

    def _change_record(self, ref: SessionRef, **changes: Any) -> None:
        if self.records[ref.uid].status in ("scheduled", "running"):
            self.records[ref.uid] = replace(self.records[ref.uid], **changes)
        if ref.uid in self.memory.records:
            self.memory.records[ref.uid] = replace(self.memory.records[ref.uid], **changes)

    def _next_attempt(self, intent: NextAttempt) -> None:
        attempt = (intent.ref.uid, intent.key, intent.attempt)
        known = self.rows[attempt]
        following = (*attempt[:2], intent.attempt + 1)
        judged = intent.trouble is Trouble.VERDICT
        again = intent.members or open_members(known) or tuple(one.qid for one in known.members if _given_up(one))
        if judged:
            bad = {one.qid for one in known.members if one.status is RowStatus.FAILED and one.verdict}
            assert known.status is RowStatus.FAILED or bad, "only what was judged is measured again"
            assert set(intent.members) <= bad, "only those of several that were not ok are measured again"
            assert bool(intent.members) is bool(known.members)
            assert not known.superseded
        elif is_open(known) and not known.superseded:
            status = RowStatus.FAILED if intent.trouble is Trouble.CRASH else RowStatus.CANCELLED
            why = {"trouble": intent.trouble, "reason": intent.reason, "message": intent.message}
            gone = {"superseded": True, "superseded_at": self.now, "ended_at": self.now}
            self.rows[attempt] = ended(known, (), status=status, **gone, **why)
        if judged or self.rows[attempt].superseded:
            fields = {"wires": known.wires, "grace_s": GRACE_S, "opened_at": self.now}
            members = tuple(MemberRow(qid, RowStatus.SCHEDULED) for qid in again) if known.members else ()
            self.rows.setdefault(following, row(intent.key, following[2], members=members, **fields))
        self._read(intent.ref, intent.key, intent.attempt)
        self._read(intent.ref, intent.key, following[2])

    def _run_action(self, intent: RunAction) -> None:
        attempt = (intent.ref.uid, intent.key, intent.attempt)
        assert is_open(self.rows[attempt]), "records are changed twice"
        self._check_order(intent.ref.uid, intent.key, ())
        status = RowStatus.FAILED if self.fail_next_action else RowStatus.COMPLETED
        message = "there is no such execution" if self.fail_next_action else ""
        self.fail_next_action = False
        self.rows[attempt] = replace(self.rows[attempt], status=status, message=message, ended_at=self.now)
        self._read(intent.ref, intent.key, intent.attempt)

    def _settle_row(self, intent: SettleRow) -> None:
        attempt = (intent.ref.uid, intent.key, intent.attempt)
        known = self.rows[attempt]
        if is_open(known) and not known.superseded:
            why = {"trouble": intent.trouble, "reason": intent.reason, "message": intent.message}
            self.rows[attempt] = ended(known, intent.members, status=intent.status, ended_at=self.now, **why)
        self._read(*(intent.ref, intent.key, intent.attempt))

    def _read(self, ref: SessionRef, key: TaskKey, attempt: int) -> None:
        found = self.rows.get((ref.uid, key, attempt))
        record = self.memory.records.get(ref.uid)
        if found is None or record is None:
            return
        others = tuple(one for one in record.rows if (one.key, one.attempt) != (key, attempt))
        fresh = replace(found, read_at=self._at(0.001))
        self.memory.records[ref.uid] = replace(record, rows=(*others, fresh))

    def _read_records(self) -> None:
        for uid, record in self.records.items():
            rows = tuple(replace(one, read_at=self.now) for (owner, _, _), one in self.rows.items() if owner == uid)
            self.memory.records[uid] = replace(record, rows=rows)

    # ------------------------------------------------------------------ what pods do

    def pass_time(self, seconds: float) -> None:
        """Time passes, and processes that were killed by force come to their end."""
        self.now = self._at(seconds)
        for uid, process in list(self.processes.items()):
            if process.ends_at is not None and process.ends_at <= self.now:
                del self.processes[uid]

    def start(self, name: str) -> None:
        """The pod is bound and its process begins."""
        view = self.pods[name]
        self.pods[name] = replace(view, node="worker", phase="Running", started_at=self.now)
        attempt = (view.session_uid, view.key, view.attempt)
        self.processes[view.uid] = Process(attempt, view.uid, view.wires)

    def claim(self, uid: str) -> bool:
        """The process takes its attempt, or learns that it may not, and ends."""
        process = self.processes[uid]
        known = self.rows[process.attempt]
        if known.superseded or known.status not in OPEN or known.claimed_by not in (None, uid):
            self._end(uid, 1, outcome=trouble("NotClaimed"))
            return False
        begun = [one for one in known.members if is_open(one)]
        known = with_members(known, begun, lambda one: replace(one, status=RowStatus.RUNNING))
        self.rows[process.attempt] = replace(known, claimed_by=uid, status=RowStatus.RUNNING)
        process.drives = True
        self.check()
        return True

    def finish(self, uid: str, verdict: Verdict, *, stores: bool = True, exit_code: int = 0, dice: int = 0) -> None:
        """The process ends with a receipt; what it says may be a lie, and it may fail after it has stored.

        Of several members the dice say which get the verdict, and in any case whose quality is poor.
        """
        process = self.processes[uid]
        owner, key, attempt = process.attempt
        known = self.rows[process.attempt]
        if stores and not known.superseded and is_open(known) and known.claimed_by == uid:
            self.rows[process.attempt] = measured(known, verdict, dice, self.now)
        charged = not is_charged(known) and is_charged(self.rows[process.attempt])
        if not stores or exit_code or charged:
            self.crashes[(owner, key)] += 1
        said = receipt(self._view(self.refs[owner]), key, attempt, verdict.value)
        if known.members:
            said = said.model_copy(update={"verdict": None})
        self._end(uid, exit_code, outcome=said)

    def crash(self, uid: str) -> None:
        """The process ends with nothing to show."""
        self.crashes[self.processes[uid].attempt[:2]] += 1
        self._end(uid, 1)

    def interrupt(self, name: str, disruption: str = "") -> None:
        """What a pod does that was asked to go: it stops and says so."""
        view = self.pods[name]
        self.pods[name] = replace(view, disruption=disruption, deleting_since=view.deleting_since or self.now)
        if view.uid in self.processes:
            self._end(view.uid, 143, outcome=trouble("Interrupted"))

    def delete(self, name: str) -> None:
        """Somebody deletes the pod: at once where it was never bound, else when its process has ended."""
        view = self.pods[name]
        if not view.node or view.terminated is not None:
            self.remove(name)
        else:
            self.pods[name] = replace(view, deleting_since=view.deleting_since or self.now)

    def remove_succeeded(self, uid: str) -> None:
        """One call for all of a session, also those whose end the driver has not yet drawn its conclusions from."""
        for name in [name for name, view in self.pods.items() if (view.session_uid, view.phase) == (uid, "Succeeded")]:
            self.remove(name)

    def remove(self, name: str) -> None:
        """The object goes; by force if its process still runs, and that has a grace period left to live."""
        view = self.pods.pop(name)
        self.memory.gone[name] = self.now
        self.memory.unseen.discard(name)
        if view.uid in self.processes:
            self.processes[view.uid].ends_at = self._at(GRACE_S)

    def _end(self, uid: str, exit_code: int, **said: Any) -> None:
        del self.processes[uid]
        for name, view in self.pods.items():
            if view.uid == uid:
                end = terminated(exit_code, seen_at=self.now, **said)
                phase = "Failed" if exit_code else "Succeeded"
                self.pods[name] = replace(view, terminated=end, phase=phase)

    def _at(self, seconds: float) -> datetime:
        return self.now + timedelta(seconds=seconds)

    # ------------------------------------------------------------------ what must always hold

    def check(self) -> None:
        """The invariants of any moment."""
        driving = [process for process in self.processes.values() if process.drives]
        for one, other in combinations(driving, 2):
            assert conflicts(one.wires, other.wires) is None, f"{one} and {other} drive the same wire"
        alive = [view for view in self.pods.values() if view.terminated is None and not view.deleting_since]
        for process in driving:
            for view in alive:
                beside = view.uid != process.uid and conflicts(view.wires, process.wires) is not None
                assert not beside, f"{view.name} was made although {process} drives a wire of it"
        for first, second in combinations(alive, 2):
            assert conflicts(first.wires, second.wires) is None, f"{first.name} and {second.name} both hold a wire"
        for task, charged in Counter(attempt[:2] for attempt, one in self.rows.items() if is_charged(one)).items():
            assert charged <= self.crashes[task], f"{task} is charged more often than it crashed"

    def _charged(self, uid: str, key: TaskKey) -> int:
        return sum(is_charged(one) for attempt, one in self.rows.items() if attempt[:2] == (uid, key))

    def _check_order(self, uid: str, key: TaskKey, members: tuple[str, ...]) -> None:
        """What comes before a task that begins has ended, on all that it measures."""
        plan = self.plans[uid]
        if key not in plan.places:
            main = [one for (owner, other, _), one in self.rows.items() if owner == uid and other in plan.places]
            assert not any(map(is_open, main)), f"{key} begins, and the session is not through"
            return
        ends = dict(plan.ends)
        for before in plan.tasks[: plan.places[key]]:
            for qubit in comes_before(before, replace(plan.by_key[key], members=members), ends):
                assert self._done(uid, before.key, qubit), f"{key} begins, and {before.key} is not done on {qubit}"

    def _attempts(self, uid: str, key: TaskKey) -> list[AttemptRow]:
        return [one for (owner, other, _), one in self.rows.items() if (owner, other) == (uid, key)]

    def _done(self, uid: str, key: TaskKey, qubit: str) -> bool:
        attempts = self._attempts(uid, key)
        members = {one.qid: (known, one) for known in attempts for one in known.members}
        if members:
            chosen = members.values() if qubit == "*" else [members[qubit]]
            return all(not is_open(one) and not known.superseded for known, one in chosen)
        last = attempts[-1]
        # A receipt is trusted until its record was read.
        trusted = any(
            view.terminated is not None and view.terminated.exit_code == 0
            for view in self.pods.values()
            if (view.session_uid, view.key, view.attempt) == (uid, key, last.attempt)
        )
        return trusted or (not is_open(last) and not last.superseded)

    def check_ended(self) -> None:
        """What a session that came to its own end is called, and what it counts, follows from its rows."""
        for uid, view in self.sessions.items():
            phase, plan = view.status.phase, self.plans.get(uid)
            if phase not in (Phase.COMPLETED, Phase.PARTIALLY_FAILED) or plan is None:
                continue
            last = {key: one for (owner, key, _), one in self.rows.items() if owner == uid}
            failed = {key for key in plan.places if has_failed(self._attempts(uid, key))}
            assert bool(failed) is (phase is Phase.PARTIALLY_FAILED), f"{phase}, and {failed} failed"
            assert view.status.tasks.failed == len(failed)
            assert view.status.tasks.planned == len(plan.tasks)
            left_out = {key for key in plan.places if last[key].status is RowStatus.SKIPPED} - failed
            assert view.status.tasks.skipped <= len(left_out)

    @property
    def over(self) -> bool:
        """Whether every session has ended, on its object and on record, and is let go where it was deleted."""
        objects = all(
            view.deleted_at is None and view.status.phase is not None and view.status.phase.final
            for view in self.sessions.values()
        )
        settled = all(record.status not in ("scheduled", "running") for record in self.records.values())
        return objects and settled
