"""A deleted session whose end cannot be recorded because MongoDB is away: in the end it is let go (rule 8).

Whoever deletes a session, or the namespace it is in, does not wait for a database that may never come back. The record
says that it was cancelled when MongoDB answers again: its object is gone then, and nobody else will end it.
"""

from __future__ import annotations

from datetime import timedelta

from kubecal.engine.attempts import live
from kubecal.engine.intents import DeletePod
from kubecal.engine.model import SessionView
from kubecal.engine.scene import Scene
from kubecal.engine.showing import announce

LET_GO_AFTER_S = 120.0
REASON = "Unrecorded"


def let_go_unrecorded(scene: Scene, session: SessionView) -> bool:
    """Let a deleted session go that has waited for MongoDB long enough; whether it has."""
    records = scene.observed.records
    if records.available or session.deleted_at is None or not session.finalized:
        return False
    if session.record is not None and not session.record.ours:
        return False
    until = (records.since or scene.now) + timedelta(seconds=LET_GO_AFTER_S)
    if until > scene.now:
        scene.draft.wake(until)
        return False
    for pod in scene.pods_of(session):
        # Also of a session whose record was never read: that it is deleted is all that has to be known.
        if live(pod) and pod.deleting_since is None:
            scene.draft.add("deletes", DeletePod(pod, "its session was deleted"))
    if any(map(live, scene.pods_of(session))) or _may_get_a_pod(scene, session):
        return False
    scene.draft.add("remove_finalizer", session.ref)
    text = (
        f"MongoDB has not answered for {LET_GO_AFTER_S:.0f} s: the session is let go, and recorded as cancelled later"
    )
    announce(scene, session, "Warning", REASON, text)
    return True


def _may_get_a_pod(scene: Scene, session: SessionView) -> bool:
    """Whether a create of it has not been answered."""
    return any(one.session_uid == session.ref.uid for one in scene.observed.reservations)
