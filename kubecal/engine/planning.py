"""Plans and checks of chips, made once: specs change only with their generation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from kubecal.api.catalogue import Catalogue
from kubecal.api.session import LockScope, SessionSpec
from kubecal.engine.chips import chip_problems
from kubecal.engine.model import ChipView, Plan, PlannedTask, SessionView, TaskKey
from kubecal.engine.plan import plan_session
from kubecal.engine.reach import EVERYTHING, Reach, reach_of


def plan_of(
    session: SessionView, spec: SessionSpec, chip: ChipView, catalogue: Catalogue
) -> tuple[Plan, Mapping[TaskKey, PlannedTask]]:
    """The session's plan on this chip, and its tasks by key."""
    return _plan(_PlanKey(session, spec, chip, catalogue))


def reach_of_plan(session: SessionView, spec: SessionSpec, chip: ChipView, catalogue: Catalogue) -> Reach:
    """What the session may ever need of its hardware."""
    return _reach(_PlanKey(session, spec, chip, catalogue)) if spec.lock.scope is LockScope.TARGETS else EVERYTHING


def problems_of(chip: ChipView, catalogue: Catalogue) -> str:
    """What the catalogue says against a chip; empty: nothing."""
    return _problems(_ChipKey(chip, catalogue))


class _ChipKey:
    """Equal keys mean equal problems."""

    def __init__(self, chip: ChipView, catalogue: Catalogue) -> None:
        self.chip, self.catalogue = chip, catalogue
        self.identity: tuple[object, ...] = (chip.uid, chip.generation, catalogue.hash)

    def __hash__(self) -> int:
        return hash(self.identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ChipKey) and self.identity == other.identity


class _PlanKey(_ChipKey):
    """Equal keys mean equal plans."""

    def __init__(self, session: SessionView, spec: SessionSpec, chip: ChipView, catalogue: Catalogue) -> None:
        super().__init__(chip, catalogue)
        self.spec = spec
        self.identity = (session.ref.uid, session.generation, *self.identity)


@lru_cache(maxsize=512)
def _plan(key: _PlanKey) -> tuple[Plan, Mapping[TaskKey, PlannedTask]]:
    if key.chip.spec is None:
        raise ValueError("a chip that does not parse has no plan")
    plan = plan_session(key.spec, key.chip.name, key.chip.spec, key.catalogue)
    return plan, {task.key: task for task in plan.tasks}


@lru_cache(maxsize=512)
def _reach(key: _PlanKey) -> Reach:
    plan, _ = _plan(key)
    return reach_of(task.wires for task in plan.tasks)


@lru_cache(maxsize=512)
def _problems(key: _ChipKey) -> str:
    return "; ".join(chip_problems(key.chip.spec, key.catalogue)) if key.chip.spec is not None else ""
