"""What will not run any more: left out by a filter, behind a failure, everywhere under StopSession."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from kubecal.engine.attempts import State, TaskState
from kubecal.engine.draft import Draft
from kubecal.engine.failing import behind_failures
from kubecal.engine.filters import FILTERED, Part, left_out
from kubecal.engine.intents import SettleRow
from kubecal.engine.model import RowStatus, TaskKey
from kubecal.engine.running import Running, ended_unrun


@dataclass(frozen=True)
class Skipped:
    """What will not run any more, with the reason; rows are ended only later in the pass that says so."""

    parts: Mapping[Part, str] = field(default_factory=dict)
    """Tasks, each on one of the targets that it judges."""
    tasks: Mapping[TaskKey, str] = field(default_factory=dict)
    """Those of which nothing is left to run."""

    @cached_property
    def thinned(self) -> frozenset[TaskKey]:
        """Tasks that are left out on some of their targets."""
        return frozenset(key for key, _ in self.parts)


def skip_after_failures(run: Running, draft: Draft) -> Skipped:
    """End the tasks that will not run: left out by a filter, behind a failure, everywhere under StopSession.

    Their rows are settled only later in this pass, and nothing of them may be started meanwhile.
    """
    parts: dict[Part, str] = {}
    for (key, target), why in left_out(run.plan, run.filters).items():
        if run.states[key].on(target) is State.READY:
            parts[key, target] = why
            draft.add("settle_rows", _unrun_part(run, run.states[key], target, FILTERED, why))
    for (key, target), why in behind_failures(run).items():
        if (key, target) not in parts and run.states[key].on(target) is State.READY:
            parts[key, target] = why
            draft.add("settle_rows", _unrun_part(run, run.states[key], target, "Skipped", why))
    return Skipped(parts, _wholly(run, parts))


def _wholly(run: Running, parts: Mapping[Part, str]) -> Mapping[TaskKey, str]:
    first: dict[TaskKey, str] = {}
    for (key, _), why in parts.items():
        first.setdefault(key, why)
    return {key: why for key, why in first.items() if _nothing_left(run.states[key], parts)}


def _nothing_left(state: TaskState, parts: Container[Part]) -> bool:
    return all(state.on(target).ended or (state.key, target) in parts for target in state.targets)


def _unrun_part(run: Running, state: TaskState, target: str, reason: str, message: str) -> SettleRow:
    ended = ended_unrun(run, state, RowStatus.SKIPPED, reason, message)
    return replace(ended, members=(target,)) if state.members else ended
