"""What is said of a session in a pass: its standing, its conditions, its Events."""

from __future__ import annotations

from kubecal.api.conditions import ConditionType
from kubecal.api.session_status import Phase
from kubecal.engine import pod_trouble
from kubecal.engine.conditions import Claimed
from kubecal.engine.intents import Announcement, StatusPatch
from kubecal.engine.model import SessionView
from kubecal.engine.running import Running
from kubecal.engine.scene import Scene
from kubecal.engine.starting import Hindrance
from kubecal.engine.status import Standing, chip_held, session_status
from kubecal.engine.why import Why


def show(scene: Scene, session: SessionView, standing: Standing, *, early: bool = False, urgent: bool = False) -> None:
    """Patch the status where it is not yet as it should be; a change of phase or condition is urgent."""
    scene.standings[session.ref.uid] = standing
    status = session_status(session, standing, scene.now)
    if status == session.status:
        return
    told = {c.type: (c.status, c.reason) for c in session.status.conditions}
    changed = status.phase is not session.status.phase or told != {
        c.type: (c.status, c.reason) for c in status.conditions
    }
    scene.draft.add("status_patches", StatusPatch(session.ref, status, early, urgent or changed))


def announce(scene: Scene, session: SessionView, kind: str, reason: str, message: str) -> None:
    """Say it in an Event."""
    scene.draft.add("announcements", Announcement(session.ref, kind, reason, message))


def standing_of(
    scene: Scene,
    run: Running,
    phase: Phase,
    message: str,
    claims: tuple[Claimed, ...],
    overall: Hindrance | None = None,
) -> Standing:
    """The standing of an admitted session; ``overall`` is what keeps every task of it that has not begun."""
    held = scene.holder(run.session) is not None
    started = scene.since(run.session) if held or phase.final else None
    why = Why(run, scene.occupants, overall)
    return Standing(
        phase,
        message,
        claims,
        started_at=started,
        plan=run.plan,
        states=run.states,
        filters=run.filters,
        parking=run.parking,
        why=why,
    )


def stored(scene: Scene) -> Claimed:
    """Whether results can be stored."""
    records = scene.observed.records
    if records.available and scene.observed.unwritten is not None:
        records = scene.observed.unwritten
    reason = "Stored" if records.available else records.reason or "Unreachable"
    return Claimed(ConditionType.RESULTS_STORED, records.available, reason, records.message)


def held_claim(scene: Scene, session: SessionView) -> Claimed:
    """Whether the session holds its chip."""
    holds = scene.holder(session) is not None
    return chip_held(holds, "Held" if holds else "Waiting")


def pod_claims(run: Running) -> tuple[Claimed, Claimed]:
    """PodsBlocked and PodStuck."""
    return _blocked(run), _stuck(run)


def _blocked(run: Running) -> Claimed:
    refused = run.observed.blocked.get(run.session.ref.uid)
    if refused is not None:
        return Claimed(ConditionType.PODS_BLOCKED, True, refused.reason, pod_trouble.refused(refused))
    waiting = [pod for pod in run.pods if pod.terminated is None and pod.blocked_reason]
    if not waiting:
        return Claimed(ConditionType.PODS_BLOCKED, False, "PodsStart")
    pod = waiting[0]
    text = pod_trouble.cannot_start(pod) + (f" ({len(waiting)} pods in all)" if len(waiting) > 1 else "")
    return Claimed(ConditionType.PODS_BLOCKED, True, pod.blocked_reason, text)


def _stuck(run: Running) -> Claimed:
    lost = [pod for pod in run.pods if pod.node_lost and pod.holds_wires]
    if not lost:
        return Claimed(ConditionType.POD_STUCK, False, "PodsAnswer")
    text = pod_trouble.stuck(lost[0].node, sorted({pod.key.target for pod in lost}))
    return Claimed(ConditionType.POD_STUCK, True, "NodeLost", text)
