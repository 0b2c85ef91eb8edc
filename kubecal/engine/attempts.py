"""Where one task stands: from its rows and pods, never from what was counted up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from kubecal.api.naming import pod_name, task_id
from kubecal.api.request import Receipt, Verdict
from kubecal.api.session import Retry
from kubecal.engine.model import AttemptRow, MemberRow, PodView, RowStatus, SessionRef, TaskKey, Trouble
from kubecal.engine.retry import NEVER_STARTED, Ending, classify, measured_again

POD_GONE = "PodGone"
"""Reason of an attempt whose pod vanished without its end having been seen."""
TASK_ENDED = "TaskEnded"


class State(StrEnum):
    """What a task is doing."""

    READY = "Ready"
    """Nothing was started, or the next attempt is open."""
    RUNNING = "Running"
    ENDING = "Ending"
    """Its attempt ended without a result and must be given up or settled."""
    JUDGED = "Judged"
    """Its attempt was judged, not well, and is to be measured again."""
    OK = "Ok"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    CANCELLED = "Cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return self in (State.OK, State.FAILED, State.SKIPPED, State.CANCELLED)


_NOBODY: Mapping[str, State] = MappingProxyType({})
"""The members of a task that has none: one for all, since a pass makes thousands of states."""


@dataclass(frozen=True)
class TaskState:
    """One task as it stands."""

    key: TaskKey
    state: State
    attempt: int
    """The current one."""
    row: AttemptRow | None
    earlier: tuple[AttemptRow, ...]
    """The attempts before it, oldest first."""
    pod: PodView | None = None
    ending: Ending | None = None
    """With state Ending."""
    verdict: Verdict | None = None
    message: str = ""
    recorded: bool = True
    """False: known from a receipt only; its record is still to be read."""
    read: bool = False
    """Whether the record must be read now."""
    log_pod: str = ""
    members: Mapping[str, State] = field(default_factory=lambda: _NOBODY)
    """How each qubit of a MUX or batch task stands; empty for other tasks."""

    def on(self, target: str) -> State:
        """How the task stands on one of those that it judges."""
        return self.members.get(target, self.state)

    @property
    def targets(self) -> Iterable[str]:
        """What it judges."""
        return self.members or (self.key.target,)

    def verdict_on(self, target: str) -> tuple[Verdict | None, str]:
        """What was found on one of those that it judges, and its sentence."""
        if not self.members:
            return self.verdict, self.message
        found = self._last_on(target)
        return (found[1].verdict, found[1].message) if found is not None else (None, "")

    def attempt_on(self, target: str) -> int:
        """The last attempt that measured one of those that it judges."""
        found = self._last_on(target) if self.members else None
        return found[0].attempt if found is not None else self.attempt

    def _last_on(self, target: str) -> tuple[AttemptRow, MemberRow] | None:
        rows = (*self.earlier, self.row) if self.row is not None else self.earlier
        return next(((row, one) for row in reversed(rows) for one in row.members if one.qid == target), None)


_RECORDED = {
    RowStatus.COMPLETED: State.OK,
    RowStatus.FAILED: State.FAILED,
    RowStatus.SKIPPED: State.SKIPPED,
    RowStatus.CANCELLED: State.CANCELLED,
}
"""What a final row says of the task; a superseded one says nothing, since another follows it."""
_WORST_FIRST = (State.JUDGED, State.FAILED, State.OK, State.CANCELLED, State.SKIPPED)


def whole(members: Iterable[State]) -> State:
    """How a task stands whose members have all ended, or are to be measured again."""
    found = frozenset(members)
    return next(state for state in _WORST_FIRST if state in found)


def live(pod: PodView) -> bool:
    """Whether a pod may still drive a line, or come to do so.

    A pod that is bound to no node and being deleted will never run; one that its node refused never ran.
    """
    if pod.released or pod.terminated is not None:
        return False
    if not pod.node:
        return pod.deleting_since is None and pod.phase not in ("Succeeded", "Failed")
    return pod.holds_wires


def task_state(
    key: TaskKey,
    rows: Sequence[AttemptRow],
    pods: Sequence[PodView],
    ref: SessionRef,
    *,
    now: datetime,
    pending_s: float,
    rejected: Mapping[str, str],
    gone: Mapping[str, datetime],
    retry: Retry | None = None,
    members: Sequence[str] = (),
) -> TaskState:
    """The state of one task.

    Parameters
    ----------
    rows
        Its attempts, oldest first.
    pods
        Its pods, of any attempt.
    pending_s
        How long a pod may take from creation to running.
    rejected
        What the server said of pods it will never take, by name.
    gone
        When pods were seen to be gone, by name.
    retry
        Which verdicts are measured again; None: none are, because the session comes to its end.
    members
        The qubits of a MUX or batch task.
    """
    if not rows:
        return TaskState(key, State.READY, 1, None, (), members=dict.fromkeys(members, State.READY))
    row, earlier = rows[-1], tuple(rows[:-1])
    pod = next((one for one in pods if one.attempt == row.attempt), None) if pods else None
    at = _At(key, row, earlier, pod, retry, tuple(members))
    if row.superseded:
        # Its successor was opened in the same write and is not known here yet: asking once more tells of it.
        return at.ending(Ending(row.trouble or Trouble.DISRUPTION, row.reason, row.message))
    if row.final:
        return at.recorded()
    name = pod_name(ref.name, ref.uid, key.step, key.task, key.target, key.ordinal, row.attempt)
    if name in rejected:
        return at.ending(Ending(Trouble.CRASH, TASK_ENDED, rejected[name]))
    if pod is not None:
        identity = task_id(ref.uid, key.step, key.task, key.target, key.ordinal, row.attempt, key.target)
        return _with_pod(at, pod, identity, now, pending_s)
    seen_gone = gone.get(name)
    if row.claimed_by is not None or seen_gone is not None:
        return at.ending(Ending(Trouble.DISRUPTION, POD_GONE, "its pod vanished without a result"))
    return at.state(State.READY)


def _with_pod(at: _At, pod: PodView, identity: str, now: datetime, pending_s: float) -> TaskState:
    ended = pod.terminated
    if ended is None:
        if pod.released:
            # It will never report its end; a person, or the taint, said that the process is dead.
            return at.ending(Ending(Trouble.DISRUPTION, "Released", "its node was lost, and its wires were let go"))
        if not live(pod) and pod.phase == "Failed":
            return at.ending(classify(pod))
        late = pod.started_at is None and pod.created_at + timedelta(seconds=pending_s) <= now
        if late and pod.deleting_since is None and not pod.node_lost:
            why = pod.blocked_message or "its container did not start"
            return at.ending(
                Ending(Trouble.DISRUPTION, NEVER_STARTED, f"not running {pending_s:.0f} s after its creation: {why}")
            )
        return at.state(State.RUNNING)
    outcome = ended.outcome
    if ended.exit_code == 0 and isinstance(outcome, Receipt) and outcome.attempt == identity:
        if at.row.read_at > ended.seen_at:
            return at.ending(Ending(Trouble.CRASH, "ResultMissing", "the task reported a result that is not on record"))
        return at.receipt(outcome)
    return at.ending(classify(pod))


@dataclass(slots=True)
class _At:
    """Makes states of one task's current attempt; not frozen, since one is made for every task in every pass."""

    key: TaskKey
    row: AttemptRow
    earlier: tuple[AttemptRow, ...]
    pod: PodView | None
    retry: Retry | None
    members: tuple[str, ...]

    def state(self, state: State) -> TaskState:
        return TaskState(
            self.key, state, self.row.attempt, self.row, self.earlier, self.pod, members=self._members(state)
        )

    def recorded(self) -> TaskState:
        row = self.row
        if self.members:
            members = self._members(State.READY)
            state = whole(members.values())
            return TaskState(
                self.key, state, row.attempt, row, self.earlier, self.pod, message=row.message, members=members
            )
        state = _RECORDED[row.status]
        if state is State.FAILED:
            state = self._failed(row.verdict)
        return TaskState(self.key, state, row.attempt, row, self.earlier, self.pod, None, row.verdict, row.message)

    def _members(self, current: State) -> Mapping[str, State]:
        """Every member as its last row says; those that have not ended as the attempt stands."""
        if not self.members:
            return _NOBODY
        found = dict.fromkeys(self.members, State.SKIPPED)
        for row in (*self.earlier, self.row):
            last = row is self.row
            for one in row.members:
                if one.qid not in found:
                    continue
                state = _RECORDED.get(one.status, current)
                if row.superseded and state is not State.SKIPPED:
                    # That it was given up is no end: its successor may not be known here yet.
                    state = current
                elif last and state is State.FAILED:
                    state = self._failed(one.verdict, one.qid)
                found[one.qid] = state
        return found

    def _failed(self, verdict: Verdict | None, qid: str = "") -> State:
        again = self.retry is not None and measured_again(verdict, self.earlier, self.retry, qid)
        return State.JUDGED if again else State.FAILED

    def receipt(self, receipt: Receipt) -> TaskState:
        if receipt.verdict is None or self.members:
            # What became of its members only the record tells; until it was read they are as if still measured.
            return replace(self.state(State.RUNNING), recorded=False, read=True)
        state = State.OK if receipt.verdict is Verdict.OK else self._failed(receipt.verdict)
        return TaskState(
            key=self.key,
            state=state,
            attempt=self.row.attempt,
            row=self.row,
            earlier=self.earlier,
            pod=self.pod,
            verdict=receipt.verdict,
            message=receipt.message,
            recorded=False,
            read=True,
        )

    def ending(self, ending: Ending) -> TaskState:
        log_pod = self.pod.name if self.pod is not None and ending.trouble is Trouble.CRASH else ""
        return TaskState(
            key=self.key,
            state=State.ENDING,
            attempt=self.row.attempt,
            row=self.row,
            earlier=self.earlier,
            pod=self.pod,
            ending=ending,
            log_pod=log_pod,
            members=self._members(State.ENDING),
        )
