"""The settings of the whole chip, pushed to all modules."""

from __future__ import annotations

from kubecal.api.catalogue import TargetKind
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.programs import qubit_of
from kubecal_tasks.tasks.set_up import ModulesTask


class ConfigureAll(ModulesTask):
    """Push the settings of every qubit to its modules."""

    name = "ConfigureAll"
    kind = TargetKind.CHIP

    def act(self, backend: Backend) -> None:
        """Every qubit that has a line."""
        backend.configure(tuple(dict.fromkeys(qubit_of(line) for line in backend.capabilities().bands)))
