"""Watches of what kopf does not watch for us: task pods, their Events, and nodes.

Each is a list and a watch from its version, for ever; a list also says what has disappeared, which a broken
watch cannot. What is kept of an object is its trimmed view; the JSON is dropped at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from kubecal_operator import names
from kubecal_operator.cache import Cache
from kubecal_operator.client import ApiClient, Json
from kubecal_operator.errors import ApiError
from kubecal_operator.views import hardware_of, pod_view

_LOG = logging.getLogger(__name__)
_RETRY_S = 1.0
_OURS = "app.kubernetes.io/name=kubecal-task"


class Watching:
    """Keeps the cache's pods, mount failures and nodes as the API server has them."""

    def __init__(
        self, client: ApiClient, cache: Cache, namespaces: tuple[str, ...], poke: Callable[[str | None], None]
    ) -> None:
        self._client, self._cache, self._poke = client, cache, poke
        self._namespaces = namespaces
        self._listed = {namespace: asyncio.Event() for namespace in namespaces}

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            for namespace in self._namespaces:
                group.create_task(self._follow_pods(namespace))
                group.create_task(self._follow_events(namespace))
            group.create_task(self._follow_nodes())

    async def listed(self) -> None:
        """Wait until the pods of every namespace have been listed once."""
        for event in self._listed.values():
            await event.wait()

    async def relist(self) -> None:
        """Compare the cache with a list from a quorum: what a lost event has hidden comes out here."""
        for namespace in self._namespaces:
            await self._list_pods(namespace)

    # ------------------------------------------------------------------ pods

    async def _follow_pods(self, namespace: str) -> None:
        await self._forever(f"pods of {namespace}", lambda: self._pods(namespace))

    async def _pods(self, namespace: str) -> None:
        version = await self._list_pods(namespace)
        self._listed[namespace].set()
        path = names.pods(namespace)
        while True:
            async for event in self._client.watch(path, version, labelSelector=_OURS):
                body = event["object"]
                version = body["metadata"]["resourceVersion"]
                if event["type"] in ("ADDED", "MODIFIED"):
                    self._put(body)
                elif event["type"] == "DELETED":
                    self._drop(namespace, body["metadata"]["name"], body["metadata"]["uid"])

    async def _list_pods(self, namespace: str) -> str:
        items, version = await self._client.list_all(names.pods(namespace), labelSelector=_OURS)
        here = {body["metadata"]["name"]: body["metadata"]["uid"] for body in items}
        for body in items:
            self._put(body)
        known = [view for view in self._cache.pods.values() if view.namespace == namespace]
        for view in known:
            # A pod of ours that the list does not have may have been created after it was made.
            if here.get(view.name) != view.uid and not await self._exists(namespace, view.name, view.uid):
                self._drop(namespace, view.name, view.uid)
        return version

    async def _exists(self, namespace: str, name: str, uid: str) -> bool:
        """A live look: absence is a conclusion, so it is asked for."""
        try:
            body = await self._client.get(names.pods(namespace, name))
        except ApiError as error:
            if error.not_found:
                return False
            raise
        return bool(body["metadata"]["uid"] == uid)

    def _put(self, body: Json) -> None:
        meta = body["metadata"]
        known = self._cache.pods.get((meta["namespace"], meta["name"]))
        same = known if known is not None and known.uid == meta["uid"] else None
        view = pod_view(body, datetime.now(UTC), same)
        if view is None or view == known:
            return
        self._cache.put_pod(view, hardware_of(body))
        self._poke(self._cache.domain_of_pod(view))

    def _drop(self, namespace: str, name: str, uid: str) -> None:
        known = self._cache.pods.get((namespace, name))
        domain = self._cache.domain_of_pod(known) if known is not None else None
        self._cache.drop_pod(namespace, name, uid, datetime.now(UTC))
        self._poke(domain)

    # ------------------------------------------------------------------ what keeps pods from starting

    async def _follow_events(self, namespace: str) -> None:
        await self._forever(f"events of {namespace}", lambda: self._events(namespace))

    async def _events(self, namespace: str) -> None:
        selector = "involvedObject.kind=Pod,reason=FailedMount"
        items, version = await self._client.list_all(names.events(namespace), fieldSelector=selector)
        for body in items:
            self._mount_failed(body)
        while True:
            async for event in self._client.watch(names.events(namespace), version, fieldSelector=selector):
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] in ("ADDED", "MODIFIED"):
                    self._mount_failed(event["object"])

    def _mount_failed(self, body: Json) -> None:
        about: dict[str, Any] = body.get("involvedObject", {})
        view = self._cache.pods.get((about.get("namespace", ""), about.get("name", "")))
        if view is not None and view.uid == about.get("uid") and view.started_at is None:
            self._cache.mount_failures[view.uid] = body.get("message", "")
            self._poke(self._cache.domain_of_pod(view))

    # ------------------------------------------------------------------ nodes

    async def _follow_nodes(self) -> None:
        await self._forever("nodes", self._nodes)

    async def _nodes(self) -> None:
        items, version = await self._client.list_all("/api/v1/nodes")
        nodes = {body["metadata"]["name"]: _standing(body) for body in items}
        self._take_nodes(nodes)
        while True:
            async for event in self._client.watch("/api/v1/nodes", version):
                body = event["object"]
                version = body["metadata"]["resourceVersion"]
                name = body["metadata"].get("name", "")
                if event["type"] == "DELETED":
                    nodes.pop(name, None)
                elif event["type"] in ("ADDED", "MODIFIED"):
                    nodes[name] = _standing(body)
                self._take_nodes(nodes)

    def _take_nodes(self, nodes: dict[str, tuple[bool, bool]]) -> None:
        lost = frozenset(name for name, (answers, _) in nodes.items() if not answers)
        released = frozenset(name for name, (_, out) in nodes.items() if out)
        if (lost, released) == (self._cache.lost_nodes, self._cache.released_nodes):
            return
        changed = (lost ^ self._cache.lost_nodes) | (released ^ self._cache.released_nodes)
        self._cache.lost_nodes, self._cache.released_nodes = lost, released
        for view in list(self._cache.pods.values()):
            if view.node in changed:
                self._poke(self._cache.domain_of_pod(view))

    # ------------------------------------------------------------------ for ever

    async def _forever(self, what: str, follow: Callable[[], Any]) -> None:
        while True:
            try:
                await follow()
            except ApiError as error:
                if error.status != 410:
                    _LOG.warning("the watch of %s begins anew: %s", what, error)
                await asyncio.sleep(_RETRY_S)


def _standing(body: Json) -> tuple[bool, bool]:
    """(answers, out of service) of a node."""
    conditions = body.get("status", {}).get("conditions", ())
    ready = next((one["status"] for one in conditions if one["type"] == "Ready"), "Unknown")
    taints = [one.get("key") for one in body.get("spec", {}).get("taints", ())]
    return ready == "True", names.OUT_OF_SERVICE in taints
