"""Why MUX, batch, coupling and chip tasks and changes of records do not run, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from kubecal.api.explanation import Reason
from kubecal.engine.attempts import State
from kubecal.engine.decide import decide
from kubecal.engine.explaining import explain
from kubecal.engine.model import AttemptRow, Observed, PodView, RowStatus, SessionView, TaskKey, Trouble
from kubecal.engine.spoken import spoken
from tests.unit.kubecal.engine.builders import (
    NOON,
    held,
    later,
    patch_of,
    planned,
    pod,
    receipt,
    recorded,
    row,
    session,
    terminated,
)
from tests.unit.kubecal.engine.test_several import MUX, lost, several
from tests.unit.kubecal.engine.told import check_told

AUTO = {"couplings": {"auto": True}}
OK, FAILED = RowStatus.COMPLETED, RowStatus.FAILED
KINDS = [
    {"name": "check", "tasks": [{"task": "Readout"}]},
    {"name": "b", "tasks": [{"task": "Many"}], "batch": "All"},
    {"name": "c", "tasks": [{"task": "Cross"}], "targets": AUTO},
    {"name": "d", "set": {"qubits": {"0": {"quality": {"value": 0.9}}}}},
    {"name": "e", "tasks": [{"task": "Configure"}], "targets": {"chip": True}},
    {"name": "f", "tasks": [{"task": "Rabi"}]},
]
MANY, CHIP = TaskKey("b", "Many", "chip", 0), TaskKey("e", "Configure", "chip", 0)
COUPLINGS = [TaskKey("c", "Cross", one, 0) for one in ("0-1", "0-2", "3-1", "3-2")]


def _view(*rows: AttemptRow, steps: list[dict[str, Any]] | None = None, **spec: Any) -> SessionView:
    return recorded(session(steps=steps or KINDS, **spec), *rows, status="running")


def _done(*keys: TaskKey) -> list[AttemptRow]:
    return [several("oooo", key=key) if key in (MUX, MANY) else row(key, status=OK) for key in keys]


def _told(seen: Observed) -> Mapping[str, tuple[str, str]]:
    check_told(seen, decide(seen))
    found = explain(seen, seen.sessions[0])
    return {f"{one.step}/{one.task} {one.target}": (one.reason, one.message) for one in found.tasks}


@pytest.mark.parametrize(
    ("done", "told"),
    [
        (
            [],
            {
                "check/Readout mux-0": ("PodStarting", "its pod is being made"),
                "b/Many chip": ("WaitsForTask", "comes after Readout on mux-0, which starts"),
                "c/Cross 0-1": ("WaitsForTask", "comes after Readout on mux-0, which starts"),
                "d/Set chip": ("WaitsForTask", "comes after Readout on mux-0, which starts"),
                "f/Rabi 0": ("WaitsForTask", "comes after Readout on mux-0, which starts"),
            },
        ),
        (
            [MUX, MANY],
            {
                "c/Cross 0-1": ("PodStarting", "its pod is being made"),
                "c/Cross 0-2": ("WaitsForWire", "qubit 1 is held by Cross on 0-1"),
                "e/Configure chip": ("WaitsForTask", "comes after Cross on 0-1, which starts"),
                "f/Rabi 3": (
                    "WaitsForTask",
                    "comes after Cross on 3-1, which waits: qubit 0 is held by Cross on 0-1",
                ),
            },
        ),
        (
            [MUX, MANY, *COUPLINGS],
            {
                "d/Set chip": ("PodStarting", "the records are being changed"),
                "e/Configure chip": ("WaitsForTask", "comes after Set, which starts"),
                "f/Rabi 0": ("WaitsForTask", "comes after Set on chip, which starts"),
            },
        ),
    ],
)
def test_what_the_kinds_wait_for(done: list[TaskKey], told: dict[str, tuple[str, str]]) -> None:
    found = _told(held(_view(*_done(*done))))
    assert {name: found[name] for name in told} == told


def test_a_task_of_several_that_is_measured_again_says_whom_and_why() -> None:
    view = _view(several("owpo", claimed_by="p1"))
    before = _told(held(view))
    assert before["check/Readout mux-0"] == (
        "RetryAt",
        "attempt 1 was judged window on 1, poor_fit on 2: what follows is being recorded",
    )
    after = _view(several("owpo", claimed_by="p1"), several(".", 2, qubits="1", opened_at=NOON))
    assert _told(held(after))["check/Readout mux-0"] == (
        "RetryAt",
        "attempt 1 was judged window on 1, poor_fit on 2: the next one may start at 12:00:05 UTC",
    )


def test_a_task_of_several_that_crashed_says_so() -> None:
    view = _view(lost("xxxx", message="ended with code 3"), several("....", 2))
    reason, message = _told(held(view))["check/Readout mux-0"]
    assert (reason, message.startswith("attempt 1 ended with Error")) == ("RetryAt", True)


def test_what_failed_is_named_by_its_qubit() -> None:
    found = _told(held(_view(several("oopo", claimed_by="p1"))))
    assert found["check/Readout mux-0"] == ("Failed", "qubit 2: poor_fit: said of 2")
    assert found["f/Rabi 2"] == ("Skipped", "Readout failed before it")


@pytest.mark.parametrize(
    ("key", "target"),
    [(MUX, "MUX 0"), (MANY, "the chip"), (COUPLINGS[0], "coupling 0-1"), (TaskKey("f", "Rabi", "0", 0), "qubit 0")],
)
def test_a_lost_node_may_drive_whatever_its_pod_is_on(key: TaskKey, target: str) -> None:
    done = [task.key for task in planned(session(steps=KINDS)).tasks]
    view = _view(*_done(*done[: done.index(key)]))
    seen = held(view, pods=(pod(view, key, node_lost=True),))
    found = _told(seen)[f"{key.step}/{key.task} {key.target}"]
    assert found == (
        "PodStuck",
        f"node worker does not answer and may still drive {target}: bring it back, or when it is off, taint it "
        "node.kubernetes.io/out-of-service",
    )


def test_a_filter_that_has_not_judged_a_qubit_is_named() -> None:
    steps = [
        {"name": "a", "tasks": [{"task": "Compute"}]},
        {"name": "good", "filter": {"status": "Succeeded"}},
        {"name": "b", "tasks": [{"task": "Readout"}]},
    ]
    done = [row(TaskKey("a", "Compute", qubit, 0), status=OK) for qubit in "012"]
    view = recorded(session(steps=steps), *done, status="running")
    key = TaskKey("a", "Compute", "3", 0)
    ended = pod(view, key, terminated=terminated(0, outcome=receipt(view, key)))
    assert _told(held(view, pods=(ended,)))["b/Readout mux-0"] == (
        "Filter",
        "filter 'good' has not judged 3 yet: the record of its last task is being read",
    )


def test_a_barrier_names_members_and_couplings_that_are_not_done() -> None:
    steps = [KINDS[0], KINDS[2], {"name": "f", "tasks": [{"task": "Rabi"}], "barrier": True}]
    keys = [TaskKey("c", "Cross", one.target, 0) for one in COUPLINGS]
    view = _view(several("oooo"), *(row(key, status=OK) for key in keys[1:]), steps=steps)
    # Qubit 2 is done with all of its own.
    assert _told(held(view))["f/Rabi 2"] == (
        "Barrier",
        "step 'f' begins when every target is done with the steps before: 1 target is not (0-1)",
    )
    view = _view(several("oowo"), several(".", 2, qubits="2", opened_at=NOON), steps=[KINDS[0], steps[2]])
    assert _told(held(view))["f/Rabi 0"][1].endswith("1 target is not (2)")


# ---------------------------------------------------------------- any state


def _pods_of(view: SessionView, key: TaskKey) -> list[tuple[PodView, ...]]:
    ends: list[dict[str, Any]] = [
        {},
        {"node": "", "phase": "Pending", "started_at": None},
        {"node": "", "phase": "Pending", "started_at": None, "blocked_reason": "Unschedulable"},
        {"deleting_since": NOON},
        {"node_lost": True},
        {"terminated": terminated(1)},
        {"terminated": terminated(0)},
    ]
    return [(), *((pod(view, key, **end),) for end in ends)]


@pytest.mark.parametrize("place", [0, 1, 2, 6, 7, 8])
@pytest.mark.parametrize("records", [True, False])
def test_there_are_words_for_every_state_of_every_kind(place: int, records: bool) -> None:
    """Whatever the last row and pod of a task say, everybody is told something, and the same as is decided."""
    tasks = planned(session(steps=KINDS)).tasks
    task = tasks[place]
    before = _done(*(one.key for one in tasks[:place]))
    met = set()
    for letter in ".rowpxsc":
        members = letter * len(task.members)
        last = several(members, key=task.key) if members else row(task.key, status=_status(letter))
        last = replace(last, message="said of all")
        view = _view(*before, last, onTargetFailure="Continue")
        for pods in _pods_of(view, task.key):
            seen = held(view, pods=pods, now=later(1))
            if not records:
                seen = replace(seen, records=replace(seen.records, available=False))
            told = _told(seen)
            assert all(message for _, message in told.values())
            assert {reason for reason, _ in told.values()} <= {one.value for one in Reason}
            met |= {reason for reason, _ in told.values()}
            assert patch_of(decide(seen)).status.tasks.planned == len(tasks)
    assert {"Failed", "Skipped", "Cancelled", "PodsBlocked", "PodStuck"} <= met
    assert ("RetryAt" if records else "RecordsUnavailable") in met


def _status(letter: str) -> RowStatus:
    (status,) = {member.status for member in several(letter, qubits="0").members}
    return status


def test_each_state_of_a_task_is_known_to_those_who_tell() -> None:
    """A new state needs words of its own."""
    assert {state.value for state in State} == {
        "Ready",
        "Running",
        "Ending",
        "Judged",
        "Ok",
        "Failed",
        "Skipped",
        "Cancelled",
    }


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (["0"], "qubit 0"),
        (["0", "3", "0-1"], "qubit 0, 3 and coupling 0-1"),
        (["mux-2"], "MUX 2"),
        (["chip"], "the chip"),
        (["3-6", "chip"], "coupling 3-6 and the chip"),
        ([str(number) for number in range(10)], "qubit 0, 1, 2, 3, 4, 5, 6, 7"),
        ([], ""),
    ],
)
def test_targets_are_spoken_as_people_call_them(targets: list[str], words: str) -> None:
    assert spoken(targets) == words


def test_a_failed_coupling_and_a_failed_chip_are_told_in_the_message() -> None:
    done = _done(MUX, MANY, *COUPLINGS[1:], TaskKey("d", "Set", "chip", 0))
    bad = row(COUPLINGS[0], status=FAILED, message="flat", trouble=Trouble.VERDICT)
    chip_bad = row(CHIP, status=FAILED, message="no answer", trouble=Trouble.VERDICT)
    status = patch_of(decide(held(_view(*done, bad, chip_bad)))).status
    assert status.message == "failed on coupling 0-1 and the chip: Cross on 0-1: flat, and 1 more"
