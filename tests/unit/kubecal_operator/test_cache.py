"""The cache: the newest state of everything, from whichever side it comes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kubecal.engine.model import (
    AttemptRow,
    ChipView,
    PodView,
    Reservation,
    RowStatus,
    SessionRecord,
    SessionView,
    TaskKey,
)
from kubecal_operator import names
from kubecal_operator.cache import Cache
from kubecal_operator.views import chip_view, hardware_of, pod_view, session_view, version_of
from tests.unit.kubecal_operator.builders import NOON, container, pod


def _put(cache: Cache, body: dict[str, Any]) -> bool:
    view = pod_view(body, NOON)
    assert view is not None
    return cache.put_pod(view, hardware_of(body), version_of(body))


def _only(cache: Cache) -> PodView:
    (view,) = cache.pods.values()
    return view


def a_session(version: str = "5", **spec: Any) -> SessionView:
    meta = {"uid": "s", "namespace": "lab", "name": "morning", "resourceVersion": version}
    body = {"chip": "fridge-a", "targets": {"all": True}, "steps": [{"name": "a", "tasks": [{"task": "CheckT1"}]}]}
    return session_view({"metadata": {**meta, "creationTimestamp": "2026-11-23T12:00:00Z"}, "spec": {**body, **spec}})


def a_chip(version: str = "5", uid: str = "c", **spec: Any) -> ChipView:
    meta = {"uid": uid, "namespace": "lab", "name": "fridge-a", "resourceVersion": version}
    body = {"topology": {"squareLattice": {"rows": 2, "columns": 2}}, "backend": {"name": "fake"}, **spec}
    return chip_view({"metadata": meta, "spec": body})


def test_late_news_do_not_replace_newer_ones() -> None:
    cache = Cache()
    assert _put(cache, pod(container(terminated={"exitCode": 0}), resourceVersion="12"))
    assert not _put(cache, pod(container(running={}), resourceVersion="11"))
    assert _only(cache).terminated is not None


def test_what_is_gone_stays_gone() -> None:
    cache = Cache()
    _put(cache, pod({}, resourceVersion="12"))
    cache.drop_pod("lab", "morning-checkt1-3-2-abcdefghij", "pod-uid")
    assert not _put(cache, pod({}, resourceVersion="13"))
    assert cache.pods == {}
    assert set(cache.gone) == {"morning-checkt1-3-2-abcdefghij"}


def test_end_of_a_predecessor_is_not_the_end_of_its_successor() -> None:
    cache = Cache()
    _put(cache, pod({}, uid="first", resourceVersion="12"))
    _put(cache, pod({}, uid="second", resourceVersion="14"))
    cache.drop_pod("lab", "morning-checkt1-3-2-abcdefghij", "first")
    assert _only(cache).uid == "second"


def test_pod_that_appears_ends_its_reservation() -> None:
    cache = Cache()
    cache.reservations["morning-checkt1-3-2-abcdefghij"] = Reservation("s", "p", (), NOON)
    _put(cache, pod({}))
    assert cache.reservations == {}


def test_node_and_events_add_what_a_pod_does_not_say() -> None:
    cache = Cache(lost_nodes=frozenset({"worker"}), mount_failures={"pod-uid": 'secret "kubecal-mongodb" not found'})
    _put(cache, pod({"phase": "Pending"}))
    (view,) = cache.pods_of("lab/fridge-a")
    assert (view.node_lost, view.blocked_reason) == (True, "MountFailed")
    assert cache.pods_of("another") == ()


def test_session_keeps_its_record_when_it_changes() -> None:
    cache = Cache()
    cache.put_session(a_session("5"), 5)
    cache.sessions["s"] = replace(cache.sessions["s"], record_known=True)
    assert cache.put_session(a_session("6", priority=3), 6)
    assert cache.sessions["s"].record_known


def test_session_follows_its_chip_into_the_chips_lock_domain() -> None:
    cache = Cache()
    cache.put_session(a_session(), 5)
    assert cache.domain_of_session(cache.sessions["s"]) == "lab/fridge-a"
    cache.put_chip(a_chip(hardwareId="fridge-1"))
    assert cache.domain_of_session(cache.sessions["s"]) == "fridge-1"
    assert cache.has_domain("fridge-1")
    assert not cache.has_domain("lab/fridge-a")


def test_chip_that_was_made_anew_is_not_dropped_with_the_old_one() -> None:
    cache = Cache()
    cache.put_chip(a_chip("5", uid="old"))
    cache.put_chip(a_chip("7", uid="new"))
    cache.drop_chip("lab", "fridge-a", "old")
    assert cache.chips[("lab", "fridge-a")].uid == "new"


def test_session_that_is_gone_takes_its_refusals_along() -> None:
    cache = Cache(rejected={"p": ("s", "Invalid"), "q": ("other", "Invalid")})
    cache.put_session(a_session(), 5)
    cache.drop_session("s")
    assert set(cache.rejected) == {"q"}
    assert not cache.put_session(a_session("9"), 9)


def test_a_pass_sees_the_pods_of_its_hardware_only() -> None:
    cache = Cache()
    _put(cache, pod({}, uid="first", resourceVersion="12"))
    other = pod({}, uid="other", name="other", resourceVersion="13")
    other["metadata"]["annotations"] = {**other["metadata"]["annotations"], names.ANNOTATION_HARDWARE: "fridge-b"}
    _put(cache, other)
    here = hardware_of(pod({}))
    assert [view.uid for view in cache.pods_of(here)] == ["first"]
    assert [view.uid for view in cache.pods_of("fridge-b")] == ["other"]

    # Somebody moved it by hand: its wires are where its annotation says.
    moved = pod({}, uid="other", name="other", resourceVersion="14")
    _put(cache, moved)
    assert {view.uid for view in cache.pods_of(here)} == {"first", "other"}
    assert not cache.has_domain("fridge-b")
    cache.drop_pod("lab", "other", "other")
    cache.drop_pod("lab", "morning-checkt1-3-2-abcdefghij", "first")
    assert cache.pods_of(here) == ()
    assert not cache.has_domain(here)


def _with_row(cache: Cache, status: RowStatus) -> None:
    """The session of the pod, and what its record says of the pod's attempt."""
    chip = a_chip()
    assert chip.spec is not None
    row = AttemptRow(TaskKey("check", "CheckT1", "3", 0), 2, status, NOON)
    record = SessionRecord("20261123-000", chip.spec, 1, "", "", "running", (row,))
    cache.sessions["uid-of-morning"] = replace(a_session(), record=record)


