"""The forecast: it starts what passes of the engine would start, and says what its end waits for."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from kubecal.api.wires import WireKind
from kubecal.engine.attempts import State, TaskState
from kubecal.engine.claims import HeldWires
from kubecal.engine.draft import Draft
from kubecal.engine.forecast import Forecast, covered_s, forecast
from kubecal.engine.model import AttemptRow, Plan, RowStatus, SessionRecord, TaskKey
from kubecal.engine.running import Running
from kubecal.engine.skipping import Skipped
from kubecal.engine.starting import start_tasks
from tests.unit.kubecal.engine.builders import CATALOGUE, NOON, chip, later, observed, planned, session

LATTICE = {"squareLattice": {"rows": 4, "columns": 4, "muxSize": 4}}
RABI, T1, READOUT, CROSS, CONFIGURE, COMPUTE, MANY = (
    {"task": name} for name in ("Rabi", "T1", "Readout", "Cross", "Configure", "Compute", "Many")
)
QUBITS: dict[str, Any] = {"name": "check", "tasks": [RABI, T1, RABI]}
PAIRS: dict[str, Any] = {"name": "gates", "targets": {"couplings": {"auto": True}}, "tasks": [CROSS]}


def _in_passes(plan: Plan, most_at_once: int = 0, **spec: Any) -> Mapping[TaskKey, float]:
    """When each task starts, if the engine's own passes start them."""
    view, fridge = session(**spec), chip(topology=LATTICE, limits={"maxParallelTasks": most_at_once})
    assert view.spec is not None
    assert fridge.spec is not None
    record = SessionRecord("20261123-000", fridge.spec, 1, CATALOGUE.hash, "kubecal/tasks:1", "running", ())
    states = {
        task.key: TaskState(task.key, State.READY, 1, None, (), members=dict.fromkeys(task.members, State.READY))
        for task in plan.tasks
    }
    run = Running(view, view.spec, record, fridge, plan, plan.by_key, states, (), observed(view, chips=[fridge]))
    under_way: list[tuple[float, TaskKey]] = []
    begins: dict[TaskKey, float] = {}
    now = 0.0
    while True:
        draft, held = Draft(), HeldWires()
        for _, key in under_way:
            held.take(str(key), plan.by_key[key].wires)
        at = replace(run.observed, now=later(now))
        start_tasks(replace(run, states=states, observed=at), Skipped(), held, draft)
        decision = draft.decision()
        for key in [*(one.planned.key for one in decision.creates), *(one.key for one in decision.actions)]:
            states[key] = _all(states[key], State.RUNNING)
            begins[key] = now
            heapq.heappush(under_way, (now + plan.by_key[key].duration_s, key))
        if not under_way:
            return begins
        now = under_way[0][0]
        while under_way and under_way[0][0] <= now:
            key = heapq.heappop(under_way)[1]
            row = AttemptRow(key, 1, RowStatus.COMPLETED, NOON)
            states[key] = replace(_all(states[key], State.OK), row=row)


def _all(state: TaskState, now: State) -> TaskState:
    return replace(state, state=now, members=dict.fromkeys(state.members, now))


