"""How our HTTP services say no: as the API server does, so that kubectl shows their sentence."""

from __future__ import annotations

from typing import Any


def failure(code: int, reason: str, message: str) -> dict[str, Any]:
    """The body of a refusal: a Kubernetes ``Status``; Any: JSON.

    Parameters
    ----------
    code
        The HTTP status.
    reason
        CamelCase, as Kubernetes has them: NotFound, BadRequest, ServiceUnavailable.
    message
        What is wrong, where, and what to do.
    """
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return {**body, "message": message, "reason": reason, "code": code}
