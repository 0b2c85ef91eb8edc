"""Open sessions: steps come one by one, and whoever appends them may forget to let go.

A session that is open keeps its hardware when nothing is left to do, until steps are appended, ``open`` becomes
false, it says itself how it ended (``outcome``), or it has idled too long.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from kubecal.api.explanation import Reason
from kubecal.api.session_status import Phase
from kubecal.engine.intents import Replan
from kubecal.engine.model import RowStatus
from kubecal.engine.running import Running, end_all
from kubecal.engine.scene import Scene
from kubecal.engine.showing import held_claim, pod_claims, show, standing_of, stored
from kubecal.engine.starting import Hindrance
from kubecal.engine.status import valid

IDLE_TIMEOUT = "IdleTimeout"
OUTCOME = "Outcome"
"""Reason of tasks that were stopped because the session said itself how it ended."""


def extend(scene: Scene, run: Running) -> None:
    """Plan what was appended: before anything of it starts there are rows for it."""
    if not run.record.was_open:
        return
    states = {**run.states, **run.parking}
    new = [task for task in run.plan.tasks if states[task.key].row is None] if run.plan.tasks else []
    if new:
        chip = scene.as_admitted(run.record, run.chip)
        plan = replace(run.plan, tasks=tuple(new), parking=())
        scene.draft.add("replans", Replan(run.session.ref, run.record.execution_id, plan, chip, (), run.record.images))


def stays_open(scene: Scene, run: Running) -> bool:
    """Whether a session of which nothing is left to do waits for more; it then says since when."""
    if not run.spec.open or run.spec.outcome is not None or idled(scene, run):
        return False
    since = _idle_since(scene, run)
    until = since + timedelta(seconds=run.spec.idle_seconds)
    scene.draft.wake(until)
    message = (
        f"open, and nothing to do since {since:%H:%M:%S} UTC: append steps or set spec.open to false; "
        f"it ends at {until:%H:%M:%S} UTC (idleSeconds: {run.spec.idle_seconds})"
    )
    claims = (valid(invalid_steps(run)), held_claim(scene, run.session), stored(scene), *pod_claims(run))
    standing = standing_of(scene, run, Phase.RUNNING, message, claims)
    show(scene, run.session, replace(standing, idle_since=since))
    return True


def idled(scene: Scene, run: Running) -> bool:
    """Whether it has had nothing to do for too long."""
    until = _idle_since(scene, run) + timedelta(seconds=run.spec.idle_seconds)
    return run.spec.open and run.spec.outcome is None and until <= scene.now


def _idle_since(scene: Scene, run: Running) -> datetime:
    return run.session.status.idle_since or scene.now


def stop_for_outcome(scene: Scene, run: Running) -> None:
    """It says itself how it ended: what runs is stopped, what has not begun does not begin."""
    outcome = run.spec.outcome
    assert outcome is not None
    message = f"the session ended itself as {outcome.result}" + (f": {outcome.message}" if outcome.message else "")
    end_all(run, RowStatus.CANCELLED, OUTCOME, message, scene.draft)
    claims = (valid(), held_claim(scene, run.session), stored(scene), *pod_claims(run))
    ended = Hindrance(Reason.CANCELLED, message)
    show(scene, run.session, standing_of(scene, run, Phase.RUNNING, message, claims, ended))


def appended_too_late(scene: Scene, run: Running) -> None:
    """It was coming to its end, its instruments are being parked: what is appended now is not begun any more."""
    message = "it was appended when the session was already coming to its end: apply a session of another name"
    end_all(run, RowStatus.SKIPPED, "TooLate", message, scene.draft)
    claims = (valid(), held_claim(scene, run.session), stored(scene), *pod_claims(run))
    standing = standing_of(scene, run, Phase.RUNNING, message, claims, Hindrance(Reason.SKIPPED, message))
    show(scene, run.session, replace(standing, idle_since=run.session.status.idle_since))


def invalid_steps(run: Running) -> str:
    """What is wrong with appended steps, of which nothing is planned; empty: nothing is."""
    return "; ".join(f"step {name!r} is left out: {why}" for name, why in run.plan.invalid.items())
