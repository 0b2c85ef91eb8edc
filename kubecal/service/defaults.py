"""Run parameters of a whole session: for every task that knows a name, and for single tasks."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubecal.api.catalogue import Catalogue
from kubecal.service.errors import ServiceError
from kubecal.service.run_parameters import as_written


@dataclass(frozen=True)
class Defaults:
    """What tasks get that say nothing themselves. Values are as manifests write them."""

    catalogue: Catalogue
    for_all: Mapping[str, Any] = field(default_factory=dict)
    for_one: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, catalogue: Catalogue, for_all: Mapping[str, Any], for_one: Mapping[str, Mapping[str, Any]]) -> Defaults:
        """Values in whatever form they are written.

        Raises
        ------
        ServiceError
            If one cannot be read, or no task knows its name.
        """
        known = {name for task in catalogue.tasks for name in task.run_parameter_by_name}
        for name in for_all:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]}?" if near else "leave it out, or give it to one task"
                raise ServiceError(f"default_run_parameters: no task has a run parameter {name!r}: {hint}")
        return cls(catalogue, as_written(for_all), {task: as_written(values) for task, values in for_one.items()})

    def of_task(self, task: str, own: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What a task is told; what it says itself wins. Of a task that is not known here only what is meant for it."""
        entry = self.catalogue.task_by_name.get(task)
        known = entry.run_parameter_by_name if entry is not None else {}
        common = {name: value for name, value in self.for_all.items() if name in known}
        return {**common, **self.for_one.get(task, {}), **(own or {})}

    def entry(self, task: str, own: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A task as a step lists it."""
        parameters = self.of_task(task, own)
        return {"task": task, "parameters": parameters} if parameters else {"task": task}
