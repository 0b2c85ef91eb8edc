"""Authors' images: what a session waits for before it is planned, and what it keeps to afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubecal.api.catalogue import Catalogue
from kubecal.api.conditions import ConditionType
from kubecal.api.explanation import Reason
from kubecal.api.session_status import Phase
from kubecal.engine.catalogues import Catalogues
from kubecal.engine.decide import decide
from kubecal.engine.model import Observed, PinnedImage, RowStatus, SessionRecord, SessionView, TaskKey
from kubecal.engine.pinning import awaited, changed
from tests.unit.kubecal.engine.builders import (
    CATALOGUE,
    FIRST,
    NOON,
    chip,
    chip_spec,
    later,
    nothing,
    observed,
    patch_of,
    pod,
    reason_of,
    row,
    session,
    session_spec,
)

MINE = Catalogue(tasks=CATALOGUE.tasks[1:2], backends=CATALOGUE.backends)
"""The catalogue of an author's image: T1 alone."""
NEWER = Catalogue(tasks=CATALOGUE.tasks[1:], backends=CATALOGUE.backends)
PINNED = PinnedImage("registry.example.org/mylab:1", MINE.hash)
IMAGES = {"pods": {"images": [{"name": "mylab", "image": PINNED.image, "catalogue": "mylab-catalogue"}]}}
PLACE = ("lab", "mylab-catalogue")
STEPS = [{"name": "check", "tasks": [{"task": "Rabi"}, {"task": "T1", "image": "mylab"}]}]
SPEC: dict[str, Any] = {"targets": {"qubits": ["0"]}, "steps": STEPS}
SECOND = TaskKey("check", "T1", "0", 0)
OK = RowStatus.COMPLETED


def _record(**changes: Any) -> SessionRecord:
    spec = chip_spec(**IMAGES)
    rows = (row(FIRST), row(SECOND))
    record = SessionRecord("20261123-000", spec, 1, CATALOGUE.hash, "kubecal/tasks:1", "running", rows)
    return replace(record, images={"mylab": PINNED}, **changes)


def _admitted(**changes: Any) -> SessionView:
    return replace(session(**SPEC), record=_record(**changes))


def _held(view: SessionView, **changes: Any) -> Observed:
    return observed(view, chips=[chip(held_by=(view,), **IMAGES)], **{"images": {PLACE: MINE}, **changes})


def _in_line(view: SessionView, **changes: Any) -> Observed:
    return observed(view, chips=[chip(**IMAGES)], **{"images": {PLACE: MINE}, **changes})


# ---------------------------------------------------------------- before it is planned


@pytest.mark.parametrize(
    ("named", "known", "why"),
    [
        ("", {"mylab": "broken"}, ""),
        ("mylab", {"mylab": MINE}, ""),
        ("mylab", {"mylab": MINE, "other": "broken"}, ""),
        ("mylab", {"mylab": "broken"}, "image 'mylab': broken"),
        # The chip has no such image: waiting does not help.
        ("mylab", {}, ""),
    ],
)
def test_what_is_waited_for(named: str, known: dict[str, Catalogue | str], why: str) -> None:
    steps = [{"name": "check", "tasks": [{"task": "T1", "image": named}]}]
    assert awaited(session_spec(steps=steps), Catalogues(CATALOGUE, known)) == why


def test_parking_in_an_image_waits_for_its_catalogue_too() -> None:
    spec = session_spec(parking={"tasks": [{"task": "T1", "image": "mylab"}]})
    assert awaited(spec, Catalogues(CATALOGUE, {"mylab": "broken"})) == "image 'mylab': broken"


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (
            {},
            "image 'mylab': there is no ConfigMap mylab-catalogue in namespace lab yet, which is to hold its "
            "catalogue: apply what `kubecal tasks export --configmap mylab-catalogue` prints in that image",
        ),
        ({PLACE: "ConfigMap mylab-catalogue has no key"}, "image 'mylab': ConfigMap mylab-catalogue has no key"),
    ],
)
def test_a_session_waits_for_a_catalogue_until_pending_seconds(images: dict[Any, Any], sentence: str) -> None:
    seen = observed(session(**SPEC), chips=[chip(**IMAGES)], images=images)
    early = decide(seen)
    status = patch_of(early).status
    assert status.phase is Phase.PENDING
    assert sentence in status.message
    assert reason_of(status, ConditionType.CHIP_HELD) == ("False", "CatalogueNotReady")
    assert early.wake_at == later(600)
    assert nothing(early, "admissions", "add_finalizer")
    late = patch_of(decide(replace(seen, now=later(600)))).status
    assert (late.phase, late.message) == (
        Phase.FAILED,
        f"{sentence}, then apply this session under another name",
    )


