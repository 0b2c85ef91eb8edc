"""Why tasks do not run: one answer a task for whoever asks, and a brief of them in the session's status.

The answers come from what the pass itself met (:class:`kubecal.engine.starting.Turns`), so they cannot differ from what
was decided. A brief is made in every pass and counts thousands of tasks; only its examples are put into words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from kubecal.api.explanation import Reason
from kubecal.api.request import Verdict
from kubecal.api.session_status import MAX_WAITS, Wait
from kubecal.engine import pod_trouble
from kubecal.engine.attempts import State, TaskState, live
from kubecal.engine.model import AttemptRow, PodView, TaskKey
from kubecal.engine.occupants import Occupants
from kubecal.engine.order import missing_at
from kubecal.engine.retry import judged
from kubecal.engine.running import Running
from kubecal.engine.starting import Hindrance, Turns

_ENDED = {State.FAILED: Reason.FAILED, State.SKIPPED: Reason.SKIPPED, State.CANCELLED: Reason.CANCELLED}
_NAMED = 8
"""Targets named in one sentence."""


@dataclass(frozen=True)
class Explanation:
    """Why one task does not run."""

    key: TaskKey
    attempt: int
    reason: Reason
    message: str
    until: datetime | None = None
    """When it goes on by itself, where that is known."""


@dataclass(frozen=True)
class Why:
    """What one pass found of one session."""

    run: Running
    occupants: Occupants
    overall: Hindrance | None = None
    """What keeps every task of it that has not begun."""
    skipped: Mapping[TaskKey, str] = field(default_factory=dict)
    """Tasks that this pass ends unrun, and why."""
    turns: Turns | None = None
    """None: nothing was to start."""

    @cached_property
    def hindered(self) -> Mapping[TaskKey, Hindrance]:
        """What keeps those that could be next on their targets."""
        return self.turns.hindered if self.turns is not None else {}

    def first_before(self, key: TaskKey) -> TaskKey | None:
        """What has not ended of what comes before a task; None: it could be next."""
        planned = self.run.planned.get(key)
        return self.run.reached.missing(planned.standing.needs) if planned is not None else None


def explanations(why: Why) -> Iterator[Explanation]:
    """One for every task that neither runs nor has succeeded, in the plan's order."""
    what_firsts_do: dict[TaskKey, str] = {}
    for state in why.run.states.values():
        first = None if state.state.ended else why.first_before(state.key)
        if first is None or not _told_by_first(why, state):
            found = _explanation(why, state)
            if found is not None:
                yield found
            continue
        if first not in what_firsts_do:
            what_firsts_do[first] = _what_it_does(why, why.run.states[first])
        text = f"comes after {_called(first, state.key)}, {what_firsts_do[first]}"
        yield Explanation(state.key, state.attempt, Reason.WAITS_FOR_TASK, text)


def brief(why: Why) -> tuple[Wait, ...]:
    """What keeps the session's tasks, by reason, with an example of each.

    Nothing in it changes with the time alone, or when a pod makes its ordinary way to running: each change is a write.
    """
    groups: dict[Reason, _Group] = {}
    for pod in why.run.pods:
        reason = _pod_reason(pod)
        state = why.run.states.get(pod.key)
        current = state is not None and state.pod is pod and state.state is State.RUNNING
        if reason in (Reason.PODS_BLOCKED, Reason.POD_STUCK) and current:
            groups.setdefault(reason, _Group(pod.key)).tasks += 1
    _count_those_to_come(why, groups)
    order = sorted(groups, key=list(Reason).index)
    return tuple(_wait(why, reason, groups[reason]) for reason in order[:MAX_WAITS])


@dataclass
class _Group:
    example: TaskKey
    tasks: int = 0


