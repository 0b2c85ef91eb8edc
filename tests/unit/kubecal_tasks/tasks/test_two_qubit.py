"""The two-qubit tasks on simulated couplings, one after the other, as a session runs them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import Verdict
from kubecal.api.units import from_si
from kubecal_tasks.backends.registry import open_backend
from kubecal_tasks.framework.export import installed_catalogue
from kubecal_tasks.tasks.check_cross_resonance import CheckCrossResonance
from kubecal_tasks.tasks.create_zx90 import halves_s
from tests.unit.kubecal_tasks.tasks.couplings import CalibratedCoupling, CouplingOutcome

TASKS = ("CheckCrossResonance", "CreateZX90", "CheckZX90", "CheckBellState", "CheckBellStateTomography")
CR_GROUP = ("cr_amplitude", "cr_phase", "rotary_amplitude", "cancel_amplitude", "cancel_phase", "cancel_beta")
TUNED = {
    "cr_amplitude": 0.66, "cr_phase": 0.0, "rotary_amplitude": 0.1, "cancel_amplitude": 0.014, "cancel_phase": -2.4,
    "cancel_beta": 0.0, "zx90_gate_time": 368.0,
}  # fmt: skip
"""About what the tasks find on the coupling of seed 3."""
UNITS = {"zx_rotation_rate": "MHz", "cancel_beta": "ns"}
PICTURED = ("CheckZX90", "CheckBellState", "CheckBellStateTomography")
"""Drawn here; the others' figures take longer and are drawn in the tests of figures."""


@pytest.fixture(scope="module")
def coupling() -> CalibratedCoupling:
    return CalibratedCoupling(3)


@pytest.fixture(scope="module")
def outcomes(coupling: CalibratedCoupling) -> dict[str, CouplingOutcome]:
    return {task: coupling.run(task, figures=task in PICTURED) for task in TASKS}


@pytest.mark.parametrize("task", TASKS)
def test_a_healthy_coupling_passes(outcomes: dict[str, CouplingOutcome], task: str) -> None:
    outcome = outcomes[task]
    assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
    assert all(each.accepted for each in outcome.judged.outputs)
    assert len(outcome.figures) == (1 if task in PICTURED else 0)
    assert all(figure.png.content.startswith(b"\x89PNG") for figure in outcome.figures)


def test_the_gate_is_as_fast_as_such_couplings_allow(outcomes: dict[str, CouplingOutcome]) -> None:
    rate, error = outcomes["CheckCrossResonance"].values["zx_rotation_rate"]
    assert 0.3 < rate < 1.5
    assert error < 0.01
    assert 150 < outcomes["CreateZX90"].values["zx90_gate_time"][0] < 400


def test_a_gate_whose_flips_reach_the_target_is_found_too() -> None:
    """Both qubits are 74 MHz apart: what a flip of 24 ns does to the target shows in every short train."""
    coupling = CalibratedCoupling(22, "3-1")
    for task in ("CheckCrossResonance", "CreateZX90"):
        outcome = coupling.run(task)
        assert outcome.verdict is Verdict.OK, outcome.judged.message
    assert abs(coupling.zx90_error()) < 0.02


def test_durations_of_the_gate_are_whole_rounds_of_the_two_frequencies_apart() -> None:
    for distance_hz in (60e6, 73e6, 110e6, 160e6):
        halves = halves_s(distance_hz)
        rounds = np.diff(halves) * distance_hz
        assert rounds == pytest.approx(np.round(rounds), abs=1e-6)
        assert 13e-9 < np.diff(halves).min() < 28e-9
        assert halves[0] == 60e-9
        assert 870e-9 < halves[-1] <= 900e-9 + 1e-12
    assert np.diff(halves_s(0.0)) == pytest.approx(20e-9)


def test_the_gate_turns_by_what_the_check_says(
    coupling: CalibratedCoupling, outcomes: dict[str, CouplingOutcome]
) -> None:
    found, error = outcomes["CheckZX90"].values["zx90_error"]
    truth = coupling.zx90_error()
    assert abs(found - truth) < 4.5 * error
    assert abs(truth) < 0.01, "the gate is right to a hundredth of a radian"


def test_the_bell_fidelity_is_what_the_noiseless_simulator_gives(
    coupling: CalibratedCoupling, outcomes: dict[str, CouplingOutcome]
) -> None:
    found, error = outcomes["CheckBellStateTomography"].values["bell_state_fidelity"]
    assert abs(found - coupling.bell_fidelity()) < 4 * error
    assert found > 0.9


def test_stored_data_say_the_same_again() -> None:
    """What a round plays follows from the rounds before it, whoever looks at them."""
    coupling = CalibratedCoupling(4, ordinal=1)
    outcome = coupling.run("CheckCrossResonance", {"shots": 512})
    task = coupling.task(CheckCrossResonance)
    again = task.postprocess(open_backend(coupling.request("CheckCrossResonance", {})), outcome.raw_data)
    found = {each.name: from_si(each.value, UNITS.get(each.name, "")) for each in again.estimates}
    assert found == pytest.approx({name: value for name, (value, _) in outcome.values.items()})


