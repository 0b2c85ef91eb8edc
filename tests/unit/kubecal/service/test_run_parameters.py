"""Run parameters in the older form and in ours."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.api.catalogue import built_in_catalogue
from kubecal.api.run_parameters import parse_run_parameters
from kubecal.service.defaults import Defaults
from kubecal.service.errors import ServiceError
from kubecal.service.run_parameters import as_written, of_details


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("shots", 4096, 4096),
        ("shots", {"value": 4096, "value_type": "int"}, 4096),
        ("interval", {"value": 150 * 1024, "value_type": "int"}, "153600 ns"),
        ("interval", {"value": 153.6, "value_type": "float", "unit": "us"}, "153.6 us"),
        ("hpi_duration", {"value": 32, "value_type": "int"}, "32 ns"),
        ("detuning", {"value": 0.5}, 0.5),
        (
            "delays",
            {"value": (0.1, 100, 51), "value_type": "np.linspace"},
            {"value": [0.1, 100, 51], "value_type": "np.linspace"},
        ),
        ("delays", {"start": 0.1, "stop": 100, "num": 51}, {"start": 0.1, "stop": 100, "num": 51}),
    ],
)
def test_a_value_becomes_what_a_manifest_says(name: str, value: Any, written: Any) -> None:
    assert as_written({name: value}) == {name: written}


def test_the_older_form_means_what_it_meant() -> None:
    declared = built_in_catalogue().task_by_name["CreateHPIPulse"].run_parameters
    given = {"interval": {"value": 150 * 1024, "value_type": "int"}, "hpi_duration": {"value": 24, "value_type": "int"}}
    found = parse_run_parameters(declared, as_written(given))
    assert (found["interval"], found["hpi_duration"]) == (pytest.approx(153.6e-6), pytest.approx(24e-9))


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (
            {"value": 3, "value_type": "complex"},
            "run parameter shots: value_type is 'complex': write one of int, float",
        ),
        ({"value": "many", "value_type": "int"}, "run parameter shots: 'many' is no int"),
    ],
)
def test_what_cannot_be_read_is_named(value: Any, sentence: str) -> None:
    with pytest.raises(ServiceError, match=sentence):
        as_written({"shots": value})


def test_details_of_a_task_are_its_run_parameters() -> None:
    details = {"CheckT1": {"run_parameters": {"shots": {"value": 64, "value_type": "int"}}}}
    assert of_details("CheckT1", details) == {"shots": 64}
    assert of_details("CheckT1", None) == of_details("CheckT1", {"CheckT1": {}}) == {}


@pytest.mark.parametrize(
    "details", [{"CheckT2": {}}, {"CheckT1": {"muxes": [0]}}, {"CheckT1": {"run_parameters": [1]}}]
)
def test_details_that_say_anything_else_are_refused(details: dict[str, Any]) -> None:
    with pytest.raises(ServiceError, match="task_details of CheckT1 cannot say "):
        of_details("CheckT1", details)


def test_what_is_said_nearer_to_the_call_wins() -> None:
    defaults = Defaults.of(
        built_in_catalogue(), {"shots": 1, "hpi_duration": 24}, {"CheckT1": {"shots": 2, "interval": "200 us"}}
    )
    assert defaults.of_task("CheckT1", {"shots": 3}) == {"shots": 3, "interval": "200 us"}
    assert defaults.of_task("CheckT1") == {"shots": 2, "interval": "200 us"}
    assert defaults.of_task("CheckT2Echo") == {"shots": 1}
    assert defaults.of_task("MyNewTask", {"mine": 1}) == {"mine": 1}
    assert defaults.entry("Configure") == {"task": "Configure"}
