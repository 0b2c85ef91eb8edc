"""What an answer of the API server means."""

from __future__ import annotations

import json

import pytest

from kubecal_operator.errors import ApiError, error_of

MEANINGS = (
    "outcome_unknown",
    "not_found",
    "gone",
    "already_exists",
    "conflict",
    "namespace_terminating",
    "quota_exceeded",
    "forbidden",
    "refused_for_good",
)


@pytest.mark.parametrize(
    ("status", "reason", "message", "means"),
    [
        (0, "", "timeout", {"outcome_unknown"}),
        (500, "InternalError", "etcdserver: request timed out", {"outcome_unknown"}),
        (504, "Timeout", "request did not complete within the allotted timeout", {"outcome_unknown"}),
        (500, "InternalError", 'failed calling webhook "pods.example.org": refused', {"forbidden"}),
        (404, "NotFound", 'pods "x" not found', {"not_found"}),
        (410, "Expired", "too old resource version", {"gone"}),
        (409, "AlreadyExists", 'pods "x" already exists', {"already_exists"}),
        (409, "Conflict", "the object has been modified", {"conflict"}),
        (400, "BadRequest", "strict decoding error", {"refused_for_good"}),
        (413, "RequestEntityTooLarge", "limit is 3145728", {"refused_for_good"}),
        (422, "Invalid", "spec.nodeSelector: Invalid value", {"refused_for_good"}),
        (403, "Forbidden", 'pods "x" is forbidden: exceeded quota: few, used: pods=3', {"quota_exceeded"}),
        (403, "Forbidden", 'pods "x" is forbidden: violates PodSecurity "restricted:latest"', {"forbidden"}),
        (403, "Forbidden", 'User "op" cannot create resource "pods"', {"forbidden"}),
        (403, "Forbidden", "because it is being terminated", {"namespace_terminating", "forbidden"}),
        (429, "TooManyRequests", "try later", set()),
    ],
)
def test_answers_are_classified_once(status: int, reason: str, message: str, means: set[str]) -> None:
    error = error_of(status, json.dumps({"reason": reason, "message": message}), None)
    assert {meaning for meaning in MEANINGS if getattr(error, meaning)} == means


def test_server_says_when_to_come_back() -> None:
    assert error_of(429, "{}", "7").retry_after_s == 7.0
    assert error_of(429, "{}", "Wed, 21 Oct 2026 07:28:00 GMT").retry_after_s is None


def test_answer_of_a_proxy_is_quoted() -> None:
    error = error_of(502, "<html>Bad Gateway</html>", None)
    assert isinstance(error, ApiError)
    assert error.message == "<html>Bad Gateway</html>"
