"""Run parameters of a planned task: entry over tasks over defaults, every value checked against the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubecal.api.catalogue import CatalogueTask
from kubecal.api.run_parameters import RunParameterError, parse_run_parameters
from kubecal.api.session import SessionSpec
from kubecal.api.steps import TaskEntry
from kubecal.engine.catalogues import Catalogues
from kubecal.engine.problems import PlanProblem, did_you_mean


def check_parameter_names(spec: SessionSpec, catalogues: Catalogues) -> list[str]:
    """Problems of ``spec.parameters`` that no single task can see."""
    entries = [entry for step in spec.steps for entry in step.tasks]
    entries += spec.parking.tasks if spec.parking is not None else ()
    names = {entry.task for entry in entries}
    tasks = [one.task_by_name[name] for one in catalogues.known for name in sorted(names) if name in one.task_by_name]
    known = {parameter for task in tasks for parameter in task.run_parameter_by_name}
    problems = [
        f"spec.parameters.defaults: no task of this session has a run parameter {name!r}: {did_you_mean(name, known)}"
        for name in spec.parameters.defaults
        if name not in known
    ]
    problems += [
        f"spec.parameters.tasks: {name!r} is not a task of this session: {did_you_mean(name, names)}"
        for name in spec.parameters.tasks
        if name not in names
    ]
    return problems


def resolve_parameters(spec: SessionSpec, entry: TaskEntry, task: CatalogueTask, place: str) -> Mapping[str, Any]:
    """The values of one entry, without the task's own defaults.

    Raises
    ------
    PlanProblem
        If a value is not allowed; the sentence names the field it stands in.
    """
    known = task.run_parameter_by_name
    layers = (
        ("spec.parameters.defaults", {n: v for n, v in spec.parameters.defaults.items() if n in known}),
        (f"spec.parameters.tasks.{task.name}", spec.parameters.tasks.get(task.name, {})),
        (f"{place}.parameters", entry.parameters),
    )
    merged: dict[str, Any] = {}
    for field, values in layers:
        try:
            parse_run_parameters(task.run_parameters, values)
        except RunParameterError as error:
            raise PlanProblem(f"{field}, {task.name}: {error}") from error
        merged |= values
    return merged
