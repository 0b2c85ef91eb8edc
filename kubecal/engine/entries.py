"""The entries of a step, looked up in the catalogue and checked: the same for every target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubecal.api.catalogue import CatalogueTask, TargetKind
from kubecal.api.session import SessionSpec
from kubecal.api.steps import Batch, TaskEntry
from kubecal.engine.catalogues import Catalogues
from kubecal.engine.parameters import resolve_parameters
from kubecal.engine.problems import PlanProblem, did_you_mean
from kubecal.engine.targets import Sort

_KINDS = {
    Sort.QUBITS: (TargetKind.QUBIT, TargetKind.MUX),
    Sort.COUPLINGS: (TargetKind.COUPLING,),
    Sort.CHIP: (TargetKind.CHIP,),
}
_ACTS_ON = {
    TargetKind.QUBIT: ("qubits", "qubits, muxes or all"),
    TargetKind.MUX: ("MUXes", "qubits, muxes or all"),
    TargetKind.COUPLING: ("couplings", "couplings, like {auto: true}"),
    TargetKind.CHIP: ("the chip as a whole", "chip: true"),
}
_ABOUT = {Sort.QUBITS: "qubits", Sort.COUPLINGS: "couplings", Sort.CHIP: "the chip"}


@dataclass(frozen=True)
class Entry:
    """One entry of a step's list."""

    task: CatalogueTask
    parameters: Mapping[str, Any]
    """Any: run parameters as a manifest writes them."""
    timeout_s: float
    r2_threshold: float | None
    ordinal: int
    image: str


def read_entries(
    spec: SessionSpec, entries: Iterable[TaskEntry], place: str, catalogues: Catalogues
) -> tuple[list[Entry], list[str]]:
    """All entries of a list, and what is wrong with others."""
    seen: Counter[str] = Counter()
    found: list[Entry] = []
    problems: list[str] = []
    for number, entry in enumerate(entries):
        try:
            one = _read(spec, entry, f"{place}.tasks[{number}]", catalogues, seen[entry.task])
        except PlanProblem as problem:
            problems.append(str(problem))
            continue
        seen[entry.task] += 1
        found.append(one)
    return found, problems


def _read(spec: SessionSpec, entry: TaskEntry, at: str, catalogues: Catalogues, ordinal: int) -> Entry:
    catalogue = catalogues.of(entry.image, f"{at}.image")
    task = catalogue.task_by_name.get(entry.task)
    if task is None:
        where = f" in image {entry.image!r}" if entry.image else ""
        hint = did_you_mean(entry.task, catalogue.task_by_name)
        raise PlanProblem(f"{at}: there is no task {entry.task!r}{where}: {hint}")
    if entry.r2_threshold is not None and task.r2_threshold is None:
        raise PlanProblem(f"{at}.r2Threshold: {task.name} has no R2 gate: remove it")
    timeout_s = entry.timeout_seconds or spec.deadlines.task_seconds or task.timeout_s
    threshold = task.r2_threshold if entry.r2_threshold is None else entry.r2_threshold
    parameters = resolve_parameters(spec, entry, task, at)
    return Entry(task, parameters, float(timeout_s), threshold, ordinal, entry.image)


def misfits(entries: Iterable[Entry], sort: Sort, batch: Batch, place: str) -> list[str]:
    """Tasks that do not act on what their step is about, or cannot be batched as it asks."""
    problems = []
    for number, entry in enumerate(entries):
        at, kind, name = f"{place}.tasks[{number}]", entry.task.kind, entry.task.name
        if kind not in _KINDS[sort]:
            acts_on, targets = _ACTS_ON[kind]
            problems.append(f"{at}: {name} acts on {acts_on}, its step is about {_ABOUT[sort]}: give targets {targets}")
        elif batch is not Batch.NONE and kind is TargetKind.QUBIT and not entry.task.batch:
            problems.append(f"{at}: {name} cannot measure several qubits in one pod: remove batch from {place}")
        elif batch is Batch.ALL and kind is TargetKind.MUX:
            problems.append(f"{at}: {name} runs once a MUX: remove batch from {place}, or set it to Mux")
    if batch is not Batch.NONE and sort is not Sort.QUBITS:
        problems.append(f"{place}.batch: only steps about qubits can be batched: remove it")
    return problems
