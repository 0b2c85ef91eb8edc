"""A session's status as a pure function of what was observed and recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kubecal.api.conditions import ConditionType
from kubecal.api.session_status import Failure, Phase, SessionStatus, StepStatus, Suspension, TaskCounts, WaitingFor
from kubecal.engine.attempts import State, TaskState
from kubecal.engine.conditions import Claimed, merged
from kubecal.engine.filters import Judged
from kubecal.engine.model import Plan, SessionView, TaskKey
from kubecal.engine.spoken import spoken as spoken
from kubecal.engine.why import Why, brief

_FAILURES_SHOWN = 20
_MESSAGE, _FAILURE_MESSAGE = 4096, 300


@dataclass(frozen=True)
class Standing:
    """Everything of a session's status that is not derived from its tasks."""

    phase: Phase
    message: str = ""
    claims: tuple[Claimed, ...] = ()
    waiting_for: WaitingFor | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    suspended: Suspension | None = None
    """None: as it was."""
    idle_since: datetime | None = None
    parking_since: datetime | None = None
    """None: as it was."""
    parking: Mapping[TaskKey, TaskState] = field(default_factory=dict)
    plan: Plan | None = None
    states: Mapping[TaskKey, TaskState] = field(default_factory=dict)
    filters: tuple[Judged, ...] = ()
    """What each filter of the plan made of the targets."""
    why: Why | None = None
    """What keeps its tasks; None: none are planned."""


def session_status(session: SessionView, standing: Standing, now: datetime) -> SessionStatus:
    """The status that should stand on the object now."""
    counts = count_tasks(standing.states)
    ended = counts.succeeded + counts.failed + counts.skipped + counts.cancelled
    record = session.record
    return SessionStatus(
        observed_generation=session.generation,
        execution_id=record.execution_id if record is not None else session.status.execution_id,
        phase=standing.phase,
        progress=f"{ended}/{counts.planned}" if counts.planned else "",
        conditions=merged(session.status.conditions, standing.claims, now, session.generation),
        started_at=standing.started_at or session.status.started_at,
        finished_at=standing.finished_at or session.status.finished_at,
        message=standing.message[:_MESSAGE],
        tasks=counts,
        steps=_steps(standing),
        failures=_failures(standing.states),
        waits=brief(standing.why) if standing.why is not None and not standing.phase.final else (),
        waiting_for=standing.waiting_for,
        suspended=_worth_saying(standing.suspended) or session.status.suspended,
        idle_since=standing.idle_since or (session.status.idle_since if standing.phase.final else None),
        parking_since=standing.parking_since or session.status.parking_since,
    )


def _worth_saying(clock: Suspension | None) -> Suspension | None:
    return clock if clock != Suspension() else None


def count_tasks(states: Mapping[TaskKey, TaskState]) -> TaskCounts:
    """How many tasks are in which state."""
    found = dict.fromkeys(State, 0)
    for state in states.values():
        found[state.state] += 1
    return TaskCounts(
        planned=len(states),
        running=found[State.RUNNING] + found[State.ENDING] + found[State.JUDGED],
        succeeded=found[State.OK],
        failed=found[State.FAILED],
        skipped=found[State.SKIPPED],
        cancelled=found[State.CANCELLED],
    )


@dataclass
class _Tally:
    """What is counted of one step while its tasks are gone through: thousands, in every pass."""

    tasks: Counter[State] = field(default_factory=Counter)
    targets: set[str] = field(default_factory=set)
    lacking: set[str] = field(default_factory=set)
    """Targets on which some task is not ok (yet)."""
    met: set[State] = field(default_factory=set)
    """How tasks stand on targets."""

    def count(self, state: TaskState) -> None:
        self.tasks[state.state] += 1
        for target, its in state.members.items() if state.members else ((state.key.target, state.state),):
            self.targets.add(target)
            self.met.add(its)
            if its is not State.OK:
                self.lacking.add(target)

    def shown(self, name: str) -> StepStatus:
        over = all(state.ended for state in self.met)
        return StepStatus(
            name=name,
            phase="Finished" if over else "Waiting" if self.met == {State.READY} else "Running",
            succeeded=self.tasks[State.OK],
            failed=self.tasks[State.FAILED],
            targets_out=len(self.targets - self.lacking),
        )


