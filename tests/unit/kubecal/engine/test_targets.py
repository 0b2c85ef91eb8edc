"""Which qubits are meant. Nothing is never everything."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.api.targets import Targets
from kubecal.engine.problems import PlanProblem
from kubecal.engine.targets import Grounds, session_targets
from tests.unit.kubecal.engine.builders import chip_spec


def _select(targets: dict[str, Any], disabled: set[str]) -> list[str]:
    spec = chip_spec(topology={"squareLattice": {"rows": 4, "columns": 4}}, disabled={"qubits": sorted(disabled)})
    return list(session_targets(Targets.model_validate(targets), Grounds("fridge-a", spec, {})).ids)


@pytest.mark.parametrize(
    ("targets", "disabled", "chosen"),
    [
        ({"qubits": ["3"]}, set(), ["3"]),
        ({"qubits": ["9", "3"]}, set(), ["3", "9"]),
        ({"muxes": [1]}, set(), ["4", "5", "6", "7"]),
        ({"muxes": [3, 0]}, set(), ["0", "1", "2", "3", "12", "13", "14", "15"]),
        ({"muxes": [1]}, {"5"}, ["4", "6", "7"]),
        ({"all": True}, set(), [str(number) for number in range(16)]),
        ({"all": True}, {"0", "15"}, [str(number) for number in range(1, 15)]),
        ({"muxes": [1], "exclude": {"qubits": ["4", "5"]}}, set(), ["6", "7"]),
        ({"qubits": ["3", "4"], "exclude": {"qubits": ["3"]}}, set(), ["4"]),
    ],
)
def test_targets_name_qubits_in_the_chips_order(targets: dict[str, Any], disabled: set[str], chosen: list[str]) -> None:
    assert _select(targets, disabled) == chosen


@pytest.mark.parametrize(
    ("targets", "disabled", "sentence"),
    [
        ({"qubits": ["99"]}, set(), "chip 'fridge-a' has no qubit '99' (it has 0...15): correct spec.targets"),
        ({"all": True, "exclude": {"qubits": ["99"]}}, set(), "has no qubit '99'"),
        ({"muxes": [4]}, set(), "chip 'fridge-a' has no MUX 4 (it has 0...3): correct spec.targets.muxes"),
        ({"qubits": ["1", "2"]}, {"2"}, "qubit 2 of chip 'fridge-a' is disabled"),
        ({"muxes": [0]}, {"0", "1", "2", "3"}, "no qubit of chip 'fridge-a' is left"),
        ({"qubits": ["1"], "exclude": {"qubits": ["1"]}}, set(), "no qubit of chip 'fridge-a' is left"),
    ],
)
def test_what_names_nothing_is_refused(targets: dict[str, Any], disabled: set[str], sentence: str) -> None:
    with pytest.raises(PlanProblem) as problem:
        _select(targets, disabled)
    assert sentence in str(problem.value)
