"""Objects of the API server as values, and back."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.api.model import Metadata
from kubecal.cluster.objects import manifest, patch, standing_chip, standing_session
from kubecal.lab.lab import Change, LabError

META = {
    "name": "morning",
    "namespace": "lab",
    "uid": "u-1",
    "creationTimestamp": "2026-11-23T12:00:00Z",
    "resourceVersion": "7",
}
SPEC = {"chip": "fridge-a", "targets": {"all": True}, "steps": [{"name": "check", "tasks": [{"task": "CheckT1"}]}]}
CHIP = {"topology": {"squareLattice": {"rows": 2, "columns": 2}}, "backend": {"name": "fake"}}


def body(kind: str = "CalibrationSession", spec: Any = SPEC, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "kubecal.io/v1alpha1", "kind": kind, "metadata": dict(META), "spec": spec, **more}


def test_a_session_is_told_with_where_it_stands() -> None:
    standing = standing_session(body(status={"phase": "Running", "executionId": "20261123-000"}))
    assert (standing.name, standing.namespace, standing.uid, standing.deleting) == ("morning", "lab", "u-1", False)
    assert (standing.status.phase, standing.status.execution_id) == ("Running", "20261123-000")
    assert standing.created_at.isoformat() == "2026-11-23T12:00:00+00:00"


def test_what_a_newer_operator_says_is_left_aside() -> None:
    status = {"phase": "Running", "mood": "good", "steps": [{"name": "check", "phase": "Running", "mood": "good"}]}
    standing = standing_session(body(status=status))
    assert standing.status.phase == "Running"
    assert standing.status.steps[0].phase == "Running"
    assert standing_chip(body("Chip", {**CHIP, "colour": "blue"})).chip.spec.backend.name == "fake"


def test_what_is_not_understood_even_so_is_named_with_its_place() -> None:
    with pytest.raises(LabError, match=r"CalibrationSession 'morning' is not understood at status\.phase: use the "):
        standing_session(body(status={"phase": "Dreaming"}))


def test_a_manifest_says_what_was_given_and_nothing_more() -> None:
    session = standing_session(body()).session
    sent = manifest(session, "lab")
    assert sent["spec"] == SPEC
    assert sent["metadata"] == {"namespace": "lab", "name": "morning"}


def test_a_manifest_without_a_name_asks_for_one() -> None:
    session = standing_session(body(spec={**SPEC, "flowName": "T1 watch."})).session
    nameless = session.model_copy(update={"metadata": Metadata.model_construct(name="")})
    assert manifest(nameless, "lab")["metadata"] == {"namespace": "lab", "generateName": "t1-watch-"}


def test_a_change_patches_what_it_says_the_steps_first() -> None:
    step = {"name": "more", "tasks": [{"task": "CheckT1"}]}
    assert patch(Change(open=False, priority=0, tags=[], append_steps=[step])) == [
        {"op": "add", "path": "/spec/steps/-", "value": step},
        {"op": "add", "path": "/spec/open", "value": False},
        {"op": "add", "path": "/spec/priority", "value": 0},
        {"op": "add", "path": "/spec/tags", "value": []},
    ]
    assert patch(Change()) == []
