"""A session that holds its chip: what starts, what is tried again, what is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from kubecal.api.session import SessionSpec, TargetFailurePolicy
from kubecal.engine.attempts import TASK_ENDED, State, TaskState, live
from kubecal.engine.draft import Draft
from kubecal.engine.filters import FILTERED, Judged, judge_filters, left_out
from kubecal.engine.intents import DeletePod, NextAttempt, SettleRow
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
from kubecal.engine.retry import exhausted


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
    pods: tuple[PodView, ...]
    observed: Observed
    lost: tuple[Lost, ...] = ()
    """Its attempts whose process may still be there although nothing is seen of it."""

    @cached_property
    def filters(self) -> tuple[Judged, ...]:
        """What each filter made of the targets so far."""
        return judge_filters(self.plan, self.states)

    @cached_property
    def live_pods(self) -> Mapping[TaskKey, int]:
        """How many pods of each task may still drive a line; tasks without any are left out."""
        return Counter(pod.key for pod in self.pods if live(pod))


def end_attempts(run: Running, draft: Draft) -> None:
    """Give up or settle attempts that ended without a result, and read the records of those that report one."""
    for state in run.states.values():
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
    suggested = state.row.suggestion if state.row is not None and run.spec.retry.adapt else {}
    return NextAttempt(
        ref=run.session.ref,
        key=state.key,
        attempt=state.attempt,
        trouble=Trouble.VERDICT,
        reason=str(state.verdict or ""),
        message=state.message,
        parameters=suggested,
    )


def delete_superseded(run: Running, draft: Draft) -> None:
    """A pod whose attempt was given up must not go on."""
    for pod in run.pods:
        state = run.states.get(pod.key)
        outdated = state is None or pod.attempt < state.attempt
        if outdated and pod.terminated is None and pod.deleting_since is None:
            draft.add("deletes", DeletePod(pod, "its attempt was given up"))


def skip_after_failures(run: Running, draft: Draft) -> Mapping[TaskKey, str]:
    """End the tasks that will not run: left out by a filter, behind a failure, everywhere under StopSession.

    Returns them with the reason: their rows are settled only later in this pass, and nothing of them may be started
    meanwhile.
    """
    policy = run.spec.on_target_failure
    skipped: dict[TaskKey, str] = {}
    for key, why in left_out(run.plan, run.filters).items():
        if run.states[key].state is State.READY:
            draft.add("settle_rows", _ended_unrun(run, run.states[key], RowStatus.SKIPPED, FILTERED, why))
            skipped[key] = why
    if policy is TargetFailurePolicy.CONTINUE:
        return skipped
    stop_all = policy is TargetFailurePolicy.STOP_SESSION and any(
        state.state is State.FAILED for state in run.states.values()
    )
    for chain in run.plan.chains.values():
        failed: TaskKey | None = None
        for key in chain:
            state = run.states[key]
            if key not in skipped and state.state is State.READY and (stop_all or failed is not None):
                reason = f"{failed.task} failed before it" if failed else "the session stops at the first failure"
                draft.add("settle_rows", _ended_unrun(run, state, RowStatus.SKIPPED, "Skipped", reason))
                skipped[key] = reason
            if state.state is State.FAILED:
                failed = failed or key
    return skipped


def end_all(run: Running, status: RowStatus, reason: str, message: str, draft: Draft) -> None:
    """Stop every pod; once none lives, end every task that has no result."""
    for pod in run.pods:
        if pod.terminated is None and pod.deleting_since is None:
            draft.add("deletes", DeletePod(pod, message))
    for state in run.states.values():
        if state.read:
            draft.add("read_rows", (run.session.ref, state.key, state.attempt))
        elif state.ending is not None and state.ending.reason in UNSEEN_ENDS:
            # Given up, not settled: its process may go on for a while, and its wires are kept from then on.
            _end_attempt(run, state, draft)
        elif not state.state.ended and state.key not in run.live_pods:
            draft.add("settle_rows", _ended_unrun(run, state, status, reason, message))


def _ended_unrun(run: Running, state: TaskState, status: RowStatus, reason: str, message: str) -> SettleRow:
    ended = state.ending.trouble if state.ending is not None else None
    return SettleRow(
        ref=run.session.ref,
        key=state.key,
        attempt=state.attempt,
        status=status,
        trouble=ended,
        reason=reason,
        message=message,
    )


def failed_targets(run: Running) -> int:
    """Targets with at least one failed task."""
    return len({key.target for key, state in run.states.items() if state.state is State.FAILED})


def own_targets(run: Running) -> int:
    """The session's own targets."""
    return len({key.target for key in run.states})
