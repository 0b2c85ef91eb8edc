"""What one pass may know of one lock domain: the cache cut to it, joined, with the time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from kubecal.api.catalogue import Catalogue
from kubecal.engine.elsewhere import Others, held_elsewhere, may_claim, modules_of
from kubecal.engine.model import ChipView, HeldElsewhere, Observed
from kubecal_operator.cache import Cache
from kubecal_operator.catalogues import AuthorCatalogues


class Observer:
    """Makes observations.

    Parameters
    ----------
    images
        What is known of the tasks of authors' images.
    may_create
        Whether this replica has waited long enough to create pods.
    """

    def __init__(
        self,
        cache: Cache,
        catalogue: Catalogue,
        image: str,
        images: AuthorCatalogues,
        may_create: Callable[[], bool],
    ) -> None:
        self._cache, self._catalogue, self._image, self._images = cache, catalogue, image, images
        self._may_create = may_create

    def observe(self, domain: str) -> Observed:
        """Everything the engine may know of the domain now."""
        cache = self._cache
        chips = tuple(chip for chip in cache.chips.values() if cache.domain_of_chip(chip) == domain)
        called = {chip.name for chip in chips}
        elsewhere = tuple(
            chip for chip in cache.chips.values() if chip.name in called and cache.domain_of_chip(chip) != domain
        )
        now = datetime.now(UTC)
        sessions = tuple(
            # In a namespace that is being deleted a session counts as deleted, before its turn comes to be.
            replace(one, deleted_at=now) if one.ref.uid in cache.terminating and one.deleted_at is None else one
            for one in cache.sessions.values()
            if cache.domain_of_session(one) == domain
        )
        uids = {session.ref.uid for session in sessions}
        return Observed(
            now=now,
            hardware_id=domain,
            chips=chips,
            chips_elsewhere=elsewhere,
            sessions=sessions,
            pods=cache.pods_of(domain),
            catalogue=self._catalogue,
            image=self._image,
            images=self._images.of(chips, sessions),
            records=cache.health,
            unwritten=cache.unwritten.get(domain),
            reservations=tuple(one for one in cache.reservations.values() if one.session_uid in uids),
            rejected={name: message for name, (uid, message) in cache.rejected.items() if uid in uids},
            blocked={uid: blocked for uid, blocked in cache.blocked.items() if uid in uids},
            elsewhere=self._elsewhere(domain, modules_of(chips, sessions), now),
            gone=dict(cache.gone),
            parameters={chip.uid: cache.parameters[chip.uid] for chip in chips if chip.uid in cache.parameters},
            local_holder=self._local_holder(domain, chips),
            may_create=self._may_create(),
        )

    def _elsewhere(self, domain: str, modules: frozenset[str], now: datetime) -> tuple[HeldElsewhere, ...]:
        """Who holds these modules for other domains."""
        if not modules:
            return ()
        cache = self._cache
        sessions = {uid: one for uid, one in cache.sessions.items() if cache.domain_of_session(one) != domain}
        places = {place for module in modules for place in cache.modules.pods.get(module, {}).values()}
        beside = [one for one in sessions.values() if may_claim(one, modules)]
        for other in {cache.domain_of_session(one) for one in beside}:
            places.update(cache.places.get(other, {}).values())
        pods = [pod for pod in map(cache.pod_at, places) if cache.domain_of_pod(pod) != domain]
        reservations = [one for one in cache.reservations.values() if one.session_uid in sessions]
        return held_elsewhere(modules, Others(sessions, pods, reservations, cache.gone), now)

    def _local_holder(self, domain: str, chips: Iterable[ChipView]) -> str:
        """A laptop that holds real instruments is waited for; simulated ones cannot disturb each other."""
        known = self._catalogue.backend_by_name
        names = {chip.spec.backend.name for chip in chips if chip.spec is not None}
        if all(name in known and known[name].simulated for name in names):
            return ""
        return self._cache.local_holders.get(domain, "")
