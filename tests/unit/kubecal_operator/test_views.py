"""Raw pods and objects as the engine sees them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kubecal.api.request import Receipt, TaskTrouble, Verdict
from kubecal.engine.model import PodView, TaskKey
from kubecal_operator.views import chip_view, hardware_of, pod_view, session_view, version_of
from tests.unit.kubecal_operator.builders import NOON, container, pod

RECEIPT = Receipt(attempt="a" * 32, checksum="b" * 64, verdict=Verdict.OK)
ENDED = {
    "exitCode": 0,
    "reason": "Completed",
    "startedAt": "2026-11-23T12:00:01Z",
    "finishedAt": "2026-11-23T12:00:09Z",
}


def seen(body: dict[str, Any]) -> PodView:
    view = pod_view(body, NOON)
    assert view is not None
    return view


def test_pod_is_known_by_its_annotations() -> None:
    body = pod({"phase": "Pending"})
    view = seen(body)
    assert (view.key, view.attempt) == (TaskKey("check", "CheckT1", "3", 0), 2)
    assert [wire.id for wire in view.wires] == ["3"]
    assert (hardware_of(body), version_of(body)) == ("lab/fridge-a", 11)


@pytest.mark.parametrize(
    "annotations",
    [{}, {"kubecal.io/attempt": "nonsense"}, {"kubecal.io/attempt": '{"step":"check"}'}, {"kubecal.io/attempt": "[]"}],
)
def test_pod_with_other_annotations_is_none_of_ours(annotations: dict[str, str]) -> None:
    assert pod_view(pod({}, annotations=annotations), NOON) is None


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        ({}, {"phase": "Pending", "terminated": None, "started_at": None}),
        (container(running={"startedAt": "2026-11-23T12:00:00Z"}), {"started_at": NOON, "blocked_reason": ""}),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]},
            {"blocked_reason": "Unschedulable", "blocked_message": "0/3 nodes are available"},
        ),
        (
            container(waiting={"reason": "ImagePullBackOff", "message": "Back-off pulling"}),
            {"blocked_reason": "ImagePull", "blocked_message": "ImagePullBackOff: Back-off pulling"},
        ),
        (
            container(waiting={"reason": "CreateContainerConfigError", "message": 'secret "x" not found'}),
            {"blocked_reason": "MountFailed", "blocked_message": 'CreateContainerConfigError: secret "x" not found'},
        ),
        (container(waiting={"reason": "ContainerCreating"}), {"blocked_reason": ""}),
        (
            {"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]},
            {"disruption": "PreemptionByScheduler"},
        ),
        ({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}, {"disruption": "Evicted"}),
        ({"phase": "Failed", "reason": "DeadlineExceeded"}, {"deadline_exceeded": True}),
    ],
)
def test_status_of_a_pod_is_read(status: dict[str, Any], fields: dict[str, object]) -> None:
    view = seen(pod(status))
    assert {name: getattr(view, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        (RECEIPT.to_json(), RECEIPT),
        (TaskTrouble(reason="Interrupted").to_json(), TaskTrouble(reason="Interrupted")),
        ("Segmentation fault", None),
        ('{"attempt": 1}', None),
        ("x" * 5000, None),
    ],
)
def test_last_words_are_believed_only_in_form(message: str, outcome: object) -> None:
    ended = seen(pod(container(terminated={**ENDED, "message": message}))).terminated
    assert ended is not None
    assert ended.outcome == outcome


def test_end_counts_from_when_it_was_seen_first() -> None:
    body = pod(container(terminated=ENDED))
    first = seen(body)
    again = pod_view(body, NOON + timedelta(minutes=1), first)
    assert again is not None
    assert again.terminated is not None
    assert again.terminated.seen_at == NOON


def test_person_can_let_go_of_a_pod() -> None:
    body = pod({"phase": "Running"})
    body["metadata"]["annotations"]["kubecal.io/released"] = "true"
    assert seen(body).released


def _object(spec: dict[str, Any], **meta: Any) -> dict[str, Any]:
    metadata = {
        "uid": "u",
        "namespace": "lab",
        "name": "it",
        "generation": 3,
        "resourceVersion": "5",
        "creationTimestamp": "2026-11-23T12:00:00Z",
        **meta,
    }
    return {"metadata": metadata, "spec": spec}


def test_chip_that_does_not_parse_says_what_to_change() -> None:
    view = chip_view(_object({"topology": {}, "backend": {"name": "fake"}}))
    assert view.spec is None
    assert "spec.topology" in view.spec_problem


def test_session_that_does_not_parse_says_what_to_change() -> None:
    view = session_view(_object({"chip": "fridge-a", "targets": {"all": True}}))
    assert view.spec is None
    assert "spec.steps" in view.spec_problem


def test_session_is_seen_with_its_marks() -> None:
    steps = [{"name": "check", "tasks": [{"task": "CheckT1"}]}]
    spec = {"chip": "fridge-a", "targets": {"all": True}, "steps": steps}
    meta = {"finalizers": ["kubecal.io/session"], "deletionTimestamp": "2026-11-23T12:00:00Z"}
    view = session_view(_object(spec, **meta))
    assert (view.finalized, view.deleted_at, view.generation, view.record_known) == (True, NOON, 3, False)


def test_status_that_somebody_mangled_is_as_none() -> None:
    body = _object({"chip": "fridge-a", "targets": {"all": True}, "steps": []})
    assert session_view({**body, "status": {"phase": "Dreaming"}}).status.phase is None


def test_a_spec_is_parsed_again_only_when_its_generation_changes() -> None:
    meta = {"uid": "s", "namespace": "lab", "name": "morning", "creationTimestamp": "2026-11-23T12:00:00Z"}
    spec = {"chip": "fridge-a", "targets": {"all": True}, "steps": [{"name": "a", "tasks": [{"task": "CheckT1"}]}]}
    first = session_view({"metadata": {**meta, "generation": 1}, "spec": spec})
    same = session_view({"metadata": {**meta, "generation": 1}, "spec": spec, "status": {"phase": "Running"}}, first)
    assert same.spec is first.spec
    assert same.status.phase == "Running"
    changed = session_view({"metadata": {**meta, "generation": 2}, "spec": {**spec, "cancel": True}}, first)
    assert changed.spec is not None
    assert changed.spec.cancel
    another = session_view({"metadata": {**meta, "uid": "t", "generation": 1}, "spec": spec}, first)
    assert another.spec is not first.spec
