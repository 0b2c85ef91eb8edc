"""The settings of one qubit, pushed to its modules."""

from __future__ import annotations

from kubecal_tasks.backends.base import Backend
from kubecal_tasks.tasks.set_up import ModulesTask


class Configure(ModulesTask):
    """Push a qubit's settings to its modules."""

    name = "Configure"

    def act(self, backend: Backend) -> None:
        """Control and readout of the target."""
        backend.configure((self.target,))
