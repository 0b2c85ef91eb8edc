"""Filters: which targets go on to the steps that follow.

A target is judged when all its tasks before the filter have ended and their records were read; nothing of it
starts behind the filter before that. One that does not pass has not failed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kubecal.api.steps import Filter, OnEmpty
from kubecal.engine.attempts import State, TaskState
from kubecal.engine.model import Plan, TaskKey

FILTERED = "Filtered"
"""Reason of tasks that a filter left out."""


@dataclass
class Judged:
    """What a filter made of the targets that came to it."""

    step: str
    on_empty: OnEmpty
    passed: list[str] = field(default_factory=list)
    dropped: dict[str, str] = field(default_factory=dict)
    """Why not, by target."""
    open: list[str] = field(default_factory=list)
    """Not judged yet."""

    @property
    def empty(self) -> bool:
        """Whether every target came, and none passed."""
        return not self.passed and not self.open


def judge_filters(plan: Plan, states: Mapping[TaskKey, TaskState]) -> tuple[Judged, ...]:
    """Every filter of the plan, in its order. A target that one has dropped does not come to the next."""
    place = plan.step_places
    out: set[str] = set()
    found = []
    for step, wanted in plan.filters.items():
        judged = Judged(step, wanted.on_empty)
        for target, chain in plan.chains.items():
            before = [states[key] for key in chain if place[key.step] < place[step]]
            if target in out or not before:
                continue
            if not all(state.state.ended and state.recorded for state in before):
                judged.open.append(target)
                continue
            why = _why_not(wanted, before)
            if why:
                judged.dropped[target] = why
                out.add(target)
            else:
                judged.passed.append(target)
        found.append(judged)
    return tuple(found)


def left_out(plan: Plan, filters: Sequence[Judged]) -> dict[TaskKey, str]:
    """Tasks that will not run because of a filter, and why."""
    place = plan.step_places
    found: dict[TaskKey, str] = {}
    for judged in filters:
        nobody = judged.empty and judged.on_empty is not OnEmpty.SKIP
        for target, chain in plan.chains.items():
            why = judged.dropped.get(target, "")
            if not why and nobody:
                why = "no target passed"
            if why:
                behind = (key for key in chain if place[key.step] > place[judged.step])
                found |= {key: f"filter {judged.step}: {why}" for key in behind if key not in found}
    return found


def undecided(plan: Plan, filters: Sequence[Judged]) -> frozenset[TaskKey]:
    """Tasks behind a filter that has not judged their target yet."""
    place = plan.step_places
    return frozenset(
        key
        for judged in filters
        for target in judged.open
        for key in plan.chains[target]
        if place[key.step] > place[judged.step]
    )


def failed_by(filters: Sequence[Judged]) -> str:
    """Why the session fails because of a filter nothing passed; empty: it does not."""
    for judged in filters:
        if judged.empty and judged.on_empty is OnEmpty.FAIL:
            why = next(iter(judged.dropped.values()), "no target came so far")
            return f"no target passed filter {judged.step!r} (onEmpty: Fail): {why}"
    return ""


def _why_not(wanted: Filter, before: Sequence[TaskState]) -> str:
    if wanted.status:
        failed = next((state for state in before if state.state is not State.OK), None)
        return f"{failed.key.task} has not succeeded" if failed is not None else ""
    value = _last(wanted.metric, before)
    if value is None:
        return f"there is no {wanted.metric}"
    if wanted.min is not None and value < wanted.min:
        return f"{wanted.metric} is {value:.6g}, below {wanted.min:g}"
    if wanted.max is not None and value > wanted.max:
        return f"{wanted.metric} is {value:.6g}, above {wanted.max:g}"
    return ""


def _last(metric: str, before: Sequence[TaskState]) -> float | None:
    for state in reversed(before):
        if state.row is not None and metric in state.row.numbers:
            return state.row.numbers[metric]
    return None
