"""The plan of MUX, batch, coupling and chip tasks, changes of records and parking, and what is said of misfits."""

from __future__ import annotations

import time
from typing import Any

import pytest

from kubecal.api.catalogue import TargetKind
from kubecal.api.wires import wires_to_json
from kubecal.engine.catalogues import Catalogues
from kubecal.engine.model import Plan, PlanFacts, TaskKey
from kubecal.engine.plan import plan_session
from tests.unit.kubecal.engine.builders import CATALOGUE, chip_spec, session_spec

EIGHT = {"squareLattice": {"rows": 2, "columns": 4}}
AUTO = {"couplings": {"auto": True}}
CHIP = {"chip": True}


def _step(name: str, tasks: str, **body: Any) -> dict[str, Any]:
    return {"name": name, "tasks": [{"task": each} for each in tasks.split()], **body}


def _plan(*steps: dict[str, Any], facts: PlanFacts | None = None, **spec: Any) -> Plan:
    manifest = session_spec(steps=list(steps), **spec)
    return plan_session(manifest, "fridge-a", chip_spec(topology=EIGHT), CATALOGUE, facts or PlanFacts())


def _names(plan: Plan) -> list[str]:
    assert not plan.problems
    return [f"{task.key.step}/{task.key.task} {task.key.target}" for task in plan.tasks]


@pytest.mark.parametrize(
    ("step", "spec", "tasks"),
    [
        (_step("a", "Readout"), {}, {"mux-0": "0123", "mux-1": "4567"}),
        # Once per MUX touched, with rows for those that are named.
        (_step("a", "Readout"), {"targets": {"qubits": ["1", "3", "6"]}}, {"mux-0": "13", "mux-1": "6"}),
        (_step("a", "Readout", targets={"muxes": [1]}), {}, {"mux-1": "4567"}),
        (_step("a", "Readout", batch="Mux"), {}, {"mux-0": "0123", "mux-1": "4567"}),
        (_step("a", "Many", batch="Mux"), {}, {"mux-0": "0123", "mux-1": "4567"}),
        (_step("a", "Many", batch="Mux"), {"targets": {"qubits": ["5", "2"]}}, {"mux-0": "2", "mux-1": "5"}),
        (_step("a", "Many", batch="All"), {}, {"chip": "01234567"}),
        (_step("a", "Many", batch="All"), {"targets": {"qubits": ["5", "2"]}}, {"chip": "25"}),
        # Without a batch a task that could be batched is one of a qubit.
        (_step("a", "Many"), {"targets": {"qubits": ["5", "2"]}}, {"2": "", "5": ""}),
        (_step("a", "Cross", targets={"couplings": {"ids": ["3-6"]}}), {}, {"3-6": ""}),
        (_step("a", "Cross", targets={"couplings": {"ids": ["3-6"], "inverse": True}}), {}, {"6-3": ""}),
        (_step("a", "Cross", targets=AUTO), {"targets": {"muxes": [0]}}, {"0-1": "", "0-2": "", "3-1": "", "3-2": ""}),
        (_step("a", "Configure", targets=CHIP), {}, {"chip": ""}),
        (_step("a", "Configure"), {"targets": CHIP}, {"chip": ""}),
    ],
)
def test_targets_and_members_are_called(step: dict[str, Any], spec: dict[str, Any], tasks: dict[str, str]) -> None:
    plan = _plan(step, **spec)
    assert not plan.problems
    assert {task.key.target: "".join(task.members) for task in plan.tasks} == tasks


@pytest.mark.parametrize(
    ("step", "target", "claims"),
    [
        (_step("a", "Readout"), "mux-1", "X mux 1, X qubit 4, X qubit 5, X qubit 6, X qubit 7"),
        (_step("a", "Many", batch="Mux"), "mux-1", "X mux 1, X qubit 4, X qubit 5"),
        (_step("a", "Many", batch="All"), "chip", "X mux 0, X mux 1, X qubit 0, X qubit 4, X qubit 5"),
        (_step("a", "Cross", targets={"couplings": {"ids": ["4-5"]}}), "4-5", "X mux 1, X qubit 4, X qubit 5"),
        (_step("a", "Configure", targets=CHIP), "chip", "X chip "),
    ],
)
def test_tasks_hold_what_they_drive_and_a_mux_is_driven_whole(step: dict[str, Any], target: str, claims: str) -> None:
    plan = _plan({**step, "schedule": {"mode": "Parallel"}}, targets={"qubits": ["0", "4", "5"]})
    (wires,) = [task.wires for task in plan.tasks if task.key.target == target]
    assert ", ".join(f"{wire.mode} {wire.kind} {wire.id}" for wire in wires) == claims