def test_without_an_iq_reference_the_basis_states_measured_beside_it_tell_up_from_down() -> None:
    coupling = CalibratedCoupling(3)
    for offers in coupling.found.values():
        for name in [name for name in offers if name.startswith("iq_")]:
            del offers[name]
    outcome = coupling.run("CheckCrossResonance")
    assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
    assert 0.3 < outcome.values["zx_rotation_rate"][0] < 1.5


def test_parity_alone_could_be_a_mixture_so_the_others_are_told_too(outcomes: dict[str, CouplingOutcome]) -> None:
    metrics = outcomes["CheckBellState"].judged.metrics
    assert outcomes["CheckBellState"].values["bell_parity"][0] > 0.9
    assert metrics["xx_parity"] > 0.85
    assert metrics["yy_parity"] < -0.85


@pytest.mark.parametrize(
    ("task", "fault"),
    [
        ("CheckCrossResonance", {"kind": "NoLine", "target": "0"}),
        ("CheckCrossResonance", {"kind": "DeadQubit", "target": "1"}),
        ("CreateZX90", {"kind": "NoLine", "target": "0"}),
        ("CheckZX90", {"kind": "DeadQubit", "target": "1"}),
        ("CheckBellState", {"kind": "DeadQubit", "target": "0"}),
        ("CheckBellStateTomography", {"kind": "DeadQubit", "target": "1"}),
    ],
)
def test_what_is_dead_is_no_signal_and_nothing_is_published(task: str, fault: dict[str, Any]) -> None:
    outcome = CalibratedCoupling(3, config={"faults": [fault]}).knows(**TUNED).run(task)
    assert outcome.verdict is Verdict.NO_SIGNAL, outcome.judged.message
    assert outcome.judged.message
    assert not any(each.accepted for each in outcome.judged.outputs)
    assert outcome.raw_data, "a failed verdict never loses data"


def test_a_sweep_too_coarse_for_how_fast_the_target_turns_is_a_wrong_window() -> None:
    coarse = {"times": {"start": 0, "stop": 9000, "num": 31}, "shots": 512}
    outcome = CalibratedCoupling(6).run("CheckCrossResonance", coarse)
    assert outcome.verdict is Verdict.WINDOW, outcome.judged.message
    assert outcome.judged.suggestion is not None
    assert outcome.judged.suggestion.parameters["times"]["num"] > 31


def test_a_sweep_too_short_for_anything_to_turn_is_a_wrong_window_too() -> None:
    fault = {"kind": "WrongWindow", "target": "0-1"}
    outcome = CalibratedCoupling(3, config={"faults": [fault]}).run("CheckCrossResonance")
    assert outcome.verdict is Verdict.WINDOW, outcome.judged.message
    assert outcome.judged.suggestion is not None
    assert outcome.judged.suggestion.parameters["times"]["stop"] == 1000.0


def test_halves_too_short_for_any_gate_to_turn_are_a_wrong_window_and_no_dead_line() -> None:
    fault = {"kind": "WrongWindow", "target": "0-1"}
    outcome = CalibratedCoupling(3, config={"faults": [fault]}).knows(**TUNED).run("CreateZX90")
    assert outcome.verdict is Verdict.WINDOW, outcome.judged.message
    assert not any(each.accepted for each in outcome.judged.outputs)


@pytest.mark.parametrize(("share", "verdict"), [(0.04, Verdict.OK), (0.25, Verdict.POOR_FIT)])
def test_garbage_among_the_shots_of_a_bell_state_is_survived_or_named(share: float, verdict: Verdict) -> None:
    fault = {"kind": "Glitches", "target": "1", "value": share}
    outcome = CalibratedCoupling(3, config={"faults": [fault]}).knows(**TUNED).run("CheckBellState")
    assert outcome.verdict is verdict, outcome.judged.message
    assert ("shots of the target" in outcome.judged.message) is (verdict is Verdict.POOR_FIT)


def test_a_gate_far_from_its_amplitude_is_a_wrong_window() -> None:
    coupling = CalibratedCoupling(3).knows(**TUNED | {"zx90_gate_time": 268.0})
    outcome = coupling.run("CheckZX90")
    assert outcome.verdict is not Verdict.OK or abs(outcome.values["zx90_error"][0]) > 0.3


def test_the_catalogue_knows_them_as_the_contract_has_them() -> None:
    catalogue = installed_catalogue().task_by_name
    for task in TASKS:
        entry = catalogue[task]
        assert (entry.kind, entry.timeout_s, entry.r2_threshold) == (TargetKind.COUPLING, 1500.0, None)
        assert 0 < entry.duration_s < entry.timeout_s
    groups = {output.name: output.group for output in catalogue["CreateZX90"].outputs}
    assert groups == dict.fromkeys((*CR_GROUP, "zx90_gate_time"), "cr")
    rate = next(o for o in catalogue["CheckCrossResonance"].outputs if o.name == "zx_rotation_rate")
    assert (rate.unit, rate.group, rate.required) == ("MHz", "", True)
    roles = {each.role for each in catalogue["CheckBellState"].inputs}
    assert roles == {"control", "target", ""}
