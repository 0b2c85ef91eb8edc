"""Which pods hold which modules, and which modules were let go: what lock domains have in common.

A domain is woken by what happens in it. That another domain lets a module go happens elsewhere, so it is noted here,
and whoever wakes domains asks for it. Where no chip names modules nothing is kept and nothing noted.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubecal.api.wires import Wire
from kubecal.engine.attempts import live
from kubecal.engine.elsewhere import modules_in
from kubecal.engine.model import PodView


class ModuleHolders:
    """Kept up to date by the cache."""

    def __init__(self) -> None:
        self.pods: dict[str, dict[str, tuple[str, str]]] = {}
        """Namespace and name of the pods whose annotation names a module, by module and uid."""
        self._let_go: set[str] = set()

    def put(self, view: PodView) -> None:
        """A pod as it is now."""
        for wire in modules_in(view.wires):
            self.pods.setdefault(wire.id, {})[view.uid] = (view.namespace, view.name)
        if not live(view):
            self.lets_go(view.wires)

    def drop(self, view: PodView) -> None:
        """The pod is gone."""
        for wire in modules_in(view.wires):
            pods = self.pods.get(wire.id, {})
            pods.pop(view.uid, None)
            if not pods:
                self.pods.pop(wire.id, None)
        self.lets_go(view.wires)

    def lets_go(self, wires: Iterable[Wire]) -> None:
        """Somebody who held these may not hold them any more."""
        self._let_go.update(wire.id for wire in modules_in(wires))

    def taken_note(self) -> frozenset[str]:
        """The modules that were let go since this was last asked."""
        noted = frozenset(self._let_go)
        self._let_go.clear()
        return noted
