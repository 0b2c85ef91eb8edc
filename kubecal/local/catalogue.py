"""The catalogue of the tasks that are installed here, the authors' ones included."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points

from pydantic import ValidationError

from kubecal.api.catalogue import Catalogue, built_in_catalogue, load_catalogue
from kubecal.api.request import UNFIT_TASK_FILE
from kubecal.local.errors import LocalRunError
from kubecal.local.task_files import NO_FILES, TaskFiles

_EXPORT = "kubecal_tasks.framework.export"
_AUTHORS = ("kubecal.tasks", "kubecal.backends")
_OURS = "kubecal"
_SHOWN = 2_000


def installed_catalogue(files: TaskFiles | None = None) -> Catalogue:
    """What task processes of this environment know.

    Importing the classes takes a second, so they are asked only where somebody has tasks or backends beside the
    built-in ones.

    Parameters
    ----------
    files
        Loose files whose classes are among them; None: those that the environment names.

    Raises
    ------
    LocalRunError
        If one of them cannot be imported.
    """
    files = TaskFiles.given() if files is None else files
    points = (point for group in _AUTHORS for point in entry_points(group=group))
    theirs = any(point.dist is None or point.dist.name != _OURS for point in points)
    return exported_catalogue(files) if theirs or files.paths else built_in_catalogue()


def exported_catalogue(files: TaskFiles = NO_FILES) -> Catalogue:
    """The catalogue as the installed classes say it. They need numpy, so a process of its own imports them.

    Raises
    ------
    LocalRunError
        If they cannot be imported.
    """
    done = subprocess.run(
        [sys.executable, "-m", _EXPORT],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | files.environment,
    )
    if done.returncode == UNFIT_TASK_FILE:
        raise LocalRunError(done.stderr.strip())
    if done.returncode:
        raise LocalRunError(
            f"the tasks that are installed here cannot be loaded: {done.stderr.strip()[-_SHOWN:]}\n"
            "Mend or remove the package that fails; without any, install kubecal with its extra: "
            "pip install 'kubecal[tasks]'"
        )
    try:
        return load_catalogue(done.stdout)
    except ValidationError as error:
        raise LocalRunError(
            f"the tasks that are installed here print something of their own while they are imported: {error}"
        ) from error
