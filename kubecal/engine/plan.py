"""The plan of a session: every task on every target, resolved and checked, before anything starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kubecal.api.catalogue import Catalogue, CatalogueTask
from kubecal.api.chip import ChipSpec
from kubecal.api.session import MAX_PLANNED, SessionSpec
from kubecal.api.steps import Filter, Step, TaskEntry
from kubecal.api.topology import Topology
from kubecal.engine.chips import chip_problems
from kubecal.engine.claims import qubit_claims
from kubecal.engine.model import Plan, PlannedTask, TaskKey
from kubecal.engine.parameters import check_parameter_names, resolve_parameters
from kubecal.engine.problems import PlanProblem, did_you_mean
from kubecal.engine.targets import select_qubits

R2 = "r2"
"""The quality of a fit that every task with an R2 gate gives."""
_SHOWN = 10
"""Problems that are said at once; more would not fit into a condition."""


def plan_session(spec: SessionSpec, chip_name: str, chip: ChipSpec, catalogue: Catalogue) -> Plan:
    """All tasks in their chains, or the problems that a person must correct."""
    problems = chip_problems(chip, catalogue) + _limit_problems(spec, chip_name, chip)
    problems += check_parameter_names(spec, catalogue)
    topology = chip.topology.resolve()
    steps: list[_PlannedStep] = []
    for number, step in enumerate(spec.steps):
        place = f"spec.steps[{number}]"
        if step.filter is not None:
            problems += _filter_problems(spec, number, step.filter, catalogue)
            steps.append(_PlannedStep(step, (), ()))
            continue
        entries, found = _entries(spec, step, place, catalogue)
        problems += found
        try:
            qubits = _step_qubits(spec, step, place, topology, chip_name, chip)
        except PlanProblem as problem:
            problems.append(str(problem))
            continue
        steps.append(_PlannedStep(step, tuple(qubits), tuple(entries)))
    if not problems:
        size = sum(len(step.qubits) * len(step.entries) for step in steps)
        if size > MAX_PLANNED:
            problems.append(
                f"the session has {size} tasks, more than {MAX_PLANNED}: split its steps over several sessions"
            )
    if problems:
        unique = list(dict.fromkeys(problems))
        return Plan(tasks=(), chains={}, problems=tuple(unique[:_SHOWN]))
    return _assemble(steps, topology)


@dataclass(frozen=True)
class _Entry:
    """One entry of a step's list, the same for every target."""

    entry: TaskEntry
    task: CatalogueTask
    parameters: Mapping[str, Any]
    timeout_s: float
    r2_threshold: float | None
    ordinal: int


@dataclass(frozen=True)
class _PlannedStep:
    step: Step
    qubits: tuple[str, ...]
    entries: tuple[_Entry, ...]


def _limit_problems(spec: SessionSpec, chip_name: str, chip: ChipSpec) -> list[str]:
    found = []
    if spec.priority > chip.limits.max_priority:
        found.append(
            f"spec.priority is {spec.priority}, chip {chip_name!r} allows at most {chip.limits.max_priority}: lower it"
        )
    if spec.deadlines.session_seconds > chip.limits.max_session_seconds:
        found.append(
            f"spec.deadlines.sessionSeconds is {spec.deadlines.session_seconds}, chip {chip_name!r} allows at most "
            f"{chip.limits.max_session_seconds}: lower it"
        )
    return found


def _filter_problems(spec: SessionSpec, number: int, wanted: Filter, catalogue: Catalogue) -> list[str]:
    """A filter needs tasks before and after it, and a metric that one before gives."""
    place = f"spec.steps[{number}]"
    before = [entry.task for step in spec.steps[:number] for entry in step.tasks]
    after = [entry.task for step in spec.steps[number + 1 :] for entry in step.tasks]
    if not before:
        return [f"{place}: no task comes before this filter: move it behind the steps it judges"]
    if not after:
        return [f"{place}: no task comes after this filter: remove it, or add a step"]
    tasks = [catalogue.task_by_name[name] for name in before if name in catalogue.task_by_name]
    known = {output.name for task in tasks for output in task.outputs}
    known |= {R2 for task in tasks if task.r2_threshold is not None}
    if wanted.metric and wanted.metric not in known:
        return [f"{place}.filter.metric: no task before gives {wanted.metric!r}: {did_you_mean(wanted.metric, known)}"]
    return []


