"""A session on its way to a plan: its chip must be there and valid, its images' tasks known, its manifest make sense.

An invalid session gets no id, no record, no pod.
"""

from __future__ import annotations

from datetime import timedelta

from kubecal.api.session import SessionSpec
from kubecal.api.session_status import Phase
from kubecal.api.targets import Direction
from kubecal.engine.intents import Admission, LookUp
from kubecal.engine.model import ChipView, PlanFacts, SessionView
from kubecal.engine.pinning import awaited, pins
from kubecal.engine.planning import plan_of
from kubecal.engine.scene import Scene
from kubecal.engine.showing import announce, show, stored
from kubecal.engine.sizes import size_problem
from kubecal.engine.status import Standing, chip_held, finished, valid


def unreadable(scene: Scene, session: SessionView) -> None:
    """The object does not parse, and was never planned."""
    fail_unplanned(scene, session, session.spec_problem)


def without_chip(scene: Scene, session: SessionView, spec: SessionSpec, chip: ChipView | None) -> None:
    """People apply both files at once, so a chip that is missing or not valid is waited for."""
    if chip is None:
        problem = f"there is no Chip {spec.chip!r} in namespace {session.ref.namespace!r}"
        _await(scene, session, spec, "ChipNotFound", f"{problem}: apply it")
    else:
        problem = f"Chip {spec.chip!r} is not valid: {scene.chip_problems[chip.uid]}"
        _await(scene, session, spec, "ChipInvalid", f"{problem}: apply it")


def _await(scene: Scene, session: SessionView, spec: SessionSpec, reason: str, problem: str) -> None:
    """What its plan needs is not there as it must be: that may come until ``deadlines.pendingSeconds`` are over."""
    until = session.created_at + timedelta(seconds=spec.deadlines.pending_seconds)
    if until <= scene.now:
        fail_unplanned(scene, session, f"{problem}, then apply this session under another name")
        return
    scene.draft.wake(until)
    claims = (valid(), chip_held(False, reason, problem))
    show(scene, session, Standing(Phase.PENDING, f"waiting for it: {problem}", claims))


def admit(scene: Scene, session: SessionView, spec: SessionSpec, chip: ChipView) -> None:
    """Plan it and have that recorded, or say what is wrong."""
    if session.refusal:
        fail_unplanned(scene, session, session.refusal)
        return
    if not (spec.steps or spec.open):
        # No rule of the kind: an open session of which nothing was asked may be closed, too.
        fail_unplanned(scene, session, "spec.steps is empty: add a step, or open: true to append steps later")
        return
    if scene.chip_problems[chip.uid]:
        # Its owner may correct it, and people apply both files at once.
        without_chip(scene, session, spec, chip)
        return
    if session.facts is None and needs_facts(spec):
        scene.draft.add("look_ups", LookUp(session.ref, spec, chip))
        records = scene.observed.records
        message = "" if records.available else records.message
        show(scene, session, Standing(Phase.PENDING, message, (valid(), chip_held(False, "Waiting"), stored(scene))))
        return
    assert chip.spec is not None
    catalogues = scene.catalogues(chip.spec, chip.namespace)
    missing = awaited(spec, catalogues)
    if missing:
        _await(scene, session, spec, "CatalogueNotReady", missing)
        return
    plan, _ = plan_of(session, spec, chip, catalogues)
    if plan.problems:
        fail_unplanned(scene, session, "; ".join(plan.problems))
        return
    too_large = size_problem(session.ref, spec, chip, plan, scene.now)
    if too_large:
        fail_unplanned(scene, session, too_large)
        return
    if not session.finalized:
        scene.draft.add("add_finalizer", session.ref)
    pinned = pins(plan, chip.spec, catalogues)
    theirs = {name: catalogues.of(name, "") for name in pinned}
    facts = session.facts or PlanFacts()
    scene.draft.add("admissions", Admission(session.ref, plan, spec, chip, facts, pinned, theirs))
    records = scene.observed.records
    claims = (valid(), chip_held(False, "Waiting", "not planned yet"), stored(scene))
    show(scene, session, Standing(Phase.PENDING, "" if records.available else records.message, claims))


def needs_facts(spec: SessionSpec) -> bool:
    """Whether its plan depends on what only the records tell."""
    reanalyses = any(step.reanalyse is not None for step in spec.steps)
    return directs_by_frequency(spec) or bool(spec.source.execution_id) or reanalyses


def directs_by_frequency(spec: SessionSpec) -> bool:
    """Whether the direction of couplings depends on measured frequencies."""
    targets = (spec.targets, *(step.targets for step in spec.steps if step.targets is not None))
    return any(one.couplings is not None and one.couplings.direction is Direction.FREQUENCY for one in targets)


def fail_unplanned(scene: Scene, session: SessionView, problem: str) -> None:
    """End a session that never got a plan; one that is being deleted is let go."""
    if session.deleted_at is not None:
        let_go(scene, session)
        return
    claims = (valid(problem), finished(Phase.FAILED, problem))
    show(scene, session, Standing(Phase.FAILED, problem, claims, finished_at=scene.now), urgent=True)
    announce(scene, session, "Warning", "Invalid", problem)


def let_go(scene: Scene, session: SessionView) -> None:
    """Nothing of it is on record: the object may vanish."""
    if session.finalized:
        scene.draft.add("remove_finalizer", session.ref)
