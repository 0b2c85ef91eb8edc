"""A session's forecast as an answer: what ``kubecal plan -o json`` says, and what the timeline is drawn from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from kubecal.api.chip import ChipSpec
from kubecal.api.session import SessionSpec
from kubecal.api.steps import ScheduleMode, Step
from kubecal.api.topology import Topology, describe_ids
from kubecal.api.wires import WireKind, WireMode
from kubecal.engine.forecast import Forecast, Span, covered_s
from kubecal.engine.model import Plan
from kubecal.engine.planned import PARKING
from kubecal.reading.answers import Answer

_BUSIEST = 8
_SHOWN = 8


class PlannedTaskAnswer(Answer):
    """One task of the schedule; seconds from the session's start."""

    step: str
    task: str
    target: str
    ordinal: int
    begin_seconds: float
    end_seconds: float
    waits_seconds: float
    """How long wires or limits keep it, when all that comes before it has ended."""
    waits_for: str = ""
    """What keeps it, like ``qubit 5`` or ``module R1``; empty: nothing does."""


class PlannedStepAnswer(Answer):
    """One step of the schedule."""

    name: str
    tasks: int
    targets: int
    begin_seconds: float
    end_seconds: float
    most_at_once: int
    """How many of its tasks run side by side at most."""
    conflicts: tuple[str, ...] = ()
    """What does not run side by side, and why."""


class BusyAnswer(Answer):
    """One wire and how much of the time it is held."""

    wire: str
    """Like ``module R1``."""
    share: float
    """Of the whole time, 0 to 1."""
    exclusive_share: float
    """By tasks that drive it, or use it alone."""


class LegAnswer(Answer):
    """A stretch of the critical path: tasks of one step on one target, without a pause."""

    step: str
    target: str
    tasks: tuple[str, ...]
    begin_seconds: float
    end_seconds: float
    waits_for: str = ""
    """The wire on which it waits for the stretch before it; empty: its turn in the order."""


class PlanAnswer(Answer):
    """A session as it would go if every task took its estimate and succeeded at once."""

    session: str
    chip: str
    total_seconds: float
    tasks: int
    steps: tuple[PlannedStepAnswer, ...]
    critical_path: tuple[LegAnswer, ...]
    busiest: tuple[BusyAnswer, ...]
    conflicts: tuple[str, ...] = ()
    """Modules of the wiring that let fewer tasks run side by side."""
    notes: tuple[str, ...] = ()
    """What the forecast leaves out."""
    schedule: tuple[PlannedTaskAnswer, ...]


def plan_answer(
    session: str, spec: SessionSpec, chip_name: str, chip: ChipSpec, plan: Plan, found: Forecast
) -> PlanAnswer:
    """The answer for one session."""
    by_step: dict[str, list[Span]] = defaultdict(list)
    for span in found.spans:
        by_step[span.task.key.step].append(span)
    written = {step.name: step for step in spec.steps}
    names = [name for name in (*plan.steps, PARKING) if name in by_step]
    return PlanAnswer(
        session=session,
        chip=chip_name,
        total_seconds=found.total_s,
        tasks=len(found.spans),
        steps=tuple(_step(name, written.get(name), by_step[name], found) for name in names),
        critical_path=_legs(found.critical),
        busiest=_busiest(found),
        conflicts=_shared_modules(plan, chip.topology.resolve()),
        notes=_notes(spec, plan),
        schedule=tuple(_task(span) for span in found.spans),
    )


def _task(span: Span) -> PlannedTaskAnswer:
    key = span.task.key
    return PlannedTaskAnswer(
        step=key.step,
        task=key.task,
        target=key.target,
        ordinal=key.ordinal,
        begin_seconds=span.begin_s,
        end_seconds=span.end_s,
        waits_seconds=span.waited_s,
        waits_for=_waits_for(span),
    )


def _waits_for(span: Span) -> str:
    return span.wire.kind.spoken(span.wire.id) if span.wire is not None else ""


# ---------------------------------------------------------------- steps and what excludes each other in them


def _step(name: str, written: Step | None, spans: Sequence[Span], found: Forecast) -> PlannedStepAnswer:
    targets = {span.task.key.target for span in spans}
    most = found.most_at_once(spans)
    return PlannedStepAnswer(
        name=name,
        tasks=len(spans),
        targets=len(targets),
        begin_seconds=min(span.begin_s for span in spans),
        end_seconds=max(span.end_s for span in spans),
        most_at_once=most,
        conflicts=_conflicts(written, spans) if written is not None else (),
    )


def _conflicts(step: Step, spans: Sequence[Span]) -> tuple[str, ...]:
    """What kept tasks of a step, by the kind of wire; who waited longest first."""
    waits: dict[WireKind | None, float] = defaultdict(float)
    for span in spans:
        if span.waited_s > 0:
            waits[span.wire.kind if span.wire is not None else None] += span.waited_s
    pairs = any("-" in span.task.key.target and span.task.key.target[0].isdigit() for span in spans)
    several = any(span.task.members for span in spans)
    longest = sorted(waits, key=lambda kind: -waits[kind])
    return tuple(dict.fromkeys(_why(kind, step, pairs, several) for kind in longest))