def _step_qubits(
    spec: SessionSpec, step: Step, place: str, topology: Topology, chip_name: str, chip: ChipSpec
) -> list[str]:
    """A step's qubits: the session's, narrowed by the step's own targets."""
    disabled = frozenset(chip.disabled.qubits)
    session = select_qubits(spec.targets, topology, disabled, chip_name, "spec.targets")
    if step.targets is None:
        return session
    own = select_qubits(step.targets, topology, disabled, chip_name, f"{place}.targets")
    outside = [qubit for qubit in step.targets.qubits if qubit not in session]
    if outside:
        raise PlanProblem(
            f"{place}.targets names qubit {', '.join(outside)}, which spec.targets leaves out: "
            "a step can only narrow the session's targets"
        )
    chosen = [qubit for qubit in own if qubit in set(session)]
    if not chosen:
        raise PlanProblem(f"{place}.targets has no qubit in common with spec.targets: correct one of them")
    return chosen


def _entries(spec: SessionSpec, step: Step, place: str, catalogue: Catalogue) -> tuple[list[_Entry], list[str]]:
    seen: Counter[str] = Counter()
    entries, problems = [], []
    for number, entry in enumerate(step.tasks):
        at = f"{place}.tasks[{number}]"
        task = catalogue.task_by_name.get(entry.task)
        if task is None:
            problems.append(
                f"{at}: there is no task {entry.task!r}: {did_you_mean(entry.task, catalogue.task_by_name)}"
            )
            continue
        if entry.r2_threshold is not None and task.r2_threshold is None:
            problems.append(f"{at}.r2Threshold: {task.name} has no R2 gate: remove it")
        try:
            parameters = resolve_parameters(spec, entry, task, at)
        except PlanProblem as problem:
            problems.append(str(problem))
            continue
        timeout_s = entry.timeout_seconds or spec.deadlines.task_seconds or task.timeout_s
        threshold = task.r2_threshold if entry.r2_threshold is None else entry.r2_threshold
        entries.append(_Entry(entry, task, parameters, float(timeout_s), threshold, seen[task.name]))
        seen[task.name] += 1
    return entries, problems


def _assemble(steps: list[_PlannedStep], topology: Topology) -> Plan:
    tasks: list[PlannedTask] = []
    chains: dict[str, list[TaskKey]] = {}
    for planned in steps:
        for task in _step_tasks(planned, topology):
            tasks.append(task)
            chains.setdefault(task.key.target, []).append(task.key)
    return Plan(
        tasks=tuple(tasks),
        chains={target: tuple(keys) for target, keys in chains.items()},
        steps=tuple(planned.step.name for planned in steps),
        filters={planned.step.name: planned.step.filter for planned in steps if planned.step.filter is not None},
        barriers=frozenset(planned.step.name for planned in steps if planned.step.barrier),
    )


def _step_tasks(planned: _PlannedStep, topology: Topology) -> Iterator[PlannedTask]:
    schedule = planned.step.schedule
    claims = {qubit: qubit_claims(qubit, schedule.mode, topology) for qubit in planned.qubits}
    for entry in planned.entries:
        for qubit in planned.qubits:
            yield PlannedTask(
                key=TaskKey(planned.step.name, entry.task.name, qubit, entry.ordinal),
                wires=claims[qubit] if entry.task.drives else (),
                parameters=entry.parameters,
                timeout_s=entry.timeout_s,
                r2_threshold=entry.r2_threshold,
                duration_s=entry.task.duration_s,
                max_parallel=schedule.max_parallel,
            )
