"""The tasks of one step: its entries on its targets, with the wires they hold and what they wait for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubecal.api.actions import ExcludeResults, PublishResults, RevertExecution, SetParameters
from kubecal.api.catalogue import TargetKind
from kubecal.api.steps import Action, Batch, Schedule, ScheduleMode, Step
from kubecal.api.targets import Targets
from kubecal.api.topology import Topology
from kubecal.api.wires import Wire
from kubecal.engine.claims import WHOLE_CHIP, Wirings
from kubecal.engine.entries import Entry
from kubecal.engine.lanes import CHIP, Standing, chip_standing, coupling_standing, qubits_standing
from kubecal.engine.model import PlannedTask, TaskKey
from kubecal.engine.targets import Chosen, Sort

PARKING = "parking"
"""The step that runs last in any case."""


@dataclass(frozen=True)
class PlannedStep:
    """A step that makes sense."""

    number: int
    step: Step
    targets: Chosen
    entries: tuple[Entry, ...]
    reanalyses: tuple[PlannedTask, ...] = ()
    """What analyses stored data anew, where the step does that."""

    def auto(self, session: Targets) -> bool:
        """Whether it is about those couplings whose qubits come that far; without targets it has the session's."""
        given = self.step.targets or session
        return bool(self.entries) and given.couplings is not None and given.couplings.auto


def step_tasks(planned: PlannedStep, wirings: Wirings, topology: Topology) -> Iterator[PlannedTask]:
    """All tasks of a step, entry by entry."""
    if planned.step.action is not None:
        yield _change(planned)
        return
    yield from planned.reanalyses
    for place, entry in enumerate(planned.entries):
        yield from _tasks(_Spot(planned.step.name, planned.number, place, entry), planned, wirings, topology)


def parking_tasks(
    entries: tuple[Entry, ...], session: Chosen, wirings: Wirings, topology: Topology, number: int
) -> list[PlannedTask]:
    """What runs last: on every qubit of the session, or on the chip. It drives nothing, so neighbours may be parked."""
    found: list[PlannedTask] = []
    qubits = Chosen(Sort.QUBITS, session.qubits)
    step = Step.model_construct(name=PARKING, batch=Batch.NONE, pairs=(), schedule=_AT_ONCE)
    for place, entry in enumerate(entries):
        chosen = Chosen(Sort.CHIP) if entry.task.kind is TargetKind.CHIP else qubits
        spot = _Spot(PARKING, number, place, entry)
        found += _tasks(spot, PlannedStep(number, step, chosen, entries), wirings, topology)
    return found


_AT_ONCE = Schedule(mode=ScheduleMode.PARALLEL)
_CHANGES: dict[type[Action], str] = {
    SetParameters: "Set",
    PublishResults: "Publish",
    RevertExecution: "Revert",
    ExcludeResults: "Exclude",
}
"""How changes of records are called where tasks have their names."""


@dataclass(frozen=True)
class _Spot:
    """An entry and where it stands."""

    step: str
    number: int
    place: int
    entry: Entry


def _change(planned: PlannedStep) -> PlannedTask:
    action = planned.step.action
    assert action is not None
    return PlannedTask(
        key=TaskKey(planned.step.name, _CHANGES[type(action)], CHIP, 0),
        wires=(),
        parameters={},
        timeout_s=0.0,
        r2_threshold=None,
        duration_s=0.0,
        max_parallel=0,
        kind=TargetKind.CHIP,
        standing=chip_standing(planned.number, 0),
        action=action,
    )


def _tasks(spot: _Spot, planned: PlannedStep, wirings: Wirings, topology: Topology) -> Iterator[PlannedTask]:
    targets, mode = planned.targets, planned.step.schedule.mode
    number, place = spot.number, spot.place
    if targets.sort is Sort.CHIP:
        yield _task(spot, planned, CHIP, WHOLE_CHIP, chip_standing(number, place))
    elif targets.sort is Sort.COUPLINGS:
        groups = {identity: group for group, ids in enumerate(planned.step.pairs) for identity in ids}
        for one in targets.couplings:
            ends = (one.control, one.target)
            standing = coupling_standing(one.id, ends, number, place, groups.get(one.id))
            yield _task(spot, planned, one.id, wirings.qubits(ends, mode), standing)
    elif spot.entry.task.kind is TargetKind.MUX or planned.step.batch is not Batch.NONE:
        for target, members in _groups(spot, planned, topology):
            if spot.entry.task.kind is TargetKind.MUX:
                wires = wirings.mux(topology.site_by_id[members[0]].mux, mode)
            else:
                wires = wirings.qubits(members, mode)
            yield _task(spot, planned, target, wires, qubits_standing(members, number, place), members)
    else:
        for qubit in targets.qubits:
            yield _task(spot, planned, qubit, wirings.qubit(qubit, mode), qubits_standing((qubit,), number, place))


def _groups(spot: _Spot, planned: PlannedStep, topology: Topology) -> list[tuple[str, tuple[str, ...]]]:
    """Which qubits are measured together, and how that target is called."""
    if planned.step.batch is Batch.ALL and spot.entry.task.kind is not TargetKind.MUX:
        return [(CHIP, planned.targets.qubits)]
    members: dict[int, list[str]] = {}
    for qubit in planned.targets.qubits:
        members.setdefault(topology.site_by_id[qubit].mux, []).append(qubit)
    return [(f"mux-{mux}", tuple(qubits)) for mux, qubits in members.items()]


def _task(
    spot: _Spot,
    planned: PlannedStep,
    target: str,
    wires: tuple[Wire, ...],
    standing: Standing,
    members: tuple[str, ...] = (),
) -> PlannedTask:
    entry = spot.entry
    return PlannedTask(
        key=TaskKey(spot.step, entry.task.name, target, entry.ordinal),
        wires=wires if entry.task.drives else (),
        parameters=entry.parameters,
        timeout_s=entry.timeout_s,
        r2_threshold=entry.r2_threshold,
        duration_s=entry.task.duration_s,
        max_parallel=planned.step.schedule.max_parallel,
        kind=entry.task.kind,
        members=members,
        image=entry.image,
        standing=standing,
    )