def _count_those_to_come(why: Why, groups: dict[Reason, _Group]) -> None:
    """Tasks that have not begun. Most of them wait for an earlier one, so these are what the others leave."""
    ready = sum(state.state is State.READY for state in why.run.states.values())
    to_come = ready - len(why.skipped)
    if why.overall is not None:
        if to_come:
            example = next(key for key, state in why.run.states.items() if _to_come(why, state))
            groups.setdefault(why.overall.reason, _Group(example)).tasks += to_come
        return
    if why.turns is None:
        return
    for key, hindrance in why.hindered.items():
        if hindrance.reason is not Reason.POD_STARTING:
            groups.setdefault(hindrance.reason, _Group(key)).tasks += 1
    later = to_come - len(why.hindered) - len(why.turns.started)
    if later:
        known = why.hindered.keys() | why.turns.started
        example = next(key for key, state in why.run.states.items() if _to_come(why, state) and key not in known)
        groups.setdefault(Reason.WAITS_FOR_TASK, _Group(example)).tasks += later


def _to_come(why: Why, state: TaskState) -> bool:
    return state.state is State.READY and state.key not in why.skipped


def _wait(why: Why, reason: Reason, group: _Group) -> Wait:
    key = group.example
    if reason is Reason.WAITS_FOR_TASK:
        first = why.first_before(key)
        message = f"comes after {_called(first, key)}" if first is not None else ""
    else:
        told = _explanation(why, why.run.states[key])
        message = told.message if told is not None else ""
    return Wait(reason=reason.value, tasks=group.tasks, task=key.task, target=key.target, message=message)


def _called(first: TaskKey, key: TaskKey) -> str:
    return first.task if first.target == key.target else f"{first.task} on {first.target}"


# ---------------------------------------------------------------- one task


def _told_by_first(why: Why, state: TaskState) -> bool:
    """Whether an earlier task of its target is what it waits for."""
    return why.overall is None and _to_come(why, state)


def _what_it_does(why: Why, first: TaskState) -> str:
    told = _explanation(why, first)
    if told is None:
        return "which runs"
    if told.reason is Reason.POD_STARTING:
        return "which starts"
    return f"which waits: {told.message}"


def _explanation(why: Why, state: TaskState) -> Explanation | None:
    """Of a task that waits for no earlier one; None: it runs, or has succeeded."""
    key, attempt = state.key, state.attempt
    if state.state in _ENDED:
        return Explanation(key, attempt, _ENDED[state.state], _outcome(state))
    if state.state is State.RUNNING and state.pod is not None:
        reason = _pod_reason(state.pod)
        return Explanation(key, attempt, reason, _pod_words(state.pod, reason)) if reason is not None else None
    if state.state in (State.ENDING, State.JUDGED):
        return Explanation(key, attempt, *_between(why, state))
    if state.state is State.READY:
        return _not_begun(why, state)
    return None


def _not_begun(why: Why, state: TaskState) -> Explanation:
    key = state.key
    if key in why.skipped:
        return Explanation(key, state.attempt, Reason.SKIPPED, why.skipped[key])
    hindrance = why.overall or why.hindered.get(key)
    if hindrance is None:
        text = "the operator has just begun, and goes on in a few seconds"
        if why.run.observed.may_create:
            changes = key in why.run.planned and why.run.planned[key].action is not None
            text = "the records are being changed" if changes else "its pod is being made"
        return Explanation(key, state.attempt, Reason.POD_STARTING, text)
    hindrance = _in_words(why, state, hindrance)
    return Explanation(key, state.attempt, hindrance.reason, hindrance.message, hindrance.until)


def _in_words(why: Why, state: TaskState, hindrance: Hindrance) -> Hindrance:
    if hindrance.message:
        return hindrance
    key = state.key
    if hindrance.reason is Reason.WAITS_FOR_WIRE and hindrance.wire is not None:
        occupant = why.occupants.called(hindrance.holder, why.run.session.ref)
        place = hindrance.wire.kind.spoken(hindrance.wire.id)
        return replace(hindrance, message=f"{place} is held by {occupant.words}", until=occupant.until)
    words = {
        Reason.BARRIER: _barrier,
        Reason.FILTER: _filter,
        Reason.RETRY_AT: _retry,
        Reason.WAITS_FOR_POD: _earlier_pod,
    }
    return replace(hindrance, message=words[hindrance.reason](why, key, hindrance))


