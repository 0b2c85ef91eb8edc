"""Cancelling: intent stored, then pods deleted, then none left, then Cancelled in record and status."""

from __future__ import annotations

from kubecal.api.explanation import Reason
from kubecal.api.session import SessionSpec
from kubecal.api.session_status import Phase
from kubecal.engine.admission import let_go
from kubecal.engine.ending import finish, finish_by_its_tasks, through
from kubecal.engine.intents import CancelIntent, SettleRow
from kubecal.engine.model import RowStatus, SessionView
from kubecal.engine.parking import parked
from kubecal.engine.running import end_all
from kubecal.engine.scene import Scene
from kubecal.engine.showing import held_claim, pod_claims, show, standing_of, stored
from kubecal.engine.starting import Hindrance
from kubecal.engine.status import Standing, finished, valid


def to_cancel(session: SessionView) -> bool:
    """Whether somebody asked for it, now or before this driver began."""
    asked = session.record is not None and session.record.cancel_requested
    return session.deleted_at is not None or asked or (session.spec is not None and session.spec.cancel)


def cancel(scene: Scene, session: SessionView, spec: SessionSpec) -> None:
    """The next thing to do about a session that is to be cancelled."""
    reason = "deleted" if session.deleted_at is not None else session.cancel_reason or "cancelled by spec.cancel"
    record = session.record
    if record is None:
        _cancel_unplanned(scene, session, reason)
        return
    run = scene.running(session, spec, record, scene.chip_of(session, spec, record))
    if through(run) and not parked(scene, run, Phase.CANCELLING):
        return
    if through(run) and record.cancel_requested:
        finish(scene, run, "", cancelled=True)
        return
    if through(run) and not spec.open:
        # Asked for after the last task had ended: what came out stands.
        finish_by_its_tasks(scene, run)
        return
    if not record.cancel_requested:
        scene.draft.add("cancels", CancelIntent(session.ref, reason))
    end_all(run, RowStatus.CANCELLED, "Cancelled", f"the session was {record.cancel_reason or reason}", scene.draft)
    claims = (valid(), held_claim(scene, session), stored(scene), *pod_claims(run))
    message = f"{reason}: waiting for {run.main_pods_live} pods to stop"
    ended = Hindrance(Reason.CANCELLED, f"the session was {reason}")
    standing = standing_of(scene, run, Phase.CANCELLING, message, claims, ended)
    show(scene, session, standing, early=session.status.phase is not Phase.CANCELLING)


def _cancel_unplanned(scene: Scene, session: SessionView, reason: str) -> None:
    if session.deleted_at is not None:
        let_go(scene, session)
        return
    message = f"{reason} before it was planned"
    claims = (valid(), finished(Phase.CANCELLED, message))
    show(scene, session, Standing(Phase.CANCELLED, message, claims, finished_at=scene.now), urgent=True)


def stop_unreadable(scene: Scene, session: SessionView) -> None:
    """Its object does not parse any more: what was planned is brought to an end, by what is on record of it."""
    record = session.record
    if record is None or record.spec is None:
        return
    spec = record.spec()
    run = scene.running(session, spec, record, scene.chip_of(session, spec, record))
    problem = f"the session's object cannot be read any more: {session.spec_problem}"
    # What was appended later is not in the manifest that is on record.
    others = [row for row in record.rows if not row.final and row.key not in {*run.states, *run.parking}]
    if through(run) and not others:
        finish(scene, run, problem, reason="Unreadable")
        return
    for row in others:
        end = SettleRow(session.ref, row.key, row.attempt, RowStatus.CANCELLED, None, "Unreadable", problem)
        scene.draft.add("settle_rows", end)
    end_all(run, RowStatus.CANCELLED, "Unreadable", problem, scene.draft)
    claims = (valid(session.spec_problem), held_claim(scene, session), stored(scene), *pod_claims(run))
    ended = Hindrance(Reason.CANCELLED, problem)
    show(scene, session, standing_of(scene, run, Phase.RUNNING, problem, claims, ended))
