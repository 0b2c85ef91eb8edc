"""What an API server's answer means, decided once, here at the edge."""

from __future__ import annotations

import json


class ApiError(Exception):
    """An answer that is not success.

    Parameters
    ----------
    status
        HTTP status; 0: no answer came, so the outcome is unknown.
    message
        The server's own sentence.
    reason
        The server's CamelCase reason.
    retry_after_s
        What the server asked for; None: nothing.
    """

    def __init__(self, status: int, message: str, reason: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason
        self.retry_after_s = retry_after_s

    @property
    def outcome_unknown(self) -> bool:
        """Whether the request may have been carried out all the same."""
        return self.status == 0 or (self.status >= 500 and not self.webhook_failed)

    @property
    def not_found(self) -> bool:
        """There is no such object."""
        return self.status == 404

    @property
    def gone(self) -> bool:
        """A version that is too old to be watched from: list again."""
        return self.status == 410

    @property
    def already_exists(self) -> bool:
        """A create of a name that is taken."""
        return self.status == 409 and self.reason == "AlreadyExists"

    @property
    def conflict(self) -> bool:
        """A precondition that does not hold any more: look again, quietly."""
        return self.status == 409 and self.reason != "AlreadyExists"

    @property
    def namespace_terminating(self) -> bool:
        """Nothing can be created in a namespace that is being deleted."""
        return self.status == 403 and "because it is being terminated" in self.message

    @property
    def quota_exceeded(self) -> bool:
        """A ResourceQuota is used up."""
        return self.status == 403 and "exceeded quota" in self.message

    @property
    def forbidden(self) -> bool:
        """Policy, rights or a webhook are against it: somebody can change that, sending it again cannot."""
        return (self.status == 403 and not self.quota_exceeded) or self.webhook_failed

    @property
    def webhook_failed(self) -> bool:
        """An admission webhook that must be asked did not answer: nothing was written."""
        return self.status >= 500 and "failed calling webhook" in self.message

    @property
    def refused_for_good(self) -> bool:
        """The object itself is at fault: sending it again cannot help."""
        return self.status in (400, 413, 422)


def error_of(status: int, text: str, retry_after: str | None) -> ApiError:
    """The error that an answer is; a body that is no Status is quoted as it is."""
    try:
        body = json.loads(text)
        message, reason = str(body.get("message", text)), str(body.get("reason", ""))
    except (ValueError, AttributeError):
        message, reason = text[:500] or f"HTTP {status}", ""
    seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
    return ApiError(status, message, reason, seconds)
