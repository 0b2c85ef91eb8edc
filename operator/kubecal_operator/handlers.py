"""kopf's handlers for the two kinds: hand the event over, nothing else.

``on.event`` only: change handlers would write annotations three times per object, and ``kopf.index`` starts up in
quadratic time and keeps ghosts of what vanished while a watch was down.
"""

from __future__ import annotations

from typing import Any

import kopf

from kubecal_operator import names
from kubecal_operator.app import Operator
from kubecal_operator.connection import login

_SILENCE_S = 75.0


def registry_of(operator: Operator) -> kopf.OperatorRegistry:
    """Handlers of one operator."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def credentials(settings: kopf.OperatorSettings, **_: Any) -> kopf.ConnectionInfo:
        return login(settings)

    @kopf.on.startup(registry=registry)
    async def start(settings: kopf.OperatorSettings, **_: Any) -> None:
        configure(settings)
        await operator.start()

    @kopf.on.cleanup(registry=registry)
    async def stop(**_: Any) -> None:
        await operator.stop()

    @kopf.on.event(names.GROUP, names.VERSION, names.CHIPS, registry=registry)
    async def chip(event: kopf.RawEvent, body: kopf.Body, **_: Any) -> None:
        operator.kinds.take_chip(event["type"] == "DELETED", body)

    @kopf.on.event(names.GROUP, names.VERSION, names.SESSIONS, registry=registry)
    async def session(event: kopf.RawEvent, body: kopf.Body, **_: Any) -> None:
        operator.kinds.take_session(event["type"] == "DELETED", body)

    return registry


def configure(settings: kopf.OperatorSettings) -> None:
    """kopf does here what we need and nothing more: no Events, no scans of the cluster, no finalizers of its own."""
    # Not our own: kopf takes the finalizer it believes to be its own off every object that no handler needs it for.
    settings.persistence.finalizer = names.KOPF_FINALIZER
    settings.posting.enabled = False
    settings.scanning.disabled = True
    # The server sends a bookmark every minute: a stream that is silent for longer is dead.
    settings.watching.inactivity_timeout = _SILENCE_S
    settings.watching.server_timeout = 290
    settings.networking.request_timeout = 10
    settings.networking.connect_timeout = 5
    settings.networking.enforce_retry_after = True