def _why(kind: WireKind | None, step: Step, pairs: bool, several: bool) -> str:
    mode = step.schedule.mode
    if kind is WireKind.QUBIT:
        what = "couplings that share a qubit" if pairs else "the same qubit"
        near = "or are next to each other " if pairs else ""
        if mode is ScheduleMode.ISOLATED:
            return f"{what} {near}(schedule.mode Isolated)" if pairs else "neighbours (schedule.mode Isolated)"
        return what
    if kind is WireKind.MUX:
        if mode is ScheduleMode.MUX_SERIAL:
            return "targets of one MUX (schedule.mode MuxSerial)"
        return "couplings that share a MUX" if pairs else "tasks on one MUX" if several else "targets of one MUX"
    if kind is WireKind.MODULE:
        return "tasks that use one module (see below)"
    if kind is WireKind.CHIP:
        return "any two targets (schedule.mode Serial)" if mode is ScheduleMode.SERIAL else "anything and a chip task"
    most = step.schedule.max_parallel
    return (
        f"more than {most} tasks (schedule.maxParallel)" if most else "more than the chip allows, or what comes later"
    )


def _shared_modules(plan: Plan, topology: Topology) -> tuple[str, ...]:
    """Modules that one task at a time uses, of those that several MUXes hang on."""
    muxes: dict[str, set[int]] = defaultdict(set)
    for task in plan.tasks:
        alone = [w.id for w in task.wires if w.kind is WireKind.MODULE and w.mode is WireMode.EXCLUSIVE]
        for module in alone:
            muxes[module].update(_muxes_of(task.key.target, task.judged, topology))
    found = []
    for module, served in sorted(muxes.items()):
        several = f"MUXes {describe_ids(map(str, served))}" if len(served) > 1 else f"MUX {min(served, default=0)}"
        found.append(f"module {module}: one task at a time, of all on {several} (exclusive)")
    if len(found) > _SHOWN:
        found[_SHOWN:] = [f"and {len(found) - _SHOWN} more modules take one task at a time"]
    return tuple(found)


def _muxes_of(target: str, judged: Iterable[str], topology: Topology) -> set[int]:
    qubits = target.split("-") if target[:1].isdigit() else list(judged)
    return {topology.site_by_id[qubit].mux for qubit in qubits if qubit in topology.site_by_id}


# ---------------------------------------------------------------- what it takes so long for


def _legs(critical: Sequence[Span]) -> tuple[LegAnswer, ...]:
    legs: list[LegAnswer] = []
    for span in critical:
        key, last = span.task.key, legs[-1] if legs else None
        if last is not None and (last.step, last.target) == (key.step, key.target):
            legs[-1] = last.model_copy(update={"tasks": (*last.tasks, key.task), "end_seconds": span.end_s})
            continue
        legs.append(
            LegAnswer(
                step=key.step,
                target=key.target,
                tasks=(key.task,),
                begin_seconds=span.begin_s,
                end_seconds=span.end_s,
                waits_for=_waits_for(span),
            )
        )
    return tuple(legs)


def _busiest(found: Forecast) -> tuple[BusyAnswer, ...]:
    if not found.total_s:
        return ()
    # What everybody may share keeps nobody.
    busiest = [one for one in found.busy if one.exclusive_s > 0]
    return tuple(
        BusyAnswer(
            wire=one.kind.spoken(one.id),
            share=one.seconds / found.total_s,
            exclusive_share=min(one.exclusive_s / found.total_s, 1.0),
        )
        for one in busiest[:_BUSIEST]
    )


def _notes(spec: SessionSpec, plan: Plan) -> tuple[str, ...]:
    notes = []
    if plan.filters:
        notes.append(f"what filters leave out ({', '.join(plan.filters)})")
    if (
        any(entry.parameters for step in spec.steps for entry in step.tasks)
        or spec.parameters != type(spec.parameters)()
    ):
        notes.append("run parameters, which make tasks shorter or longer")
    if spec.open:
        notes.append("steps appended later, since the session is open")
    return tuple(notes)


def mux_rows(answer: PlanAnswer, topology: Topology) -> Mapping[int, Sequence[PlannedTaskAnswer]]:
    """The tasks of each MUX; those of the chip as a whole stand in every one."""
    rows: dict[int, list[PlannedTaskAnswer]] = {mux: [] for mux in topology.members_by_mux}
    for task in answer.schedule:
        if task.target == "chip":
            muxes: Iterable[int] = rows
        elif task.target.startswith("mux-"):
            muxes = [int(task.target.removeprefix("mux-"))]
        else:
            muxes = _muxes_of(task.target, (), topology)
        for mux in muxes:
            rows[mux].append(task)
    return rows


def busy_share(tasks: Iterable[PlannedTaskAnswer], total_s: float) -> float:
    """Of the whole time, how much at least one of these tasks runs."""
    return covered_s((task.begin_seconds, task.end_seconds) for task in tasks) / total_s if total_s else 0.0