def test_admission_pins_the_image_and_the_hash_of_its_catalogue() -> None:
    (admission,) = decide(_in_line(session(**SPEC))).admissions
    assert admission.images == {"mylab": PINNED}
    assert admission.catalogues == {"mylab": MINE}


def test_a_task_that_the_image_lacks_is_refused_at_once() -> None:
    steps = [{"name": "check", "tasks": [{"task": "Rabi", "image": "mylab"}]}]
    status = patch_of(decide(_in_line(session(targets={"qubits": ["0"]}, steps=steps)))).status
    assert status.phase is Phase.FAILED
    assert "there is no task 'Rabi' in image 'mylab'" in status.message


# ---------------------------------------------------------------- when it has one


def test_each_task_runs_in_its_own_image() -> None:
    (built_in,) = decide(_held(_admitted())).creates
    assert (built_in.image, built_in.catalogue_hash) == ("kubecal/tasks:1", CATALOGUE.hash)
    done = _admitted(rows=(row(FIRST, status=OK), row(SECOND)))
    (author,) = decide(_held(done)).creates
    assert (author.image, author.catalogue_hash) == (PINNED.image, MINE.hash)


def test_it_keeps_to_the_image_that_was_pinned_whatever_the_chip_says_now() -> None:
    view = _admitted(rows=(row(FIRST, status=OK), row(SECOND)))
    other = {"pods": {"images": [{"name": "mylab", "image": "mylab:2", "catalogue": "mylab-2"}]}}
    seen = observed(view, chips=[chip(held_by=(view,), generation=2, **other)], images={PLACE: MINE})
    (create,) = decide(seen).creates
    assert create.image == PINNED.image


CHANGES = [
    ({"images": {PLACE: NEWER}}, f"({MINE.hash[:12]}, now {NEWER.hash[:12]})"),
    ({"images": {PLACE: "ConfigMap mylab-catalogue is broken"}}, "ConfigMap mylab-catalogue is broken"),
    ({"images": {}}, "there is no ConfigMap mylab-catalogue"),
    ({"catalogue": Catalogue(tasks=CATALOGUE.tasks[:2], backends=CATALOGUE.backends)}, "the built-in tasks"),
]


@pytest.mark.parametrize(("change", "sentence"), CHANGES)
def test_other_tasks_let_what_runs_finish_and_start_nothing_until_they_are_back(
    change: dict[str, Any], sentence: str
) -> None:
    view = _admitted()
    seen = _held(view, pods=(pod(view),), **change)
    decision = decide(seen)
    assert nothing(decision, "creates", "deletes", "settle_rows", "settle_executions", "replans")
    status = patch_of(decision).status
    assert (status.phase, reason_of(status, ConditionType.VALID)[0]) == (Phase.RUNNING, "False")
    assert sentence in status.message
    assert status.message.endswith("; or cancel the session")
    assert {wait.reason for wait in status.waits} == {Reason.CATALOGUE_CHANGED}
    assert status.progress == "0/2"
    back = decide(_held(_admitted(rows=(row(FIRST, status=OK), row(SECOND)))))
    assert [create.planned.key for create in back.creates] == [SECOND]


def test_a_priority_that_is_raised_above_the_limit_after_admission_counts_as_the_limit() -> None:
    view = _admitted()
    assert view.spec is not None
    raised = replace(view, spec=view.spec.model_copy(update={"priority": 11}), generation=2)
    decision = decide(_held(raised))
    assert [create.planned.key for create in decision.creates] == [FIRST]
    assert reason_of(patch_of(decision).status, ConditionType.VALID)[0] == "True"


def test_one_that_is_through_is_judged_when_its_tasks_are_known_again() -> None:
    failed = (row(FIRST, status=RowStatus.FAILED), row(SECOND, status=RowStatus.SKIPPED))
    view = _admitted(rows=failed)
    away = decide(_held(view, images={PLACE: NEWER}))
    assert nothing(away, "settle_executions")
    assert patch_of(away).status.phase is Phase.RUNNING
    assert patch_of(decide(_held(view))).status.phase is Phase.FAILED


