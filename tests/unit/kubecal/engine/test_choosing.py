"""Filters and failures among MUX, batch, coupling and chip tasks: who goes on, who is left out, who stops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from kubecal.api.conditions import ConditionType
from kubecal.api.request import Verdict
from kubecal.engine.model import (
    AttemptRow,
    MemberRow,
    PlanFacts,
    RowStatus,
    SessionRecord,
    SessionView,
    TaskKey,
    Trouble,
)
from kubecal.engine.plan import plan_session
from tests.unit.kubecal.engine.builders import (
    CATALOGUE,
    chip_spec,
    decided,
    nothing,
    patch_of,
    planned,
    reason_of,
    recorded,
    row,
    session,
)

AUTO = {"couplings": {"auto": True}}
OK, FAILED, SKIPPED = RowStatus.COMPLETED, RowStatus.FAILED, RowStatus.SKIPPED
QUALITY = {"metric": "quality", "min": 0.9}
ZX = {"metric": "zx", "min": 1.0}
SUCCEEDED = {"status": "Succeeded"}


def _step(name: str, task: str, **body: Any) -> dict[str, Any]:
    return {"name": name, "tasks": [{"task": task}], "schedule": {"mode": "Parallel"}, **body}


def _filter(name: str, **wanted: Any) -> dict[str, Any]:
    return {"name": name, "filter": wanted}


def _key(task: str) -> TaskKey:
    step, name, target = task.replace("/", " ").split()
    return TaskKey(step, name, target, 0)


def _row(task: str, ended: Any) -> AttemptRow:
    """A task as it ended: ok with a number, or None: failed; of several by member."""
    key = _key(task)
    if isinstance(ended, Mapping):
        members = tuple(
            MemberRow(
                qid,
                FAILED if number is None else OK,
                Verdict.POOR_FIT if number is None else Verdict.OK,
                "flat" if number is None else "",
                {} if number is None else {"quality": number},
            )
            for qid, number in ended.items()
        )
        return row(key, 1, OK, members=members, claimed_by="p1")
    if ended is None:
        return row(key, 1, FAILED, verdict=Verdict.POOR_FIT, message="flat", trouble=Trouble.VERDICT)
    return row(key, 1, OK, verdict=Verdict.OK, numbers={"quality": ended, "zx": ended, "r2": ended})


def _view(steps: list[dict[str, Any]], ended: Mapping[str, Any], **spec: Any) -> SessionView:
    """A session of which these tasks have ended so, and no others."""
    view = session(steps=steps, **spec)
    plan = planned(view)
    assert not plan.problems, plan.problems
    assert set(map(_key, ended)) <= set(plan.by_key)
    return recorded(view, *(_row(task, how) for task, how in ended.items()), status="running")


def _out(view: SessionView) -> tuple[dict[str, str], list[str]]:
    """What is left out, and why; and what starts when that has been recorded."""
    decision = decided(view)
    out = {
        " ".join([f"{one.key.step}/{one.key.task}", "+".join(one.members) or one.key.target]): one.message
        for one in decision.settle_rows
    }
    made = [
        " ".join([f"{one.planned.key.step}/{one.planned.key.task}", "+".join(one.members) or one.planned.key.target])
        for one in decided(_afterwards(view)).creates
    ]
    return out, sorted(made)


def _afterwards(view: SessionView) -> SessionView:
    """The session when the rows of what was left out have ended."""
    assert view.record is not None
    out = {one.key: one for one in decided(view).settle_rows if not one.members}
    left = {(one.key, member) for one in decided(view).settle_rows for member in one.members}
    rows = [replace(one, status=out[one.key].status) if one.key in out else one for one in view.record.rows]
    for number, one in enumerate(rows):
        members = [replace(each, status=SKIPPED) if (one.key, each.qid) in left else each for each in one.members]
        over = members and not any(each.status in (RowStatus.SCHEDULED, RowStatus.RUNNING) for each in members)
        rows[number] = replace(one, members=tuple(members), status=SKIPPED if over and not one.final else one.status)
    return replace(view, record=replace(view.record, rows=tuple(rows)))


MANY = _step("a", "Many", batch="All")
BATCH = {"0": 0.95, "1": 0.5, "2": 0.95, "3": 0.95}

# ---------------------------------------------------------------- filters


def test_a_filter_judges_each_member_of_a_batch_by_its_own_number() -> None:
    view = _view([MANY, _filter("good", **QUALITY), _step("b", "Rabi")], {"a/Many chip": BATCH})
    assert _out(view) == (
        {"b/Rabi 1": "filter good: quality is 0.5, below 0.9"},
        ["b/Rabi 0", "b/Rabi 2", "b/Rabi 3"],
    )


def test_a_dropped_qubit_is_not_measured_with_its_mux() -> None:
    view = _view([MANY, _filter("good", **QUALITY), _step("b", "Readout")], {"a/Many chip": BATCH})
    assert _out(view) == ({"b/Readout 1": "filter good: quality is 0.5, below 0.9"}, ["b/Readout 0+2+3"])


def test_a_mux_task_waits_until_all_its_qubits_are_judged() -> None:
    steps = [_step("a", "Many"), _filter("good", **QUALITY), _step("b", "Readout")]
    ended = {f"a/Many {qubit}": 0.95 for qubit in "012"}
    assert _out(_view(steps, ended)) == ({}, ["a/Many 3"])
    assert _out(_view(steps, {**ended, "a/Many 3": 0.1}))[1] == ["b/Readout 0+1+2"]


def test_couplings_of_a_dropped_qubit_are_left_out_with_it() -> None:
    view = _view([MANY, _filter("good", **QUALITY), _step("b", "Cross", targets=AUTO)], {"a/Many chip": BATCH})
    why = "filter good: quality is 0.5, below 0.9"
    # 0-2 and 3-2 share a qubit: only one of them can run now.
    assert _out(view) == ({"b/Cross 0-1": why, "b/Cross 3-1": why}, ["b/Cross 0-2"])


def test_couplings_are_filtered_by_their_own_metric_and_their_qubits_go_on() -> None:
    steps = [
        _step("a", "Cross", targets=AUTO),
        _filter("good", **ZX),
        _step("b", "Cross", targets=AUTO),
        _step("c", "Rabi"),
    ]
    ended = {"a/Cross 0-1": 2.0, "a/Cross 0-2": 0.5, "a/Cross 3-1": 0.5, "a/Cross 3-2": 0.5}
    view = _view(steps, ended)
    assert sorted(_out(view)[0]) == ["b/Cross 0-2", "b/Cross 3-1", "b/Cross 3-2"]
    view = _afterwards(_view([*steps[:2], _step("b", "Cross", targets=AUTO), _step("c", "Compute")], ended))
    # Qubits 0 and 1 wait for their coupling.
    assert _out(view) == ({}, ["b/Cross 0-1", "c/Compute 2", "c/Compute 3"])


def test_a_filter_of_couplings_judges_no_qubits_and_one_of_qubits_no_couplings() -> None:
    steps = [MANY, _step("b", "Cross", targets=AUTO), _filter("good", **ZX), _step("c", "Rabi")]
    assert planned(session(steps=steps)).judges["good"] == {"0-1", "0-2", "3-1", "3-2"}
    steps[2] = _filter("good", **QUALITY)
    assert planned(session(steps=steps)).judges["good"] == set("0123")
    steps[2] = _filter("good", **SUCCEEDED)
    assert planned(session(steps=steps)).judges["good"] == {*"0123", "0-1", "0-2", "3-1", "3-2"}


def test_by_status_only_those_go_on_of_which_nothing_failed() -> None:
    ended = {"a/Many chip": {"0": 0.1, "1": None, "2": 0.1, "3": 0.1}}
    steps = [MANY, _filter("good", **SUCCEEDED), _step("b", "Rabi")]
    out, made = _out(_view(steps, ended, onTargetFailure="Continue"))
    assert out == {"b/Rabi 1": "filter good: Many has not succeeded"}
    assert made == ["b/Rabi 0", "b/Rabi 2", "b/Rabi 3"]


@pytest.mark.parametrize("bounds", [{"min": 0.9}, {"max": 0.9}, {"min": -1.0, "max": 2.0}])
@pytest.mark.parametrize("batch", ["None", "All"])
def test_what_is_not_a_number_never_passes(bounds: dict[str, float], batch: str) -> None:
    nan = float("nan")
    step = _step("a", "Many", batch=batch, targets={"qubits": ["0", "1"]})
    ended = {"a/Many chip": {"0": nan, "1": nan}} if batch == "All" else {"a/Many 0": nan, "a/Many 1": nan}
    view = _view([step, _filter("good", metric="quality", **bounds), _step("b", "Rabi")], ended)
    out, made = _out(view)
    assert not made
    assert out["b/Rabi 0"].startswith("filter good: quality is nan, ")


def test_a_result_that_was_taken_out_gives_no_number_and_the_one_before_counts() -> None:
    """The record of an excluded result is read without its numbers."""
    steps = [_step("a", "Many"), _step("b", "Many"), _filter("good", **QUALITY), _step("c", "Rabi")]
    only = {"targets": {"qubits": ["0"]}}
    view = _view(steps, {"a/Many 0": 0.95, "b/Many 0": 0.1}, **only)
    assert _out(view)[0] == {"c/Rabi 0": "filter good: quality is 0.1, below 0.9"}
    assert view.record is not None
    rows = tuple(
        replace(one, numbers={}, excluded=True) if one.key.step == "b" else one for one in view.record.rows
    )  # fmt: skip
    assert _out(replace(view, record=replace(view.record, rows=rows))) == ({}, ["c/Rabi 0"])


def test_of_several_attempts_each_members_last_number_counts() -> None:
    key = _key("a/Many chip")
    bad = MemberRow("1", FAILED, Verdict.WINDOW, numbers={"quality": 0.99})
    first = row(key, 1, OK, members=(MemberRow("0", OK, Verdict.OK, numbers={"quality": 0.95}), bad), claimed_by="p1")
    again = row(key, 2, OK, members=(MemberRow("1", OK, Verdict.OK, numbers={"quality": 0.5}),), claimed_by="p2")
    steps = [MANY, _filter("good", **QUALITY), _step("b", "Rabi")]
    view = recorded(session(steps=steps, targets={"qubits": ["0", "1"]}), first, again, status="running")
    assert _out(view) == ({"b/Rabi 1": "filter good: quality is 0.5, below 0.9"}, ["b/Rabi 0"])


# ---------------------------------------------------------------- nobody is left

# 0 and 3 stand diagonally: no two that pass are coupled.
DIAGONAL = {"0": 0.95, "1": 0.5, "2": 0.5, "3": 0.95}


@pytest.mark.parametrize(
    ("on_empty", "made"),
    [("Stop", []), ("Fail", []), ("Skip", ["c/Rabi 0", "c/Rabi 3"])],
)
@pytest.mark.parametrize("spec", [{}, {"targets": AUTO}])
def test_where_no_two_that_passed_are_coupled_nothing_follows_unless_only_what_needs_them_is_skipped(
    spec: dict[str, Any], on_empty: str, made: list[str]
) -> None:
    """Whether the step says itself that it is about the couplings between whoever came so far, or its session."""
    qubits = {"targets": {"all": True}}
    gates = _step("b", "Cross", **({} if spec else {"targets": AUTO}))
    steps = [{**MANY, **qubits}, _filter("good", **QUALITY, onEmpty=on_empty), gates, _step("c", "Rabi", **qubits)]
    view = _view(steps, {"a/Many chip": DIAGONAL}, **spec)
    out, _ = _out(view)
    assert _out(_afterwards(view)) == ({}, made)
    assert {task for task in out if task.startswith("b")} == {
        "b/Cross 0-1",
        "b/Cross 0-2",
        "b/Cross 3-1",
        "b/Cross 3-2",
    }
    if on_empty != "Skip":
        assert out["c/Rabi 0"] == "filter good: no two targets that passed are coupled (step b)"


def test_two_filters_may_leave_no_coupling_between_them() -> None:
    steps = [
        _step("a", "Many"),
        _filter("good", **QUALITY),
        _step("b", "Rabi"),
        _filter("fine", metric="r2", min=0.9),
        _step("c", "Cross", targets=AUTO),
        _step("d", "T1"),
    ]
    many = {f"a/Many {qubit}": 0.1 if qubit == "1" else 0.95 for qubit in "0123"}
    rabi = {f"b/Rabi {qubit}": 0.1 if qubit == "2" else 0.95 for qubit in "023"}
    skipped = {"b/Rabi 1": 0.0}
    view = _view(steps, {**many, **rabi, **skipped})
    assert view.record is not None
    rows = tuple(
        replace(one, status=SKIPPED, verdict=None, numbers={}) if one.key == _key("b/Rabi 1") else one
        for one in view.record.rows
    )
    out, made = _out(replace(view, record=replace(view.record, rows=rows)))
    assert not made
    assert out["d/T1 0"] == "filter fine: no two targets that passed are coupled (step c)"


def test_couplings_that_were_named_do_not_end_the_session_where_none_is_left() -> None:
    gates = _step("b", "Cross", targets={"couplings": {"ids": ["0-1"]}})
    steps = [MANY, _filter("good", **QUALITY), gates, _step("c", "Rabi")]
    view = _view(steps, {"a/Many chip": DIAGONAL})
    assert _out(view)[0]["b/Cross 0-1"] == "filter good: quality is 0.5, below 0.9"
    assert _out(_afterwards(view)) == ({}, ["c/Rabi 0", "c/Rabi 3"])


@pytest.mark.parametrize(("on_empty", "made"), [("Stop", []), ("Skip", ["b/Configure chip"])])
def test_where_nobody_passes_the_chip_goes_on_only_if_others_would(on_empty: str, made: list[str]) -> None:
    steps = [MANY, _filter("good", **QUALITY, onEmpty=on_empty), _step("b", "Configure", targets={"chip": True})]
    view = _view(steps, {"a/Many chip": dict.fromkeys("0123", 0.1)})
    assert _out(view)[1] == made


@pytest.mark.parametrize(
    ("on_empty", "phase", "reason"),
    [("Stop", "Completed", "AllFiltered"), ("Skip", "Completed", "AllFiltered"), ("Fail", "Failed", "Failed")],
)
def test_a_session_of_which_no_coupling_is_left(on_empty: str, phase: str, reason: str) -> None:
    steps = [MANY, _filter("good", **QUALITY, onEmpty=on_empty), _step("b", "Cross", targets=AUTO)]
    view = _view(steps, {"a/Many chip": DIAGONAL})
    assert view.record is not None
    rows = tuple(replace(one, status=SKIPPED) if one.key.step == "b" else one for one in view.record.rows)
    decision = decided(replace(view, record=replace(view.record, rows=rows)))
    status = patch_of(decision).status
    assert status.phase == phase
    assert reason_of(status, ConditionType.FINISHED) == ("True", reason)
    if on_empty == "Fail":
        assert status.message.startswith("filter 'good' left nothing for the steps behind it (onEmpty: Fail)")


# ---------------------------------------------------------------- only what failed is repeated


def _repeated(steps: list[dict[str, Any]], unfinished: list[str], ended: Mapping[str, Any]) -> SessionView:
    view = session(steps=steps, source={"executionId": "20261123-001", "only": "Failed"})
    facts = PlanFacts(unfinished=frozenset(map(_key, unfinished)))
    assert view.spec is not None
    plan = plan_session(view.spec, "fridge-a", chip_spec(), CATALOGUE, facts)
    assert not plan.problems
    given = [_row(task, how) for task, how in ended.items()]
    rows = [row(task.key) for task in plan.tasks if task.key not in {one.key for one in given}]
    spec = chip_spec()
    record = SessionRecord("20261123-002", spec, 1, CATALOGUE.hash, "image", "running", (*rows, *given), facts=facts)
    return replace(view, record=record)


def test_what_passed_a_filter_in_the_execution_that_is_repeated_passes_it_again() -> None:
    steps = [_step("a", "Many"), _filter("good", **QUALITY), _step("b", "Rabi")]
    assert _out(_repeated(steps, ["b/Rabi 0", "b/Rabi 1"], {})) == ({}, ["b/Rabi 0", "b/Rabi 1"])
    # And is not kept by others that do not.
    view = _repeated(steps, ["a/Many 1", "b/Rabi 0", "b/Rabi 1"], {"a/Many 1": 0.1})
    assert _out(view) == ({"b/Rabi 1": "filter good: quality is 0.1, below 0.9"}, ["b/Rabi 0"])


# ---------------------------------------------------------------- failures

STEPS = [
    _step("a", "Rabi"),
    _step("b", "Readout"),
    _step("c", "Cross", targets=AUTO),
    _step("d", "Configure", targets={"chip": True}),
    _step("e", "T1"),
]
RABI = {f"a/Rabi {qubit}": 0.9 for qubit in "0123"}
READOUT: dict[str, Any] = {"b/Readout mux-0": dict.fromkeys("0123", 0.9)}
CROSS = {f"c/Cross {one}": 0.9 for one in ("0-1", "0-2", "3-1", "3-2")}
BEFORE = "failed before it"
ONE_FAILS = {"b/Readout mux-0": {"0": 0.9, "1": None, "2": 0.9, "3": 0.9}}


@pytest.mark.parametrize(
    ("ended", "policy", "out", "made"),
    [
        # A qubit: itself in what follows, its couplings, and nobody else.
        (
            {**RABI, "a/Rabi 1": None},
            "StopTarget",
            {"b/Readout 1": "Rabi", "c/Cross 0-1": "Rabi", "c/Cross 3-1": "Rabi", "e/T1 1": "Rabi"},
            ["b/Readout 0+2+3"],
        ),
        (
            {**RABI, **ONE_FAILS},
            "StopTarget",
            {"c/Cross 0-1": "Readout", "c/Cross 3-1": "Readout", "e/T1 1": "Readout"},
            ["c/Cross 0-2"],
        ),
        # A coupling: itself, and not its qubits.
        (
            {**RABI, **READOUT, **CROSS, "c/Cross 0-1": None},
            "StopTarget",
            {},
            ["d/Configure chip"],
        ),
        (
            {**RABI, **READOUT, **CROSS, "c/Cross 0-1": None, "d/Configure chip": 0.9},
            "StopTarget",
            {},
            ["e/T1 0", "e/T1 1", "e/T1 2", "e/T1 3"],
        ),
        # The chip: all that comes after it.
        (
            {**RABI, **READOUT, **CROSS, "d/Configure chip": None},
            "StopTarget",
            {f"e/T1 {qubit}": "Configure" for qubit in "0123"},
            [],
        ),
        ({**RABI, "a/Rabi 1": None}, "Continue", {}, ["b/Readout 0+1+2+3"]),
        # Couplings of one MUX hold it alone.
        ({**RABI, **ONE_FAILS}, "Continue", {}, ["c/Cross 0-1"]),
        (
            {**RABI, **READOUT, **CROSS, "d/Configure chip": None},
            "Continue",
            {},
            ["e/T1 0", "e/T1 1", "e/T1 2", "e/T1 3"],
        ),
    ],
)
def test_what_stops_behind_a_failure(ended: dict[str, Any], policy: str, out: dict[str, str], made: list[str]) -> None:
    found, started = _out(_view(STEPS, ended, onTargetFailure=policy))
    assert found == {task: f"{why} {BEFORE}" for task, why in out.items()}
    assert started == made


@pytest.mark.parametrize(
    "ended",
    [{**RABI, "a/Rabi 1": None}, {**RABI, **ONE_FAILS}, {**RABI, **READOUT, "c/Cross 0-1": None}],
)
def test_stop_session_leaves_out_all_kinds(ended: dict[str, Any]) -> None:
    view = _view(STEPS, ended, onTargetFailure="StopSession")
    out, made = _out(view)
    assert not made
    plan = planned(view)
    left = {(task.key, one) for task in plan.tasks for one in task.judged if _name(task.key) not in ended}
    assert len(out) == len(left)


def _name(key: TaskKey) -> str:
    return f"{key.step}/{key.task} {key.target}"


def test_a_failure_in_an_open_session_stops_the_rest_of_its_step_only() -> None:
    two = {"name": "a", "tasks": [{"task": "Rabi"}, {"task": "T1"}], "schedule": {"mode": "Parallel"}}
    steps = [two, _step("b", "Readout")]
    ended: dict[str, Any] = {**RABI, "a/Rabi 1": None, **{f"a/T1 {qubit}": 0.9 for qubit in "023"}}
    view = _view(steps, ended, open=True)
    assert view.record is not None
    opened = replace(view, record=replace(view.record, was_open=True))
    assert _out(opened) == ({"a/T1 1": "Rabi failed before it"}, ["b/Readout 0+1+2+3"])


# ---------------------------------------------------------------- how it ends


def _end(steps: list[dict[str, Any]], ended: Mapping[str, Any], **spec: Any) -> str:
    """The phase of a session all whose other tasks were skipped."""
    view = _view(steps, ended, **spec)
    assert view.record is not None
    members = {task.key: task.members for task in planned(view).tasks}
    rows = tuple(
        one
        if one.final
        else replace(one, status=SKIPPED, members=tuple(MemberRow(qid, SKIPPED) for qid in members[one.key]))
        for one in view.record.rows
    )
    (settled,) = decided(replace(view, record=replace(view.record, rows=rows))).settle_executions
    return settled.phase


GATES = [_step("a", "Rabi", targets={"all": True}), _step("c", "Cross")]
DONE = {**RABI, **READOUT, **CROSS, "d/Configure chip": 0.9, **{f"e/T1 {qubit}": 0.9 for qubit in "0123"}}


@pytest.mark.parametrize(
    ("steps", "ended", "spec", "phase"),
    [
        (STEPS, DONE, {}, "Completed"),
        (STEPS, {**DONE, "c/Cross 0-1": None}, {}, "PartiallyFailed"),
        # All couplings of a session of qubits: its own targets have not failed.
        (STEPS, {**DONE, **dict.fromkeys(CROSS)}, {}, "PartiallyFailed"),
        (STEPS, {**DONE, **ONE_FAILS}, {}, "PartiallyFailed"),
        (STEPS, {**RABI, "b/Readout mux-0": dict.fromkeys("0123")}, {}, "Failed"),
        # The chip fails every qubit that waits for it, unless the session goes on.
        (STEPS, {**RABI, **READOUT, **CROSS, "d/Configure chip": None}, {}, "Failed"),
        (STEPS, {**DONE, "d/Configure chip": None}, {"onTargetFailure": "Continue"}, "PartiallyFailed"),
        # Nobody waits for it any more.
        (STEPS[:4], {**RABI, **READOUT, **CROSS, "d/Configure chip": None}, {}, "PartiallyFailed"),
        # Couplings of their own session: all, or some, or their qubits.
        (GATES, {**RABI, **dict.fromkeys(CROSS)}, {"targets": AUTO}, "Failed"),
        (GATES, {**RABI, **CROSS, "c/Cross 0-1": None}, {"targets": AUTO}, "PartiallyFailed"),
        (GATES, {**RABI, "a/Rabi 0": None}, {"targets": AUTO}, "PartiallyFailed"),
        ([STEPS[3]], {"d/Configure chip": None}, {"targets": {"chip": True}}, "Failed"),
        ([STEPS[3]], {"d/Configure chip": 0.9}, {"targets": {"chip": True}}, "Completed"),
        (STEPS, {**RABI, "a/Rabi 0": None}, {"onTargetFailure": "StopSession"}, "Failed"),
        (STEPS, {**RABI, **READOUT, "c/Cross 0-1": None}, {"onTargetFailure": "StopSession"}, "Failed"),
    ],
)
def test_the_final_phase_over_all_kinds(
    steps: list[dict[str, Any]], ended: dict[str, Any], spec: dict[str, Any], phase: str
) -> None:
    assert _end(steps, ended, **spec) == phase


def test_a_failed_chip_task_does_not_fail_whom_a_filter_had_dropped_before() -> None:
    steps = [
        MANY,
        _filter("good", **QUALITY),
        _step("c", "Configure", targets={"chip": True}),
        _step("d", "Rabi", targets={"qubits": ["1"]}),
    ]
    assert _end(steps, {"a/Many chip": BATCH, "c/Configure chip": None}) == "PartiallyFailed"
    steps[3] = _step("d", "Rabi", targets={"qubits": ["0", "2", "3"]})
    ended = {"a/Many chip": BATCH, "c/Configure chip": None}
    # All but the one that was dropped have failed with it.
    assert _end(steps, ended) == "PartiallyFailed"
    assert _end(steps, {"a/Many chip": dict.fromkeys("0123", 0.95), "c/Configure chip": None}) == "PartiallyFailed"
    steps[3] = _step("d", "Rabi")
    assert _end(steps, {"a/Many chip": dict.fromkeys("0123", 0.95), "c/Configure chip": None}) == "Failed"


def test_nothing_follows_a_filter_before_its_record_was_read() -> None:
    steps = [_step("a", "Many", targets={"qubits": ["0"]}), _filter("good", **QUALITY), _step("b", "Readout")]
    view = _view(steps, {})
    assert [one.planned.key.step for one in decided(view).creates] == ["a"]
    assert nothing(decided(view), "settle_rows")
