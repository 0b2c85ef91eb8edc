"""A planned session that waits for its hardware, and says for what."""

from __future__ import annotations

from kubecal.api.explanation import Reason
from kubecal.api.session import SessionSpec
from kubecal.api.session_status import Phase
from kubecal.engine.catalogues import Catalogues
from kubecal.engine.driving import drain
from kubecal.engine.ending import finish, finish_by_its_tasks, through
from kubecal.engine.intents import Replan
from kubecal.engine.model import AttemptRow, ChipView, PinnedImage, Plan, SessionRecord, SessionView
from kubecal.engine.opening import stop_for_outcome
from kubecal.engine.pinning import awaited, pins
from kubecal.engine.planning import plan_of
from kubecal.engine.running import Running, end_attempts
from kubecal.engine.scene import Scene
from kubecal.engine.showing import show, standing_of, stored
from kubecal.engine.starting import Hindrance
from kubecal.engine.status import chip_held, valid
from kubecal.engine.suspending import rest_in_line


def wait(scene: Scene, session: SessionView, spec: SessionSpec, record: SessionRecord, chip: ChipView) -> None:
    """Queued; what changed of the chip or its tasks meanwhile is planned anew before it may be held."""
    assert chip.spec is not None
    catalogues = scene.catalogues(chip.spec, chip.namespace)
    run = scene.running(session, spec, record, chip)
    if spec.outcome is not None and not run.changed:
        # It ends itself: for that it need not wait for its turn.
        if through(run):
            finish_by_its_tasks(scene, run)
        else:
            stop_for_outcome(scene, run)
        return
    missing = awaited(spec, catalogues) or (run.changed if _has_begun(record) else "")
    if missing and not spec.suspend:
        _wait_for_tasks(scene, run, missing)
    elif _made_again(record, chip) and _has_begun(record):
        drain(scene, run, None)
    elif not missing and (run.changed or record.chip_generation != chip.generation or _made_again(record, chip)):
        _plan_anew(scene, run, chip, catalogues)
    else:
        # What was lost while the session was suspended keeps its wires until it is given up, and whoever holds the
        # hardware now may need them: each would wait for the other.
        end_attempts(run, scene.draft)
        if spec.suspend:
            rest_in_line(scene, run)
        else:
            scene.waiting.append(run)


def _made_again(record: SessionRecord, chip: ChipView) -> bool:
    """Whether the chip was deleted, and another one of its name has come."""
    return bool(record.chip_uid) and record.chip_uid != chip.uid


def _has_begun(record: SessionRecord) -> bool:
    """Whether it held the chip before: then it goes on with the tasks it began with, or not at all."""
    return record.status != "scheduled"


def _wait_for_tasks(scene: Scene, run: Running, missing: str) -> None:
    """It does not ask for hardware that it could do nothing with."""
    claims = (valid(missing), chip_held(False, "CatalogueNotReady", missing), stored(scene))
    hindrance = Hindrance(Reason.CATALOGUE_CHANGED, missing)
    show(scene, run.session, standing_of(scene, run, Phase.QUEUED, missing, claims, hindrance))


def _plan_anew(scene: Scene, run: Running, chip: ChipView, catalogues: Catalogues) -> None:
    session, record = run.session, run.record
    assert chip.spec is not None
    plan, _ = plan_of(session, run.spec, chip, catalogues)
    problem = "; ".join(plan.problems) or scene.chip_problems[chip.uid]
    if problem:
        changed = record.chip_generation != chip.generation or _made_again(record, chip)
        what = "the chip" if changed else "a catalogue"
        finish(scene, run, f"{what} changed while the session waited: {problem}")
        return
    # One that was suspended may have come to later attempts; what has ended stays as it ended.
    drop = tuple(
        (row.key, row.attempt, members)
        for row in record.rows
        if not row.final and (members := _no_longer(row, plan)) is not None
    )
    built_in = PinnedImage(scene.observed.image, catalogues.built_in.hash)
    images = pins(plan, chip.spec, catalogues)
    scene.draft.add("replans", Replan(session.ref, record.execution_id, plan, chip, drop, images, built_in))


def _no_longer(row: AttemptRow, plan: Plan) -> tuple[str, ...] | None:
    """What of an attempt is not planned any more: some members, or all of it (empty); None: nothing."""
    planned = plan.by_key.get(row.key)
    if planned is None:
        return ()
    gone = tuple(one.qid for one in row.members if one.qid not in planned.members)
    return gone or None
