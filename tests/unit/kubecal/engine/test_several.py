"""Attempts of several qubits: each is judged by itself, and what happens to one says nothing about the others."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.api.request import Verdict
from kubecal.api.session import Retry
from kubecal.engine.attempts import State, TaskState, task_state
from kubecal.engine.decide import decide
from kubecal.engine.model import AttemptRow, MemberRow, PodView, RowStatus, SessionView, TaskKey, Trouble
from kubecal.engine.retry import adapted, charged
from tests.unit.kubecal.engine.builders import (
    NOON,
    decided,
    held,
    later,
    nothing,
    patch_of,
    pod,
    receipt,
    recorded,
    row,
    session,
    terminated,
    trouble,
)

MUX = TaskKey("check", "Readout", "mux-0", 0)
ALL = "0123"
OK, FAILED, SKIPPED, CANCELLED = RowStatus.COMPLETED, RowStatus.FAILED, RowStatus.SKIPPED, RowStatus.CANCELLED
RUNNING, SCHEDULED = RowStatus.RUNNING, RowStatus.SCHEDULED
_SAID = {
    "o": (OK, Verdict.OK),
    "w": (FAILED, Verdict.WINDOW),
    "p": (FAILED, Verdict.POOR_FIT),
    "x": (FAILED, None),
    "s": (SKIPPED, None),
    "c": (CANCELLED, None),
    "r": (RUNNING, None),
    ".": (SCHEDULED, None),
}
_STATES = {"o": State.OK, "j": State.JUDGED, "f": State.FAILED, "s": State.SKIPPED, "c": State.CANCELLED}
_STATES |= {"r": State.RUNNING, ".": State.READY, "e": State.ENDING}


def several(members: str, attempt: int = 1, *, qubits: str = ALL, key: TaskKey = MUX, **changes: Any) -> AttemptRow:
    """An attempt whose members ended so: ``ow`` ok and window, poor fit, x crash, skipped, cancelled, running, open."""
    said = [_SAID[one] for one in members]
    rows = tuple(
        MemberRow(qid, status, verdict, f"said of {qid}") for qid, (status, verdict) in zip(qubits, said, strict=True)
    )
    # As the records say: what has not ended speaks for all, and then what was not left out.
    status = min((one.status for one in rows), key=lambda its: (its not in (SCHEDULED, RUNNING), its is SKIPPED))
    return row(key, attempt, status, **{"members": rows, **changes})


def lost(members: str, attempt: int = 1, **changes: Any) -> AttemptRow:
    """An attempt after which another was opened because it gave no result."""
    fields = {"superseded": True, "superseded_at": NOON, "trouble": Trouble.CRASH, "reason": "Error"}
    return several(members, attempt, **{**fields, **changes})


def state_of(*rows: AttemptRow, pods: tuple[PodView, ...] = (), **changes: Any) -> TaskState:
    known: dict[str, Any] = {"now": NOON, "pending_s": 600, "rejected": {}, "gone": {}, "retry": Retry()}
    return task_state(MUX, rows, pods, VIEW.ref, members=tuple(ALL), **{**known, **changes})


def view(*rows: AttemptRow, tasks: tuple[str, ...] = ("Readout", "T1"), **spec: Any) -> SessionView:
    steps = [{"name": "check", "tasks": [{"task": name} for name in tasks], "schedule": {"mode": "Parallel"}}]
    return recorded(session(steps=steps, **spec), *rows, status="running")


VIEW = session()


def t1(qubit: str) -> TaskKey:
    return TaskKey("check", "T1", qubit, 0)


# ---------------------------------------------------------------- where it stands


@pytest.mark.parametrize(
    ("rows", "whole", "members"),
    [
        ([], ".", "...."),
        ([several("....")], ".", "...."),
        ([several("s...")], ".", "s..."),
        ([several("oooo")], "o", "oooo"),
        ([several("oopo")], "f", "oofo"),
        ([several("owoo")], "j", "ojoo"),
        ([several("owpo")], "j", "ojfo"),
        ([several("soss")], "o", "soss"),
        ([several("ssss")], "s", "ssss"),
        ([several("scss")], "c", "scss"),
        ([several("xxxx")], "f", "ffff"),
        # Measured again alone: the others stay as they are.
        ([several("owpo"), several(".", 2, qubits="1")], ".", "o.fo"),
        ([several("owpo"), several("o", 2, qubits="1")], "f", "oofo"),
        ([several("owoo"), several("o", 2, qubits="1")], "o", "oooo"),
        ([several("owwo"), several("wo", 2, qubits="12")], "j", "ojoo"),
        ([several("owwo"), several("wo", 2, qubits="12"), several("p", 3, qubits="1")], "f", "ofoo"),
        # Crashed and disrupted: all that were still to be measured are, and who was left out stays out.
        ([lost("xxxx"), several("....", 2)], ".", "...."),
        ([lost("sxxx"), several("...", 2, qubits="123")], ".", "s..."),
        ([lost("cccc", trouble=Trouble.DISRUPTION), several("oooo", 2)], "o", "oooo"),
        ([several("owoo"), lost("x", 2, qubits="1"), several(".", 3, qubits="1")], ".", "o.oo"),
        # Given up, and its successor is not known here yet: nothing of it has ended.
        ([lost("xxxx")], "e", "eeee"),
        ([lost("sxxx")], "e", "seee"),
        ([lost("cccc", trouble=Trouble.DISRUPTION)], "e", "eeee"),
        ([several("owoo"), lost("x", 2, qubits="1")], "e", "oeoo"),
    ],
)
def test_each_member_stands_as_its_last_row_says(rows: list[AttemptRow], whole: str, members: str) -> None:
    found = state_of(*rows)
    assert found.state is _STATES[whole]
    assert [found.on(one) for one in ALL] == [_STATES[one] for one in members]


@pytest.mark.parametrize(
    ("rows", "members"),
    [
        ([several("owwo"), several("ww", 2, qubits="12"), several("wo", 3, qubits="12")], "ofoo"),
        ([several("owpo")], "ojfo"),
    ],
)
def test_a_member_is_measured_again_as_often_as_the_session_says(rows: list[AttemptRow], members: str) -> None:
    found = state_of(*rows)
    assert [found.on(one) for one in ALL] == [_STATES[one] for one in members]


def test_without_retry_what_was_judged_stands() -> None:
    assert state_of(several("owoo"), retry=None).on("1") is State.FAILED


@pytest.mark.parametrize(
    ("seen", "members"),
    [
        ({}, "srrr"),
        ({"terminated": terminated(1)}, "seee"),
        ({"terminated": terminated(143, outcome=trouble("Interrupted"))}, "seee"),
        ({"node_lost": True}, "srrr"),
    ],
)
def test_members_that_have_not_ended_stand_as_their_pod_does(seen: dict[str, Any], members: str) -> None:
    found = state_of(several("srrr"), pods=(pod(VIEW, MUX, **seen),))
    assert [found.on(one) for one in ALL] == [_STATES[one] for one in members]


@pytest.mark.parametrize("said", [None, "ok", "no_signal"])
def test_what_became_of_members_only_the_record_tells(said: str | None) -> None:
    """A receipt of several has no verdict; one that has is not believed."""
    outcome = receipt(VIEW, MUX).model_copy(update={"verdict": Verdict(said) if said else None})
    ended = pod(VIEW, MUX, terminated=terminated(0, outcome=outcome, seen_at=later(5)))
    before = state_of(several("rrrr", read_at=later(4)), pods=(ended,))
    assert (before.state, before.recorded, before.read) == (State.RUNNING, False, True)
    assert [before.on(one) for one in ALL] == [State.RUNNING] * 4
    after = state_of(several("rrrr", read_at=later(6)), pods=(ended,))
    assert after.ending is not None
    assert after.ending.reason == "ResultMissing"


def test_what_is_said_of_a_member_is_of_the_attempt_that_measured_it_last() -> None:
    found = state_of(several("owpo"), several("p", 2, qubits="1"))
    assert (found.verdict_on("1"), found.attempt_on("1")) == ((Verdict.POOR_FIT, "said of 1"), 2)
    assert (found.verdict_on("2"), found.attempt_on("2")) == ((Verdict.POOR_FIT, "said of 2"), 1)


# ---------------------------------------------------------------- what is decided


def test_a_receipt_of_several_is_read_before_anything_follows() -> None:
    running = several("rrrr", claimed_by="p1", read_at=later(-5))
    seen = view(running)
    outcome = receipt(seen, MUX).model_copy(update={"verdict": None})
    decision = decided(seen, pods=(pod(seen, MUX, terminated=terminated(0, outcome=outcome)),))
    assert decision.read_rows == ((seen.ref, MUX, 1),)
    assert nothing(decision, "creates", "next_attempts", "settle_rows", "settle_executions")


def test_one_that_was_not_good_is_measured_again_alone_and_the_others_go_on() -> None:
    decision = decided(view(several("owoo", claimed_by="p1")))
    (opened,) = decision.next_attempts
    assert (opened.key, opened.attempt, opened.trouble, opened.reason, opened.members) == (
        MUX,
        1,
        Trouble.VERDICT,
        "window",
        ("1",),
    )
    assert opened.message == "said of 1"
    assert sorted(create.planned.key.target for create in decision.creates) == ["0", "2", "3"]


def test_the_pod_of_the_next_attempt_measures_only_whom_it_is_for() -> None:
    seen = view(several("owpo", claimed_by="p1"), several(".", 2, qubits="1", opened_at=NOON), tasks=("Readout",))
    assert nothing(decided(seen), "creates")
    (create,) = decide(held(seen, now=later(5))).creates
    assert (create.attempt, create.members, create.charged_retries) == (2, ("1",), 1)


def test_what_is_measured_again_gets_the_parameters_that_its_own_member_suggested() -> None:
    rows = (
        MemberRow("0", FAILED, Verdict.POOR_FIT, suggestion={"shots": 1}),
        MemberRow("1", FAILED, Verdict.WINDOW, suggestion={}),
        MemberRow("2", FAILED, Verdict.WINDOW, suggestion={"shots": 2}),
        MemberRow("3", OK, Verdict.OK, suggestion={"shots": 3}),
    )
    judged = row(MUX, 1, FAILED, members=rows)
    (opened,) = decided(view(judged)).next_attempts
    assert (opened.members, opened.parameters) == (("1", "2"), {"shots": 2})
    assert adapted({"shots": 100}, [judged], Retry()) == {"shots": 2}
    assert adapted({"shots": 100}, [judged], Retry(adapt=False)) == {"shots": 100}


@pytest.mark.parametrize(
    ("rows", "number"),
    [
        ([several("oooo")], 0),
        ([several("owpo")], 1),
        ([several("oopo"), lost("x", 2, qubits="2")], 2),
        ([lost("cccc", trouble=Trouble.DISRUPTION)], 0),
        ([lost("sxxx")], 1),
    ],
)
def test_an_attempt_of_several_is_charged_once(rows: list[AttemptRow], number: int) -> None:
    assert charged(rows) == number


@pytest.mark.parametrize(
    ("seen", "what", "reason"),
    [
        ({"terminated": terminated(3)}, Trouble.CRASH, "Error"),
        ({"terminated": terminated(143, outcome=trouble("Interrupted"))}, Trouble.DISRUPTION, "Interrupted"),
    ],
)
def test_all_that_were_measured_are_measured_again_after_a_crash_or_a_disruption(
    seen: dict[str, Any], what: Trouble, reason: str
) -> None:
    session_ = view(several("srrr", claimed_by="p1"))
    decision = decided(session_, pods=(pod(session_, MUX, uid="p1", **seen),))
    (opened,) = decision.next_attempts
    assert (opened.trouble, opened.reason, opened.members) == (what, reason, ())
    # Who was left out has nothing to wait for; the others do.
    assert [create.planned.key for create in decision.creates] == [t1("0")]


def test_several_that_crashed_too_often_fail_all_together() -> None:
    rows = (lost("xxxx"), lost("xxxx", 2), several("rrrr", 3, claimed_by="p3"))
    seen = view(*rows)
    decision = decided(seen, pods=(pod(seen, MUX, 3, uid="p3", terminated=terminated(3)),))
    (settled,) = decision.settle_rows
    assert (settled.key, settled.attempt, settled.status, settled.members) == (MUX, 3, FAILED, ())
    assert settled.message.startswith("crashed 3 times")


def test_whoever_failed_before_is_not_measured_and_its_row_ends_alone() -> None:
    failed = row(TaskKey("check", "Rabi", "2", 0), status=FAILED, verdict=Verdict.POOR_FIT)
    fine = [row(TaskKey("check", "Rabi", qubit, 0), status=OK) for qubit in "013"]
    seen = view(failed, *fine, several("...."), tasks=("Rabi", "Readout"))
    decision = decided(seen)
    assert nothing(decision, "creates"), "a row that is open besides would have no result afterwards"
    (settled,) = decision.settle_rows
    assert (settled.key, settled.status, settled.members, settled.message) == (
        MUX,
        SKIPPED,
        ("2",),
        "Rabi failed before it",
    )
    afterwards = decided(view(failed, *fine, several("..s."), tasks=("Rabi", "Readout")))
    assert [(create.planned.key, create.members) for create in afterwards.creates] == [(MUX, ("0", "1", "3"))]
    assert not afterwards.settle_rows


def test_a_task_of_whose_members_nobody_is_left_does_not_start() -> None:
    failed = [row(TaskKey("check", "Rabi", qubit, 0), status=FAILED, verdict=Verdict.POOR_FIT) for qubit in ALL]
    decision = decided(view(*failed, several("...."), tasks=("Rabi", "Readout")))
    assert nothing(decision, "creates")
    assert sorted(settled.members for settled in decision.settle_rows) == [(qubit,) for qubit in ALL]


def test_a_failed_member_stops_and_the_others_of_its_attempt_do_not() -> None:
    decision = decided(view(several("oopo", claimed_by="p1")))
    assert sorted(create.planned.key.target for create in decision.creates) == ["0", "1", "3"]
    assert [(settled.key, settled.members) for settled in decision.settle_rows] == [(t1("2"), ())]


def test_failures_are_told_by_qubit_with_the_attempt_that_measured_it() -> None:
    status = patch_of(decided(view(several("oppo"), several("p", 2, qubits="1"), tasks=("Readout",)))).status
    assert [(one.task, one.target, one.attempt, one.verdict) for one in status.failures] == [
        ("Readout", "1", 2, "poor_fit"),
        ("Readout", "2", 1, "poor_fit"),
    ]
    assert status.message == "failed on qubit 1, 2: Readout on 1: said of 1, and 1 more"
    assert (status.tasks.planned, status.tasks.failed) == (1, 1)
    (step,) = status.steps
    assert (step.failed, step.targets_out) == (1, 2)


@pytest.mark.parametrize(
    ("members", "phase"),
    [("oooo", "Completed"), ("oppo", "PartiallyFailed"), ("pppp", "Failed"), ("sooo", "Completed")],
)
def test_the_session_ends_as_its_members_did(members: str, phase: str) -> None:
    (settled,) = decided(view(several(members, claimed_by="p1"), tasks=("Readout",))).settle_executions
    assert settled.phase == phase


def test_a_batch_of_all_waits_for_everybody_still_in_the_session() -> None:
    steps = [
        {"name": "check", "tasks": [{"task": "Rabi"}], "schedule": {"mode": "Parallel"}},
        {"name": "all", "tasks": [{"task": "Many"}], "batch": "All"},
    ]
    key = TaskKey("all", "Many", "chip", 0)
    rabi = [row(TaskKey("check", "Rabi", qubit, 0), status=OK) for qubit in "012"]
    both = recorded(session(steps=steps), *rabi, several("....", key=key), status="running")
    assert key not in {create.planned.key for create in decided(both).creates}
    last = row(TaskKey("check", "Rabi", "3", 0), status=FAILED, verdict=Verdict.POOR_FIT)
    decision = decided(recorded(session(steps=steps), *rabi, last, several("....", key=key), status="running"))
    assert [settled.members for settled in decision.settle_rows] == [("3",)]
    decision = decided(recorded(session(steps=steps), *rabi, last, several("...s", key=key), status="running"))
    assert [(create.planned.key, create.members) for create in decision.creates] == [(key, ("0", "1", "2"))]


def test_cancelling_ends_all_that_has_no_result() -> None:
    decision = decided(view(several("s..."), tasks=("Readout",), cancel=True))
    assert [(one.key, one.status, one.members) for one in decision.settle_rows] == [(MUX, CANCELLED, ())]
