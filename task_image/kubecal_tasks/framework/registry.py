"""Which tasks there are: the built-in list, other packages' entry points, and loose files."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from kubecal_tasks.framework.task import BaseTask

ENTRY_POINT_GROUP = "kubecal.tasks"


class UnknownTaskError(LookupError):
    """A task was named that no list and no entry point provides."""


def all_tasks() -> dict[str, type[BaseTask]]:
    """Every task class under its name: ``active_protocols`` first, then entry points.

    Raises
    ------
    ValueError
        If two classes have the same name.
    """
    return dict(_all_tasks())


@cache
def _all_tasks() -> dict[str, type[BaseTask]]:
    tasks = collect(import_module("kubecal_tasks.active_protocols").TASKS)
    for point in entry_points(group=ENTRY_POINT_GROUP):
        tasks |= collect([point.load()], tasks)
    return tasks


def collect(
    classes: Iterable[type[BaseTask]], known: dict[str, type[BaseTask]] | None = None
) -> dict[str, type[BaseTask]]:
    """Put task classes under their names and refuse a name that is taken by another class."""
    found: dict[str, type[BaseTask]] = {}
    for task in classes:
        other = (known or {}).get(task.name) or found.get(task.name)
        if other is not None and other is not task:
            raise ValueError(
                f"task {task.name} is defined twice, in {other.__module__} and {task.__module__}: rename one"
            )
        found[task.name] = task
    return found


def find_task(name: str) -> type[BaseTask]:
    """The class of a task.

    Raises
    ------
    UnknownTaskError
        If there is no task of that name in this image.
    """
    tasks = all_tasks()
    if name not in tasks:
        raise UnknownTaskError(f"this image has no task {name} (it has {', '.join(sorted(tasks))}): correct the name")
    return tasks[name]


def load_file(path: Path) -> dict[str, type[BaseTask]]:
    """Every task class that a loose Python file defines itself.

    Raises
    ------
    ValueError
        If the file defines no task.
    """
    name = f"kubecal_loose_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is no Python file: give a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseTask) and value.__module__ == name
    ]
    if not classes:
        raise ValueError(f"{path} defines no task: derive a class from kubecal_tasks.framework.task.BaseTask")
    return collect(classes)
