"""Kubernetes Events: for session transitions and final failures only."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime
from typing import Any

from kubecal.engine.intents import Announcement
from kubecal_operator import names
from kubecal_operator.client import ApiClient
from kubecal_operator.errors import ApiError
from kubecal_operator.saying import SayOnce

_SAY = SayOnce(logging.getLogger(__name__))
_MESSAGE = 1024


async def announce(client: ApiClient, announcement: Announcement, identity: str) -> None:
    """Write an Event; one that cannot be written is logged and forgotten, since the status says the same."""
    ref = announcement.ref
    now = datetime.now(UTC)
    digest = hashlib.sha256(f"{ref.uid}{announcement.reason}{announcement.message}".encode()).hexdigest()[:16]
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{ref.name[:40]}.{digest}", "namespace": ref.namespace},
        "involvedObject": {
            "apiVersion": f"{names.GROUP}/{names.VERSION}",
            "kind": "CalibrationSession",
            "name": ref.name,
            "namespace": ref.namespace,
            "uid": ref.uid,
        },
        "type": announcement.type,
        "reason": announcement.reason,
        "message": announcement.message[:_MESSAGE],
        "action": announcement.reason,
        "eventTime": now.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "reportingComponent": "kubecal.io/operator",
        "reportingInstance": identity[:128],
    }
    try:
        await client.create(names.events(ref.namespace), body)
    except ApiError as error:
        if not error.already_exists:
            _SAY.warning(f"the Event {announcement.reason} of {ref.namespace}/{ref.name} was not written: {error}")
