"""Task pods: listed, watched, and now and then compared with what a quorum has.

What is kept of a pod is its trimmed view; the JSON is dropped at once, or 5,000 pods would be 110 MiB.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from kubecal_operator import names
from kubecal_operator.cache import Cache
from kubecal_operator.client import ApiClient, Json
from kubecal_operator.following import Follower
from kubecal_operator.relist import Kind, exists, relist
from kubecal_operator.views import hardware_of, pod_view, version_of


class PodWatch(Follower):
    """The task pods of one namespace."""

    def __init__(self, client: ApiClient, cache: Cache, namespace: str, poke: Callable[[str | None], None]) -> None:
        super().__init__(client, names.pods(namespace), labelSelector=names.TASK_PODS)
        self._cache, self._namespace, self._poke = cache, namespace, poke

    async def take_list(self, items: Sequence[Json]) -> None:
        """Take all in, and drop those that a live look does not find either."""
        for body in items:
            self.take(body)
        listed = {body["metadata"]["uid"] for body in items}
        for view in [view for view in self._cache.pods.values() if view.namespace == self._namespace]:
            # A pod of ours that the list does not have may have been created after the list was made.
            if view.uid not in listed and not await exists(self._client, self.path, view.name, view.uid):
                self._drop(view.name, view.uid)

    def take_event(self, deleted: bool, body: Json) -> None:
        """One pod came, changed or went."""
        if deleted:
            self._drop(body["metadata"]["name"], body["metadata"]["uid"])
        else:
            self.take(body)

    async def relist(self) -> None:
        """What a lost event has hidden comes out here."""
        known = {
            view.uid: (view.name, self._cache.versions.get(view.uid, 0))
            for view in self._cache.pods.values()
            if view.namespace == self._namespace
        }
        kind = Kind(self.path, {"labelSelector": names.TASK_PODS}, self.take, self._drop)
        await relist(self._client, kind, known)

    def take(self, body: Json) -> None:
        """A pod as the API server has it."""
        meta = body["metadata"]
        known = self._cache.pods.get((meta["namespace"], meta["name"]))
        same = known if known is not None and known.uid == meta["uid"] else None
        view = pod_view(body, datetime.now(UTC), same)
        if view is not None and self._cache.put_pod(view, hardware_of(body), version_of(body)) and view != known:
            self._poke(self._cache.domain_of_pod(view))

    def _drop(self, name: str, uid: str) -> None:
        domain = self._cache.hardware.get(uid)
        self._cache.drop_pod(self._namespace, name, uid)
        self._poke(domain)
