"""A suspended session: running tasks finish, nothing new starts, and its clock stands.

It keeps its chip for ``suspendHoldSeconds`` and then lets others have it; taken up again it queues as if it had just
come. Its clock (``deadlines.sessionSeconds``) stands from the suspension until it holds the chip again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from kubecal.api.explanation import Reason
from kubecal.api.session import SessionSpec
from kubecal.api.session_status import Phase, Suspension
from kubecal.engine.conditions import Claimed
from kubecal.engine.model import SessionView
from kubecal.engine.running import Running
from kubecal.engine.scene import Scene
from kubecal.engine.showing import held_claim, pod_claims, show, standing_of, stored
from kubecal.engine.starting import Hindrance
from kubecal.engine.status import chip_held, valid

RELEASED = "Suspended"
_RESTS = Hindrance(Reason.SUSPENDED, "the session is suspended: set spec.suspend to false")


def clock_of(session: SessionView, now: datetime, *, stands: bool) -> Suspension:
    """The session's clock, as it goes on or stands from now on."""
    known = session.status.suspended or Suspension()
    if stands:
        return known if known.since is not None else Suspension(since=now, seconds=known.seconds)
    if known.since is None:
        return known
    return Suspension(seconds=known.seconds + (now - known.since).total_seconds())


def deadline(started: datetime, spec: SessionSpec, clock: Suspension) -> datetime | None:
    """When its time is over; None while the clock stands."""
    if clock.since is not None:
        return None
    return started + timedelta(seconds=spec.deadlines.session_seconds + clock.seconds)


def rest_on_chip(scene: Scene, run: Running, clock: Suspension) -> None:
    """It holds its chip: for a while, and as long as a pod of it runs."""
    until = (clock.since or scene.now) + timedelta(seconds=run.spec.suspend_hold_seconds)
    busy = sum(run.live_pods.values())
    finish = "1 running task finishes" if busy == 1 else f"{busy} running tasks finish"
    message = f"suspended: {finish}, nothing new starts" if busy else "suspended: nothing starts"
    held = held_claim(scene, run.session)
    if until > scene.now:
        scene.draft.wake(until)
    elif not busy:
        scene.released.add(run.session.ref.uid)
        held = _let_go(run.spec)
    claims = (valid(), held, stored(scene), *pod_claims(run))
    standing = standing_of(scene, run, Phase.SUSPENDED, message, claims, _RESTS)
    show(scene, run.session, replace(standing, suspended=clock))


def rest_in_line(scene: Scene, run: Running) -> None:
    """It does not hold its chip, and does not ask for it."""
    clock = clock_of(run.session, scene.now, stands=True)
    started = run.session.status.started_at is not None
    held = _let_go(run.spec) if started else chip_held(False, RELEASED, "suspended before it held the chip")
    claims = (valid(), held, stored(scene))
    standing = standing_of(scene, run, Phase.SUSPENDED, "suspended: nothing starts", claims, _RESTS)
    show(scene, run.session, replace(standing, suspended=clock))


def _let_go(spec: SessionSpec) -> Claimed:
    text = f"suspended for more than {spec.suspend_hold_seconds} s (suspendHoldSeconds): others may have the chip"
    return chip_held(False, RELEASED, text)
