"""Loose Python files whose task classes count as installed, in this run and its task processes."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from kubecal.api.request import TASK_FILES_VARIABLE
from kubecal.local.errors import LocalRunError

TASKS_VARIABLE = "KUBECAL_TASKS"
"""Environment variable with paths, separated as in PATH."""


@dataclass(frozen=True)
class TaskFiles:
    """Some files; what is in them is read by the processes that need it."""

    paths: tuple[Path, ...] = ()

    @classmethod
    def of(cls, paths: Sequence[Path]) -> Self:
        """These files, each once, wherever a process that reads them works.

        Raises
        ------
        LocalRunError
            If one is not there.
        """
        for path in paths:
            if not path.is_file():
                what = "is a folder: name the files in it" if path.is_dir() else "there is no such file: check the path"
                raise LocalRunError(f"{path}: {what}")
        return cls(tuple(dict.fromkeys(path.resolve() for path in paths)))

    @classmethod
    def given(cls) -> Self:
        """Those that a person names for every command, in the environment.

        Raises
        ------
        LocalRunError
            If one is not there.
        """
        try:
            return cls.of([Path(path) for path in os.environ.get(TASKS_VARIABLE, "").split(os.pathsep) if path])
        except LocalRunError as error:
            raise LocalRunError(f"{TASKS_VARIABLE} in the environment: {error}") from error

    @property
    def environment(self) -> dict[str, str]:
        """What tells a process of them."""
        return {TASK_FILES_VARIABLE: json.dumps(list(map(str, self.paths)))} if self.paths else {}


NO_FILES = TaskFiles()
