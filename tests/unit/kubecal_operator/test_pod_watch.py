"""Which changes of a pod are decided on at once, and which by and by."""

from __future__ import annotations

from typing import Any, cast

import pytest

from kubecal_operator.cache import Cache
from kubecal_operator.client import ApiClient
from kubecal_operator.pod_watch import PodWatch
from kubecal_operator.pods import task_pod
from tests.unit.kubecal_operator.builders import create_pod, settings

_STARTED = {"startedAt": "2026-11-23T12:00:01Z"}
_ENDED = {**_STARTED, "finishedAt": "2026-11-23T12:00:09Z", "exitCode": 0, "reason": "Completed"}


class Poked:
    """Who was told what."""

    def __init__(self) -> None:
        self.at_once: list[str | None] = []
        self.later: list[str | None] = []

    def poke(self, domain: str | None) -> None:
        self.at_once.append(domain)

    def poke_by_and_by(self, domain: str | None) -> None:
        self.later.append(domain)


def _body(version: int, phase: str = "Pending", *, node: str = "", state: Any = None, **meta: Any) -> dict[str, Any]:
    body = task_pod(create_pod(), settings())
    body["metadata"] |= {"uid": "uid-of-pod", "resourceVersion": str(version)}
    body["metadata"] |= {"creationTimestamp": "2026-11-23T12:00:00Z", **meta}
    body["spec"]["nodeName"] = node
    body["status"] = {"phase": phase, "containerStatuses": [{"state": state or {}}]}
    return body


PENDING = _body(1)
BOUND = _body(2, node="worker")
RUNNING = _body(3, "Running", node="worker", state={"running": _STARTED})
ENDED = _body(4, "Running", node="worker", state={"terminated": _ENDED})
SUCCEEDED = _body(5, "Succeeded", node="worker", state={"terminated": _ENDED})
DELETED = _body(6, "Running", node="worker", state={"running": _STARTED}, deletionTimestamp="2026-11-23T12:00:05Z")
REFUSED = _body(7, "Failed", node="worker")


@pytest.mark.parametrize(
    ("before", "after", "at_once"),
    [
        (PENDING, BOUND, False),
        (BOUND, RUNNING, False),
        (ENDED, SUCCEEDED, False),
        (RUNNING, ENDED, True),
        (BOUND, SUCCEEDED, True),
        (RUNNING, DELETED, True),
        (BOUND, REFUSED, True),
    ],
    ids=["bound", "runs", "has its phase", "ends", "ends unseen", "is deleted", "is refused by its node"],
)
def test_what_may_free_a_wire_is_decided_on_at_once(before: Any, after: Any, at_once: bool) -> None:
    poked = Poked()
    watch = PodWatch(cast(ApiClient, None), Cache(), "lab", poked)
    watch.take_event(False, before)
    assert (len(poked.at_once), len(poked.later)) == (1, 0)
    watch.take_event(False, after)
    assert (len(poked.at_once) - 1, len(poked.later)) == ((1, 0) if at_once else (0, 1))


def test_what_is_known_already_concerns_nobody() -> None:
    poked = Poked()
    watch = PodWatch(cast(ApiClient, None), Cache(), "lab", poked)
    watch.take_event(False, RUNNING)
    watch.take_event(False, BOUND)
    watch.take_event(False, {**RUNNING, "metadata": {**RUNNING["metadata"], "resourceVersion": "9"}})
    assert (len(poked.at_once), len(poked.later)) == (1, 0)


@pytest.mark.parametrize(("last", "told"), [(SUCCEEDED, 0), (RUNNING, 1), (REFUSED, 1)])
def test_a_pod_that_goes_after_it_succeeded_changes_nothing(last: dict[str, Any], told: int) -> None:
    poked = Poked()
    watch = PodWatch(cast(ApiClient, None), Cache(), "lab", poked)
    watch.take_event(False, last)
    watch.take_event(True, last)
    assert len(poked.at_once) == 1 + told
