"""Our one finalizer, on sessions only: the first write before any record, and the last after all."""

from __future__ import annotations

from kubecal.engine.model import SessionRef
from kubecal_operator import names
from kubecal_operator.client import ApiClient, Json
from kubecal_operator.errors import ApiError


async def add_finalizer(client: ApiClient, ref: SessionRef) -> Json | None:
    """Hold the object; its state afterwards, None if it is gone. One that is being deleted is left alone."""
    return await _changed(client, ref, add=True)


async def remove_finalizer(client: ApiClient, ref: SessionRef) -> Json | None:
    """Let the object go; its state afterwards, None if it is gone."""
    return await _changed(client, ref, add=False)


async def _changed(client: ApiClient, ref: SessionRef, *, add: bool) -> Json | None:
    path = names.custom(ref.namespace, names.SESSIONS, ref.name)
    try:
        current = await client.get(path)
        meta = current["metadata"]
        kept = [name for name in meta.get("finalizers", ()) if name != names.FINALIZER]
        has = len(kept) != len(meta.get("finalizers", ()))
        if meta["uid"] != ref.uid or has is add or (add and meta.get("deletionTimestamp")):
            return current
        # The version makes it a test-and-set: another controller's finalizer is not lost.
        wanted = [*kept, names.FINALIZER] if add else kept
        body = {"metadata": {"resourceVersion": meta["resourceVersion"], "finalizers": wanted}}
        return await client.merge(path, body)
    except ApiError as error:
        if error.not_found:
            return None
        raise
