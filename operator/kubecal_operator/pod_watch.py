"""Task pods: listed, watched, and now and then compared with what a quorum has.

What is kept of a pod is its trimmed view; the JSON is dropped at once, or 5,000 pods would be 110 MiB.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Protocol

from kubecal.engine.attempts import live
from kubecal.engine.model import PodView
from kubecal_operator import names
from kubecal_operator.cache import Cache
from kubecal_operator.client import ApiClient, Json
from kubecal_operator.following import Follower
from kubecal_operator.relist import Kind, exists, relist
from kubecal_operator.views import hardware_of, pod_view, version_of


class Office(Protocol):
    """Who is told."""

    def poke(self, domain: str | None) -> None:
        """Something of this domain has changed."""

    def poke_by_and_by(self, domain: str | None) -> None:
        """Something has changed that nothing follows from but what people read."""


class PodWatch(Follower):
    """The task pods of one namespace."""

    def __init__(self, client: ApiClient, cache: Cache, namespace: str, office: Office) -> None:
        super().__init__(client, names.pods(namespace), labelSelector=names.TASK_PODS)
        self._cache, self.namespace, self._office = cache, namespace, office

    async def take_absence(self, listed: Collection[str]) -> None:
        """Drop those that a live look does not find either."""
        for view in [view for view in self._cache.pods.values() if view.namespace == self.namespace]:
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
            if view.namespace == self.namespace
        }
        kind = Kind(self.path, {"labelSelector": names.TASK_PODS}, self.take, self._drop)
        await relist(self._client, kind, known)

    def forget(self) -> None:
        """Nothing of the namespace can be seen any more: what it held is kept for as long as processes may go on."""
        for view in [view for view in self._cache.pods.values() if view.namespace == self.namespace]:
            self._drop(view.name, view.uid)

    def take(self, body: Json) -> None:
        """A pod as the API server has it."""
        meta = body["metadata"]
        if self._cache.knows(meta["uid"], version_of(body)):
            return
        known = self._cache.pods.get((meta["namespace"], meta["name"]))
        same = known if known is not None and known.uid == meta["uid"] else None
        view = pod_view(body, datetime.now(UTC), same)
        if view is None or not self._cache.put_pod(view, hardware_of(body), version_of(body)) or view == known:
            return
        domain = self._cache.domain_of_pod(view)
        if same is not None and _as_busy(same) == _as_busy(view):
            # It was bound, runs, or has its phase: on the ordinary way of a pod no wire becomes free by that.
            self._office.poke_by_and_by(domain)
        else:
            self._office.poke(domain)

    def _drop(self, name: str, uid: str) -> None:
        domain = self._cache.hardware.get(uid)
        known = self._cache.pods.get((self.namespace, name))
        self._cache.drop_pod(self.namespace, name, uid)
        if known is None or known.phase != "Succeeded":
            # Of one that succeeded all was decided when its container ended, and hundreds of them are swept at once.
            self._office.poke(domain)


def _as_busy(pod: PodView) -> tuple[bool, bool, bool]:
    """What of a pod decides who may run next: whether it may drive a line, has ended, or is on its way out."""
    return live(pod), pod.terminated is None, pod.deleting_since is None