def _steps(standing: Standing) -> tuple[StepStatus, ...]:
    plan, states = standing.plan, standing.states
    if plan is None:
        return ()
    tallies: dict[str, _Tally] = {}
    for task in plan.tasks:
        tally = tallies.get(task.key.step)
        if tally is None:
            tally = tallies[task.key.step] = _Tally()
        tally.count(states[task.key])
    shown = [tally.shown(name) for name, tally in tallies.items()]
    shown += map(_filter_status, standing.filters)
    shown.sort(key=lambda step: plan.step_places[step.name])
    return (*shown, *([_parking_status(standing.parking)] if standing.parking else []))


def _parking_status(states: Mapping[TaskKey, TaskState]) -> StepStatus:
    every = [state.state for state in states.values()]
    over = all(state.ended for state in every)
    begun = any(state is not State.READY for state in every)
    return StepStatus(
        name=next(iter(states)).step,
        phase="Finished" if over else "Running" if begun else "Waiting",
        succeeded=every.count(State.OK),
        failed=every.count(State.FAILED),
    )


def _filter_status(judged: Judged) -> StepStatus:
    came = len(judged.passed) + len(judged.dropped)
    phase = "Finished" if not judged.open else "Running" if came else "Waiting"
    return StepStatus(name=judged.step, phase=phase, targets_out=len(judged.passed))


def _failures(states: Mapping[TaskKey, TaskState]) -> tuple[Failure, ...]:
    failed = _failed(states)
    failed.sort(key=lambda pair: _ended_at(pair[0]))
    shown = []
    for state, target in failed[-_FAILURES_SHOWN:]:
        verdict, message = state.verdict_on(target)
        shown.append(
            Failure(
                task=state.key.task,
                target=target,
                attempt=state.attempt_on(target),
                verdict=str(verdict or ""),
                message=message[:_FAILURE_MESSAGE],
            )
        )
    return tuple(shown)


def _failed(states: Mapping[TaskKey, TaskState]) -> list[tuple[TaskState, str]]:
    """Failed tasks, each with what it has failed on; asked of thousands in every pass."""
    return [
        (state, target)
        for state in states.values()
        if state.members or state.state is State.FAILED
        for target in state.targets
        if state.on(target) is State.FAILED
    ]


def _ended_at(state: TaskState) -> float:
    when = state.row.ended_at if state.row is not None else None
    if when is None and state.pod is not None and state.pod.terminated is not None:
        when = state.pod.terminated.seen_at
    return when.timestamp() if when is not None else 0.0


def valid(message: str = "") -> Claimed:
    """The manifest makes sense; with a message: it does not."""
    return Claimed(ConditionType.VALID, not message, "Invalid" if message else "Valid", message)


def chip_held(holds: bool, reason: str, message: str = "") -> Claimed:
    """Whether the session has the chip."""
    return Claimed(ConditionType.CHIP_HELD, holds, reason, message)


def finished(phase: Phase, message: str, reason: str = "") -> Claimed:
    """The session is over, as its phase says or for a reason of its own."""
    return Claimed(ConditionType.FINISHED, True, reason or phase.value, message)


def first_failures(states: Mapping[TaskKey, TaskState]) -> str:
    """One sentence about what failed, for the session's message."""
    failed = _failed(states)
    if not failed:
        return ""
    targets = sorted({target for _, target in failed}, key=lambda t: (len(t), t))
    one, on = failed[0]
    verdict, message = one.verdict_on(on)
    why = message or str(verdict or "")
    rest = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
    return f"failed on {spoken(targets)}: {one.key.task} on {on}: {why}{rest}"
