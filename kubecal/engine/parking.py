"""Leaving the instruments safe: what runs last in any case, after success, failure, cancellation and deletion.

Parking begins when nothing else of the session runs or will run any more, and only where the session has driven
something and still holds the hardware: what it let go of is somebody else's by now. It has a time of its own, which
neither cancelling nor the session's deadline shortens. What becomes of it changes no phase: the condition NotParked
tells.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from kubecal.api.conditions import ConditionType
from kubecal.api.session_status import Phase
from kubecal.engine.attempts import State
from kubecal.engine.conditions import Claimed
from kubecal.engine.intents import DeletePod
from kubecal.engine.model import Plan, RowStatus
from kubecal.engine.planned import PARKING
from kubecal.engine.running import Running, delete_superseded, end_attempts, ended_unrun
from kubecal.engine.scene import Scene
from kubecal.engine.showing import held_claim, pod_claims, show, standing_of, stored
from kubecal.engine.skipping import Skipped
from kubecal.engine.starting import start_tasks
from kubecal.engine.status import spoken, valid

TIMEOUT = "ParkingTimeout"
"""Reason of parking tasks that were given up."""


def parked(scene: Scene, run: Running, phase: Phase) -> bool:
    """Whether the session may be finished; until then this goes on with parking, and says so.

    Parameters
    ----------
    phase
        In which the session is meanwhile: Running or Cancelling.
    """
    if not run.parking or _done(run) or scene.holder(run.session) is None or not _has_driven(run):
        return True
    since = run.session.status.parking_since or scene.now
    until = since + timedelta(seconds=run.plan.parking_s)
    if until > scene.now:
        scene.draft.wake(until)
        _go_on(scene, run)
    else:
        _give_up(scene, run)
    _tell(scene, run, phase, since)
    return False


def not_parked(run: Running) -> tuple[Claimed, ...]:
    """The condition NotParked, for a session whose parking is over; none where it has no parking."""
    if not run.parking:
        return ()
    if not _done(run):
        return (Claimed(ConditionType.NOT_PARKED, True, "NotRun", _unparked_words(run)),)
    failed = [(state, target) for state in run.parking.values() for target in state.targets]
    failed = [(state, target) for state, target in failed if state.on(target) is not State.OK]
    if not failed:
        return (Claimed(ConditionType.NOT_PARKED, False, "Parked"),)
    late = any(state.row is not None and state.row.reason == TIMEOUT for state, _ in failed)
    where = spoken(sorted({target for _, target in failed}, key=lambda target: (len(target), target)))
    _, why = failed[0][0].verdict_on(failed[0][1])
    text = f"{failed[0][0].key.task} did not succeed on {where}: {why or 'see its record'}: make sure that it is safe"
    return (Claimed(ConditionType.NOT_PARKED, True, "Timeout" if late else "Failed", text),)


def _unparked_words(run: Running) -> str:
    if not _has_driven(run):
        return "nothing was driven, so nothing was parked"
    return "the session did not hold the chip any more at its end: whoever had it next has it as it was left"


def _done(run: Running) -> bool:
    over = all(state.state.ended and state.recorded for state in run.parking.values())
    return over and not any(key in run.parking for key in run.live_pods)


def _has_driven(run: Running) -> bool:
    """Whether any pod of it came as far as to claim its attempt, or may have."""
    claimed = any(row.claimed_by is not None for row in run.record.rows)
    return claimed or any(pod.key in run.states for pod in run.pods)


def _alone(run: Running) -> Running:
    """The session as if parking were all there is of it."""
    plan = Plan(tasks=run.plan.parking, chains={}, steps=(PARKING,))
    return replace(run, plan=plan, states=run.parking, parking={})


def _go_on(scene: Scene, run: Running) -> None:
    """Failures stop nothing here: what can be parked is parked."""
    alone = _alone(run)
    end_attempts(alone, scene.draft)
    delete_superseded(run, scene.draft)
    start_tasks(alone, Skipped(), scene.held, scene.draft)


def _give_up(scene: Scene, run: Running) -> None:
    message = f"parking was not done after {run.plan.parking_s:.0f} s (spec.parking.seconds)"
    for pod in run.pods:
        if pod.key in run.parking and pod.terminated is None and pod.deleting_since is None:
            scene.draft.add("deletes", DeletePod(pod, message))
    for state in run.parking.values():
        if state.read:
            scene.draft.add("read_rows", (run.session.ref, state.key, state.attempt))
        elif not state.state.ended and state.key not in run.live_pods:
            scene.draft.add("settle_rows", ended_unrun(run, state, RowStatus.CANCELLED, TIMEOUT, message))


def _tell(scene: Scene, run: Running, phase: Phase, since: datetime) -> None:
    done = sum(state.state.ended for state in run.parking.values())
    message = f"parking: {done} of {len(run.parking)} tasks are done"
    claims = (valid(), held_claim(scene, run.session), stored(scene), *pod_claims(run))
    standing = standing_of(scene, run, phase, message, claims)
    early = phase is Phase.CANCELLING and run.session.status.phase is not Phase.CANCELLING
    # That it has idled too long, which is why it ends, must not be forgotten meanwhile.
    kept = replace(standing, parking_since=since, idle_since=run.session.status.idle_since)
    show(scene, run.session, kept, early=early)
