"""A program's own tasks: classes that it has imported, or files that it names."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import packages_distributions
from pathlib import Path

from kubecal.service.errors import ServiceError

_FRAMEWORK = "kubecal_tasks.framework.task"
_OURS = "kubecal_tasks"


def task_files(tasks: Sequence[Path | str | type] | None) -> tuple[Path, ...]:
    """The files that hold them, each once.

    Parameters
    ----------
    tasks
        Files, or classes out of files; None: the classes that are imported so far.

    Raises
    ------
    ServiceError
        If a class is in no file that another process could load.
    """
    named = imported_tasks() if tasks is None else tasks
    return tuple(dict.fromkeys(_file_of(one) if isinstance(one, type) else Path(one) for one in named))


def imported_tasks() -> tuple[type, ...]:
    """Every task class of this program that neither kubecal nor an installed package has.

    Whoever writes a task imports it where it is used, so nothing else need be said of it.
    """
    framework = sys.modules.get(_FRAMEWORK)
    if framework is None:
        return ()
    installed = {_OURS, *packages_distributions()}
    found = (one for one in _heirs(framework.BaseTask) if not inspect.isabstract(one) and "name" in vars(one))
    return tuple(one for one in found if one.__module__.partition(".")[0] not in installed)


def _heirs(parent: type) -> Iterator[type]:
    heirs: list[type] = parent.__subclasses__()
    for heir in heirs:
        yield heir
        yield from _heirs(heir)


def _file_of(task: type) -> Path:
    try:
        file = inspect.getsourcefile(task)
    except TypeError:
        file = None
    if file is None or not os.path.isfile(file):
        raise ServiceError(
            f"task {task.__name__} stands in no file, so the processes that run tasks cannot load it: "
            "write it into a file of its own, and import it from there"
        )
    return Path(file)
