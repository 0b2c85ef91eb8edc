"""The CRDs on a real API server: what is refused with which sentence, what may change, and what it may cost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubecal.api.session import FIXED_FIELDS
from tests.bad_manifests import BAD_MANIFESTS, BadManifest, Document, changed, good_chip, good_session
from tests.cluster.control_plane import ControlPlane
from tests.cluster.errors import ClusterError
from tests.controller.largest import largest_chip, largest_sessions

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


def json_patch(api: ControlPlane, what: str, operation: str, path: str, value: object = None) -> Document:
    change = [{"op": operation, "path": path, "value": value}]
    text = api.kubectl("patch", what, "--type=json", "-p", json.dumps(change), "-o", "json")
    stored: Document = json.loads(text)
    return stored


def refused_change(api: ControlPlane, what: str, operation: str, path: str, value: object = None) -> str:
    with pytest.raises(ClusterError) as caught:
        json_patch(api, what, operation, path, value)
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
    assert (stored["steps"][0]["batch"], stored["steps"][0]["barrier"]) == ("None", False)
    assert (stored["onTargetFailure"], stored["publish"], stored["priority"]) == ("StopTarget", "OnSuccess", 0)
    assert (stored["open"], stored["idleSeconds"], stored["lock"]) == (False, 1800, {"scope": "Chip"})
    assert stored["source"] == {"inputs": "Current", "only": "All"}
    assert stored.keys().isdisjoint({"outcome", "parking", "executionId"})
    stored = json.loads(api.kubectl("get", chip, "-o", "json"))["spec"]
    assert stored["pods"]["resources"] == {"requests": {"cpu": "200m", "memory": "256Mi"}}
    assert stored["limits"] == {
        "maxParallelTasks": 0,
        "maxPriority": 10,
        "maxSessionSeconds": 604800,
        "maxIdleSeconds": 7200,
    }
    assert (stored["timeZone"], stored["projectId"], stored["maintenance"]) == ("UTC", "default", False)


def test_null_is_absence(api: ControlPlane) -> None:
    nulls = {"spec.deadlines": {"taskSeconds": None}, "spec.priority": None, "spec.steps.0.targets": None}
    text = json.dumps(changed(good_session(), nulls))
    stored = json.loads(api.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", given=text))["spec"]
    assert stored["priority"] == 0
    assert "taskSeconds" not in stored["deadlines"]
    assert "targets" not in stored["steps"][0]


FIXED: list[tuple[str, object]] = [
    ("chip", "fridge-b"),
    ("targets", {"qubits": ["2"]}),
    ("targets", {"exclude": {"qubits": ["1"]}}),
    ("targets", {"qubits": None, "couplings": {"auto": True}}),
    ("parameters", {"defaults": {"shots": 10}}),
    ("parking", {"tasks": [{"task": "Configure"}]}),
    ("onTargetFailure", "Continue"),
    ("retry", {"limit": 3}),
    ("retry", {"adapt": False}),
    ("publish", "Review"),
    ("deadlines", {"sessionSeconds": 5}),
    ("deadlines", {"taskSeconds": 5}),
    ("lock", {"scope": "Targets"}),
    ("suspendHoldSeconds", 5),
    ("idleSeconds", 5),
    ("source", {"executionId": "20261123-004"}),
    ("source", {"overrides": {"qubits": {"0": {"t1": {"value": 30}}}}}),
    ("executionId", "20261123-004"),
    ("username", "alice"),
    ("flowName", "evening"),
]


def test_every_fixed_field_is_tried() -> None:
    assert {field for field, _ in FIXED} == set(FIXED_FIELDS)


@pytest.mark.parametrize(("field", "value"), FIXED)
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


def step(name: str, *tasks: str) -> Document:
    return {"name": name, "tasks": [{"task": task} for task in tasks or ("CheckT1",)]}


A, B, C, D, E = (step(name) for name in "abcde")
APPENDED = {
    "one": [A, B, C, D],
    "two": [A, B, C, D, E],
    "a step of another kind": [A, B, C, {"name": "good", "filter": {"status": "Succeeded"}}],
    "none": [A, B, C],
}
_PLACE, _STEP = "spec.steps: Forbidden: steps can only be appended", "Forbidden: a step cannot be changed"
NOT_APPENDED = {
    "one before all": ([D, A, B, C], [_PLACE]),
    "one in between": ([A, D, B, C], [_PLACE]),
    "one in between and one behind": ([A, D, B, C, E], [_PLACE]),
    "in another order": ([B, A, C], [_PLACE]),
    "in another order, and one behind": ([B, A, C, D], [_PLACE]),
    "the last one earlier": ([A, C, B], [_PLACE]),
    "the first one gone": ([B, C], [_PLACE]),
    "the last one gone": ([A, B], [_PLACE]),
    "the last one gone, and two behind": ([A, B, D, E], [_PLACE]),
    "one under another name": ([A, D, C], [_PLACE]),
    "one under another name, and one behind": ([A, D, C, E], [_PLACE]),
    "one edited": ([A, step("b", "CheckT1", "CheckT2Echo"), C], ["spec.steps[1]: " + _STEP]),
    "one edited, and one behind": ([A, B, step("c", "CheckRabi"), D], ["spec.steps[2]: " + _STEP]),
    "one with parameters": ([{**A, "barrier": True}, B, C, D], ["spec.steps[0]: " + _STEP]),
    "one edited and moved": ([B, step("a", "CheckRabi"), C, D], [_PLACE, "spec.steps[1]: " + _STEP]),
}


@pytest.fixture
def open_session(api: ControlPlane) -> Iterator[str]:
    """A session of three steps that takes more."""
    create(api, changed(good_session(), {"spec.steps": [A, B, C], "spec.open": True}))
    yield "cals/morning"
    api.kubectl("delete", "cals/morning")


@pytest.mark.parametrize("steps", APPENDED.values(), ids=APPENDED)
def test_an_open_session_takes_steps_at_its_end(api: ControlPlane, open_session: str, steps: list[Document]) -> None:
    stored = patch(api, open_session, {"spec": {"steps": steps}})["spec"]["steps"]
    assert [one["name"] for one in stored] == [one["name"] for one in steps]


@pytest.mark.parametrize(("steps", "sentences"), NOT_APPENDED.values(), ids=NOT_APPENDED)
def test_what_an_open_session_has_stays(
    api: ControlPlane, open_session: str, steps: list[Document], sentences: list[str]
) -> None:
    said = refusal(api, open_session, {"spec": {"steps": steps}})
    assert [sentence in said for sentence in sentences] == [True] * len(sentences)
    assert said.count("Forbidden: ") == len(sentences), "a mistake is said once"


@pytest.mark.parametrize("steps", [*APPENDED.values()][:3], ids=[*APPENDED][:3])
def test_a_session_that_is_not_open_takes_no_step(api: ControlPlane, open_session: str, steps: list[Document]) -> None:
    patch(api, open_session, {"spec": {"open": False}})
    for more in ({}, {"open": True}):
        assert _PLACE in refusal(api, open_session, {"spec": {"steps": steps, **more}})


def test_the_last_step_may_come_with_the_closing(api: ControlPlane, open_session: str) -> None:
    assert len(patch(api, open_session, {"spec": {"steps": [A, B, C, D], "open": False}})["spec"]["steps"]) == 4


def test_an_open_session_without_a_step_takes_its_first_ones_or_is_closed(api: ControlPlane) -> None:
    for change in ({"steps": [A, B]}, {"open": False}, {"steps": [A], "open": False}):
        create(api, changed(good_session(), {"spec.steps": [], "spec.open": True}))
        assert patch(api, "cals/morning", {"spec": change})["spec"]["open"] is change.get("open", True)
        api.kubectl("delete", "cals/morning")


def test_a_session_closes_once(api: ControlPlane, open_session: str) -> None:
    # Null: absent again, which is false.
    assert patch(api, open_session, {"spec": {"open": None}})["spec"]["open"] is False
    said = refusal(api, open_session, {"spec": {"open": True}})
    assert "spec.open: Forbidden: open cannot become true again: apply a session of another name" in said


def test_a_session_that_never_was_open_does_not_open(api: ControlPlane, session: str) -> None:
    assert "spec.open: Forbidden: open cannot become true again" in refusal(api, session, {"spec": {"open": True}})


@pytest.mark.parametrize(
    "other", [None, {"result": "Completed"}, {"message": "a cold fridge"}, {"message": None}], ids=str
)
def test_an_outcome_is_given_once(api: ControlPlane, open_session: str, other: Document | None) -> None:
    outcome = {"result": "Failed", "message": "the fridge is warm"}
    patch(api, open_session, {"spec": {"outcome": outcome}})
    said = refusal(api, open_session, {"spec": {"outcome": other}})
    assert "spec.outcome: Forbidden: outcome cannot be changed once it is given" in said
    change = {"outcome": outcome, "note": "why"}
    assert patch(api, open_session, {"spec": change})["spec"].items() >= change.items()


def test_an_open_session_can_be_applied_again_with_more_steps(api: ControlPlane, open_session: str) -> None:
    longer = changed(good_session(), {"spec.steps": [A, B, C, D], "spec.open": True})
    for how in ((), ("--server-side", "--force-conflicts")):
        api.kubectl("apply", *how, "-f", "-", given=json.dumps(longer))


CHIP_CHANGES: list[tuple[str, object]] = [
    ("topology", {"squareLattice": {"rows": 4}}),
    ("wiring", {"muxes": [{"id": 0, "readout": ["R1"]}]}),
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
    patch(api, chip, {"spec": {"cooldown": "2026-12", "limits": {"maxIdleSeconds": 60}}})
    patch(api, chip, {"spec": {"maintenance": True, "disabled": {"qubits": ["1"], "couplings": ["0-2"]}}})
    patch(api, chip, {"status": {"holders": []}}, "--subresource=status")
    patch(api, chip, {"spec": {field: value}})


def test_a_holder_cannot_be_talked_away_through_the_spec(api: ControlPlane, chip: str) -> None:
    holder = {"uid": "u", "session": "lab/morning", "scope": "Chip", "since": NOW}
    patch(api, chip, {"status": {"holders": [holder]}}, "--subresource=status")
    said = refusal(api, chip, {"spec": {"hardwareId": "other"}, "status": {"holders": []}})
    assert "while a session holds the chip" in said


@pytest.mark.parametrize("of_what", largest_sessions())
def test_the_largest_session_is_still_a_session_one_can_handle(api: ControlPlane, of_what: str) -> None:
    """An object too costly for CEL could no longer be updated at all, not even its finalizer."""
    document = largest_sessions()[of_what]
    steps = create(api, document)["spec"]["steps"]
    what = f"cals/{document['metadata']['name']}"
    api.kubectl("label", what, "team=a")
    patch(api, what, {"metadata": {"finalizers": ["kubecal.io/session"]}})
    status = [{"name": step["name"], "phase": "Running"} for step in steps]
    patch(api, what, {"status": {"phase": "Running", "steps": status}}, "--subresource=status")
    assert _PLACE in refused_change(api, what, "add", "/spec/steps/0", step("more"))
    assert _STEP in refused_change(api, what, "add", "/spec/steps/0/tasks", [{"task": "CheckRabi"}])
    assert len(json_patch(api, what, "add", "/spec/steps/-", step("more"))["spec"]["steps"]) == len(steps) + 1
    end = {"outcome": {"result": "Failed", "message": "m" * 1024}, "open": False, "cancel": True}
    assert patch(api, what, {"spec": end})["spec"].items() >= end.items()
    api.kubectl("delete", what, "--wait=false")
    patch(api, what, {"metadata": {"finalizers": None}})
    assert api.kubectl("get", what, "--ignore-not-found") == ""


def test_the_largest_chip_is_still_a_chip_one_can_handle(api: ControlPlane) -> None:
    create(api, largest_chip())
    what = "chip/fridge-a"
    api.kubectl("label", what, "team=a")
    holder = {"uid": "u", "session": "lab/morning", "scope": "Chip", "since": NOW}
    patch(api, what, {"status": {"holders": [holder]}}, "--subresource=status")
    assert "while a session holds" in refusal(api, what, {"spec": {"backend": {"config": {"setting0": "y"}}}})
    assert "while a session holds" in refused_change(api, what, "remove", "/spec/wiring/muxes/0")
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
        ("cals.spec.steps.pairs", "groups one after another"),
        ("cals.spec.parking", "runs last in any case"),
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
