"""Why tasks do not run: every reason, in words, and never other than what was decided."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from kubecal.api.explanation import TaskExplanation
from kubecal.api.request import Verdict
from kubecal.api.session_status import MAX_WAITS, Phase, SessionStatus
from kubecal.engine.decide import decide
from kubecal.engine.explaining import explain
from kubecal.engine.model import (
    AttemptRow,
    ChipView,
    CreateBlocked,
    Observed,
    PodView,
    RecordsHealth,
    Reservation,
    RowStatus,
    SessionView,
    TaskKey,
    Trouble,
)
from tests.unit.kubecal.engine.builders import (
    FIRST,
    SECOND,
    chip,
    given_up,
    held,
    later,
    observed,
    patch_of,
    planned,
    pod,
    receipt,
    recorded,
    row,
    session,
    terminated,
)

PARALLEL = {"mode": "Parallel"}
AWAY = RecordsHealth(available=False, reason="Unreachable", message="MongoDB does not answer")
GOOD = {"metric": "r2", "min": 0.9}


def _run(
    *rows: AttemptRow,
    schedule: dict[str, Any] | None = None,
    name: str = "morning",
    on: ChipView | None = None,
    **spec: Any,
) -> SessionView:
    """A session of Rabi and then T1 on two neighbours that is on its way."""
    tasks = [{"task": "Rabi"}, {"task": "T1"}]
    steps = [{"name": "check", "tasks": tasks, "schedule": schedule or PARALLEL}]
    body = {"steps": steps, "targets": {"qubits": ["0", "1"]}, **spec}
    return recorded(session(name, **body), *rows, on=on, status="running")


def _pod(view: SessionView, key: TaskKey = FIRST, attempt: int = 1, **changes: Any) -> PodView:
    wires = next(task.wires for task in planned(view).tasks if task.key == key)
    return pod(view, key, attempt, wires=wires, **changes)


def _told(seen: Observed, view: SessionView) -> dict[str, TaskExplanation]:
    """What is said of each task, by ``Rabi 0``."""
    return {f"{one.task} {one.target}": one for one in explain(seen, view).tasks}


def _reasons(seen: Observed, view: SessionView) -> dict[str, str]:
    return {name: one.reason for name, one in _told(seen, view).items()}


STARTS = {"started_at": None, "phase": "Pending"}


# ---------------------------------------------------------------- one task


def test_what_runs_or_has_succeeded_is_counted_and_not_explained() -> None:
    view = _run(row(FIRST, 1, RowStatus.COMPLETED))
    seen = held(view, pods=(_pod(view, SECOND), _pod(view, FIRST._replace(target="1"))))
    found = explain(seen, view)
    assert (found.running, found.succeeded, found.progress, found.phase) == (2, 1, "1/4", "Running")
    assert [(one.task, one.target, one.reason) for one in found.tasks] == [("T1", "1", "WaitsForTask")]


@pytest.mark.parametrize(
    ("earlier", "does"),
    [
        ({}, "which runs"),
        (STARTS, "which starts"),
        (
            {**STARTS, "blocked_reason": "Unschedulable", "blocked_message": "0/3 nodes are available"},
            "which waits: no node takes pod",
        ),
    ],
)
def test_a_task_tells_what_the_one_before_it_does(earlier: dict[str, Any], does: str) -> None:
    view = _run()
    told = _told(held(view, pods=(_pod(view, **earlier),)), view)["T1 0"]
    assert told.reason == "WaitsForTask"
    assert told.message.startswith(f"comes after Rabi, {does}")


def test_a_wire_is_named_with_the_task_that_holds_it() -> None:
    view = _run(schedule={"mode": "Isolated"})
    told = _told(held(view, pods=(_pod(view),)), view)["Rabi 1"]
    assert (told.reason, told.message) == ("WaitsForWire", "qubit 0 is held by Rabi on 0")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "qubit 0 is held by Rabi on 0 of session evening"),
        ({"deleting_since": later(0)}, "qubit 0 is held by Rabi on 0 of session evening, whose pod is stopping"),
        (
            {"node_lost": True},
            "qubit 0 is held by Rabi on 0 of session evening, whose node worker does not answer",
        ),
        ({"session_uid": "nobody's"}, "qubit 0 is held by Rabi on 0 of a session that is gone"),
    ],
)
def test_a_wire_held_by_another_session_is_named_with_it(changes: dict[str, Any], words: str) -> None:
    beside = {"lock": {"scope": "Targets"}}
    other = _run(name="evening", **beside)
    view = _run(targets={"qubits": ["0"]}, **beside)
    both = [chip(held_by=[view, other])]
    seen = observed(view, other, chips=both, pods=(replace(_pod(other), **changes),))
    assert _told(seen, view)["Rabi 0"].message == words


def test_a_wire_that_a_task_of_this_very_pass_takes_is_named_with_it() -> None:
    view = _run(schedule={"mode": "Isolated"})
    told = _told(held(view), view)
    assert (told["Rabi 0"].reason, told["Rabi 0"].message) == ("PodStarting", "its pod is being made")
    assert told["Rabi 1"].message == "qubit 0 is held by Rabi on 0"


def test_a_process_that_may_live_on_without_its_pod_holds_its_wires_until_it_is_known() -> None:
    view = _run(targets={"qubits": ["0"]})
    wires = planned(view).tasks[0].wires
    lost = given_up(trouble=Trouble.DISRUPTION, wires=wires, grace_s=30, claimed_by="uid", reason="PodGone")
    view = _run(lost, row(attempt=2), targets={"qubits": ["0"]})
    told = _told(held(view, now=later(20)), view)["Rabi 0"]
    assert told.reason == "WaitsForWire"
    assert told.message.endswith("held by Rabi on 0, whose process may still run although its pod is gone")
    assert told.until == later(30)


def test_a_create_without_an_answer_holds_its_wires_and_its_task() -> None:
    view = _run(targets={"qubits": ["0"]})
    (wanted,) = decide(held(view)).creates
    unknown = Reservation(view.ref.uid, "any", wanted.planned.wires, later(5))
    told = _told(held(view, reservations=(unknown,)), view)["Rabi 0"]
    assert told.message == "qubit 0 is held by pod any, of which it is not known yet whether it exists"
    same = replace(unknown, pod_name=wanted.pod_name, wires=())
    told = _told(held(view, reservations=(same,)), view)["Rabi 0"]
    assert (told.reason, told.message) == (
        "PodStarting",
        "the API server has not yet answered whether it takes the task's pod",
    )


@pytest.mark.parametrize(
    ("schedule", "limits", "words"),
    [
        ({"maxParallel": 1}, {}, "1 task runs, as many as step 'check' allows (schedule.maxParallel)"),
        ({}, {"maxParallelTasks": 1}, "1 task runs, as many as chip 'fridge-a' allows (limits.maxParallelTasks)"),
    ],
)
def test_a_limit_is_named_with_who_set_it(schedule: dict[str, Any], limits: dict[str, Any], words: str) -> None:
    view = _run(schedule={**PARALLEL, **schedule}, on=chip(limits=limits))
    told = _told(held(view, chips=[chip(held_by=[view], limits=limits)], pods=(_pod(view),)), view)["Rabi 1"]
    assert (told.reason, told.message) == ("MaxParallel", words)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (
            given_up(trouble=Trouble.CRASH, reason="OOMKilled", message="out of memory"),
            "attempt 1 ended with OOMKilled (out of memory): the next one may start at 12:00:01 UTC",
        ),
        (
            row(FIRST, 1, RowStatus.FAILED, verdict=Verdict.WINDOW, message="the peak is outside"),
            "attempt 1 was judged window (the peak is outside): the next one may start at 12:00:05 UTC",
        ),
    ],
)
def test_a_backoff_says_after_what_and_until_when(before: AttemptRow, words: str) -> None:
    view = _run(before, row(attempt=2, opened_at=later(0)))
    told = _told(held(view, now=later(0.5)), view)["Rabi 0"]
    assert (told.reason, told.attempt, told.message) == ("RetryAt", 2, words)
    assert told.until in (later(1), later(5))


def test_the_next_attempt_waits_for_the_pod_before_it() -> None:
    before = given_up(trouble=Trouble.CRASH, superseded_at=later(-60))
    view = _run(before, row(attempt=2), targets={"qubits": ["0"]})
    earlier = _pod(view, deleting_since=later(0))
    told = _told(held(view, pods=(earlier,)), view)["Rabi 0"]
    assert (told.reason, told.message) == ("WaitsForPod", f"pod {earlier.name} of attempt 1 has not ended yet")
    told = _told(held(view, pods=(replace(earlier, node_lost=True),)), view)["Rabi 0"]
    assert told.message.endswith("taint it node.kubernetes.io/out-of-service")


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({**STARTS, "node": ""}, "PodStarting", "is not scheduled yet"),
        (STARTS, "PodStarting", "is starting on node worker"),
        (
            {**STARTS, "blocked_reason": "Unschedulable", "blocked_message": "0/3 nodes are available."},
            "PodsBlocked",
            ": 0/3 nodes are available: make room, or correct nodeSelector, tolerations or resources",
        ),
        (
            {**STARTS, "blocked_reason": "ImagePull", "blocked_message": "no such image kubecal:x"},
            "PodsBlocked",
            ": no such image kubecal:x: correct tasks.image or imagePullSecrets",
        ),
        (
            {**STARTS, "blocked_reason": "MountFailed", "blocked_message": 'secret "m" not found'},
            "PodsBlocked",
            ': secret "m" not found: create in this namespace',
        ),
        ({**STARTS, "blocked_reason": "Other"}, "PodsBlocked", "no reason is given: see kubectl describe pod"),
        ({"node_lost": True}, "PodStuck", "node worker does not answer and may still drive qubit 0"),
    ],
)
def test_the_trouble_of_a_pod_is_a_sentence_with_what_to_do(changes: dict[str, Any], reason: str, words: str) -> None:
    view = _run()
    told = _told(held(view, pods=(_pod(view, **changes),)), view)["Rabi 0"]
    assert told.reason == reason
    assert words in told.message


def test_a_barrier_names_who_is_missing() -> None:
    steps = [
        {"name": "check", "tasks": [{"task": "Rabi"}], "schedule": PARALLEL},
        {"name": "fine", "tasks": [{"task": "T1"}], "barrier": True, "schedule": PARALLEL},
    ]
    view = _run(row(FIRST, 1, RowStatus.COMPLETED), steps=steps)
    told = _told(held(view, pods=(_pod(view, FIRST._replace(target="1")),)), view)
    words = "step 'fine' begins when every target is done with the steps before: 1 target is not (1)"
    assert (told["T1 0"].reason, told["T1 0"].message) == ("Barrier", words)
    assert told["T1 1"].reason == "WaitsForTask"


def _filtered(*rows: AttemptRow) -> SessionView:
    steps = [
        {"name": "check", "tasks": [{"task": "Rabi"}], "schedule": PARALLEL},
        {"name": "good", "filter": GOOD},
        {"name": "fine", "tasks": [{"task": "T1"}], "schedule": PARALLEL},
    ]
    return _run(*rows, steps=steps)


def test_a_filter_that_has_not_judged_is_named() -> None:
    view = _filtered()
    reported = _pod(view, terminated=terminated(0, outcome=receipt(view)))
    told = _told(held(view, pods=(reported,)), view)["T1 0"]
    words = "filter 'good' has not judged 0 yet: the record of its last task is being read"
    assert (told.reason, told.message) == ("Filter", words)


def test_what_ended_unwell_tells_why() -> None:
    fine = [TaskKey("fine", "T1", qubit, 0) for qubit in "01"]
    view = _filtered(
        row(FIRST, 1, RowStatus.COMPLETED, numbers={"r2": 0.5}),
        row(fine[0]),
        row(FIRST._replace(target="1"), 3, RowStatus.FAILED, verdict=Verdict.POOR_FIT, message="R2 is 0.1"),
        row(fine[1], 1, RowStatus.CANCELLED, reason="Cancelled"),
    )
    told = _told(held(view), view)
    assert {name: (one.reason, one.message) for name, one in told.items()} == {
        "T1 0": ("Skipped", "filter good: r2 is 0.5, below 0.9"),
        "Rabi 1": ("Failed", "poor_fit: R2 is 0.1"),
        "T1 1": ("Cancelled", "Cancelled"),
    }


def test_an_attempt_between_its_end_and_what_follows_says_so() -> None:
    view = _run()
    ended = _pod(view, terminated=terminated(1))
    told = _told(held(view, pods=(ended,)), view)["Rabi 0"]
    assert told.reason == "RetryAt"
    assert told.message.startswith("attempt 1 ended without a result (Error: the task's process ended with code 1)")
    away = _told(held(view, pods=(ended,), records=AWAY), view)["Rabi 0"]
    assert away.reason == "RecordsUnavailable"


# ---------------------------------------------------------------- the session as a whole


@pytest.mark.parametrize(
    ("spec", "fridge", "seen", "reason", "words"),
    [
        ({"suspend": True}, {}, {}, "Suspended", "the session is suspended: set spec.suspend to false"),
        ({"cancel": True}, {}, {}, "Cancelled", "the session was cancelled by spec.cancel"),
        ({}, {"maintenance": True}, {}, "Maintenance", "chip 'fridge-a' is in maintenance"),
        ({}, {}, {"records": AWAY}, "RecordsUnavailable", "MongoDB does not answer: nothing starts until"),
        ({}, {}, {"now": later(86_401)}, "Cancelled", "not done after 86400 s (deadlines.sessionSeconds)"),
        ({}, None, {}, "Skipped", "Chip 'fridge-a' was deleted while the session was on it"),
    ],
)
def test_what_keeps_the_whole_session_keeps_every_task_of_it(
    spec: dict[str, Any], fridge: dict[str, Any] | None, seen: dict[str, Any], reason: str, words: str
) -> None:
    view = _run(**spec)
    chips = [chip(held_by=[view], **fridge)] if fridge is not None else []
    found = explain(held(view, chips=chips, **seen), view)
    assert [one.reason for one in found.tasks] == [reason] * 4
    assert {one.message for one in found.tasks if words in one.message} == {one.message for one in found.tasks}


@pytest.mark.parametrize("retried", [False, True])
@pytest.mark.parametrize(
    ("why", "words"),
    [("QuotaExceeded", "raise the namespace's ResourceQuota"), ("Forbidden", "change the policy that forbids it")],
)
def test_refused_pods_are_what_keeps_the_tasks_also_while_it_is_tried_again(
    why: str, words: str, retried: bool
) -> None:
    view = _run()
    blocked = CreateBlocked(why, "pods are forbidden", since=later(-9), retry_at=later(-1 if retried else 5))
    seen = held(view, blocked={view.ref.uid: blocked})
    assert bool(decide(seen).creates) is retried
    (one,) = {(told.reason, told.until, words in told.message) for told in explain(seen, view).tasks}
    assert one == ("PodsBlocked", blocked.retry_at, True)
    assert [wait.tasks for wait in patch_of(decide(seen)).status.waits] == [4]


def test_a_session_in_the_queue_says_who_holds_the_chip() -> None:
    first, second = _run(), _run(name="evening")
    told = _told(held(first, second), second)
    assert {one.reason for one in told.values()} == {"ChipHeld"}
    assert {one.message for one in told.values()} == {"waits for session morning, which holds the chip"}


def test_a_session_that_is_over_tells_what_became_of_its_tasks_from_the_record() -> None:
    view = _run(row(FIRST, 1, RowStatus.FAILED, verdict=Verdict.NO_SIGNAL, message="flat"), row(SECOND))
    done = replace(view, status=SessionStatus(phase=Phase.FAILED, message="the chip was deleted"))
    found = explain(observed(done), done)
    assert (found.phase, found.running, found.message) == ("Failed", 0, "the chip was deleted")
    told = {f"{one.task} {one.target}": (one.reason, one.message) for one in found.tasks}
    assert told["Rabi 0"] == ("Failed", "no_signal: flat")
    assert told["T1 0"] == ("Skipped", "the session is over: the chip was deleted")


@pytest.mark.parametrize(
    ("view", "chips", "words"),
    [
        (session(), [], "there is no Chip 'fridge-a' in namespace 'lab'"),
        (replace(session(), record_known=False), [chip()], "MongoDB does not answer"),
    ],
)
def test_a_session_without_a_plan_says_what_it_waits_for(
    view: SessionView, chips: Sequence[ChipView], words: str
) -> None:
    found = explain(observed(view, chips=chips, records=AWAY), view)
    assert (found.tasks, found.phase, found.progress) == ((), "Pending", "0/0")
    assert words in found.message


def test_a_replica_that_has_just_begun_says_that_it_makes_no_pods_yet() -> None:
    view = _run()
    told = _told(held(view, may_create=False), view)["Rabi 0"]
    assert (told.reason, told.message) == (
        "PodStarting",
        "the operator has just begun, and goes on in a few seconds",
    )


# ---------------------------------------------------------------- the brief in the status


def _waits(seen: Observed) -> list[tuple[str, int, str, str]]:
    return [(one.reason, one.tasks, one.task, one.target) for one in patch_of(decide(seen)).status.waits]


def test_the_brief_counts_by_reason_and_gives_an_example_of_each() -> None:
    view = _run(schedule={"mode": "Isolated"})
    seen = held(view, pods=(_pod(view),))
    assert _waits(seen) == [("WaitsForWire", 1, "Rabi", "1"), ("WaitsForTask", 2, "T1", "0")]
    wire, task = patch_of(decide(seen)).status.waits
    assert (wire.message, task.message) == ("qubit 0 is held by Rabi on 0", "comes after Rabi")


def test_the_brief_says_first_what_a_person_can_do_something_about() -> None:
    view = _run()
    stuck, blocked = (
        _pod(view, node_lost=True),
        _pod(view, FIRST._replace(target="1"), **STARTS, blocked_reason="ImagePull", blocked_message="none"),
    )
    assert [one[:2] for one in _waits(held(view, pods=(stuck, blocked)))] == [
        ("PodsBlocked", 1),
        ("PodStuck", 1),
        ("WaitsForTask", 2),
    ]


def test_pods_on_their_way_and_time_alone_do_not_change_the_brief() -> None:
    before = given_up(trouble=Trouble.DISRUPTION, superseded_at=later(-1), reason="Evicted")
    view = _run(before, row(attempt=2), schedule={"mode": "Isolated"})
    starting = _pod(view, FIRST._replace(target="1"), **STARTS)
    first = patch_of(decide(held(view, pods=(starting,), now=later(-0.5)))).status.waits
    runs = replace(starting, started_at=later(-0.2), phase="Running")
    second = patch_of(decide(held(view, pods=(runs,), now=later(-0.1)))).status.waits
    assert first == second
    assert "RetryAt" in [one.reason for one in first]


def test_news_of_who_holds_what_are_not_urgent() -> None:
    view = _run(schedule={"mode": "Isolated"})
    running = _pod(view)
    before = patch_of(decide(held(view, pods=(running,)))).status
    known = replace(view, status=before)
    assert not decide(held(known, pods=(running,), now=later(1))).status_patches
    patch = patch_of(decide(held(known, pods=(replace(running, deleting_since=later(1)),), now=later(1))))
    assert patch.status.waits != before.waits
    assert patch.status.conditions == before.conditions
    assert not patch.urgent


def test_a_session_that_is_over_waits_for_nothing() -> None:
    view = replace(_run(), record=None, deleted_at=None)
    failed = decide(observed(replace(view, spec=None, spec_problem="no"), chips=[chip()]))
    assert patch_of(failed).status.waits == ()
    ended = _run(*(row(task.key, 1, RowStatus.COMPLETED) for task in planned(_run()).tasks))
    assert patch_of(decide(held(ended))).status.waits == ()


def test_a_status_of_2_000_tasks_with_every_reason_stays_below_64_kib() -> None:
    topology = {"squareLattice": {"rows": 32, "columns": 32}}
    steps = [{"name": f"step-{number}", "tasks": [{"task": "Rabi"}]} for number in range(2)]
    fridge = chip(topology=topology)
    view = session(steps=steps, targets={"qubits": [str(number) for number in range(1000)]})
    view = recorded(view, on=fridge, status="running")
    tasks = planned(view, fridge).tasks
    shouting = {**STARTS, "blocked_reason": "ImagePull", "blocked_message": "x" * 5000}
    pods = tuple(
        pod(view, task.key, wires=task.wires, **(shouting if number < 100 else {"node_lost": number < 200}))
        for number, task in enumerate(tasks[:300])
    )
    status = patch_of(decide(held(view, chips=[chip(held_by=[view], topology=topology)], pods=pods))).status
    assert sum(one.tasks for one in status.waits) == 200 + 1700 - _created(view, pods, topology)
    assert len(status.waits) <= MAX_WAITS
    assert max(len(one.message) for one in status.waits) == 512
    assert len(json.dumps(status.model_dump(mode="json", by_alias=True))) < 64 * 1024


def _created(view: SessionView, pods: tuple[PodView, ...], topology: dict[str, Any]) -> int:
    return len(decide(held(view, chips=[chip(held_by=[view], topology=topology)], pods=pods)).creates)


def test_brief_and_full_count_the_same() -> None:
    view = _run(schedule={"mode": "Isolated"}, targets={"all": True})
    seen = held(view, pods=(_pod(view),))
    full = Counter(one.reason for one in explain(seen, view).tasks if one.reason != "PodStarting")
    assert {one[0]: one[1] for one in _waits(seen)} == full
