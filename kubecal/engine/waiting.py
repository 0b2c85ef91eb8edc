"""A planned session that waits for its hardware, and says for what."""

from __future__ import annotations

from kubecal.api.session import SessionSpec
from kubecal.engine.ending import finish
from kubecal.engine.intents import Replan
from kubecal.engine.model import ChipView, SessionRecord, SessionView
from kubecal.engine.planning import plan_of
from kubecal.engine.scene import Scene
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
    scene.waiting.append(run)


def _plan_anew(scene: Scene, session: SessionView, spec: SessionSpec, record: SessionRecord, chip: ChipView) -> None:
    plan, _ = plan_of(session, spec, chip, scene.observed.catalogue)
    problem = "; ".join(plan.problems) or scene.chip_problems[chip.uid]
    if problem:
        finish(
            scene, scene.running(session, spec, record, chip), f"the chip changed while the session waited: {problem}"
        )
        return
    keep = {task.key for task in plan.tasks}
    # One that was suspended may have come to later attempts; what has ended stays as it ended.
    drop = tuple((row.key, row.attempt) for row in record.rows if row.key not in keep and not row.final)
    scene.draft.add("replans", Replan(session.ref, record.execution_id, plan, chip, drop))
