"""A session that holds its chip, in one pass: attempts end, deadlines pass, tasks start, the end comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from kubecal.api.explanation import Reason
from kubecal.api.session import SessionSpec, TargetFailurePolicy
from kubecal.api.session_status import Phase
from kubecal.engine import pod_trouble
from kubecal.engine.ending import DEADLINE, deadline_message, finish, finish_by_its_tasks, through
from kubecal.engine.failing import failed_targets
from kubecal.engine.intents import SettleExecution
from kubecal.engine.model import ChipView, RowStatus, SessionRecord, SessionView
from kubecal.engine.opening import appended_too_late, extend, invalid_steps, stays_open, stop_for_outcome
from kubecal.engine.parking import parked
from kubecal.engine.running import Running, delete_superseded, end_all, end_attempts
from kubecal.engine.scene import Scene
from kubecal.engine.showing import held_claim, pod_claims, show, standing_of, stored
from kubecal.engine.skipping import skip_after_failures
from kubecal.engine.starting import Hindrance, start_tasks
from kubecal.engine.status import chip_held, count_tasks, first_failures, valid
from kubecal.engine.suspending import clock_of, deadline, rest_on_chip
from kubecal.engine.sweeping import sweep
from kubecal.engine.why import Why, records_unavailable


def drive(scene: Scene, session: SessionView, spec: SessionSpec, record: SessionRecord, chip: ChipView) -> None:
    """Go on with a session that holds the hardware."""
    clock = clock_of(session, scene.now, stands=spec.suspend)
    until = deadline(scene.since(session), spec, clock)
    in_time = until is None or until > scene.now
    run = _as_it_stands(scene, session, spec, record, chip, in_time=in_time)
    if run.record.status == "scheduled":
        scene.draft.add("settle_executions", _started(scene, run))
    if through(run):
        _ended(scene, run, in_time=in_time)
        return
    if not in_time:
        _past_deadline(scene, run)
        return
    scene.draft.wake(until)
    if spec.outcome is not None:
        stop_for_outcome(scene, run)
        return
    if run.changed:
        _let_finish(scene, run)
        return
    extend(scene, run)
    if session.status.parking_since is not None:
        appended_too_late(scene, run)
        return
    end_attempts(run, scene.draft)
    delete_superseded(run, scene.draft)
    sweep(scene, session, record)
    _wake_for_pending(scene, run)
    skipped = skip_after_failures(run, scene.draft)
    if spec.suspend:
        rest_on_chip(scene, run, clock)
        return
    keeps_all = _keeps_all(scene, run)
    turns = None
    if not _in_maintenance(run) and not _creates_blocked(scene, run):
        turns = start_tasks(run, skipped, scene.held, scene.draft)
    message = keeps_all.message if keeps_all is not None and _in_maintenance(run) else first_failures(run.states)
    claims = (valid(invalid_steps(run)), held_claim(scene, run.session), stored(scene), *pod_claims(run))
    standing = standing_of(scene, run, Phase.RUNNING, message, claims)
    why = Why(run, scene.occupants, keeps_all, skipped.tasks, turns)
    show(scene, run.session, replace(standing, suspended=clock, why=why))


def _ended(scene: Scene, run: Running, *, in_time: bool) -> None:
    """All its tasks have ended. How they went for its targets only its plan tells, and that may come back in time."""
    if run.changed and in_time:
        _let_finish(scene, run)
    elif run.changed:
        finish(scene, run, deadline_message(run), reason=DEADLINE)
    # Parking that has begun is brought to its end, unless something was appended meanwhile.
    elif not stays_open(scene, run) and parked(scene, run, Phase.RUNNING):
        finish_by_its_tasks(scene, run)


def _let_finish(scene: Scene, run: Running) -> None:
    """Its tasks are not known any more as they were planned: what runs finishes, nothing starts until they are back."""
    end_attempts(run, scene.draft)
    delete_superseded(run, scene.draft)
    _wake_for_pending(scene, run)
    hindrance = Hindrance(Reason.CATALOGUE_CHANGED, run.changed)
    claims = (valid(run.changed), held_claim(scene, run.session), stored(scene), *pod_claims(run))
    show(scene, run.session, standing_of(scene, run, Phase.RUNNING, run.changed, claims, hindrance))


def _in_maintenance(run: Running) -> bool:
    return run.chip.spec is not None and run.chip.spec.maintenance


def _keeps_all(scene: Scene, run: Running) -> Hindrance | None:
    """Why nothing of the session starts, as it is told to people.

    Refused pods are tried again now and then, and are refused again until somebody does something about it: in the
    passes that try, too, that is what keeps them.
    """
    if _in_maintenance(run):
        text = f"chip {run.chip.name!r} is in maintenance: running tasks finish, nothing new starts"
        return Hindrance(Reason.MAINTENANCE, text)
    if not scene.observed.records.available:
        return records_unavailable(run)
    blocked = scene.observed.blocked.get(run.session.ref.uid)
    if blocked is not None:
        return Hindrance(Reason.PODS_BLOCKED, pod_trouble.refused(blocked), blocked.retry_at)
    return None


def _as_it_stands(
    scene: Scene, session: SessionView, spec: SessionSpec, record: SessionRecord, chip: ChipView, *, in_time: bool
) -> Running:
    """Verdicts are measured again as long as the session is on its way, and has not stopped at a failure."""
    run = scene.running(session, spec, record, chip, retry=spec.retry if in_time else None)
    if spec.on_target_failure is TargetFailurePolicy.STOP_SESSION and failed_targets(run):
        return scene.running(session, spec, record, chip)
    return run


def drain(scene: Scene, run: Running, chip: ChipView | None) -> None:
    """Its chip is gone, or no longer one: running tasks finish, none starts, then the session fails."""
    name = run.spec.chip
    if chip is None:
        reason, message = "ChipDeleted", f"Chip {name!r} was deleted while the session was on it"
    else:
        reason, message = "ChipInvalid", f"Chip {name!r} is not valid any more: {scene.chip_problems[chip.uid]}"
    if through(run):
        finish(scene, run, message, reason=reason, released=reason)
        return
    if run.live_pods:
        end_attempts(run, scene.draft)
    else:
        end_all(run, RowStatus.SKIPPED, reason, message, scene.draft)
    claims = (valid(), chip_held(False, reason, message), stored(scene), *pod_claims(run))
    ended = Hindrance(Reason.SKIPPED, message)
    show(scene, run.session, standing_of(scene, run, Phase.RUNNING, message, claims, ended))


def _past_deadline(scene: Scene, run: Running) -> None:
    message = deadline_message(run)
    end_all(run, RowStatus.CANCELLED, DEADLINE, message, scene.draft)
    claims = (valid(), held_claim(scene, run.session), stored(scene), *pod_claims(run))
    ended = Hindrance(Reason.CANCELLED, message)
    show(scene, run.session, standing_of(scene, run, Phase.RUNNING, message, claims, ended))


def _creates_blocked(scene: Scene, run: Running) -> bool:
    blocked = scene.observed.blocked.get(run.session.ref.uid)
    if blocked is None or blocked.retry_at <= scene.now:
        return False
    scene.draft.wake(blocked.retry_at)
    return True


def _wake_for_pending(scene: Scene, run: Running) -> None:
    pending_s = run.spec.deadlines.pending_seconds
    for pod in run.pods:
        if pod.terminated is None and pod.started_at is None and pod.deleting_since is None:
            scene.draft.wake(pod.created_at + timedelta(seconds=pending_s))


def _started(scene: Scene, run: Running) -> SettleExecution:
    return SettleExecution(
        ref=run.session.ref,
        status="running",
        phase=Phase.RUNNING.value,
        message="",
        counts=count_tasks(run.states).model_dump(),
        started_at=scene.since(run.session),
    )
