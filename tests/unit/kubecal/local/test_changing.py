"""What may be changed of a session that runs, and the words in which the rest is refused."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.api.session import SessionSpec
from kubecal.lab.lab import Change, RefusedError
from kubecal.local.changing import changed_spec

STEP = {"name": "check", "tasks": [{"task": "CheckRabi"}]}
NEXT = {"name": "next", "tasks": ["CheckT1"]}


def spec(**fields: Any) -> SessionSpec:
    """A session of one step; Any: manifests."""
    return SessionSpec.model_validate({"chip": "chip", "targets": {"all": True}, "steps": [STEP], **fields})


def refused(before: SessionSpec, change: Change) -> str:
    with pytest.raises(RefusedError) as error:
        changed_spec("morning", before, change)
    return str(error.value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Change(cancel=True), {"cancel": True}),
        (Change(suspend=True), {"suspend": True}),
        (Change(open=False), {"open": False}),
        (Change(priority=3, note="a note", tags=["nightly"]), {"priority": 3, "note": "a note", "tags": ("nightly",)}),
    ],
)
def test_what_a_change_names_is_as_it_says_and_all_else_as_it_was(change: Change, expected: dict[str, Any]) -> None:
    before = spec(open=True, username="alice")

    assert changed_spec("morning", before, change) == before.model_copy(update=expected)


def test_steps_are_appended_with_their_tasks_as_a_manifest_may_name_them() -> None:
    after = changed_spec("morning", spec(open=True), Change(append_steps=[NEXT]))

    assert [step.name for step in after.steps] == ["check", "next"]
    assert [entry.task for entry in after.steps[1].tasks] == ["CheckT1"]


def test_what_is_suspended_can_be_taken_up_again() -> None:
    assert not changed_spec("morning", spec(suspend=True), Change(suspend=False)).suspend


@pytest.mark.parametrize(
    ("before", "change", "said"),
    [
        ({}, Change(append_steps=[NEXT]), "steps can only be appended, and only while open is true: apply a session"),
        ({}, Change(open=True), "open cannot become true again: apply a session of another name"),
        ({"cancel": True}, Change(cancel=False), "cancel cannot be taken back: apply a session of another name"),
        (
            {"outcome": {"result": "Failed"}},
            Change(outcome={"result": "Completed"}),
            "outcome cannot be changed once it is given: apply a session of another name",
        ),
    ],
)
def test_one_way_fields_are_kept_in_the_api_server_s_words(before: dict[str, Any], change: Change, said: str) -> None:
    assert refused(spec(**before), change).startswith(said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change(append_steps=[STEP]), 'spec.steps: lists "check" twice: remove or rename one'),
        (Change(append_steps=[{"name": "next", "task": []}]), "there is no field task: did you mean tasks?"),
        (Change(outcome={"result": "Fine"}), "spec.outcome.result"),
        (Change(priority=-1), "spec.priority: must be at least 0"),
        (Change(tags=["a", "a"]), 'spec.tags: lists "a" twice'),
    ],
)
def test_a_change_that_makes_no_manifest_is_refused(change: Change, said: str) -> None:
    assert said in refused(spec(open=True), change)
