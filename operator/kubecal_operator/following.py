"""Lists and watches of what kopf does not watch for us, for ever.

A list says what there is and where to watch from; a watch says what changes. When the watch breaks off, for
whatever reason, it goes on from the last version that was seen, and with a new list where that is too old.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Collection

from kubecal_operator.client import ApiClient, Json
from kubecal_operator.errors import ApiError
from kubecal_operator.saying import SayOnce

_SAY = SayOnce(logging.getLogger(__name__))
_RETRY_FIRST_S, _RETRY_MOST_S = 0.5, 30.0
"""A server that has just started refuses everything for a second; one that withholds a right does so for long."""


class Follower(ABC):
    """Follows one path of the API server."""

    def __init__(self, client: ApiClient, path: str, **selectors: str) -> None:
        self._client, self.path, self._selectors = client, path, selectors
        self.listed = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled."""
        version = ""
        patience_s = _RETRY_FIRST_S
        while True:
            try:
                if not version:
                    version = await self._list()
                    self.listed.set()
                async for event in self._client.watch(self.path, version, **self._selectors):
                    body = event["object"]
                    version = body["metadata"]["resourceVersion"]
                    patience_s = _RETRY_FIRST_S
                    if event["type"] != "BOOKMARK":
                        self.take_event(event["type"] == "DELETED", body)
            except ApiError as error:
                if error.gone:
                    version = ""
                    continue
                _SAY.warning(f"watching {self.path}: {error}")
                self.withheld(error)
                await asyncio.sleep(patience_s)
                if error.forbidden:
                    patience_s = min(_RETRY_MOST_S, 2 * patience_s)

    def withheld(self, error: ApiError) -> None:  # noqa: B027 - most have nothing to do about it
        """It cannot be followed now; it is tried again."""

    async def _list(self) -> str:
        """Take in what there is, page by page; returns the version to watch from."""
        from_version = ""
        listed: set[str] = set()
        async for page, version in self._client.pages(self.path, **self._selectors):
            for body in page:
                self.take_event(False, body)
                listed.add(body["metadata"]["uid"])
            from_version = version
        await self.take_absence(listed)
        return from_version

    @abstractmethod
    def take_event(self, deleted: bool, body: Json) -> None:
        """One object is there, or came, changed or went."""

    @abstractmethod
    async def take_absence(self, listed: Collection[str]) -> None:
        """A list had these uids and no others."""
