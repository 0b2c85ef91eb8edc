"""CheckResonatorSpectroscopy on simulated MUXes."""

from __future__ import annotations

import numpy as np
import pytest

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import Verdict
from kubecal_tasks.physics.readout import line_frequencies
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.check_resonator_spectroscopy import CheckResonatorSpectroscopy
from tests.bench.closed_loop import Outcome
from tests.unit.kubecal_tasks.tasks.chip import chip, found, members, run_mux, truth

TASK = "CheckResonatorSpectroscopy"
BRING_UP = {"frequencyMHz": 10, "amplitude": 0.3, "readoutMHz": 1}
NARROW = {
    "frequency_range": {"start": 6.8, "stop": 7.3, "num": 251},
    "power_range": {"start": -45, "stop": 0, "num": 10},
}


@pytest.fixture(scope="module")
def map_of_mux_0() -> dict[str, Outcome]:
    return run_mux(chip(figures=True, priors=BRING_UP), TASK, 0)


def test_each_qubit_gets_its_own_line(map_of_mux_0: dict[str, Outcome]) -> None:
    assert tuple(map_of_mux_0) == members(0)
    for qubit, outcome in map_of_mux_0.items():
        assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
        amplitude, frequency = found(outcome, "readout_amplitude"), found(outcome, "readout_frequency")
        right = line_frequencies(truth(qubit), amplitude.value)[0] / 1e9
        assert abs(frequency.value - right) < 4 * frequency.error
        assert frequency.error < 60e-6


def test_the_amplitude_leaves_98_per_cent_of_the_dressed_shift(map_of_mux_0: dict[str, Outcome]) -> None:
    for qubit, outcome in map_of_mux_0.items():
        amplitude = found(outcome, "readout_amplitude")
        low, here = (line_frequencies(truth(qubit), a)[0] for a in (0.0, amplitude.value))
        left = (here - truth(qubit).resonator.bare_hz) / (low - truth(qubit).resonator.bare_hz)
        assert left == pytest.approx(0.98, abs=0.002)
        assert found(outcome, "optimal_power").value == pytest.approx(20 * np.log10(amplitude.value))


def test_one_measurement_serves_all_and_each_has_a_figure(map_of_mux_0: dict[str, Outcome]) -> None:
    assert len({id(outcome.raw_data) for outcome in map_of_mux_0.values()}) == 1
    for outcome in map_of_mux_0.values():
        (figure,) = outcome.figures
        assert figure.png.content.startswith(b"\x89PNG")


def test_a_resonator_without_a_qubit_costs_the_others_nothing() -> None:
    outcomes = run_mux(chip(faults=[{"kind": "DeadQubit", "target": "1"}]), TASK, 0, NARROW)
    assert {q: o.verdict for q, o in outcomes.items()} == {
        "0": Verdict.OK,
        "1": Verdict.NO_SIGNAL,
        "2": Verdict.OK,
        "3": Verdict.OK,
    }
    assert "no qubit is coupled to it" in outcomes["1"].judged.message


def test_a_qubit_alone_gets_its_own_of_four_lines() -> None:
    outcome = run_mux(chip(), TASK, 0, NARROW, among=("2",))["2"]
    right = line_frequencies(truth("2"), found(outcome, "readout_amplitude").value)[0] / 1e9
    assert outcome.verdict is Verdict.OK
    assert found(outcome, "readout_frequency").value == pytest.approx(right, abs=200e-6)


def test_a_line_outside_the_sweep_is_not_taken_from_a_neighbour() -> None:
    band = {**NARROW, "frequency_range": {"start": 6.99, "stop": 7.12, "num": 66}}
    outcomes = run_mux(chip(), TASK, 0, band)
    assert {q: o.verdict is Verdict.OK for q, o in outcomes.items()} == {"0": False, "1": True, "2": True, "3": False}
    assert {outcomes["0"].verdict, outcomes["3"].verdict} == {Verdict.WINDOW}


def test_powers_that_stay_low_are_a_matter_of_the_window_and_mended() -> None:
    low = {**NARROW, "power_range": {"start": -60, "stop": -25, "num": 8}}
    outcome = run_mux(chip(), TASK, 0, low)["0"]
    assert outcome.verdict in (Verdict.WINDOW, Verdict.NO_SIGNAL)
    assert outcome.judged.suggestion is not None
    assert "power_range" in outcome.judged.suggestion.parameters or "shots" in outcome.judged.suggestion.parameters


@pytest.mark.parametrize(("share", "verdict"), [(0.04, Verdict.OK), (0.3, Verdict.POOR_FIT)])
def test_glitches_are_survived_or_named(share: float, verdict: Verdict) -> None:
    outcomes = run_mux(chip(faults=[{"kind": "Glitches", "target": "0", "value": share}]), TASK, 0, NARROW)
    assert {outcome.verdict for outcome in outcomes.values()} == {verdict}


@pytest.mark.parametrize(
    ("bands", "ends", "points"),
    [(None, (6.0e9, 8.0e9), 1001), ({"readout": {"min": 6.8, "max": 7.2}}, (6.8e9, 7.2e9), 201)],
)
def test_the_design_s_band_is_swept_or_else_the_backend_s(
    bands: dict[str, object] | None, ends: tuple[float, float], points: int
) -> None:
    few = {"shots": 2, "power_range": NARROW["power_range"]}
    outcome = run_mux(chip(), TASK, 0, few, among=("0",), bands=bands)["0"]
    _, frequencies = Acquisition.from_npz(outcome.raw_data[0].content).data.axes
    assert (frequencies[0], frequencies[-1]) == pytest.approx(ends)
    assert frequencies.size == points


def test_the_catalogue_knows_a_mux_task() -> None:
    entry = CheckResonatorSpectroscopy.catalogue_entry()
    assert entry.kind is TargetKind.MUX
    assert entry.timeout_s == 7200
    assert [(each.name, each.unit, each.group) for each in entry.outputs] == [
        ("readout_frequency", "GHz", "readout"),
        ("readout_amplitude", "a.u.", "readout"),
        ("optimal_power", "dB", ""),
    ]
