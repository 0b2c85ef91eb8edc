"""Plans and checks of chips, made once: specs change only with their generation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from kubecal.api.catalogue import Catalogue
from kubecal.api.session import LockScope, SessionSpec
from kubecal.engine.catalogues import Catalogues
from kubecal.engine.chips import chip_problems
from kubecal.engine.model import ChipView, Plan, PlanFacts, PlannedTask, SessionView, TaskKey
from kubecal.engine.plan import plan_session
from kubecal.engine.reach import EVERYTHING, Reach, reach_of

_NOTHING = PlanFacts()


def plan_of(
    session: SessionView, spec: SessionSpec, chip: ChipView, catalogues: Catalogues
) -> tuple[Plan, Mapping[TaskKey, PlannedTask]]:
    """The session's plan on this chip, and its tasks by key."""
    plan = _plan(_PlanKey(session, spec, chip, catalogues))
    return plan, plan.by_key


def reach_of_plan(session: SessionView, spec: SessionSpec, chip: ChipView, catalogues: Catalogues) -> Reach:
    """What the session may ever need of its hardware: with scope Chip all of it, unless it claims no wire at all."""
    reach = _reach(_PlanKey(session, spec, chip, catalogues))
    # One that is open may come to need any wire of its targets, which nobody knows yet.
    if spec.open or (session.record is not None and session.record.was_open):
        return EVERYTHING
    return EVERYTHING if reach and spec.lock.scope is LockScope.CHIP else reach


def problems_of(chip: ChipView, catalogue: Catalogue) -> str:
    """What the catalogue says against a chip; empty: nothing."""
    return _problems(_ChipKey(chip, Catalogues(catalogue)))


class _ChipKey:
    """Equal keys mean equal problems."""

    def __init__(self, chip: ChipView, catalogues: Catalogues) -> None:
        self.chip, self.catalogues = chip, catalogues
        self.identity: tuple[object, ...] = (chip.uid, chip.generation, *catalogues.mark)

    def __hash__(self) -> int:
        return hash(self.identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ChipKey) and self.identity == other.identity


class _PlanKey(_ChipKey):
    """Equal keys mean equal plans."""

    def __init__(self, session: SessionView, spec: SessionSpec, chip: ChipView, catalogues: Catalogues) -> None:
        super().__init__(chip, catalogues)
        self.spec = spec if session.record is None else _within_limits(spec, chip)
        self.facts = (session.record.facts if session.record is not None else session.facts) or _NOTHING
        self.identity = (session.ref.uid, session.generation, self.facts.mark, *self.identity)


def _within_limits(spec: SessionSpec, chip: ChipView) -> SessionSpec:
    """A priority that is raised above the chip's limit after admission counts as the limit: it refuses no plan."""
    most = chip.spec.limits.max_priority if chip.spec is not None else 0
    return spec.model_copy(update={"priority": most}) if spec.priority > most else spec


@lru_cache(maxsize=512)
def _plan(key: _PlanKey) -> Plan:
    if key.chip.spec is None:
        raise ValueError("a chip that does not parse has no plan")
    return plan_session(key.spec, key.chip.name, key.chip.spec, key.catalogues, key.facts)


@lru_cache(maxsize=512)
def _reach(key: _PlanKey) -> Reach:
    plan = _plan(key)
    return reach_of(task.wires for task in plan.by_key.values())


@lru_cache(maxsize=512)
def _problems(key: _ChipKey) -> str:
    return "; ".join(chip_problems(key.chip.spec, key.catalogues.built_in)) if key.chip.spec is not None else ""
