"""A session that holds its chip: what starts, what is tried again, what is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from kubecal.api.session import SessionSpec
from kubecal.engine.attempts import TASK_ENDED, State, TaskState, live
from kubecal.engine.draft import Draft
from kubecal.engine.filters import Judged, judge_filters
from kubecal.engine.intents import DeletePod, NextAttempt, SettleRow
from kubecal.engine.lanes import Open
from kubecal.engine.lost import UNSEEN_ENDS, Lost
from kubecal.engine.model import (
    ChipView,
    Observed,
    Plan,
    PlannedTask,
    PodView,
    RowStatus,
    SessionRecord,
    SessionView,
    TaskKey,
    Trouble,
)
from kubecal.engine.order import lanes_open
from kubecal.engine.retry import exhausted, suggested


@dataclass(frozen=True)
class Running:
    """One admitted session in one pass."""

    session: SessionView
    spec: SessionSpec
    record: SessionRecord
    chip: ChipView
    plan: Plan
    planned: Mapping[TaskKey, PlannedTask]
    states: Mapping[TaskKey, TaskState]
    """Of all tasks but those of parking."""
    pods: tuple[PodView, ...]
    observed: Observed
    parking: Mapping[TaskKey, TaskState] = field(default_factory=dict)
    """What runs last in any case."""
    lost: tuple[Lost, ...] = ()
    """Its attempts whose process may still be there although nothing is seen of it."""
    changed: str = ""
    """Why it has no plan now: its tasks are not known any more as they were; empty: it has one."""

    @cached_property
    def filters(self) -> tuple[Judged, ...]:
        """What each filter made of the targets so far."""
        return judge_filters(self.plan, self.states)

    @cached_property
    def reached(self) -> Open[TaskKey]:
        """How far each lane is done: what waits, and for what."""
        return lanes_open(self.plan.tasks, self.states)

    @property
    def main_pods_live(self) -> int:
        """How many pods may still drive a line, those of parking left aside."""
        return sum(number for key, number in self.live_pods.items() if key not in self.parking)

    @cached_property
    def live_pods(self) -> Mapping[TaskKey, int]:
        """How many pods of each task may still drive a line; tasks without any are left out."""
        return Counter(pod.key for pod in self.pods if live(pod))


def end_attempts(run: Running, draft: Draft) -> None:
    """Give up or settle attempts that ended without a result, and read the records of those that report one."""
    for state in chain(run.states.values(), run.parking.values()):
        if state.read:
            draft.add("read_rows", (run.session.ref, state.key, state.attempt))
        if state.state is State.ENDING:
            _end_attempt(run, state, draft)
        elif state.state is State.JUDGED and state.recorded:
            draft.add("next_attempts", _measure_again(run, state))


def _end_attempt(run: Running, state: TaskState, draft: Draft) -> None:
    ending = state.ending
    if ending is None:
        return
    refused = ending.message if ending.reason == TASK_ENDED else ""
    final = refused or exhausted(state.earlier, ending)
    if final:
        draft.add(
            "settle_rows",
            SettleRow(
                ref=run.session.ref,
                key=state.key,
                attempt=state.attempt,
                status=RowStatus.FAILED,
                trouble=ending.trouble,
                reason=ending.reason,
                message=final,
                log_pod=state.log_pod,
            ),
        )
        return
    draft.add(
        "next_attempts",
        NextAttempt(
            ref=run.session.ref,
            key=state.key,
            attempt=state.attempt,
            trouble=ending.trouble,
            reason=ending.reason,
            message=ending.message,
            log_pod=state.log_pod,
        ),
    )


def _measure_again(run: Running, state: TaskState) -> NextAttempt:
    row, retry = state.row, run.spec.retry
    parameters = suggested(row, retry) if row is not None and retry.adapt else {}
    again = tuple(member for member, its in state.members.items() if its is State.JUDGED)
    verdict, message = state.verdict_on(again[0]) if again else (state.verdict, state.message)
    return NextAttempt(
        ref=run.session.ref,
        key=state.key,
        attempt=state.attempt,
        trouble=Trouble.VERDICT,
        reason=str(verdict or ""),
        message=message,
        parameters=parameters,
        members=again,
    )


def delete_superseded(run: Running, draft: Draft) -> None:
    """A pod whose attempt was given up must not go on."""
    for pod in run.pods:
        state = run.states.get(pod.key) or run.parking.get(pod.key)
        outdated = state is None or pod.attempt < state.attempt
        if outdated and pod.terminated is None and pod.deleting_since is None:
            draft.add("deletes", DeletePod(pod, "its attempt was given up"))


def end_all(run: Running, status: RowStatus, reason: str, message: str, draft: Draft) -> None:
    """Stop every pod; once none lives, end every task that has no result."""
    for pod in run.pods:
        if pod.terminated is None and pod.deleting_since is None and pod.key not in run.parking:
            draft.add("deletes", DeletePod(pod, message))
    for state in run.states.values():
        if state.read:
            draft.add("read_rows", (run.session.ref, state.key, state.attempt))
        elif state.ending is not None and state.ending.reason in UNSEEN_ENDS:
            # Given up, not settled: its process may go on for a while, and its wires are kept from then on.
            _end_attempt(run, state, draft)
        elif not state.state.ended and state.key not in run.live_pods:
            draft.add("settle_rows", ended_unrun(run, state, status, reason, message))


def ended_unrun(run: Running, state: TaskState, status: RowStatus, reason: str, message: str) -> SettleRow:
    ended = state.ending.trouble if state.ending is not None else None
    return SettleRow(
        ref=run.session.ref,
        key=state.key,
        attempt=state.attempt,
        status=status,
        trouble=ended,
        reason=reason,
        message=message,
        log_pod=state.log_pod,
    )
