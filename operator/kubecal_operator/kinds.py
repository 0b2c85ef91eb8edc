"""Chips and sessions on their way into the cache, from kopf's watches and from our own lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kubecal.engine.model import ChipView, SessionView
from kubecal_operator import names
from kubecal_operator.cache import Cache
from kubecal_operator.client import ApiClient
from kubecal_operator.relist import Kind, relist
from kubecal_operator.views import Json, chip_view, session_view, version_of


class Kinds:
    """Takes in what is said of our two kinds.

    Parameters
    ----------
    poke
        Told of each lock domain that something changed in.
    unread
        Told that there is a session whose record was not read yet.
    """

    def __init__(
        self, client: ApiClient, cache: Cache, poke: Callable[[str | None], None], unread: Callable[[], None]
    ) -> None:
        self._client, self._cache, self._poke, self._unread = client, cache, poke, unread

    def take_chip(self, deleted: bool, body: Json) -> None:
        """A Chip came, changed or went."""
        meta = body["metadata"]
        if deleted:
            self._drop_chip(meta["namespace"], meta["name"], meta["uid"])
            return
        if self._cache.knows(meta["uid"], version_of(body)):
            return
        before = self._cache.chips.get((meta["namespace"], meta["name"]))
        view = chip_view(body, before)
        if self._cache.put_chip(view):
            self._poke_about(view, before)

    def take_session(self, deleted: bool, body: Json) -> None:
        """A CalibrationSession came, changed or went."""
        uid = body["metadata"]["uid"]
        if deleted:
            self._drop_session(uid)
            return
        if self._cache.knows(uid, version_of(body)):
            return
        new = uid not in self._cache.sessions
        view = session_view(body, self._cache.sessions.get(uid))
        if self._cache.put_session(view, version_of(body)):
            if new:
                self._unread()
            self._poke(self._cache.domain_of_session(self._cache.sessions[view.ref.uid]))

    async def relist(self, namespaces: Iterable[str]) -> None:
        """Compare with a quorum: events that were lost, and objects that vanished while a watch was down."""
        for namespace in namespaces:
            await relist(self._client, self._chips(namespace), self._known_chips(namespace))
            await relist(self._client, self._sessions(namespace), self._known_sessions(namespace))

    # ------------------------------------------------------------------ parts

    def _drop_chip(self, namespace: str, name: str, uid: str) -> None:
        before = self._cache.chips.get((namespace, name))
        self._cache.drop_chip(namespace, name, uid)
        if before is not None and before.uid == uid:
            self._poke_about(before, None)

    def _drop_session(self, uid: str) -> None:
        known = self._cache.sessions.get(uid)
        domain = self._cache.domain_of_session(known) if known is not None else None
        self._cache.drop_session(uid)
        self._poke(domain)

    def _poke_about(self, view: ChipView, before: ChipView | None) -> None:
        """A chip may have changed its domain, and its sessions go with it.

        Chips of the same name elsewhere may now have their place in the records, or have lost it.
        """
        named_alike = (chip for chip in self._cache.chips.values() if chip.name == view.name)
        domains = {self._cache.domain_of_chip(one) for one in (before, view, *named_alike) if one is not None}
        about: list[SessionView] = [
            session
            for session in self._cache.sessions.values()
            if session.spec is not None and (session.ref.namespace, session.spec.chip) == (view.namespace, view.name)
        ]
        for domain in domains | {self._cache.domain_of_session(session) for session in about}:
            self._poke(domain)

    def _chips(self, namespace: str) -> Kind:
        return Kind(
            names.all_custom(namespace, names.CHIPS),
            {},
            lambda body: self.take_chip(False, body),
            lambda name, uid: self._drop_chip(namespace, name, uid),
        )

    def _sessions(self, namespace: str) -> Kind:
        return Kind(
            names.all_custom(namespace, names.SESSIONS),
            {},
            lambda body: self.take_session(False, body),
            lambda _, uid: self._drop_session(uid),
        )

    def _known_chips(self, namespace: str) -> dict[str, tuple[str, int]]:
        return {
            view.uid: (view.name, self._cache.versions.get(view.uid, 0))
            for view in self._cache.chips.values()
            if view.namespace == namespace
        }

    def _known_sessions(self, namespace: str) -> dict[str, tuple[str, int]]:
        return {
            uid: (view.ref.name, self._cache.versions.get(uid, 0))
            for uid, view in self._cache.sessions.items()
            if view.ref.namespace == namespace
        }