def test_its_time_ends_it_without_them() -> None:
    view = _admitted()
    over = decide(_held(view, images={}, now=later(86400)))
    assert {settled.reason for settled in over.settle_rows} == {"DeadlineExceeded"}
    ended = _admitted(rows=(row(FIRST, status=OK), row(SECOND, status=RowStatus.CANCELLED)))
    status = patch_of(decide(_held(ended, images={}, now=later(86400)))).status
    assert (status.phase, reason_of(status, ConditionType.FINISHED)) == (Phase.FAILED, ("True", "DeadlineExceeded"))


def test_it_can_be_cancelled_without_them() -> None:
    view = _admitted(cancel_requested=True, cancel_reason="deleted")
    assert {settled.reason for settled in decide(_held(view, images={})).settle_rows} == {"Cancelled"}


@pytest.mark.parametrize(("images", "holders"), [({PLACE: MINE}, 2), ({}, 1)], ids=["known", "away"])
def test_nobody_gets_the_chip_beside_one_whose_wires_are_not_known_now(images: dict[Any, Any], holders: int) -> None:
    scope = {"lock": {"scope": "Targets"}}
    view = replace(session(**SPEC, **scope), record=_record())
    steps = [{"name": "check", "tasks": [{"task": "Rabi"}]}]
    other = session("evening", targets={"qubits": ["3"]}, steps=steps, **scope)
    rows = (row(TaskKey("check", "Rabi", "3", 0)),)
    waiting = replace(other, record=replace(_record(status="scheduled", rows=rows), images={}))
    seen = observed(view, waiting, chips=[chip(held_by=(view,), **IMAGES)], images=images)
    (update,) = decide(seen).holders
    assert len(update.status.holders) == holders


# ---------------------------------------------------------------- in the queue


def test_one_that_has_not_begun_is_planned_anew_with_the_tasks_as_they_are_now() -> None:
    view = _admitted(status="scheduled")
    (replan,) = decide(_in_line(view, images={PLACE: NEWER}, image="kubecal/tasks:2")).replans
    assert replan.images == {"mylab": PinnedImage(PINNED.image, NEWER.hash)}
    assert replan.built_in == PinnedImage("kubecal/tasks:2", CATALOGUE.hash)
    assert replan.drop == ()


@pytest.mark.parametrize(
    ("status", "images"), [("scheduled", {}), ("running", {}), ("running", {PLACE: NEWER})], ids=str
)
def test_one_whose_tasks_are_away_does_not_ask_for_the_chip(status: str, images: dict[Any, Any]) -> None:
    decision = decide(_in_line(_admitted(status=status), images=images))
    assert nothing(decision, "replans", "settle_executions")
    assert all(not update.status.holders for update in decision.holders)
    told = patch_of(decision).status
    assert (told.phase, reason_of(told, ConditionType.CHIP_HELD)) == (Phase.QUEUED, ("False", "CatalogueNotReady"))
    assert {wait.reason for wait in told.waits} == {Reason.CATALOGUE_CHANGED}


def test_the_same_tasks_in_another_operator_change_nothing() -> None:
    assert changed(_record(), Catalogues(CATALOGUE.model_copy(), {"mylab": MINE.model_copy()})) == ""
    decision = decide(_held(_admitted(), image="kubecal/tasks:2"))
    assert [create.image for create in decision.creates] == ["kubecal/tasks:1"]


# ---------------------------------------------------------------- open sessions


def test_the_image_of_an_appended_step_is_pinned_with_its_rows() -> None:
    steps = [{"name": "check", "tasks": [{"task": "Rabi"}]}]
    before = session(targets={"qubits": ["0"]}, steps=steps, open=True)
    appended = [*steps, {"name": "mine", "tasks": [{"task": "T1", "image": "mylab"}]}]
    assert before.spec is not None
    spec = session_spec(targets={"qubits": ["0"]}, steps=appended, open=True)
    record = replace(_record(was_open=True, rows=(row(FIRST, status=OK),)), images={})
    view = replace(before, spec=spec, generation=2, record=record, created_at=NOON)
    decision = decide(_held(view))
    (replan,) = decision.replans
    assert (replan.images, replan.built_in) == ({"mylab": PINNED}, None)
    assert [create.image for create in decision.creates] == [PINNED.image]