def test_a_pod_whose_end_was_seen_is_believed_until_its_record_is_final_though_it_is_gone() -> None:
    cache = Cache()
    body = pod(container(terminated={"exitCode": 143}), resourceVersion="12")
    _put(cache, body)
    view, domain = _only(cache), hardware_of(body)
    _with_row(cache, RowStatus.RUNNING)
    cache.drop_pod(view.namespace, view.name, view.uid)
    assert cache.pods_of(domain) == (view,)
    _with_row(cache, RowStatus.CANCELLED)
    assert cache.pods_of(domain) == ()
    assert cache.ended == {}


def test_a_pod_that_vanished_without_an_end_is_gone() -> None:
    cache = Cache()
    body = pod(container(running={}), resourceVersion="12")
    _put(cache, body)
    view = _only(cache)
    _with_row(cache, RowStatus.RUNNING)
    cache.drop_pod(view.namespace, view.name, view.uid)
    assert cache.pods_of(hardware_of(body)) == ()


def test_sessions_that_wait_for_one_chip_share_its_description() -> None:
    cache = Cache()
    cache.put_chip(a_chip())
    cache.sessions["s"] = a_session()
    copy, other = a_chip().spec, a_chip(timeZone="Asia/Tokyo").spec
    assert copy is not None
    assert other is not None
    record = SessionRecord("20261123-000", copy, 1, "", "", "scheduled", ())
    cache.put_records(["s"], {"s": record})
    kept = cache.sessions["s"].record
    assert kept == record
    assert kept.chip_spec is cache.chips["lab", "fridge-a"].spec
    cache.put_records(["s"], {"s": replace(record, chip_spec=other)})
    assert cache.sessions["s"].record == replace(record, chip_spec=other)
