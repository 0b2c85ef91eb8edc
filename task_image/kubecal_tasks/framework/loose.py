"""Loose files: task classes of a Python file that nobody has installed, which ``kubecal run --tasks FILE`` adds.

Whatever is wrong with such a file is said in a sentence with its line: who wrote it is about to mend it.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import inspect
import json
import os
import re
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from kubecal.api.request import TASK_FILES_VARIABLE
from kubecal_tasks.framework.task import BaseTask

_PREFIX = "kubecal_loose_"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}")


class TaskFileError(ValueError):
    """A loose file that cannot be used; the message says which, where, and what to do."""


def loose_tasks(known: Mapping[str, type[BaseTask]]) -> dict[str, type[BaseTask]]:
    """The tasks of the files that the environment names.

    Parameters
    ----------
    known
        The installed ones, whose names are taken.

    Raises
    ------
    TaskFileError
        If a file cannot be used.
    """
    found: dict[str, type[BaseTask]] = {}
    for path in map(Path, json.loads(os.environ.get(TASK_FILES_VARIABLE, "[]"))):
        for task in load_file(path):
            other = known.get(task.name) or found.get(task.name)
            if other is not None:
                raise TaskFileError(
                    f"{_place(task)}: there is a task {task.name} already ({_whereabouts(other)}): "
                    f"give class {task.__name__} another name"
                )
            found[task.name] = task
    return found


def load_file(path: Path) -> list[type[BaseTask]]:
    """Every task that a Python file defines itself; a class that another of them is made of is none.

    Raises
    ------
    TaskFileError
        If it cannot be imported, or defines no task, or one that is not whole.
    """
    module = _imported(path)
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseTask) and value.__module__ == module.__name__
    ]
    bases = {base for task in classes for base in task.__mro__[1:]}
    tasks = [task for task in classes if task not in bases or "name" in vars(task)]
    if not tasks:
        raise TaskFileError(f"{path} defines no task: derive a class from BaseTask, with a name")
    for task in tasks:
        _look_at(task)
    return tasks


def source_of(task: type[BaseTask]) -> str:
    """Which loose file a task comes from, ``my_task.py sha256:...``; empty: it is installed."""
    if not task.__module__.startswith(_PREFIX):
        return ""
    path = _path(task)
    return f"{path.name} sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def _imported(path: Path) -> ModuleType:
    # Two files of different folders may be called the same.
    name = f"{_PREFIX}{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TaskFileError(f"{path}: is no Python file: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    # What lies beside it can be imported, after everything that is installed.
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    try:
        # Standard output may be an answer that a program reads.
        with contextlib.redirect_stdout(sys.stderr):
            spec.loader.exec_module(module)
    except SyntaxError as error:
        where = error.filename or path
        raise TaskFileError(f"{where}, line {error.lineno}: is not Python ({error.msg}): correct it") from error
    except OSError as error:
        raise TaskFileError(f"{path}: cannot be read ({error.strerror}): check the path") from error
    except Exception as error:
        raise TaskFileError(f"{_last_place(error, path)}: {type(error).__name__}: {error}: correct it") from error
    return module


def _look_at(task: type[BaseTask]) -> None:
    """A class that is not whole would fail later, and less clearly."""
    place, called = _place(task), f"class {task.__name__}"
    name = getattr(task, "name", None)
    if not isinstance(name, str):
        raise TaskFileError(f'{place}: {called} has no name: write name = "{task.__name__}"')
    if not _NAME.fullmatch(name):
        raise TaskFileError(f"{place}: {called} is named {name!r}: write letters and digits, like CheckT1")
    missing = sorted(getattr(task, "__abstractmethods__", ()))
    if missing:
        raise TaskFileError(f"{place}: {called} lacks {', '.join(missing)}: write what it does there")
    try:
        task.catalogue_entry()
    except Exception as error:
        raise TaskFileError(f"{place}: {called}: what it declares cannot be used ({error}): correct it") from error


def _path(task: type[BaseTask]) -> Path:
    return Path(str(sys.modules[task.__module__].__file__))


def _place(task: type[BaseTask]) -> str:
    """File and line of a class."""
    return f"{_path(task)}, line {inspect.getsourcelines(task)[1]}"


def _whereabouts(task: type[BaseTask]) -> str:
    return _place(task) if task.__module__.startswith(_PREFIX) else f"in {task.__module__}"


def _last_place(error: Exception, path: Path) -> str:
    """The last line of the file itself that led to an error."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}, line {lines[-1]}" if lines else str(path)
