"""What becomes of a create that the API server refuses."""

from __future__ import annotations

from typing import Any, cast

import pytest

from kubecal_operator.cache import Cache
from kubecal_operator.client import ApiClient
from kubecal_operator.creating import Creator
from kubecal_operator.errors import ApiError
from tests.unit.kubecal_operator.builders import create_pod, settings
from tests.unit.kubecal_operator.test_cache import a_session

UID = "uid-of-morning"


class Refusing:
    """Refuses every create, and counts them."""

    def __init__(self, error: ApiError) -> None:
        self.error, self.asked = error, 0

    async def create(self, *_: Any) -> None:
        self.asked += 1
        raise self.error


async def _refused(error: ApiError) -> tuple[Cache, bool]:
    cache = Cache(sessions={UID: a_session()})
    client = Refusing(error)
    creator = Creator(cast(ApiClient, client), cache, settings(), lambda: True, lambda _: None)
    complete = await creator.create([create_pod()])
    assert client.asked == 1
    assert cache.reservations == {}
    return cache, complete


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_pod_that_is_itself_at_fault_is_never_sent_again(status: int) -> None:
    cache, complete = await _refused(ApiError(status, "spec.nodeSelector: Invalid value", "Invalid"))
    assert complete
    assert cache.rejected == {create_pod().pod_name: (UID, "spec.nodeSelector: Invalid value")}
    assert not cache.blocked


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ('pods "x" is forbidden: exceeded quota: few', "QuotaExceeded"),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest"', "Forbidden"),
        ('User "op" cannot create resource "pods"', "Forbidden"),
    ],
)
async def test_quota_rights_and_policy_block_the_session_and_are_tried_again(message: str, reason: str) -> None:
    cache, _ = await _refused(ApiError(403, message, "Forbidden"))
    assert not cache.rejected
    assert (cache.blocked[UID].reason, cache.blocked[UID].message) == (reason, message)


async def test_a_busy_server_is_asked_again_in_the_next_pass() -> None:
    cache, complete = await _refused(ApiError(429, "try later", "TooManyRequests"))
    assert not complete
    assert not cache.rejected
    assert not cache.blocked
