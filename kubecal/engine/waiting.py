"""A planned session that waits for its hardware, and says for what."""

from __future__ import annotations

from kubecal.api.session import SessionSpec
from kubecal.engine.ending import finish
from kubecal.engine.intents import Replan
from kubecal.engine.model import AttemptRow, ChipView, Plan, SessionRecord, SessionView
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
    if chip.spec is None:
        return
    plan, _ = plan_of(session, spec, chip, scene.catalogues(chip.spec, chip.namespace))
    problem = "; ".join(plan.problems) or scene.chip_problems[chip.uid]
    if problem:
        finish(
            scene, scene.running(session, spec, record, chip), f"the chip changed while the session waited: {problem}"
        )
        return
    # One that was suspended may have come to later attempts; what has ended stays as it ended.
    drop = tuple(
        (row.key, row.attempt, members)
        for row in record.rows
        if not row.final and (members := _no_longer(row, plan)) is not None
    )
    scene.draft.add("replans", Replan(session.ref, record.execution_id, plan, chip, drop))


def _no_longer(row: AttemptRow, plan: Plan) -> tuple[str, ...] | None:
    """What of an attempt is not planned any more: some members, or all of it (empty); None: nothing."""
    planned = plan.by_key.get(row.key)
    if planned is None:
        return ()
    gone = tuple(one.qid for one in row.members if one.qid not in planned.members)
    return gone or None