def test_chains_go_through_all_kinds_that_judge_a_target() -> None:
    plan = _plan(
        _step("a", "Rabi Readout"),
        _step("b", "Many", batch="All"),
        _step("c", "Cross Cross", targets=AUTO),
        _step("d", "Configure", targets=CHIP),
        _step("e", "T1", targets={"qubits": ["1"]}),
        targets={"qubits": ["0", "1"]},
    )
    chains = {
        target: [f"{key.step}/{key.task} {key.target} {key.ordinal}" for key in chain]
        for target, chain in plan.chains.items()
    }
    assert chains == {
        "0": ["a/Rabi 0 0", "a/Readout mux-0 0", "b/Many chip 0"],
        "1": ["a/Rabi 1 0", "a/Readout mux-0 0", "b/Many chip 0", "e/T1 1 0"],
        "0-1": ["c/Cross 0-1 0", "c/Cross 0-1 1"],
        "chip": ["d/Configure chip 0"],
    }
    assert (dict(plan.ends), plan.auto, plan.own) == ({"0-1": ("0", "1")}, frozenset("c"), ("0", "1"))


def test_what_is_judged_is_what_stands_in_chains_and_nothing_is_planned_twice() -> None:
    steps = [_step("a", "Rabi Readout Many Rabi"), _step("b", "Many Readout", batch="Mux"), _step("c", "Readout")]
    gates = [_step("d", "Cross Cross", targets=AUTO), _step("e", "Configure", targets=CHIP)]
    plan = _plan(*steps, *gates, parking={"tasks": [{"task": "Configure"}, {"task": "Compute"}]})
    keys = [task.key for task in (*plan.tasks, *plan.parking)]
    assert len(set(keys)) == len(keys) == len(plan.by_key)
    judged = sorted((task.key, one) for task in plan.tasks for one in task.judged)
    assert judged == sorted((key, target) for target, chain in plan.chains.items() for key in chain)