def _barrier(why: Why, key: TaskKey, _: Hindrance) -> str:
    missing = missing_at(why.run.plan, why.run.states, key.step)
    many = "1 target is" if len(missing) == 1 else f"{len(missing)} targets are"
    names = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
    return f"step {key.step!r} begins when every target is done with the steps before: {many} not ({names})"


def _filter(why: Why, key: TaskKey, _: Hindrance) -> str:
    steps = why.run.plan.steps
    before = steps[: steps.index(key.step)]
    target, name = next(
        (
            (target, one.step)
            for one in why.run.filters
            if one.step in before
            for target in (*why.run.states[key].targets, *why.run.plan.ends.get(key.target, ()))
            if target in one.open
        ),
        (key.target, ""),
    )
    return f"filter {name!r} has not judged {target} yet: the record of its last task is being read"


def _retry(why: Why, key: TaskKey, hindrance: Hindrance) -> str:
    last = why.run.states[key].earlier[-1]
    how = f"was judged {_verdicts(last)}" if judged(last) else f"ended with {last.reason}"
    more = f" ({last.message})" if last.message and not last.members else ""
    at = f" at {hindrance.until:%H:%M:%S} UTC" if hindrance.until is not None else ""
    return f"attempt {last.attempt} {how}{more}: the next one may start{at}"


def _verdicts(row: AttemptRow) -> str:
    """What an attempt was judged; of several members those that are not ok."""
    if not row.members:
        return str(row.verdict or "")
    bad = [f"{one.verdict} on {one.qid}" for one in row.members if one.verdict not in (None, Verdict.OK)]
    return ", ".join(bad[:_NAMED]) + (", ..." if len(bad) > _NAMED else "")


def _earlier_pod(why: Why, key: TaskKey, _: Hindrance) -> str:
    pod = next(pod for pod in why.run.pods if pod.key == key and live(pod))
    if pod.node_lost:
        return pod_trouble.stuck(pod.node, [key.target])
    return f"pod {pod.name} of attempt {pod.attempt} has not ended yet"


def _between(why: Why, state: TaskState) -> tuple[Reason, str]:
    if not why.run.observed.records.available:
        return Reason.RECORDS_UNAVAILABLE, records_unavailable(why.run).message
    if state.ending is not None:
        how = f"ended without a result ({state.ending.reason}: {state.ending.message})"
    else:
        how = f"was judged {_verdicts(state.row) if state.row is not None and state.members else state.verdict}"
    return Reason.RETRY_AT, f"attempt {state.attempt} {how}: what follows is being recorded"


def records_unavailable(run: Running) -> Hindrance:
    """Nothing starts while what comes of it cannot be stored."""
    text = run.observed.records.message.rstrip(".") or "MongoDB cannot be used"
    return Hindrance(Reason.RECORDS_UNAVAILABLE, f"{text}: nothing starts until it can be used")


def _outcome(state: TaskState) -> str:
    reason = state.row.reason if state.row is not None else ""
    bad = next((target for target in state.members if state.on(target) is State.FAILED), "")
    verdict, message = state.verdict_on(bad) if bad else (state.verdict, state.message)
    said = [f"qubit {bad}" if bad else "", str(verdict or ""), message or reason]
    return ": ".join(one for one in said if one)


# ---------------------------------------------------------------- its pod


def _pod_reason(pod: PodView) -> Reason | None:
    """What is to be said of the pod of a current attempt; None: it runs, or has ended."""
    if pod.terminated is not None:
        return None
    if pod.node_lost and pod.holds_wires:
        return Reason.POD_STUCK
    if pod.started_at is not None:
        return None
    return Reason.PODS_BLOCKED if pod.blocked_reason else Reason.POD_STARTING


def _pod_words(pod: PodView, reason: Reason) -> str:
    if reason is Reason.POD_STUCK:
        return pod_trouble.stuck(pod.node, [pod.key.target])
    return pod_trouble.cannot_start(pod) if reason is Reason.PODS_BLOCKED else pod_trouble.starting(pod)
