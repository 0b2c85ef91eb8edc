"""The end of a session: when it has come, what it is called, and what is left to do after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from kubecal.api.explanation import Reason
from kubecal.api.session import Publish
from kubecal.api.session_status import Phase
from kubecal.engine.attempts import State, TaskState, live
from kubecal.engine.failing import failed_targets
from kubecal.engine.filters import failed_by
from kubecal.engine.intents import DeletePod, SettleExecution
from kubecal.engine.model import RowStatus, SessionView
from kubecal.engine.opening import IDLE_TIMEOUT, OUTCOME, idled
from kubecal.engine.parking import not_parked
from kubecal.engine.phases import RECORD_STATUS, Ended, final_phase
from kubecal.engine.running import Running, ended_unrun
from kubecal.engine.scene import Scene
from kubecal.engine.showing import announce, show, standing_of, stored
from kubecal.engine.starting import Hindrance
from kubecal.engine.status import chip_held, count_tasks, finished, first_failures, valid
from kubecal.engine.sweeping import sweep

_UNFINISHED = ("scheduled", "running")
DEADLINE = "DeadlineExceeded"
ALL_FILTERED = "AllFiltered"
"""No target reached the last step."""


def through(run: Running) -> bool:
    """Whether every task but those of parking has ended, its record says so, and no process of it can be left."""
    ended = all(state.state.ended and state.recorded for state in run.states.values())
    lost = any(one.key not in run.parking for one in run.lost)
    something = bool(run.states) or not run.spec.steps
    return something and ended and not run.main_pods_live and not lost


def deadline_message(run: Running) -> str:
    """That the session took too long."""
    return f"not done after {run.spec.deadlines.session_seconds} s (deadlines.sessionSeconds)"


def finish_by_its_tasks(scene: Scene, run: Running) -> None:
    """End a session that is through: what it says itself, its own rules, then its tasks, say how."""
    outcome = run.spec.outcome
    if outcome is not None and outcome.result == "Failed":
        finish(scene, run, outcome.message or "the session ended itself as Failed (spec.outcome)", reason=OUTCOME)
    elif idled(scene, run):
        text = f"nothing to do for {run.spec.idle_seconds} s (idleSeconds): steps that come now need a session anew"
        finish(scene, run, text, reason=IDLE_TIMEOUT, phase=Phase.COMPLETED)
    elif any(row.reason == DEADLINE for row in run.record.rows):
        finish(scene, run, deadline_message(run), reason=DEADLINE)
    elif run.spec.on_target_failure == "StopSession" and failed_targets(run):
        why = first_failures(run.states)
        finish(scene, run, f"stopped at the first failure (onTargetFailure: StopSession): {why}")
    elif failed_by(run.plan, run.filters):
        finish(scene, run, failed_by(run.plan, run.filters))
    elif run.filters and not any(State.OK in map(state.on, state.targets) for state in last_step(run)):
        finish(scene, run, "", reason=ALL_FILTERED if not failed_targets(run) else "")
    else:
        finish(scene, run, "")


def last_step(run: Running) -> list[TaskState]:
    """The tasks of the last step that has any."""
    return [state for key, state in run.states.items() if key.step == run.plan.tasks[-1].key.step]


def finish(
    scene: Scene,
    run: Running,
    failure: str,
    *,
    reason: str = "",
    cancelled: bool = False,
    phase: Phase | None = None,
    released: str = "Released",
) -> None:
    """End it.

    Parameters
    ----------
    failure
        Why it failed as a whole; empty: its tasks decide.
    reason
        Of the condition Finished, where the phase does not say enough.
    phase
        What it is called; None: what its tasks say.
    released
        Why it does not hold the chip any more: reason of the condition ChipHeld.
    """
    failed, own = failed_targets(run), run.plan.own
    mine = len(failed.intersection(own))
    phase = phase or final_phase(Ended(cancelled, failure, len(own), mine, len(failed) - mine))
    message = failure or first_failures(run.states)
    if phase is Phase.CANCELLED:
        message = f"the session was {run.record.cancel_reason}"
    elif phase is Phase.COMPLETED and not failure:
        skipped = sum(state.state is State.SKIPPED for state in run.states.values())
        message = _all_well(len(run.states), skipped)
    if run.spec.publish is Publish.REVIEW and any(state.state is State.OK for state in run.states.values()):
        message = f"{message}; nothing is published yet: have a look, then `kubecal publish {run.record.execution_id}`"
    over = finished(phase, message, reason)
    claims = (valid(), chip_held(False, released), stored(scene), *not_parked(run), over)
    _end_what_is_open(scene, run, message)
    over_now = Hindrance(Reason.SKIPPED, f"the session is over: {message}")
    standing = replace(standing_of(scene, run, phase, message, claims, over_now), finished_at=scene.now)
    if run.record.status in _UNFINISHED:
        scene.draft.add("settle_executions", _settled(scene, run.session, phase, message, run))
    show(scene, run.session, standing, urgent=True)
    scene.released.add(run.session.ref.uid)
    kind = "Normal" if phase in (Phase.COMPLETED, Phase.CANCELLED) else "Warning"
    announce(scene, run.session, kind, over.reason, message)


def _all_well(tasks: int, skipped: int) -> str:
    """What a session says of itself in which nothing failed."""
    if not tasks:
        return "no task was asked for"
    if skipped:
        return f"{tasks - skipped} {'task' if tasks - skipped == 1 else 'tasks'} ok, {skipped} left out by filters"
    return f"all {tasks} tasks ok" if tasks > 1 else "its task is ok"


def _end_what_is_open(scene: Scene, run: Running, message: str) -> None:
    """No row stays open after its session has ended: parking that did not come to run, a session that only waited."""
    for state in (*run.states.values(), *run.parking.values()):
        if state.row is not None and not state.state.ended:
            why = f"the session ended before it: {message}"
            scene.draft.add("settle_rows", ended_unrun(run, state, RowStatus.SKIPPED, "SessionEnded", why))


def over(scene: Scene, session: SessionView) -> None:
    """A final phase stands; the record follows it, and a deleted object is let go."""
    pods = scene.pods_of(session)
    record = session.record
    if record is not None and record.ours and record.status in _UNFINISHED:
        phase = session.status.phase or Phase.FAILED
        scene.draft.add("settle_executions", _settled(scene, session, phase, session.status.message))
        return
    for pod in pods:
        if pod.terminated is None and pod.deleting_since is None:
            scene.draft.add("deletes", DeletePod(pod, "its session is over"))
    if any(map(live, pods)):
        return
    if session.deleted_at is None:
        if record is not None and record.ours:
            sweep(scene, session, record, ended=True)
        _delete_in_time(scene, session)
    elif session.finalized:
        scene.draft.add("remove_finalizer", session.ref)


def _delete_in_time(scene: Scene, session: SessionView) -> None:
    """A finished session goes when its time is over; without ``ttlSecondsAfterFinished`` it stays."""
    ttl = session.spec.ttl_seconds_after_finished if session.spec is not None else None
    if ttl is None or session.status.finished_at is None:
        return
    until = session.status.finished_at + timedelta(seconds=ttl)
    if until > scene.now:
        scene.draft.wake(until)
    else:
        scene.draft.add("delete_sessions", session.ref)


def _settled(
    scene: Scene, session: SessionView, phase: Phase, message: str, run: Running | None = None
) -> SettleExecution:
    tasks = count_tasks(run.states) if run is not None else session.status.tasks
    return SettleExecution(
        ref=session.ref,
        status=RECORD_STATUS[phase],
        phase=phase.value,
        message=message,
        counts=tasks.model_dump(),
        ended_at=session.status.finished_at or scene.now,
    )