@pytest.mark.parametrize(
    ("name", "steps", "most"),
    [
        ("neighbours one after another", [QUBITS], 0),
        ("all at once", [{**QUBITS, "schedule": {"mode": "Parallel"}}], 0),
        ("one of a MUX at a time", [{**QUBITS, "schedule": {"mode": "MuxSerial"}}], 0),
        ("one of the chip at a time", [{**QUBITS, "schedule": {"mode": "Serial"}}], 0),
        ("at most three of a step", [{**QUBITS, "schedule": {"maxParallel": 3}}], 0),
        ("at most five of the chip", [QUBITS, PAIRS], 5),
        ("couplings behind their qubits", [QUBITS, PAIRS], 0),
        ("couplings in groups", [QUBITS, {**PAIRS, "targets": {"couplings": {"ids": ["0-1", "3-2", "12-13"]}},
                                          "pairs": [["0-1"], ["3-2", "12-13"]]}], 0),
        ("a barrier", [QUBITS, {"name": "again", "tasks": [RABI], "barrier": True}], 0),
        ("MUXes, batches and what computes", [{"name": "find", "tasks": [READOUT]},
                                              {"name": "many", "tasks": [MANY, MANY], "batch": "Mux"},
                                              {"name": "one", "tasks": [COMPUTE, T1]}], 0),
        ("the chip before and behind", [{"name": "a", "targets": {"chip": True}, "tasks": [CONFIGURE]}, QUBITS,
                                        {"name": "z", "targets": {"chip": True}, "tasks": [CONFIGURE]}], 0),
        ("a filter that all pass", [QUBITS, {"name": "good", "filter": {"status": "Succeeded"}},
                                    {"name": "fine", "tasks": [T1]}], 0),
    ],
)  # fmt: skip
def test_it_starts_what_passes_of_the_engine_start(name: str, steps: list[dict[str, Any]], most: int) -> None:
    view = session(steps=steps)
    plan = planned(view, chip(topology=LATTICE))
    assert plan.problems == ()
    found = forecast(plan, most_at_once=most)
    assert {span.task.key: span.begin_s for span in found.spans} == _in_passes(plan, most, steps=steps)


def _of(steps: list[dict[str, Any]], topology: dict[str, Any] | None = None, **spec: Any) -> Forecast:
    return forecast(planned(session(steps=steps, **spec), chip(topology=topology or LATTICE)))


def test_what_its_end_waits_for_leads_back_to_its_begin_without_a_gap() -> None:
    critical = _of([QUBITS, PAIRS]).critical
    assert critical[0].begin_s == 0
    assert [span.begin_s for span in critical[1:]] == [span.end_s for span in critical[:-1]]


def test_a_neighbour_that_waits_names_the_wire() -> None:
    pair = {"qubits": ["0", "1"]}
    waiting = [span for span in _of([{"name": "check", "tasks": [RABI]}], targets=pair).spans if span.waited_s]
    assert [(span.task.key.target, span.waited_s, span.wire.kind if span.wire else None) for span in waiting] == [
        ("0", 20.0, WireKind.QUBIT)
    ]


def test_a_busy_wire_counts_those_that_share_it_once() -> None:
    busy = {(one.kind, one.id): one for one in _of([{"name": "check", "tasks": [RABI]}]).busy}
    assert busy[WireKind.QUBIT, "5"].seconds == 40.0
    assert busy[WireKind.QUBIT, "5"].exclusive_s == 20.0
    assert busy[WireKind.MUX, "0"].exclusive_s == 0.0


def test_parking_comes_last_and_only_where_something_was_driven() -> None:
    parking = {"tasks": [CONFIGURE]}
    driven = _of([{"name": "check", "tasks": [RABI]}], parking=parking)
    assert [span.task.key.step for span in driven.spans][-1] == "parking"
    assert driven.spans[-1].begin_s == 40.0
    computed = _of([{"name": "check", "tasks": [COMPUTE]}], parking=parking)
    assert {span.task.key.step for span in computed.spans} == {"check"}


def test_a_change_of_records_takes_no_time_and_waits_its_turn() -> None:
    nudge = {"name": "nudge", "set": {"qubits": {"0": {"quality": {"value": 1.0}}}}}
    found = _of([{"name": "one", "tasks": [RABI]}, nudge, {"name": "two", "tasks": [RABI]}])
    change = next(span for span in found.spans if span.task.key.step == "nudge")
    assert (change.begin_s, change.end_s, found.total_s) == (40.0, 40.0, 80.0)


def test_how_many_run_at_once_counts_nobody_who_has_just_ended() -> None:
    found = _of([{"name": "check", "tasks": [RABI]}])
    assert found.most_at_once(found.spans) == 8


def test_an_empty_plan_takes_no_time() -> None:
    nothing = Forecast(())
    assert (nothing.total_s, nothing.critical, nothing.busy) == (0.0, (), ())


def test_stretches_that_overlap_are_counted_once() -> None:
    assert covered_s([(0, 4), (1, 2), (3, 6), (10, 11)]) == 7
