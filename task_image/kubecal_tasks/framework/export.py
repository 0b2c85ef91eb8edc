"""The catalogue file: everything the operator and `plan` must know, from the classes themselves.

``python -m kubecal_tasks.framework.export`` prints it; that is what ``kubecal tasks export`` runs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache

from kubecal.api.catalogue import Catalogue
from kubecal.api.request import UNFIT_TASK_FILE
from kubecal_tasks.framework.loose import TaskFileError, source_of
from kubecal_tasks.framework.registry import all_tasks
from kubecal_tasks.framework.task import BaseTask


@cache
def installed_catalogue() -> Catalogue:
    """The catalogue of every task and backend of this installation."""
    return catalogue_of(all_tasks().values())


def catalogue_of(tasks: Iterable[type[BaseTask]]) -> Catalogue:
    """The catalogue of some tasks, with every backend of this installation."""
    from kubecal_tasks.backends.registry import backend_entries

    entries = ((task.catalogue_entry(), source_of(task)) for task in tasks)
    return Catalogue(
        tasks=tuple(entry.model_copy(update={"source": source}) if source else entry for entry, source in entries),
        backends=tuple(backend_entries()),
    )


def main() -> int:
    """Print the catalogue of this installation; the exit code."""
    try:
        print(installed_catalogue().to_json())
    except TaskFileError as error:
        print(error, file=sys.stderr)
        return UNFIT_TASK_FILE
    return 0


if __name__ == "__main__":
    sys.exit(main())
