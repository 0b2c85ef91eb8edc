"""Which qubits are meant. Nothing is never everything."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.api.steps import Step
from kubecal.api.targets import Targets
from kubecal.engine.problems import PlanProblem
from kubecal.engine.targets import Chosen, Grounds, session_targets, step_targets
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


# ---------------------------------------------------------------- couplings

# 2 x 4: MUX 0 is 0 1 / 2 3, MUX 1 is 4 5 / 6 7; an even row and column is the control.
LATTICE = {"squareLattice": {"rows": 2, "columns": 4}}
BETWEEN = ["0-1", "0-2", "3-1", "3-2", "3-6", "4-1", "4-5", "4-6", "7-5", "7-6"]


def _grounds(frequencies: dict[str, float] | None = None, **chip: Any) -> Grounds:
    return Grounds("fridge-a", chip_spec(topology=LATTICE, **chip), frequencies or {})


def _chosen(targets: dict[str, Any], grounds: Grounds, step: dict[str, Any] | None = None) -> Chosen:
    """What a session means, or a step of it."""
    session = session_targets(Targets.model_validate(targets), grounds)
    if step is None:
        return session
    body = {"name": "gates", "tasks": [{"task": "Cross"}], "targets": step}
    return step_targets(Step.model_validate(body), session, grounds, "spec.steps[1]")


def _auto(**fields: Any) -> dict[str, Any]:
    return {"couplings": {"auto": True, **fields}}


def _ids(*ids: str, **fields: Any) -> dict[str, Any]:
    return {"couplings": {"ids": list(ids), **fields}}


def _without(*qubits: str) -> dict[str, Any]:
    return {"exclude": {"qubits": list(qubits)}}


@pytest.mark.parametrize(
    ("targets", "chip", "couplings", "qubits"),
    [
        (_auto(), {}, BETWEEN, "01234567"),
        (_ids("4-5", "0-1"), {}, ["4-5", "0-1"], "0145"),
        (_auto(inverse=True), {"disabled": {"qubits": list("4567")}}, ["1-0", "2-0", "1-3", "2-3"], "0123"),
        (_auto(), {"disabled": {"couplings": ["0-1", "7-6"]}}, [*BETWEEN[1:9]], "01234567"),
        # A coupling of a disabled qubit is out of order with it, and so is one of a qubit that is left out.
        (_auto(), {"disabled": {"qubits": ["3"]}}, ["0-1", "0-2", "4-1", "4-5", "4-6", "7-5", "7-6"], "0124567"),
        ({**_auto(), **_without("4", "7")}, {}, BETWEEN[:5], "01236"),
        # A qubit between whose neighbours nothing is left does not belong to it.
        ({**_auto(), **_without("0", "3")}, {}, ["4-1", "4-5", "4-6", "7-5", "7-6"], "14567"),
    ],
)
def test_couplings_are_as_the_chip_lists_them(
    targets: dict[str, Any], chip: dict[str, Any], couplings: list[str], qubits: str
) -> None:
    chosen = _chosen(targets, _grounds(**chip))
    assert list(chosen.ids) == couplings
    assert chosen.qubits == tuple(qubits)


@pytest.mark.parametrize(
    ("session", "step", "ids"),
    [
        # A step of couplings is about those between the session's qubits.
        ({"muxes": [0]}, _auto(), ["0-1", "0-2", "3-1", "3-2"]),
        ({"qubits": ["0", "1", "2"]}, _auto(), ["0-1", "0-2"]),
        ({"muxes": [0]}, {**_auto(), **_without("0")}, ["3-1", "3-2"]),
        ({"muxes": [0]}, _ids("3-1"), ["3-1"]),
        ({"muxes": [0]}, _ids("3-1", inverse=True), ["1-3"]),
        # And in a session of couplings a step of qubits is about their ends.
        (_ids("0-1", "4-5"), {"all": True}, ["0", "1", "4", "5"]),
        (_ids("0-1", "4-5"), {"muxes": [1]}, ["4", "5"]),
        (_ids("0-1", "4-5"), {"qubits": ["5"]}, ["5"]),
        (_ids("0-1", "4-5"), _ids("4-5"), ["4-5"]),
        (_ids("0-1", "4-5"), None, ["0-1", "4-5"]),
        # The chip is allowed everywhere.
        ({"muxes": [0]}, {"chip": True}, ["chip"]),
        (_ids("0-1"), {"chip": True}, ["chip"]),
        ({"chip": True}, {"chip": True}, ["chip"]),
    ],
)
def test_a_step_may_be_about_something_else_than_its_session(
    session: dict[str, Any], step: dict[str, Any] | None, ids: list[str]
) -> None:
    assert list(_chosen(session, _grounds(), step).ids) == ids


@pytest.mark.parametrize(
    ("frequencies", "fields", "ids"),
    [
        ({"0": 4.9, "1": 5.1}, {}, ["0-1"]),
        ({"0": 5.1, "1": 4.9}, {}, ["1-0"]),
        ({"0": 5.1, "1": 4.9}, {"inverse": True}, ["0-1"]),
        # Equal ones have one direction all the same.
        ({"0": 5.0, "1": 5.0}, {}, ["0-1"]),
    ],
)
def test_the_lower_frequency_drives(frequencies: dict[str, float], fields: dict[str, Any], ids: list[str]) -> None:
    chosen = _chosen(_ids("0-1", direction="Frequency", **fields), _grounds(frequencies))
    assert (list(chosen.ids), chosen.qubits) == (ids, ("0", "1"))


@pytest.mark.parametrize(
    ("session", "step", "chip", "sentence"),
    [
        (
            _ids("1-0"),
            None,
            {},
            "spec.targets.couplings.ids: chip 'fridge-a' lists this coupling as 0-1: write it so, and inverse: true to "
            "drive it the other way round",
        ),
        (
            _ids("0-7"),
            None,
            {},
            "spec.targets.couplings.ids: chip 'fridge-a' has no coupling '0-7' (qubit 0 is coupled to 1, 2): correct",
        ),
        (_ids("9-1"), None, {}, "has no coupling '9-1' (there is no qubit 9): correct it"),
        (
            _ids("0-1"),
            None,
            {"disabled": {"couplings": ["0-1"]}},
            "coupling 0-1 of chip 'fridge-a' is disabled (Chip.spec.disabled): remove it from "
            "spec.targets.couplings.ids",
        ),
        (
            _ids("0-1"),
            None,
            {"disabled": {"qubits": ["1"]}},
            "spec.targets.couplings.ids: qubit 1 of coupling 0-1 is disabled: correct the targets",
        ),
        (
            {**_ids("0-1"), **_without("0")},
            None,
            {},
            "spec.targets.couplings.ids: qubit 0 of coupling 0-1 does not belong to the targets: correct the targets",
        ),
        ({**_auto(), **_without("99")}, None, {}, "chip 'fridge-a' has no qubit '99' (it has 0...7)"),
        (
            {**_auto(), **_without(*"0347")},
            None,
            {},
            "spec.targets.couplings: there is no coupling between the chip's qubits: correct the targets",
        ),
        ({"qubits": ["0"]}, _auto(), {}, "spec.steps[1].targets.couplings: there is no coupling between the session's"),
        (
            {"qubits": ["0", "1"]},
            _ids("0-2"),
            {},
            "spec.steps[1].targets.couplings.ids: qubit 2 of coupling 0-2 does not belong to the targets",
        ),
        ({"all": True}, {**_auto(), **_without("99")}, {}, "has no qubit '99' (it has 0...7): correct spec.steps[1]"),
        (
            {"all": True},
            _auto(direction="Frequency"),
            {},
            "spec.steps[1].targets.couplings.direction is Frequency, and nothing is known of the frequency of qubit 0: "
            "run CheckChevron first, or set direction: Design",
        ),
        (
            {"chip": True},
            {"all": True},
            {},
            "spec.steps[1].targets: the session is about the chip as a whole: give spec.targets qubits or couplings",
        ),
        ({"chip": True}, _auto(), {}, "spec.steps[1].targets: the session is about the chip as a whole"),
        (_ids("0-1"), {"qubits": ["2"]}, {}, "spec.steps[1].targets names qubit 2, which spec.targets leaves out"),
        (_ids("0-1"), {"muxes": [1]}, {}, "spec.steps[1].targets has no qubit in common with spec.targets"),
    ],
)
def test_what_does_not_fit_is_refused_in_words_that_help(
    session: dict[str, Any], step: dict[str, Any] | None, chip: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(PlanProblem) as problem:
        _chosen(session, _grounds(**chip), step)
    assert sentence in str(problem.value)


def test_a_qubit_that_is_coupled_to_none_is_there_all_the_same() -> None:
    sites = [{"id": str(number), "x": number, "y": 0, "mux": 0} for number in range(3)]
    spec = chip_spec(topology={"qubits": sites, "couplings": [{"control": "0", "target": "1"}]})
    with pytest.raises(PlanProblem) as problem:
        session_targets(Targets.model_validate(_ids("2-1")), Grounds("fridge-a", spec, {}))
    assert "has no coupling '2-1' (qubit 2 is coupled to no other): correct it" in str(problem.value)
