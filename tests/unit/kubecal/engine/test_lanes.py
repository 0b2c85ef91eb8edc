"""Who waits for whom, whatever the kinds: a table of sessions, of what has ended and of what may be next."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from kubecal.engine.attempts import State, TaskState
from kubecal.engine.lanes import Ahead, Open, Standing, Way, chip_standing, coupling_standing, qubits_standing, ways
from kubecal.engine.model import Plan, TaskKey
from kubecal.engine.order import frontier, lanes_open
from tests.unit.kubecal.engine.builders import planned, session

ALL = {"couplings": {"auto": True}}
# On the square 0 1 / 2 3 the couplings are 0-1, 0-2, 3-1 and 3-2.
COUPLINGS = ("0-1", "0-2", "3-1", "3-2")


def _plan(*steps: tuple[str, dict[str, Any]], **spec: Any) -> Plan:
    """Steps a, b, ... of one task each, or of several that are separated by spaces."""
    bodies = [
        {"name": name, "tasks": [{"task": each} for each in tasks.split()], **body}
        for name, (tasks, body) in zip("abcdef", steps, strict=False)
    ]
    plan = planned(session(steps=bodies, **spec))
    assert not plan.problems
    return plan


def _states(plan: Plan, ended: Collection[str], members: Mapping[str, str]) -> Mapping[TaskKey, TaskState]:
    """States of a plan in which these tasks have ended (``a/Rabi 0``), and on these members (``a/Many mux-0``)."""
    found = {}
    for task in plan.tasks:
        name = f"{task.key.step}/{task.key.task} {task.key.target}"
        over = name in ended
        done = task.members if over else members.get(name, "")
        each = {one: State.OK if one in done else State.READY for one in task.members}
        found[task.key] = TaskState(task.key, State.OK if over else State.READY, 1, None, (), members=each)
    unknown = {*ended, *members} - {f"{key.step}/{key.task} {key.target}" for key in found}
    assert not unknown, unknown
    return found


def _next(plan: Plan, ended: Collection[str] = (), members: Mapping[str, str] | None = None) -> list[str]:
    states = _states(plan, ended, members or {})
    heads = frontier(plan, states, lanes_open(plan.tasks, states))
    return [f"{key.step}/{key.task} {key.target}" for key in heads]


def _all(task: str, targets: Collection[str] = "0123") -> list[str]:
    return [f"{task} {target}" for target in targets]


QUBITS, GATES = ("Rabi", {}), ("Cross", {"targets": ALL})
MUX, CHIP = ("Readout", {}), ("Configure", {"targets": {"chip": True}})
SOME = {"targets": {"qubits": ["0", "1"]}}


@pytest.mark.parametrize(
    ("steps", "ended", "heads"),
    [
        # A qubit waits for its MUX, and the MUX for all its qubits, and for no others.
        ([MUX, QUBITS], [], ["a/Readout mux-0"]),
        ([MUX, QUBITS], ["a/Readout mux-0"], _all("b/Rabi")),
        ([QUBITS, MUX], _all("a/Rabi", "012"), ["a/Rabi 3"]),
        ([QUBITS, MUX], _all("a/Rabi"), ["b/Readout mux-0"]),
        ([QUBITS, ("Readout", SOME)], _all("a/Rabi", "01"), ["a/Rabi 2", "a/Rabi 3", "b/Readout mux-0"]),
        # A batch as well.
        ([QUBITS, ("Many", {"batch": "All"})], _all("a/Rabi", "123"), ["a/Rabi 0"]),
        ([QUBITS, ("Many", {"batch": "All"})], _all("a/Rabi"), ["b/Many chip"]),
        # A coupling waits for its two qubits, not for others.
        ([QUBITS, GATES], _all("a/Rabi", "01"), ["a/Rabi 2", "a/Rabi 3", "b/Cross 0-1"]),
        ([("Rabi T1", {}), GATES], _all("a/Rabi"), _all("a/T1")),
        # A qubit waits for its couplings of steps before; those of one step do not wait for each other.
        ([GATES, QUBITS], [], _all("a/Cross", COUPLINGS)),
        ([GATES, QUBITS], ["a/Cross 0-1"], _all("a/Cross", COUPLINGS[1:])),
        ([GATES, QUBITS], ["a/Cross 0-1", "a/Cross 0-2"], ["a/Cross 3-1", "a/Cross 3-2", "b/Rabi 0"]),
        ([("Cross Cross", {"targets": ALL})], ["a/Cross 0-1"], _all("a/Cross", COUPLINGS[1:])),
        # So does a MUX.
        ([GATES, MUX], _all("a/Cross", COUPLINGS[:3]), ["a/Cross 3-2"]),
        ([GATES, MUX], _all("a/Cross", COUPLINGS), ["b/Readout mux-0"]),
        # Couplings of two steps wait for each other where they are the same one.
        ([GATES, ("Cross", {"targets": ALL})], ["a/Cross 0-1"], [*_all("a/Cross", COUPLINGS[1:]), "b/Cross 0-1"]),
        # What acts on the chip waits for all, and all wait for it.
        ([QUBITS, CHIP, QUBITS], _all("a/Rabi", "012"), ["a/Rabi 3"]),
        ([QUBITS, CHIP, QUBITS], _all("a/Rabi"), ["b/Configure chip"]),
        ([QUBITS, CHIP, QUBITS], [*_all("a/Rabi"), "b/Configure chip"], _all("c/Rabi")),
        ([CHIP, GATES], [], ["a/Configure chip"]),
        ([GATES, CHIP], _all("a/Cross", COUPLINGS[1:]), ["a/Cross 0-1"]),
        ([("Configure Configure", {"targets": {"chip": True}})], [], ["a/Configure chip"]),
    ],
)
def test_who_waits_for_whom(steps: list[tuple[str, dict[str, Any]]], ended: list[str], heads: list[str]) -> None:
    assert _next(_plan(*steps), ended) == heads


PAIRED = ("Cross", {"targets": ALL, "pairs": [["0-1", "3-2"], ["0-2"], ["3-1"]]})


@pytest.mark.parametrize(
    ("ended", "heads"),
    [
        ([], ["0-1", "3-2"]),
        (["0-1"], ["3-2"]),
        (["0-1", "3-2"], ["0-2"]),
        (["0-1", "3-2", "0-2"], ["3-1"]),
    ],
)
def test_groups_of_couplings_go_one_after_another(ended: list[str], heads: list[str]) -> None:
    assert _next(_plan(PAIRED), _all("a/Cross", ended)) == _all("a/Cross", heads)


def test_groups_of_one_step_say_nothing_about_another() -> None:
    plan = _plan(PAIRED, ("Cross", {"targets": {"couplings": {"ids": ["0-1"]}}, "pairs": [["0-1"]]}))
    assert _next(plan, ["a/Cross 0-1"]) == ["a/Cross 3-2", "b/Cross 0-1"]


def test_a_change_of_records_waits_for_all_and_all_wait_for_it() -> None:
    change = {"name": "b", "set": {"qubits": {"0": {"quality": {"value": 0.9}}}}}
    tasks = [{"name": name, "tasks": [{"task": "Rabi"}]} for name in "ac"]
    plan = planned(session(steps=[tasks[0], change, tasks[1]]))
    assert _next(plan, _all("a/Rabi", "012")) == ["a/Rabi 3"]
    assert _next(plan, _all("a/Rabi")) == ["b/Set chip"]
    assert _next(plan, [*_all("a/Rabi"), "b/Set chip"]) == _all("c/Rabi")


@pytest.mark.parametrize("first", [("Readout", {}), ("Many", {"batch": "Mux"})])
def test_a_qubit_that_is_done_goes_on_while_another_of_its_attempt_is_measured_again(
    first: tuple[str, dict[str, Any]],
) -> None:
    plan = _plan(first, QUBITS)
    task = f"a/{first[0]} mux-0"
    assert _next(plan, [], {task: "013"}) == [task, "b/Rabi 0", "b/Rabi 1", "b/Rabi 3"]


def test_the_next_mux_task_waits_for_the_one_that_is_measured_again() -> None:
    plan = _plan(MUX, ("Many", {"batch": "Mux"}))
    assert _next(plan, [], {"a/Readout mux-0": "013"}) == ["a/Readout mux-0"]


def test_the_chip_waits_for_the_member_that_is_measured_again() -> None:
    assert _next(_plan(MUX, CHIP), [], {"a/Readout mux-0": "013"}) == ["a/Readout mux-0"]


# ---------------------------------------------------------------- remaining ways


@pytest.mark.parametrize(
    ("steps", "remaining"),
    [
        # Rabi takes 20 s, Readout 30, Cross 40, Configure 5.
        ([QUBITS, MUX], {"a/Rabi 0": Way(50, 2), "b/Readout mux-0": Way(30, 1)}),
        ([QUBITS, ("Readout", SOME)], {"a/Rabi 0": Way(50, 2), "a/Rabi 2": Way(20, 1)}),
        ([QUBITS, GATES], {"a/Rabi 0": Way(60, 2), "b/Cross 0-1": Way(40, 1)}),
        (
            [QUBITS, ("Cross", {"targets": {"couplings": {"ids": ["0-1"]}}})],
            {"a/Rabi 1": Way(60, 2), "a/Rabi 2": Way(20, 1)},
        ),
        ([GATES, ("Rabi", SOME)], {"a/Cross 0-2": Way(60, 2), "a/Cross 3-2": Way(40, 1)}),
        ([QUBITS, CHIP, QUBITS], {"a/Rabi 0": Way(45, 3), "b/Configure chip": Way(25, 2), "c/Rabi 3": Way(20, 1)}),
        ([("Cross Cross", {"targets": ALL})], {"a/Cross 0-1": Way(80, 2)}),
        # Who is in the last group does not come first everywhere.
        ([QUBITS, PAIRED], {"a/Rabi 0": Way(60, 2), "b/Cross 0-1": Way(40, 1), "b/Cross 3-1": Way(40, 1)}),
    ],
)
def test_what_is_left_goes_through_all_kinds(steps: list[tuple[str, dict[str, Any]]], remaining: Any) -> None:
    plan = _plan(*steps)
    found = {f"{key.step}/{key.task} {key.target}": way for key, way in plan.remaining.items() if key.ordinal == 0}
    assert {name: found[name] for name in remaining} == remaining


def _slowly(tasks: list[tuple[Standing, float]]) -> list[Way]:
    """By definition: the longest of what waits for it, and itself."""
    found: dict[int, Way] = {}

    def way(number: int) -> Way:
        if number not in found:
            standing, seconds = tasks[number]
            lone: Open[int] = Open()
            lone.add(number, standing)
            after = [way(other) for other, (its, _) in enumerate(tasks) if not lone.met(_ungrouped(its))]
            longest = max(after, default=Way(0.0, 0))
            found[number] = Way(seconds + longest.seconds, 1 + longest.tasks)
        return found[number]

    return [way(number) for number in range(len(tasks))]


def _ungrouped(standing: Standing) -> list[Any]:
    return [place for place in standing.needs if not place.lane.startswith("groups")]


def test_the_longest_way_is_found_in_one_go_as_it_is_by_definition() -> None:
    tasks: list[tuple[Standing, float]] = []
    for step in range(4):
        for entry in range(2):
            tasks += [(qubits_standing((qubit,), 4 * step, entry), 3.0 + step) for qubit in "012"]
            ends = (("0-1", ("0", "1")), ("2-1", ("2", "1")))
            tasks += [
                (coupling_standing(one, pair, 4 * step + 1, entry, group), 7.0 - step)
                for group, (one, pair) in enumerate(ends)
            ]
            tasks.append((qubits_standing(("1", "2"), 4 * step + 2, entry), 5.0 * (step % 2)))
        if step == 2:
            tasks.append((chip_standing(4 * step + 3, 0), 11.0))
    assert ways(tasks) == _slowly(tasks)


def test_nothing_comes_after_the_last() -> None:
    assert Ahead().after(chip_standing(0, 0)) == Way(0.0, 0)
