"""Catalogues of authors' images, from the ConfigMaps that chips name.

Whatever is named is followed from then on, each by a watch of that one object: a ConfigMap that comes after its chip
is taken in at once, and other ConfigMaps of the namespace are none of our business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from kubecal.api.catalogue import CONFIG_MAP_KEY, Catalogue, load_catalogue
from kubecal.engine.catalogues import remedy
from kubecal.engine.model import ChipView, SessionView
from kubecal_operator import names
from kubecal_operator.cache import Cache
from kubecal_operator.client import ApiClient, Json
from kubecal_operator.errors import ApiError
from kubecal_operator.following import Follower

Place = tuple[str, str]
"""Namespace and name of a ConfigMap."""
_FIRST_LOOK_S = 10.0


class AuthorCatalogues:
    """Follows the ConfigMaps that chips and sessions name.

    Parameters
    ----------
    poke
        Told of each lock domain whose sessions may now be planned otherwise.
    spawn
        Starts work that goes on in the background, under a name.
    """

    def __init__(
        self,
        client: ApiClient,
        cache: Cache,
        poke: Callable[[str | None], None],
        spawn: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]],
    ) -> None:
        self._client, self._cache, self._poke, self._spawn = client, cache, poke, spawn
        self._followed: dict[Place, _ConfigMap] = {}
        self._work: dict[Place, asyncio.Task[None]] = {}

    def of(self, chips: Iterable[ChipView], sessions: Iterable[SessionView]) -> Mapping[Place, Catalogue | str]:
        """What is known of the images of these; a text: why one cannot be used. Those that are missing are left out."""
        found = {place: self._follow(place).found for place in sorted(named(chips, sessions))}
        return {place: one for place, one in found.items() if one is not None}

    async def ready(self) -> None:
        """Wait, not for ever, until every ConfigMap that is named was looked at: then what is missing is missing."""
        followed = [self._follow(place) for place in self._wanted()]
        looks = asyncio.gather(*(one.looked.wait() for one in followed))
        try:
            await asyncio.wait_for(looks, _FIRST_LOOK_S)
        except TimeoutError:
            return

    def prune(self) -> None:
        """Nothing is followed any more that nobody names."""
        for place in self._followed.keys() - self._wanted():
            del self._followed[place]
            self._work.pop(place).cancel()

    def _wanted(self) -> set[Place]:
        return named(self._cache.chips.values(), self._cache.sessions.values())

    def _follow(self, place: Place) -> _ConfigMap:
        known = self._followed.get(place)
        if known is None:
            known = self._followed[place] = _ConfigMap(self._client, place, lambda: self._changed(place[0]))
            self._work[place] = self._spawn(known.run(), f"watching ConfigMap {'/'.join(place)}")
        return known

    def _changed(self, namespace: str) -> None:
        chips = (chip for chip in self._cache.chips.values() if chip.namespace == namespace)
        sessions = (one for one in self._cache.sessions.values() if one.ref.namespace == namespace)
        for domain in {*map(self._cache.domain_of_chip, chips), *map(self._cache.domain_of_session, sessions)}:
            self._poke(domain)


class _ConfigMap(Follower):
    """One ConfigMap, and what it holds."""

    def __init__(self, client: ApiClient, place: Place, changed: Callable[[], None]) -> None:
        namespace, self._name = place
        super().__init__(client, names.config_maps(namespace), fieldSelector=f"metadata.name={self._name}")
        self._changed = changed
        self.found: Catalogue | str | None = f"ConfigMap {self._name} has not been read yet"
        """None: there is no such ConfigMap."""
        self.looked = asyncio.Event()

    def take_event(self, deleted: bool, body: Json) -> None:
        """It came, changed or went."""
        self._take(None if deleted else read_config_map(body))

    async def take_absence(self, listed: Collection[str]) -> None:
        """Nothing, where the list is empty."""
        if not listed:
            self._take(None)

    def withheld(self, error: ApiError) -> None:
        """What was read once still counts; before that nobody knows whether there is one."""
        if not self.listed.is_set():
            self._take(f"ConfigMap {self._name} cannot be read ({error}): let the operator read it")

    def _take(self, found: Catalogue | str | None) -> None:
        self.looked.set()
        if found != self.found:
            self.found = found
            self._changed()


def named(chips: Iterable[ChipView], sessions: Iterable[SessionView]) -> set[Place]:
    """The ConfigMaps that chips name, as they are and as records of sessions have them."""
    specs = [(chip.namespace, chip.spec) for chip in chips if chip.spec is not None]
    specs += [(one.ref.namespace, one.record.chip_spec) for one in sessions if one.record is not None]
    return {(namespace, image.catalogue) for namespace, spec in specs for image in spec.pods.images}


def read_config_map(body: Json) -> Catalogue | str:
    """The catalogue that a ConfigMap holds, or a sentence of what is wrong with it."""
    name = body["metadata"]["name"]
    text = (body.get("data") or {}).get(CONFIG_MAP_KEY)
    if text is None:
        return f"ConfigMap {name} has no key {CONFIG_MAP_KEY}: {remedy(name)}"
    try:
        return load_catalogue(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        said = f"{where}: {first['msg']}" if where else first["msg"]
        return f"ConfigMap {name} holds no catalogue of this version ({said}): {remedy(name)}"
