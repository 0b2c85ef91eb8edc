"""A planned session that waits for its hardware, and says for what."""

from __future__ import annotations

from dataclasses import replace

from kubecal.api.session import Phase, SessionSpec, WaitingFor
from kubecal.engine.ending import finish
from kubecal.engine.model import ChipView, Replan, SessionRecord, SessionView
from kubecal.engine.planning import plan_of
from kubecal.engine.scene import Scene
from kubecal.engine.showing import show, standing_of, stored
from kubecal.engine.status import chip_held, valid
from kubecal.engine.suspending import rest_in_line


def wait(scene: Scene, session: SessionView, spec: SessionSpec, record: SessionRecord, chip: ChipView) -> None:
    """Queued; what changed of the chip meanwhile is planned anew before it may be held."""
    if record.chip_generation != chip.generation:
        _plan_anew(scene, session, spec, record, chip)
        return
    run = scene.running(session, spec, record, chip)
    if spec.suspend:
        rest_in_line(scene, run)
        return
    scene.waiting.append((session, chip))
    reason, message, waiting_for = _waits_for(scene, session, chip)
    claims = (valid(), chip_held(False, reason, message), stored(scene))
    standing = standing_of(scene, run, Phase.QUEUED, message, claims)
    show(scene, session, replace(standing, waiting_for=waiting_for))


def _plan_anew(scene: Scene, session: SessionView, spec: SessionSpec, record: SessionRecord, chip: ChipView) -> None:
    plan, _ = plan_of(session, spec, chip, scene.observed.catalogue)
    problem = "; ".join(plan.problems) or scene.chip_problems[chip.uid]
    if problem:
        finish(
            scene, scene.running(session, spec, record, chip), f"the chip changed while the session waited: {problem}"
        )
        return
    keep = {task.key for task in plan.tasks}
    drop = tuple(sorted({row.key for row in record.rows} - keep))
    scene.draft.add("replans", Replan(session.ref, record.execution_id, plan, chip, drop))


def _waits_for(scene: Scene, session: SessionView, chip: ChipView) -> tuple[str, str, WaitingFor | None]:
    if chip.spec is not None and chip.spec.maintenance:
        return "Maintenance", f"chip {chip.name!r} is in maintenance: nothing new starts", None
    if scene.holders:
        holder = scene.holders[0].holder
        text = f"waits for session {holder.session}, which holds the chip"
        known = session.status.waiting_for
        since = known.since if known is not None and known.session == holder.session else scene.now
        return "Held", text, WaitingFor(session=holder.session, since=since)
    if scene.observed.local_holder:
        return "HeldLocally", f"the instruments are held by {scene.observed.local_holder}", None
    return "Waiting", "waits for its turn", None
