"""Which tasks there are: the built-in list, other packages' entry points, and loose files."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from kubecal_tasks.framework.loose import loose_tasks
from kubecal_tasks.framework.task import BaseTask

ENTRY_POINT_GROUP = "kubecal.tasks"


class UnknownTaskError(LookupError):
    """A task was named that no list and no entry point provides."""


def all_tasks() -> dict[str, type[BaseTask]]:
    """Every task class under its name: ``active_protocols`` first, then entry points, then loose files.

    Raises
    ------
    ValueError
        If two classes have the same name, or a loose file cannot be used.
    """
    return dict(_all_tasks())


@cache
def _all_tasks() -> dict[str, type[BaseTask]]:
    tasks = collect(import_module("kubecal_tasks.active_protocols").TASKS)
    for point in entry_points(group=ENTRY_POINT_GROUP):
        tasks |= collect([point.load()], tasks)
    return tasks | loose_tasks(tasks)


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
