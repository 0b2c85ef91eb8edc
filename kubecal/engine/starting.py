"""Whose turn it is: which tasks of a session start in this pass, and what keeps the others.

What keeps a task is one rule, :class:`Turns`, that is asked before a pod is made and remembered for people who wonder.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

from kubecal.api.catalogue import Catalogue
from kubecal.api.explanation import Reason
from kubecal.api.naming import pod_name
from kubecal.api.steps import Action
from kubecal.api.wires import Wire
from kubecal.engine.attempts import State, TaskState
from kubecal.engine.claims import HeldWires
from kubecal.engine.clock import measure_at
from kubecal.engine.draft import Draft
from kubecal.engine.filters import undecided
from kubecal.engine.intents import CreatePod, RunAction
from kubecal.engine.model import PlannedTask, TaskKey
from kubecal.engine.order import by_heaviest_claims, closed_steps, frontier
from kubecal.engine.retry import adapted, charged, disputed, not_before
from kubecal.engine.running import Running
from kubecal.engine.skipping import Skipped


@dataclass(frozen=True)
class Hindrance:
    """What keeps a task from starting. Put into words only when somebody reads it: a pass meets thousands."""

    reason: Reason
    message: str = ""
    """Where it is the same for all tasks that it keeps; else the words are found by the reason."""
    until: datetime | None = None
    """When it ends by itself."""
    wire: Wire | None = None
    """Which one is not free."""
    holder: str = ""
    """Name of the pod that holds it."""


class Turns:
    """One session's turn; to be asked in the order of :meth:`in_order`, since what starts takes wires and places."""

    def __init__(self, run: Running, held: HeldWires) -> None:
        self._run, self._held = run, held
        self._limit = run.record.chip_spec.limits.max_parallel_tasks
        self._running = sum(state.state is State.RUNNING for state in run.states.values())
        self._by_step = Counter(state.key.step for state in run.states.values() if state.state is State.RUNNING)
        self._unanswered = {reservation.pod_name for reservation in run.observed.reservations}
        self.hindered: dict[TaskKey, Hindrance] = {}
        """Tasks that could be next on their targets, and do not start."""
        self.started: set[TaskKey] = set()

    def in_order(self, skipped: Skipped) -> list[TaskKey]:
        """Those that could be next on their targets, the most needed wires first."""
        run = self._run
        heads = by_heaviest_claims(run.plan, run.planned, frontier(run.plan, run.states, run.reached))
        closed, open_ = closed_steps(run.plan, run.states), undecided(run.plan, run.filters)
        waiting = []
        for key in heads:
            if key in skipped.tasks or run.states[key].state is not State.READY:
                continue
            if key.step in closed:
                self.hindered[key] = _BARRIER
            elif key in open_:
                self.hindered[key] = _FILTER
            elif key in skipped.thinned:
                self.hindered[key] = _THINNED
            else:
                waiting.append(key)
        return waiting

    def hindrance(self, key: TaskKey) -> Hindrance | None:
        """What keeps this one; None: it may start."""
        found = self._places(key) or self._backoff(key) or self._wires(key)
        if found is not None:
            self.hindered[key] = found
        return found

    def start(self, key: TaskKey, name: str) -> None:
        """It starts, as the pod of this name."""
        self._held.take(name, self._run.planned[key].wires)
        self._running += 1
        self._by_step[key.step] += 1
        self.started.add(key)

    def _places(self, key: TaskKey) -> Hindrance | None:
        if self._limit and self._running >= self._limit:
            chip = self._run.chip.name
            many = "1 task runs" if self._limit == 1 else f"{self._limit} tasks run"
            return Hindrance(Reason.MAX_PARALLEL, f"{many}, as many as chip {chip!r} allows (limits.maxParallelTasks)")
        most = self._run.planned[key].max_parallel
        if most and self._by_step[key.step] >= most:
            many = "1 task runs" if most == 1 else f"{most} tasks run"
            return Hindrance(Reason.MAX_PARALLEL, f"{many}, as many as step {key.step!r} allows (schedule.maxParallel)")
        return None

    def _backoff(self, key: TaskKey) -> Hindrance | None:
        state = self._run.states[key]
        opened = state.row.opened_at if state.row is not None else None
        until = not_before(state.earlier, self._run.spec.retry, opened)
        return Hindrance(Reason.RETRY_AT, until=until) if until is not None and until > self._run.observed.now else None

    def _wires(self, key: TaskKey) -> Hindrance | None:
        if key in self._run.live_pods:
            # The pod of an earlier attempt may still drive the line: the next one waits for its end.
            return _POD
        taken = self._held.blocking(self._run.planned[key].wires)
        if taken is not None:
            return Hindrance(Reason.WAITS_FOR_WIRE, wire=taken.wire, holder=taken.holder)
        if self._unanswered and attempt_pod(self._run, self._run.states[key]) in self._unanswered:
            # It may exist already; tasks that claim no wires are not kept back by those of the reservation.
            return _UNANSWERED
        return None


_BARRIER, _FILTER, _POD = (Hindrance(one) for one in (Reason.BARRIER, Reason.FILTER, Reason.WAITS_FOR_POD))
_THINNED = Hindrance(Reason.POD_STARTING, "it is being recorded which of its qubits are left out")
"""An attempt begins with those rows open that it measures: one that was open besides would have no result after it."""
_UNANSWERED = Hindrance(Reason.POD_STARTING, "the API server has not yet answered whether it takes the task's pod")


def start_tasks(run: Running, skipped: Skipped, held: HeldWires, draft: Draft) -> Turns:
    """Create the pods of tasks whose turn it is and whose wires are free; returns what became of the others."""
    turns = Turns(run, held)
    for key in turns.in_order(skipped):
        hindrance = turns.hindrance(key)
        if hindrance is not None:
            draft.wake(hindrance.until)
            continue
        planned = run.planned[key]
        if planned.action is not None:
            draft.add("actions", _change(run, run.states[key], planned.action))
            turns.started.add(key)
            continue
        create = _create(run, run.states[key], planned)
        turns.start(key, create.pod_name)
        draft.add("creates", create)
    return turns


def attempt_pod(run: Running, state: TaskState) -> str:
    """The name of the pod of a task's current attempt."""
    ref, key = run.session.ref, state.key
    return pod_name(ref.name, ref.uid, key.step, key.task, key.target, key.ordinal, state.attempt)


def _change(run: Running, state: TaskState, action: Action) -> RunAction:
    chip = replace(run.chip, spec=run.record.chip_spec)
    authors = tuple(one for one in run.observed.images.values() if isinstance(one, Catalogue))
    return RunAction(
        run.session.ref, state.key, state.attempt, action, run.spec, chip, run.record.execution_id, authors
    )


def _create(run: Running, state: TaskState, planned: PlannedTask) -> CreatePod:
    pinned = run.record.image_of(planned.image)
    return CreatePod(
        ref=run.session.ref,
        planned=replace(planned, parameters=adapted(planned.parameters, state.earlier, run.spec.retry)),
        attempt=state.attempt,
        charged_retries=charged(state.earlier),
        measure_at=measure_at(run.observed.catalogue, run.record.chip_spec, run.observed.now),
        execution_id=run.record.execution_id,
        spec=run.spec,
        chip=run.chip,
        chip_spec=run.record.chip_spec,
        catalogue_hash=pinned.catalogue_hash,
        image=pinned.image,
        pod_name=attempt_pod(run, state),
        members=tuple(member for member, its in state.members.items() if its is State.READY),
        disputed=disputed(state.earlier),
    )
