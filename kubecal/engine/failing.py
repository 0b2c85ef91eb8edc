"""What a failed task does to its target, to the couplings of a qubit, and to the session."""

from __future__ import annotations

from collections.abc import Mapping

from kubecal.api.session import TargetFailurePolicy
from kubecal.engine.attempts import State, TaskState
from kubecal.engine.filters import Part, left_out
from kubecal.engine.lanes import CHIP
from kubecal.engine.model import Plan, TaskKey
from kubecal.engine.running import Running


def behind_failures(run: Running) -> Mapping[Part, str]:
    """What does not run because of a failure, and why: tasks, each on one of the targets that it judges.

    A failed target stops, and so do the couplings of a failed qubit in steps behind; a failed task on the chip stops
    everything behind it. In a session that was open a failure stops the rest of its step only: steps that are appended
    later are what somebody made of it.
    """
    policy = run.spec.on_target_failure
    if policy is TargetFailurePolicy.CONTINUE:
        return {}
    if policy is TargetFailurePolicy.STOP_SESSION and any(map(has_failed, run.states.values())):
        why = "the session stops at the first failure"
        first = _first_failures(run.plan, run.states)
        return {
            (key, target): _because(first[target]) if target in first else why
            for target, chain in run.plan.chains.items()
            for key in chain
        }
    return {part: _because(cause) for part, cause in _stopped(run).items()}


def _stopped(run: Running) -> Mapping[Part, TaskKey]:
    """What a failed task before it stops, and which: the earliest."""
    plan, first = run.plan, _first_failures(run.plan, run.states)
    if not first:
        return {}
    within_step = run.record.was_open
    found: dict[Part, TaskKey] = {}
    for target, chain in plan.chains.items():
        causes = [first[one] for one in (target, CHIP, *plan.ends.get(target, ())) if one in first]
        causes.sort(key=lambda cause: plan.by_key[cause].standing.level)
        for key in chain:
            for cause in causes:
                if _comes_before(plan, cause, key) and (not within_step or cause.step == key.step):
                    found[key, target] = cause
                    break
    return found


def _first_failures(plan: Plan, states: Mapping[TaskKey, TaskState]) -> Mapping[str, TaskKey]:
    """The first failed task of each target that has one."""
    found = {}
    for target, chain in plan.chains.items():
        key = next((key for key in chain if states[key].on(target) is State.FAILED), None)
        if key is not None:
            found[target] = key
    return found


def _comes_before(plan: Plan, cause: TaskKey, key: TaskKey) -> bool:
    return plan.by_key[cause].standing.level < plan.by_key[key].standing.level


def _because(cause: TaskKey) -> str:
    return f"{cause.task} failed before it"


def has_failed(state: TaskState) -> bool:
    """Whether it failed on any of its targets."""
    return State.FAILED in (state.on(target) for target in state.targets)


def failed_targets(run: Running) -> frozenset[str]:
    """All targets with a failed task; a failed task on the chip fails every target that waits for it.

    One that a filter has dropped, or that stops because of a failure of its own, does not wait for it any more.
    """
    first = _first_failures(run.plan, run.states)
    found = set(first)
    if CHIP in found and run.spec.on_target_failure is not TargetFailurePolicy.CONTINUE:
        dropped = left_out(run.plan, run.filters)
        waits = (part for part, cause in _stopped(run).items() if cause == first[CHIP] and part not in dropped)
        found |= {target for key, target in waits if run.states[key].on(target) is State.SKIPPED}
    return frozenset(found)
