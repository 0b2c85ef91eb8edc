"""Which lab a program speaks to: the only place that knows there are two."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kubecal.api.catalogue import Catalogue, built_in_catalogue
from kubecal.api.request import TASK_FILES_VARIABLE
from kubecal.lab.lab import Lab
from kubecal.service.config import CalibConfig
from kubecal.service.errors import ServiceError
from kubecal.service.own_tasks import task_files

LAB_VARIABLE = "KUBECAL_LAB"
MONGO_VARIABLE = "KUBECAL_MONGO_URI"


@dataclass(frozen=True)
class Place:
    """A lab, and what is known of it beforehand."""

    lab: Lab
    catalogue: Catalogue
    makes_chips: bool
    """Whether a chip that is not known may be simulated."""


def chosen_place(config: CalibConfig, say: Callable[[str], None]) -> Place:
    """The lab, not opened yet; may take a second where there are own tasks.

    Raises
    ------
    ServiceError
        If what is said about it contradicts itself.
    LabError
        If the own tasks cannot be loaded.
    """
    if TASK_FILES_VARIABLE in os.environ:
        # A file that begins a session when it is loaded would begin one for every task that it runs.
        raise ServiceError(
            "this file is loaded for its tasks, by a process that runs them: put what begins a session under "
            "if __name__ == '__main__'"
        )
    if config.where is not None and not isinstance(config.where, str):
        return Place(config.where, built_in_catalogue(), makes_chips=False)
    where = config.where or ("cluster" if config.namespace or config.context else "") or _said_by_environment()
    match where:
        case "local":
            if config.namespace or config.context:
                raise ServiceError("namespace and context are about a cluster: leave them out, or where='local'")
            return _here(task_files(config.tasks), say)
        case "cluster":
            if config.tasks:
                raise ServiceError("a cluster has own tasks in images, not in files: leave tasks out, or where='local'")
            return _cluster(config)
        case _:
            raise ServiceError(f"where (or the environment variable {LAB_VARIABLE}) is {where!r}: local or cluster")


def _said_by_environment() -> str:
    return os.environ.get(LAB_VARIABLE, "") or "local"


def _here(files: Sequence[Path], say: Callable[[str], None]) -> Place:
    from kubecal.local.catalogue import installed_catalogue
    from kubecal.local.lab import LocalLab
    from kubecal.local.task_files import TaskFiles

    lab = LocalLab(mongo_uri=os.environ.get(MONGO_VARIABLE, ""), task_files=files, notice=say)
    return Place(lab, installed_catalogue(TaskFiles.of(files)), makes_chips=True)


def _cluster(config: CalibConfig) -> Place:
    from kubecal.cluster.lab import ClusterLab

    lab = ClusterLab(
        namespace=config.namespace,
        chosen=config.context,
        operator_namespace=config.operator_namespace,
        release=config.release,
    )
    return Place(lab, built_in_catalogue(), makes_chips=False)
