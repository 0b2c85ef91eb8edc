"""Comparing the cache with what a quorum has: a watch may lose events, a list may not.

Only metadata is listed, and only what differs is fetched, so looking at thousands of pods costs little. What has
disappeared becomes an event, after a live look: absence is a conclusion, so it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kubecal_operator.client import ApiClient, Json
from kubecal_operator.errors import ApiError


@dataclass(frozen=True)
class Kind:
    """What is compared, and who is told."""

    path: str
    selectors: Mapping[str, str]
    take: Callable[[Json], None]
    """Told of an object that is new or has changed."""
    drop: Callable[[str, str], None]
    """Told of the (name, uid) of one that is gone."""


async def relist(client: ApiClient, kind: Kind, known: Mapping[str, tuple[str, int]]) -> None:
    """Compare ``known``, a (name, version) under each uid, with a list from a quorum.

    Raises
    ------
    ApiError
        If the server does not answer; what was found until then was told.
    """
    here: set[str] = set()
    async for page in client.metadata_pages(kind.path, **kind.selectors):
        for meta in page:
            here.add(meta["uid"])
            _, version = known.get(meta["uid"], ("", 0))
            if int(meta["resourceVersion"]) > version:
                body = await _get(client, kind.path, meta["name"])
                if body is not None:
                    kind.take(body)
    for uid, (name, _) in known.items():
        if uid not in here and not await exists(client, kind.path, name, uid):
            kind.drop(name, uid)


async def exists(client: ApiClient, path: str, name: str, uid: str) -> bool:
    """A live look: whether this very object is there."""
    body = await _get(client, path, name)
    return body is not None and body["metadata"]["uid"] == uid


async def _get(client: ApiClient, path: str, name: str) -> Json | None:
    try:
        return await client.get(f"{path}/{name}")
    except ApiError as error:
        if error.not_found:
            return None
        raise
