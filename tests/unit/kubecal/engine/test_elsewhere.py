"""Modules that chips of two lock domains share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubecal.api.explanation import Reason
from kubecal.api.wires import Wire, WireKind, WireMode
from kubecal.engine.elsewhere import Others, held_elsewhere, modules_in, modules_of
from kubecal.engine.explaining import explain
from kubecal.engine.model import HeldElsewhere, PodView, Reservation, SessionRef, SessionView
from tests.unit.kubecal.engine.builders import (
    FIRST,
    NOON,
    chip,
    decided,
    given_up,
    held,
    later,
    pod,
    recorded,
    row,
    session,
    terminated,
)

WIRED: dict[str, Any] = {"wiring": {"muxes": [{"id": 0, "readout": ["R1"], "control": ["C1"], "exclusive": True}]}}
R1 = Wire(WireMode.EXCLUSIVE, WireKind.MODULE, "R1")
QUBIT = Wire(WireMode.EXCLUSIVE, WireKind.QUBIT, "3")
MINE = frozenset({"R1", "C1"})
EVENING = session("evening", chip="fridge-b", targets={"qubits": ["3"]})
ABOVE = recorded(EVENING, row(FIRST, wires=(QUBIT, R1)), on=chip("fridge-b", **WIRED), status="running")
HOLDS = HeldElsewhere("its-pod", (R1,), "Rabi on 3", EVENING.ref, "fridge-b")


def _others(view: SessionView = ABOVE, *pods: PodView, **changes: Any) -> Others:
    return Others({view.ref.uid: view}, pods, **changes)


def test_modules_are_those_of_chips_as_they_are_and_as_they_were_at_admission() -> None:
    rewired = chip("fridge-b", wiring={"muxes": [{"id": 0, "readout": ["R2"]}]})
    assert modules_of([rewired], [ABOVE]) == {"R2", "R1", "C1"}
    assert modules_of([chip()], [recorded(EVENING)]) == frozenset()
    assert modules_in((QUBIT, R1)) == (R1,)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, True),
        ({"node": "", "phase": "Pending"}, True),
        ({"terminated": terminated(0)}, False),
        ({"released": True}, False),
        ({"wires": (QUBIT,)}, False),
        ({"wires": (replace(R1, id="R2"),)}, False),
    ],
)
def test_a_pod_of_another_chip_holds_its_modules_while_its_process_runs(changes: dict[str, Any], found: bool) -> None:
    other = pod(EVENING, **{"wires": (QUBIT, R1), **changes})
    taken = held_elsewhere(MINE, _others(replace(ABOVE, record=None), other), NOON)
    assert taken == ((HeldElsewhere(other.name, (R1,), "Rabi on 0", EVENING.ref, "fridge-b"),) if found else ())


def test_a_create_under_way_holds_its_modules() -> None:
    under_way = Reservation(EVENING.ref.uid, "its-pod", (QUBIT, R1), later(10))
    (taken,) = held_elsewhere(MINE, _others(replace(ABOVE, record=None), reservations=[under_way]), NOON)
    assert (taken.holder, taken.modules, taken.until) == ("its-pod", (R1,), None)


def test_an_attempt_whose_process_may_be_left_holds_its_modules_for_its_grace_period() -> None:
    lost = given_up(wires=(QUBIT, R1), claimed_by="a pod that is gone", reason="PodGone", grace_s=30)
    view = recorded(EVENING, lost, on=chip("fridge-b", **WIRED), status="running")
    (taken,) = held_elsewhere(MINE, _others(view), later(29))
    assert (taken.modules, taken.until) == ((R1,), later(30))
    assert held_elsewhere(MINE, _others(view), later(30)) == ()


def test_nobody_is_asked_where_no_chip_is_wired() -> None:
    assert held_elsewhere(frozenset(), _others(ABOVE, pod(EVENING, wires=(R1,))), NOON) == ()


def _waits(*elsewhere: HeldElsewhere, **spec: Any) -> list[tuple[str, str]]:
    view = recorded(session(targets={"qubits": ["0"]}, **spec), on=chip(**WIRED), status="running")
    seen = held(view, chips=[chip(held_by=[view], **WIRED)], elsewhere=elsewhere)
    return [(one.reason, one.message) for one in explain(seen, view).tasks if one.reason == Reason.WAITS_FOR_WIRE]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Rabi on 3 of session evening on chip fridge-b"),
        (
            {"session": SessionRef("u", "annex", "evening")},
            "Rabi on 3 of session evening on chip fridge-b in namespace annex",
        ),
        ({"session": None}, "Rabi on 3 of a session that is gone"),
    ],
)
def test_who_waits_for_a_module_is_told_who_has_it(changes: dict[str, Any], words: str) -> None:
    assert _waits(replace(HOLDS, **changes)) == [("WaitsForWire", f"module R1 is held by {words}")]


def test_a_task_starts_when_the_module_is_free_and_not_before() -> None:
    view = recorded(session(targets={"qubits": ["0"]}), on=chip(**WIRED), status="running")
    mine = {"chips": [chip(held_by=[view], **WIRED)]}
    assert [one.planned.key.task for one in decided(view, **mine).creates] == ["Rabi"]
    until = decided(view, **mine, elsewhere=(replace(HOLDS, until=later(5)),))
    assert (until.creates, until.wake_at) == ((), later(5))


def test_modules_held_elsewhere_do_not_keep_a_chip_from_being_driven_as_a_whole() -> None:
    """Its own claim says which modules a Serial task needs."""
    steps = [{"name": "check", "tasks": [{"task": "Rabi"}], "schedule": {"mode": "Serial"}}]
    one_mux_only: dict[str, Any] = {
        "topology": {"squareLattice": {"rows": 2, "columns": 4, "muxSize": 4}},
        "wiring": {"muxes": [{"id": 1, "readout": ["R1"], "exclusive": True}]},
    }
    view = recorded(session(steps=steps, targets={"qubits": ["0"]}), on=chip(**one_mux_only), status="running")
    decision = decided(view, chips=[chip(held_by=[view], **one_mux_only)], elsewhere=(HOLDS,))
    assert len(decision.creates) == 1
