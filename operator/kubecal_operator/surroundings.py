"""What keeps pods from starting and what took their node away: the kubelet's Events, and the nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kubecal_operator import names
from kubecal_operator.cache import Cache
from kubecal_operator.client import ApiClient, Json
from kubecal_operator.following import Follower

_NODES = "/api/v1/nodes"


class MountFailures(Follower):
    """Events of a namespace that say why a pod's volumes cannot be mounted: its status does not."""

    def __init__(self, client: ApiClient, cache: Cache, namespace: str, poke: Callable[[str | None], None]) -> None:
        super().__init__(client, names.events(namespace), fieldSelector="involvedObject.kind=Pod,reason=FailedMount")
        self._cache, self._poke = cache, poke

    async def take_list(self, items: Sequence[Json]) -> None:
        """All that are still kept."""
        for body in items:
            self.take_event(False, body)

    def take_event(self, deleted: bool, body: Json) -> None:
        """One Event; it counts for as long as its pod has not started."""
        about = body.get("involvedObject", {})
        view = self._cache.pods.get((about.get("namespace", ""), about.get("name", "")))
        if deleted or view is None or view.uid != about.get("uid") or view.started_at is not None:
            return
        self._cache.mount_failures[view.uid] = str(body.get("message", ""))
        self._poke(self._cache.domain_of_pod(view))


class Nodes(Follower):
    """Which nodes answer, and which a person has taken out of service."""

    def __init__(self, client: ApiClient, cache: Cache, poke: Callable[[str | None], None]) -> None:
        super().__init__(client, _NODES)
        self._cache, self._poke = cache, poke
        self._standing: dict[str, tuple[bool, bool]] = {}

    async def take_list(self, items: Sequence[Json]) -> None:
        """All there are."""
        self._standing = {body["metadata"]["name"]: standing(body) for body in items}
        self._changed()

    def take_event(self, deleted: bool, body: Json) -> None:
        """One node."""
        name = body["metadata"]["name"]
        if deleted:
            self._standing.pop(name, None)
        else:
            self._standing[name] = standing(body)
        self._changed()

    def _changed(self) -> None:
        cache = self._cache
        lost = frozenset(name for name, (answers, _) in self._standing.items() if not answers)
        released = frozenset(name for name, (_, out) in self._standing.items() if out)
        changed = (lost ^ cache.lost_nodes) | (released ^ cache.released_nodes)
        cache.lost_nodes, cache.released_nodes = lost, released
        for view in [view for view in cache.pods.values() if view.node in changed]:
            cache.modules.lets_go(view.wires)
            self._poke(cache.domain_of_pod(view))


def standing(node: Json) -> tuple[bool, bool]:
    """(answers, out of service) of a node."""
    conditions = node.get("status", {}).get("conditions", ())
    ready = next((one["status"] for one in conditions if one["type"] == "Ready"), "Unknown")
    taints = [one.get("key") for one in node.get("spec", {}).get("taints", ())]
    return ready == "True", names.OUT_OF_SERVICE in taints
