"""The CRDs on a real API server: what is refused with which sentence, what may change, and what it may cost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bad_manifests import BAD_MANIFESTS, BadManifest, Document, changed, good_chip, good_session
from tests.cluster.control_plane import ControlPlane
from tests.cluster.errors import ClusterError

NOW = "2026-11-23T06:00:00Z"


@pytest.fixture(scope="session")
def api(control_plane: ControlPlane) -> ControlPlane:
    """An API server that knows both kinds; no operator serves the namespace that is used here."""
    return control_plane


def create(api: ControlPlane, document: Document) -> Document:
    stored: Document = json.loads(api.kubectl("create", "-o", "json", "-f", "-", given=json.dumps(document)))
    return stored


def patch(api: ControlPlane, what: str, change: Document, *more: str) -> Document:
    text = api.kubectl("patch", what, "--type=merge", "-p", json.dumps(change), "-o", "json", *more)
    stored: Document = json.loads(text)
    return stored


def refusal(api: ControlPlane, what: str, change: Document) -> str:
    with pytest.raises(ClusterError) as caught:
        patch(api, what, change)
    return str(caught.value)


@pytest.fixture
def session(api: ControlPlane) -> Iterator[str]:
    """A session that exists; the value is its name for kubectl."""
    create(api, good_session())
    yield "cals/morning"
    api.kubectl("delete", "cals/morning")


@pytest.fixture
def chip(api: ControlPlane) -> Iterator[str]:
    """A chip that exists."""
    create(api, good_chip())
    yield "chip/fridge-a"
    api.kubectl("delete", "chip/fridge-a")


@pytest.mark.parametrize("bad", BAD_MANIFESTS, ids=lambda bad: f"{bad.kind}: {bad.name}")
def test_a_mistake_is_refused_in_the_words_of_the_command_line(api: ControlPlane, bad: BadManifest) -> None:
    text = json.dumps(bad.document())
    command = ("create", "--dry-run=server", "-f", "-")
    if bad.only_parser:
        api.kubectl(*command, given=text)
        return
    with pytest.raises(ClusterError) as caught:
        api.kubectl(*command, given=text)
    assert (bad.server or bad.sentence) in str(caught.value)


def test_defaults_are_filled_in(api: ControlPlane, session: str, chip: str) -> None:
    stored = json.loads(api.kubectl("get", session, "-o", "json"))["spec"]
    assert stored["deadlines"] == {"pendingSeconds": 600, "sessionSeconds": 86400}
    assert stored["steps"][0]["schedule"] == {"mode": "Isolated", "maxParallel": 0}
    assert (stored["onTargetFailure"], stored["publish"], stored["priority"]) == ("StopTarget", "OnSuccess", 0)
    stored = json.loads(api.kubectl("get", chip, "-o", "json"))["spec"]
    assert stored["pods"]["resources"] == {"requests": {"cpu": "200m", "memory": "256Mi"}}
    assert stored["limits"] == {"maxParallelTasks": 0, "maxPriority": 10, "maxSessionSeconds": 604800}
    assert (stored["timeZone"], stored["projectId"], stored["maintenance"]) == ("UTC", "default", False)


def test_null_is_absence(api: ControlPlane) -> None:
    nulls = {"spec.deadlines": {"taskSeconds": None}, "spec.priority": None, "spec.steps.0.targets": None}
    text = json.dumps(changed(good_session(), nulls))
    stored = json.loads(api.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", given=text))["spec"]
    assert stored["priority"] == 0
    assert "taskSeconds" not in stored["deadlines"]
    assert "targets" not in stored["steps"][0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chip", "fridge-b"),
        ("targets", {"qubits": ["2"]}),
        ("targets", {"exclude": {"qubits": ["1"]}}),
        ("parameters", {"defaults": {"shots": 10}}),
        ("steps", [{"name": "check", "tasks": [{"task": "CheckT1"}]}]),
        (
            "steps",
            [{"name": "check", "tasks": [{"task": "CheckT1", "parameters": {"shots": 1}}, {"task": "CheckT2Echo"}]}],
        ),
        ("steps", [*good_session()["spec"]["steps"], {"name": "more", "tasks": [{"task": "CheckT1"}]}]),
        ("onTargetFailure", "Continue"),
        ("publish", "Never"),
        ("deadlines", {"sessionSeconds": 5}),
        ("deadlines", {"taskSeconds": 5}),
        ("username", "alice"),
        ("flowName", "evening"),
    ],
)
def test_a_session_stays_what_it_was(api: ControlPlane, session: str, field: str, value: object) -> None:
    sentence = f"spec.{field}: Forbidden: {field} cannot be changed after creation: apply a session of another name"
    assert sentence in refusal(api, session, {"spec": {field: value}})


def test_the_same_manifest_can_be_applied_again(api: ControlPlane, session: str) -> None:
    api.kubectl("apply", "-f", "-", given=json.dumps(good_session()))
    api.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", given=json.dumps(good_session()))


def test_what_concerns_only_people_and_the_queue_may_change(api: ControlPlane, session: str) -> None:
    change = {"priority": 5, "note": "a warm fridge", "tags": ["warm"]}
    assert patch(api, session, {"spec": change})["spec"].items() >= change.items()


def test_cancel_is_one_way(api: ControlPlane, session: str) -> None:
    patch(api, session, {"spec": {"cancel": True}})
    for value in (False, None):
        said = refusal(api, session, {"spec": {"cancel": value}})
        assert "spec.cancel: Forbidden: cancel cannot be taken back: apply a session of another name" in said
    assert patch(api, session, {"spec": {"note": "why"}})["spec"]["cancel"] is True


CHIP_CHANGES: list[tuple[str, object]] = [
    ("topology", {"squareLattice": {"rows": 4}}),
    ("backend", {"config": {"seed": 8}}),
    ("backend", {"name": "qibolab"}),
    ("hardwareId", "lab/fridge-b"),
]


@pytest.mark.parametrize(("field", "value"), CHIP_CHANGES)
def test_a_held_chip_stays_what_it_was(api: ControlPlane, chip: str, field: str, value: object) -> None:
    holder = {"uid": "u", "session": "lab/morning", "scope": "Chip", "since": NOW}
    patch(api, chip, {"status": {"holders": [holder]}}, "--subresource=status")
    said = refusal(api, chip, {"spec": {field: value}})
    sentence = "cannot be changed while a session holds the chip: wait for its end or cancel it"
    assert f"spec.{field}: Forbidden: {field} {sentence}" in said
    patch(api, chip, {"spec": {"maintenance": True, "disabled": {"qubits": ["1"]}}})
    patch(api, chip, {"status": {"holders": []}}, "--subresource=status")
    patch(api, chip, {"spec": {field: value}})


def test_a_holder_cannot_be_talked_away_through_the_spec(api: ControlPlane, chip: str) -> None:
    holder = {"uid": "u", "session": "lab/morning", "scope": "Chip", "since": NOW}
    patch(api, chip, {"status": {"holders": [holder]}}, "--subresource=status")
    said = refusal(api, chip, {"spec": {"hardwareId": "other"}, "status": {"holders": []}})
    assert "while a session holds the chip" in said


def session_at_every_maximum() -> Document:
    """As many steps, tasks, qubits, tags and characters as there may be, within the 1.5 MiB of etcd."""
    document = good_session()
    document["metadata"]["name"] = "m" * 63
    tasks = [{"task": "CheckT1", "timeoutSeconds": 604800, "r2Threshold": 0.75} for _ in range(64)]
    steps: list[Document] = [{"name": f"{number:03}-" + "s" * 59, "tasks": tasks} for number in range(256)]
    qubits = [str(number) for number in range(1024)]
    steps[0] = {**steps[0], "targets": {"qubits": qubits, "exclude": {"qubits": qubits[1:]}}}
    document["spec"] |= {
        "targets": {"qubits": qubits, "exclude": {"qubits": qubits[1:]}},
        "parameters": {
            "defaults": {f"p{n}": n for n in range(64)},
            "tasks": {f"Task{n}": {"shots": n} for n in range(64)},
        },
        "steps": steps,
        "username": "u" * 253,
        "flowName": "f" * 253,
        "tags": [f"{number:02}" + "t" * 61 for number in range(32)],
        "note": "n" * 8192,
    }
    return document


def test_a_session_at_every_maximum_is_still_a_session_one_can_handle(api: ControlPlane) -> None:
    """An object too costly for CEL could no longer be updated at all, not even its finalizer."""
    document = session_at_every_maximum()
    create(api, document)
    what = f"cals/{document['metadata']['name']}"
    api.kubectl("label", what, "team=a")
    patch(api, what, {"metadata": {"finalizers": ["kubecal.io/session"]}})
    steps = [{"name": step["name"], "phase": "Running"} for step in document["spec"]["steps"]]
    patch(api, what, {"status": {"phase": "Running", "steps": steps}}, "--subresource=status")
    said = refusal(api, what, {"spec": {"targets": {"qubits": ["0"]}}})
    assert "targets cannot be changed after creation" in said
    assert patch(api, what, {"spec": {"cancel": True}})["spec"]["cancel"] is True
    api.kubectl("delete", what, "--wait=false")
    patch(api, what, {"metadata": {"finalizers": None}})
    assert api.kubectl("get", what, "--ignore-not-found") == ""


def chip_at_every_maximum() -> Document:
    """A chip of 1,024 listed qubits, with as many couplings and values as there may be."""
    document = good_chip()
    qubits = [{"id": str(n), "x": n % 32, "y": n // 32, "mux": n // 4} for n in range(1024)]
    couplings = [{"control": str(n), "target": str((n + hop) % 1024)} for hop in (1, 2, 3, 4) for n in range(1024)]
    values = {f"parameter_{n}": {"value": 4.9, "error": 0.1} for n in range(8)}
    document["spec"] |= {
        "topology": {"qubits": qubits, "couplings": couplings},
        "design": {"qubits": {str(n): values for n in range(1024)}},
        "disabled": {"qubits": [str(n) for n in range(1024)]},
        "backend": {"name": "fake", "config": {f"setting{n}": "x" * 100 for n in range(64)}},
    }
    return document


def test_a_chip_at_every_maximum_is_still_a_chip_one_can_handle(api: ControlPlane) -> None:
    create(api, chip_at_every_maximum())
    what = "chip/fridge-a"
    api.kubectl("label", what, "team=a")
    holder = {"uid": "u", "session": "lab/morning", "scope": "Chip", "since": NOW}
    patch(api, what, {"status": {"holders": [holder]}}, "--subresource=status")
    assert "while a session holds" in refusal(api, what, {"spec": {"backend": {"config": {"setting0": "y"}}}})
    patch(api, what, {"spec": {"maintenance": True}})
    api.kubectl("delete", what)


def full_status() -> Document:
    condition: dict[str, Any] = {"type": "Valid", "status": "True", "reason": "AsItShould", "lastTransitionTime": NOW}
    return {
        "observedGeneration": 1,
        "executionId": "20261123-004",
        "phase": "Running",
        "progress": "41/64",
        "conditions": [condition | {"message": "", "observedGeneration": 1}],
        "startedAt": NOW,
        "message": "",
        "tasks": {"planned": 64, "running": 4, "succeeded": 40, "failed": 1, "skipped": 0, "cancelled": 0},
        "steps": [{"name": "check", "phase": "Running", "succeeded": 40, "failed": 1, "targetsOut": 15}],
        "failures": [{"task": "CheckRabi", "target": "7", "attempt": 2, "verdict": "no_signal", "message": "flat"}],
        "waitingFor": {"session": "lab/evening", "since": NOW},
    }


def test_a_status_is_kept_as_it_was_written_and_shown_in_columns(api: ControlPlane, session: str) -> None:
    status = full_status()
    assert patch(api, session, {"status": status}, "--subresource=status")["status"] == status
    header, row = api.kubectl("get", "cals").splitlines()
    assert header.split() == ["NAME", "PHASE", "PROGRESS", "FAILED", "CHIP", "EXECUTION", "AGE"]
    assert row.split()[:-1] == ["morning", "Running", "41/64", "1", "fridge-a", "20261123-004"]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("cals.spec.targets", "What is calibrated"),
        ("cals.spec.steps.tasks.r2Threshold", "R2 must be above it"),
        ("cals.status.failures", "last 20"),
        ("chip.spec.pods", "no session can choose"),
        ("chip.spec.topology.squareLattice.muxSize", "blocks of 2 x 2"),
    ],
)
def test_kubectl_explains(api: ControlPlane, field: str, words: str) -> None:
    assert words in " ".join(api.kubectl("explain", field).split())


def test_the_examples_are_accepted(api: ControlPlane) -> None:
    for file in sorted(Path("examples").glob("*.yaml")):
        api.kubectl("apply", "--server-side", "--dry-run=server", "-f", file)
