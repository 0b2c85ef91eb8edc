"""How the instruments are."""

from __future__ import annotations

from kubecal.api.catalogue import TargetKind
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.tasks.set_up import ModulesTask


class CheckStatus(ModulesTask):
    """Status of the instruments, one row a module."""

    name = "CheckStatus"
    kind = TargetKind.CHIP

    def act(self, backend: Backend) -> None:
        """Nothing is changed: the modules are only asked."""
