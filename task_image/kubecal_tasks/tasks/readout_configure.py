"""The readout settings of the whole chip, pushed to the readout modules."""

from __future__ import annotations

from kubecal.api.catalogue import TargetKind
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.programs import qubit_of, readout_line
from kubecal_tasks.tasks.set_up import ModulesTask


class ReadoutConfigure(ModulesTask):
    """Push the readout settings of every qubit, and no others."""

    name = "ReadoutConfigure"
    kind = TargetKind.CHIP

    def act(self, backend: Backend) -> None:
        """Every readout line."""
        backend.configure(tuple(line for line in backend.capabilities().bands if line == readout_line(qubit_of(line))))
