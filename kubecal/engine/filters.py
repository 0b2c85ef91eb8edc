"""Filters: which targets go on to the steps that follow.

A target is judged when all its tasks before the filter have ended and their records were read; nothing of it
starts behind the filter before that. One that does not pass has not failed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from kubecal.api.steps import Filter, OnEmpty
from kubecal.engine.attempts import State, TaskState
from kubecal.engine.model import AttemptRow, MemberRow, Plan, TaskKey

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


Part = tuple[TaskKey, str]
"""A task on one of the targets that it judges: of a MUX or batch task one qubit, else the whole of it."""


def judge_filters(plan: Plan, states: Mapping[TaskKey, TaskState]) -> tuple[Judged, ...]:
    """Every filter of the plan, in its order. A target that one has dropped does not come to the next."""
    if not plan.filters:
        return ()
    place = plan.step_places
    # A coupling goes with its qubits, so these are judged first.
    chains = sorted(plan.chains.items(), key=lambda item: item[0] in plan.ends)
    out: set[str] = set()
    found = []
    for step, wanted in plan.filters.items():
        judged = Judged(step, wanted.on_empty)
        for target, chain in chains:
            if _gone(target, plan, out):
                continue
            if target in plan.unjudged.get(step, ()):
                judged.passed.append(target)
            if target not in plan.judges[step]:
                continue
            before = [states[key] for key in chain if place[key.step] < place[step]]
            if not all(state.on(target).ended and state.recorded for state in before):
                judged.open.append(target)
                continue
            why = _why_not(wanted, before, target)
            if why:
                judged.dropped[target] = why
                out.add(target)
            else:
                judged.passed.append(target)
        found.append(judged)
    return tuple(found)


def _gone(target: str, plan: Plan, out: Collection[str]) -> bool:
    """Whether it was dropped, or is a coupling of a qubit that was."""
    return target in out or any(qubit in out for qubit in plan.ends.get(target, ()))


def left_out(plan: Plan, filters: Sequence[Judged]) -> dict[Part, str]:
    """What will not run because of a filter, and why: tasks, each on one of the targets that it judges."""
    place = plan.step_places
    found: dict[Part, str] = {}
    out: set[str] = set()
    for judged in filters:
        out |= judged.dropped.keys()
        nobody = _empty_from(plan, judged, out)
        for target, chain in plan.chains.items():
            why = _dropped(target, plan, judged)
            for key in chain:
                behind = place[key.step] > place[judged.step]
                reason = why if why and behind else nobody[1] if place[key.step] > nobody[0] else ""
                if reason and (key, target) not in found:
                    found[key, target] = f"filter {judged.step}: {reason}"
    return found


def _dropped(target: str, plan: Plan, judged: Judged) -> str:
    if target in judged.dropped:
        return judged.dropped[target]
    return next((judged.dropped[qubit] for qubit in plan.ends.get(target, ()) if qubit in judged.dropped), "")


def _empty_from(plan: Plan, judged: Judged, out: Collection[str]) -> tuple[int, str]:
    """Behind which step, by its place, nothing follows because no target is left, and in which words.

    Where nobody passed that is the filter; where qubits passed, but no two of them are coupled, it is the first step
    about the couplings that are left. ``out`` are those that this filter, or one before it, has dropped.
    """
    never = (len(plan.steps), "")
    if judged.on_empty is OnEmpty.SKIP or judged.open:
        return never
    if judged.empty:
        return plan.step_places[judged.step], "no target passed"
    behind = [step for step in plan.auto if plan.step_places[step] > plan.step_places[judged.step]]
    for step in sorted(behind, key=plan.step_places.__getitem__):
        couplings = plan.couplings_by_step.get(step, ())
        if couplings and all(_gone(target, plan, out) for target in couplings):
            return plan.step_places[step], f"no two targets that passed are coupled (step {step})"
    return never


def undecided(plan: Plan, filters: Sequence[Judged]) -> frozenset[TaskKey]:
    """Tasks behind a filter that has not judged their target, or a qubit of it, yet."""
    place = plan.step_places
    found: set[TaskKey] = set()
    for judged in filters:
        if not judged.open:
            continue
        waiting = frozenset(judged.open)
        for target, chain in plan.chains.items():
            if target in waiting or any(qubit in waiting for qubit in plan.ends.get(target, ())):
                found.update(key for key in chain if place[key.step] > place[judged.step])
    return frozenset(found)


def failed_by(plan: Plan, filters: Sequence[Judged]) -> str:
    """Why the session fails because of a filter nothing passed; empty: it does not."""
    out: set[str] = set()
    for judged in filters:
        out |= judged.dropped.keys()
        place, _ = _empty_from(plan, judged, out)
        if judged.on_empty is OnEmpty.FAIL and place < len(plan.steps):
            why = next(iter(judged.dropped.values()), "no target came so far")
            return f"filter {judged.step!r} left nothing for the steps behind it (onEmpty: Fail): {why}"
    return ""


def _why_not(wanted: Filter, before: Sequence[TaskState], target: str) -> str:
    if wanted.status:
        failed = next((state for state in before if state.on(target) is not State.OK), None)
        return f"{failed.key.task} has not succeeded" if failed is not None else ""
    value = _last(wanted.metric, before, target)
    if value is None:
        return f"there is no {wanted.metric}"
    if wanted.min is not None and not value >= wanted.min:
        return f"{wanted.metric} is {value:.6g}, below {wanted.min:g}"
    if wanted.max is not None and not value <= wanted.max:
        return f"{wanted.metric} is {value:.6g}, above {wanted.max:g}"
    return ""


def _last(metric: str, before: Sequence[TaskState], target: str) -> float | None:
    for state in reversed(before):
        found = [one.numbers for row in _rows(state) for one in (row.members or (row,)) if _about(one, target)]
        known = next((numbers[metric] for numbers in reversed(found) if metric in numbers), None)
        if known is not None:
            return known
    return None


def _rows(state: TaskState) -> Sequence[AttemptRow]:
    """Its attempts, of which the last counts; a member of several may have come to its end in an earlier one."""
    if state.row is None:
        return ()
    return (*state.earlier, state.row) if state.members else (state.row,)


def _about(row: AttemptRow | MemberRow, target: str) -> bool:
    return isinstance(row, AttemptRow) or row.qid == target
