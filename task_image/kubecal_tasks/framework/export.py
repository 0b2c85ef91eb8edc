"""The catalogue file: everything the operator and `plan` must know, from the classes themselves.

``python -m kubecal_tasks.framework.export`` prints it; that is what ``kubecal tasks export`` runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from kubecal.api.catalogue import Catalogue
from kubecal_tasks.framework.registry import all_tasks
from kubecal_tasks.framework.task import BaseTask


@cache
def installed_catalogue() -> Catalogue:
    """The catalogue of every task and backend of this installation."""
    return catalogue_of(all_tasks().values())


def catalogue_of(tasks: Iterable[type[BaseTask]]) -> Catalogue:
    """The catalogue of some tasks, with every backend of this installation."""
    from kubecal_tasks.backends.registry import backend_entries

    return Catalogue(tasks=tuple(task.catalogue_entry() for task in tasks), backends=tuple(backend_entries()))


if __name__ == "__main__":
    print(installed_catalogue().to_json())