# ---------------------------------------------------------------- changes of records


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"set": {"qubits": {"0": {"quality": {"value": 0.9}}}}}, "Set"),
        ({"publish": {"executionId": "20261123-001"}}, "Publish"),
        ({"revert": {"executionId": "20261123-001"}}, "Revert"),
        ({"exclude": {"taskIds": ["0" * 32], "reason": "a helium fill"}}, "Exclude"),
    ],
)
def test_a_change_of_records_is_one_task_of_the_chip_that_holds_nothing(body: dict[str, Any], name: str) -> None:
    plan = _plan({"name": "nudge", **body})
    (task,) = plan.tasks
    assert not plan.problems
    assert (task.key, task.wires, task.members, task.kind) == (
        TaskKey("nudge", name, "chip", 0),
        (),
        (),
        TargetKind.CHIP,
    )
    assert task.action is not None
    assert plan.chains == {"chip": (task.key,)}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            {"set": {"qubits": {"9": {"quality": {"value": 1}}}}},
            "spec.steps[0].set.qubits: chip 'fridge-a' has no qubit",
        ),
        ({"set": {"couplings": {"0-7": {"zx": {"value": 1}}}}}, "has no coupling '0-7': correct it"),
        (
            {"set": {"qubits": {"0": {"qualty": {"value": 1}}}}},
            "no task knows a parameter 'qualty' (of 0): did you mean",
        ),
        ({"publish": {"executionId": "20261123-001", "targets": ["9"]}}, "has no qubit or coupling '9': correct it"),
        ({"publish": {"executionId": "20261123-001", "parameters": ["zz"]}}, "no task gives 'zz'"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(body: dict[str, Any], sentence: str) -> None:
    plan = _plan({"name": "nudge", **body})
    assert [problem for problem in plan.problems if sentence in problem], plan.problems
    assert not plan.tasks


# ---------------------------------------------------------------- misfits

ACTS_QUBITS = "its step is about {}: give targets qubits, muxes or all"


@pytest.mark.parametrize(
    ("step", "spec", "sentence"),
    [
        (_step("a", "Rabi", targets=AUTO), {}, "Rabi acts on qubits, " + ACTS_QUBITS.format("couplings")),
        (_step("a", "Rabi", targets=CHIP), {}, "Rabi acts on qubits, " + ACTS_QUBITS.format("the chip")),
        (_step("a", "Readout", targets=AUTO), {}, "Readout acts on MUXes, " + ACTS_QUBITS.format("couplings")),
        (
            _step("a", "Cross"),
            {},
            "spec.steps[0].tasks[0]: Cross acts on couplings, its step is about qubits: give targets couplings, like "
            "{auto: true}",
        ),
        (
            _step("a", "Configure"),
            {},
            "Configure acts on the chip as a whole, its step is about qubits: give targets chip: true",
        ),
        (
            _step("a", "Configure"),
            {"targets": AUTO},
            "Configure acts on the chip as a whole, its step is about couplings",
        ),
        (_step("a", "Cross"), {"targets": CHIP}, "Cross acts on couplings, its step is about the chip"),
        (
            _step("a", "Many Rabi", batch="Mux"),
            {},
            "spec.steps[0].tasks[1]: Rabi cannot measure several qubits in one pod: remove batch from spec.steps[0]",
        ),
        (
            _step("a", "Readout", batch="All"),
            {},
            "Readout runs once a MUX: remove batch from spec.steps[0], or set it to Mux",
        ),
        (
            _step("a", "Cross", batch="Mux", targets=AUTO),
            {},
            "spec.steps[0].batch: only steps about qubits can be batched: remove it",
        ),
        (_step("a", "Configure", batch="All", targets=CHIP), {}, "only steps about qubits can be batched"),
        (
            _step("a", "Rabi", pairs=[["0-1"]]),
            {},
            "spec.steps[0].pairs: only steps about couplings are scheduled by pairs",
        ),
        (
            _step("a", "Cross", targets=AUTO, pairs=[["0-1"], ["0-2", "0-1"], ["3-1", "3-2"]]),
            {"targets": {"muxes": [0]}},
            "spec.steps[0].pairs: coupling 0-1 stands in it twice: remove one",
        ),
        (
            _step("a", "Cross", targets={"couplings": {"ids": ["0-1"]}}, pairs=[["0-1"], ["0-2"]]),
            {},
            "spec.steps[0].pairs: coupling 0-2 is not one of the step's",
        ),
        (
            _step("a", "Cross", targets={"couplings": {"ids": ["0-1"], "inverse": True}}, pairs=[["0-1"]]),
            {},
            "spec.steps[0].pairs: coupling 0-1 is not one of the step's",
        ),
        (
            _step("a", "Cross", targets={"couplings": {"ids": ["0-1", "0-2", "3-1"]}}, pairs=[["0-1"]]),
            {},
            "spec.steps[0].pairs: coupling 0-2, 3-1 of the step is in no group: add it",
        ),
    ],
)
def test_misfits_are_told_with_what_to_do(step: dict[str, Any], spec: dict[str, Any], sentence: str) -> None:
    plan = _plan(step, **spec)
    assert [problem for problem in plan.problems if sentence in problem], plan.problems
    assert not plan.tasks


def test_groups_may_be_of_couplings_that_are_driven_the_other_way_round() -> None:
    wanted = {"couplings": {"ids": ["0-1", "3-2"], "inverse": True}}
    assert not _plan(_step("a", "Cross", targets=wanted, pairs=[["1-0"], ["2-3"]])).problems


# ---------------------------------------------------------------- parking


def test_parking_is_planned_apart_on_every_qubit_and_once_on_the_chip() -> None:
    plan = _plan(
        _step("a", "Rabi", targets={"qubits": ["1"]}),
        targets={"qubits": ["0", "1", "5"]},
        parking={"tasks": [{"task": "Rabi"}, {"task": "Configure"}, {"task": "Readout"}], "seconds": 60},
    )
    assert _names(plan) == ["a/Rabi 1"]
    assert [f"{task.key.step}/{task.key.task} {task.key.target}" for task in plan.parking] == [
        "parking/Rabi 0",
        "parking/Rabi 1",
        "parking/Rabi 5",
        "parking/Configure chip",
        "parking/Readout mux-0",
        "parking/Readout mux-1",
    ]
    assert plan.parking_s == 60.0
    assert "parking" not in {key.step for chain in plan.chains.values() for key in chain}
    assert set(plan.by_key) == {task.key for task in (*plan.tasks, *plan.parking)}
    assert wires_to_json(plan.parking[0].wires) == '[["S","mux","0"],["X","qubit","0"]]'


def test_a_session_of_couplings_parks_the_qubits_at_their_ends() -> None:
    plan = _plan(_step("a", "Cross"), targets={"couplings": {"ids": ["4-5"]}}, parking={"tasks": [{"task": "Rabi"}]})
    assert [task.key.target for task in plan.parking] == ["4", "5"]


@pytest.mark.parametrize(
    ("parking", "spec", "sentence"),
    [
        (["Cross"], {}, "spec.parking.tasks[0]: Cross acts on couplings: park by tasks on the session's qubits or on"),
        (
            ["Configure", "Rabi"],
            {"targets": CHIP},
            "spec.parking.tasks[1]: Rabi acts on qubits, and the session is about the chip",
        ),
        (["Cnfigure"], {}, "spec.parking.tasks[0]: there is no task 'Cnfigure': did you mean Configure?"),
    ],
)
def test_parking_that_does_not_fit_is_refused(parking: list[str], spec: dict[str, Any], sentence: str) -> None:
    step = _step("a", "Configure" if spec else "Rabi")
    plan = _plan(step, parking={"tasks": [{"task": name} for name in parking]}, **spec)
    assert [problem for problem in plan.problems if sentence in problem], plan.problems
    assert not plan.tasks


def test_a_step_is_not_called_as_parking_is() -> None:
    plan = _plan(_step("parking", "Rabi"), parking={"tasks": [{"task": "Rabi"}]})
    assert plan.problems == (
        "spec.steps[0].name: 'parking' is what spec.parking is called: give the step another name",
    )
    assert not _plan(_step("parking", "Rabi")).problems


# ---------------------------------------------------------------- what is repeated

SOURCE = {"source": {"executionId": "20261123-001", "only": "Failed"}}


def _unfinished(*keys: tuple[str, str, str]) -> PlanFacts:
    return PlanFacts(unfinished=frozenset(TaskKey(*key, 0) for key in keys))


def test_only_what_has_not_succeeded_is_repeated() -> None:
    facts = _unfinished(("a", "Rabi", "1"), ("b", "Readout", "mux-1"), ("c", "Cross", "0-1"), ("c", "Gone", "0"))
    steps = [_step("a", "Rabi"), _step("b", "Readout"), _step("c", "Cross", targets=AUTO)]
    assert _names(_plan(*steps, facts=facts, **SOURCE)) == ["a/Rabi 1", "b/Readout mux-1", "c/Cross 0-1"]


def test_changes_of_records_are_repeated_with_what_failed_and_not_alone() -> None:
    change = {"name": "b", "set": {"qubits": {"0": {"quality": {"value": 0.9}}}}}
    steps = [_step("a", "Rabi"), change]
    assert _names(_plan(*steps, facts=_unfinished(("a", "Rabi", "1")), **SOURCE)) == ["a/Rabi 1", "b/Set chip"]
    assert _names(_plan(*steps, facts=_unfinished(("b", "Set", "chip")), **SOURCE)) == ["b/Set chip"]
    plan = _plan(*steps, facts=PlanFacts(), **SOURCE)
    assert plan.problems == ("all tasks of execution 20261123-001 have succeeded: nothing is left to repeat",)
    assert not plan.tasks


def test_a_source_that_cannot_be_repeated_is_a_problem_of_the_session() -> None:
    plan = _plan(_step("a", "Rabi"), facts=PlanFacts(problem="there is no execution 20261123-001"), **SOURCE)
    assert (plan.problems, plan.tasks) == (("there is no execution 20261123-001",), ())


# ---------------------------------------------------------------- what is asked for is planned, or refused


def test_of_a_step_that_is_wrong_nothing_is_planned_and_the_others_are() -> None:
    plan = _plan(_step("a", "Rabi"), _step("b", "Rab T1"), _step("c", "Cross"), _step("d", "T1"), open=True)
    assert {task.key.step for task in plan.tasks} == {"a", "d"}
    assert set(plan.invalid) == {"b", "c"}
    assert plan.invalid["b"] == "spec.steps[1].tasks[0]: there is no task 'Rab': did you mean Rabi?"
    assert plan.problems == (plan.invalid["b"], plan.invalid["c"])
    assert plan.steps == ("a", "d")


@pytest.mark.parametrize(
    "spec",
    [
        {"targets": {"qubits": ["99"]}},
        {"priority": 11},
        {"parking": {"tasks": [{"task": "Cross"}]}},
        {"idleSeconds": 9000, "open": True},
    ],
)
def test_what_is_wrong_with_the_session_itself_leaves_nothing(spec: dict[str, Any]) -> None:
    plan = _plan(_step("a", "Rabi"), _step("b", "Rab"), **spec)
    assert (plan.tasks, plan.parking, dict(plan.chains), dict(plan.invalid)) == ((), (), {}, {})
    assert len(plan.problems) >= 1


def test_steps_take_their_place_in_order_whatever_is_wrong_with_others() -> None:
    """An open session's valid steps wait for each other as they would without the invalid one between them."""
    plan = _plan(_step("a", "Rabi"), _step("b", "Rab"), _step("c", "Configure", targets=CHIP), open=True)
    last = plan.by_key[TaskKey("c", "Configure", "chip", 0)]
    assert all(task.standing.level < last.standing.level for task in plan.tasks if task is not last)


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        # What acts on the chip says nothing about single targets.
        ([_step("a", "Configure", targets=CHIP)], "no task comes before this filter"),
        ([_step("a", "Configure", targets=CHIP), _step("b", "Rabi")], "no task before gives 'uptime'"),
    ],
)
def test_a_filter_judges_no_target_by_what_is_of_the_chip(steps: list[dict[str, Any]], problem: str) -> None:
    filter_ = {"name": "good", "filter": {"metric": "uptime", "min": 1}}
    plan = _plan(*steps, filter_, _step("z", "T1"))
    assert [one for one in plan.problems if problem in one], plan.problems


def test_a_step_without_targets_in_a_session_of_all_couplings_is_about_those_that_come_that_far() -> None:
    plan = _plan(_step("a", "Rabi", targets={"all": True}), _step("b", "Cross"), targets=AUTO)
    assert plan.auto == frozenset("b")
    assert _plan(_step("b", "Cross"), targets={"couplings": {"ids": ["0-1"]}}).auto == frozenset()


def test_a_plan_of_1_024_qubits_with_gates_is_made_in_two_seconds() -> None:
    steps = [
        _step("a", "Readout Rabi T1"),
        _step("b", "Many", batch="Mux"),
        {"name": "good", "filter": {"metric": "quality", "min": 0.9}},
        _step("c", "Cross Cross", targets=AUTO),
        _step("d", "Configure", targets=CHIP),
        _step("e", "Rabi"),
    ]
    spec = session_spec(steps=steps)
    big = chip_spec(topology={"squareLattice": {"rows": 32, "columns": 32}})
    began = time.process_time()
    plan = plan_session(spec, "fridge-a", big, Catalogues(CATALOGUE))
    _ = plan.remaining
    assert len(plan.tasks) == 2 * 256 + 3 * 1024 + 2 * 1984 + 1
    assert time.process_time() - began < 2.0
