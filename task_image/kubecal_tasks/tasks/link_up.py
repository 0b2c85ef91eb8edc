"""The links between the instruments."""

from __future__ import annotations

from kubecal.api.catalogue import TargetKind
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.tasks.set_up import ModulesTask


class LinkUp(ModulesTask):
    """Bring the links between the instruments up."""

    name = "LinkUp"
    kind = TargetKind.CHIP

    def act(self, backend: Backend) -> None:
        """All links."""
        backend.link_up()
