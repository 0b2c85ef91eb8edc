"""Which value a run parameter gets, and what is said of a wrong one."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.engine.catalogues import Catalogues
from kubecal.engine.parameters import check_parameter_names, resolve_parameters
from kubecal.engine.problems import PlanProblem
from tests.unit.kubecal.engine.builders import CATALOGUE, session_spec

T1 = CATALOGUE.task_by_name["T1"]


def _resolved(defaults: dict[str, Any], tasks: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    steps = [{"name": "check", "tasks": [{"task": "T1", "parameters": entry}, {"task": "Rabi"}]}]
    spec = session_spec(steps=steps, parameters={"defaults": defaults, "tasks": tasks})
    return dict(resolve_parameters(spec, spec.steps[0].tasks[0], T1, "spec.steps[0].tasks[0]"))


@pytest.mark.parametrize(
    ("defaults", "tasks", "entry", "values"),
    [
        ({}, {}, {}, {}),
        ({"shots": 1}, {}, {}, {"shots": 1}),
        ({"shots": 1}, {"T1": {"shots": 2}}, {}, {"shots": 2}),
        ({"shots": 1}, {"T1": {"shots": 2}}, {"shots": 3}, {"shots": 3}),
        ({}, {"T1": {"shots": 2}}, {"shots": 3}, {"shots": 3}),
        ({"shots": 1}, {}, {"shots": 3}, {"shots": 3}),
        ({"shots": 1}, {"Rabi": {"shots": 2}}, {}, {"shots": 1}),
        ({"shots": 1}, {"T1": {"wait": 2.5}}, {}, {"shots": 1, "wait": 2.5}),
    ],
)
def test_entry_over_task_over_defaults(
    defaults: dict[str, Any], tasks: dict[str, Any], entry: dict[str, Any], values: dict[str, Any]
) -> None:
    assert _resolved(defaults, tasks, entry) == values


def test_a_default_the_task_does_not_know_is_left_out() -> None:
    steps = [{"name": "check", "tasks": [{"task": "Rabi"}, {"task": "T1"}]}]
    spec = session_spec(steps=steps, parameters={"defaults": {"wait": 1.0}})
    assert resolve_parameters(spec, spec.steps[0].tasks[0], CATALOGUE.task_by_name["Rabi"], "here") == {}
    assert check_parameter_names(spec, Catalogues(CATALOGUE)) == []


@pytest.mark.parametrize(
    ("defaults", "tasks", "entry", "field"),
    [
        ({"shots": 0}, {}, {}, "spec.parameters.defaults, T1"),
        ({}, {"T1": {"shots": 10_001}}, {}, "spec.parameters.tasks.T1, T1"),
        ({}, {}, {"shots": "many"}, "spec.steps[0].tasks[0].parameters, T1"),
        ({}, {}, {"shot": 1}, "spec.steps[0].tasks[0].parameters, T1"),
        # Overridden, and wrong all the same.
        ({"shots": 0}, {}, {"shots": 1}, "spec.parameters.defaults, T1"),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(
    defaults: dict[str, Any], tasks: dict[str, Any], entry: dict[str, Any], field: str
) -> None:
    with pytest.raises(PlanProblem) as problem:
        _resolved(defaults, tasks, entry)
    assert str(problem.value).startswith(field)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"defaults": {"shot": 1}}, "no task of this session has a run parameter 'shot': did you mean shots?"),
        ({"tasks": {"Rab": {"shots": 1}}}, "'Rab' is not a task of this session: did you mean Rabi?"),
        ({"tasks": {"Compute": {}}}, "'Compute' is not a task of this session"),
    ],
)
def test_names_nobody_knows_are_refused(parameters: dict[str, Any], sentence: str) -> None:
    (problem,) = check_parameter_names(session_spec(parameters=parameters), Catalogues(CATALOGUE))
    assert sentence in problem
