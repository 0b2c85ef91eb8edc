"""What keeps pods from starting and what took their node away: the kubelet's Events, and the nodes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

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

    def take_event(self, deleted: bool, body: Json) -> None:
        """One Event; it counts for as long as its pod has not started."""
        about = body.get("involvedObject", {})
        view = self._cache.pods.get((about.get("namespace", ""), about.get("name", "")))
        if deleted or view is None or view.uid != about.get("uid") or view.started_at is not None:
            return
        self._cache.mount_failures[view.uid] = str(body.get("message", ""))
        self._poke(self._cache.domain_of_pod(view))

    async def take_absence(self, listed: Collection[str]) -> None:
        """What an Event said still holds when the server does not keep it any more."""


class Nodes(Follower):
    """Which nodes answer, and which a person has taken out of service."""

    def __init__(self, client: ApiClient, cache: Cache, poke: Callable[[str | None], None]) -> None:
        super().__init__(client, _NODES)
        self._cache, self._poke = cache, poke
        self._standing: dict[str, Standing] = {}
        """By the node's uid."""

    def take_event(self, deleted: bool, body: Json) -> None:
        """One node."""
        uid = body["metadata"]["uid"]
        if deleted:
            self._standing.pop(uid, None)
        else:
            self._standing[uid] = standing(body)
        self._changed()

    async def take_absence(self, listed: Collection[str]) -> None:
        """Nodes that are not there any more neither answer nor fail to."""
        self._standing = {uid: one for uid, one in self._standing.items() if uid in listed}
        self._changed()

    def _changed(self) -> None:
        cache = self._cache
        lost = frozenset(one.name for one in self._standing.values() if not one.answers)
        released = frozenset(one.name for one in self._standing.values() if one.out_of_service)
        changed = (lost ^ cache.lost_nodes) | (released ^ cache.released_nodes)
        cache.lost_nodes, cache.released_nodes = lost, released
        if changed:
            # Nodes report every few minutes that they are well, and pods are many.
            for view in [view for view in cache.pods.values() if view.node in changed]:
                cache.modules.lets_go(view.wires)
                self._poke(cache.domain_of_pod(view))


@dataclass(frozen=True)
class Standing:
    """How a node stands."""

    name: str
    answers: bool
    out_of_service: bool


def standing(node: Json) -> Standing:
    """How this node stands."""
    conditions = node.get("status", {}).get("conditions", ())
    ready = next((one["status"] for one in conditions if one["type"] == "Ready"), "Unknown")
    taints = [one.get("key") for one in node.get("spec", {}).get("taints", ())]
    return Standing(node["metadata"]["name"], ready == "True", names.OUT_OF_SERVICE in taints)
