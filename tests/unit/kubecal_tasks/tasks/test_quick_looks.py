"""The short Rabi oscillation and the frequency from Rabi rates."""

from __future__ import annotations

import pytest

from kubecal.api.request import Verdict
from kubecal_tasks.tasks.check_qubit import CheckQubit
from kubecal_tasks.tasks.check_qubit_frequency import CheckQubitFrequency
from tests.bench.closed_loop import ClosedLoop
from tests.unit.kubecal_tasks.tasks.bring_up import LATTICE, answers, pulls, truth_of

PRIORS = {"frequencyMHz": 2, "amplitude": 0.1, "readoutMHz": 0.2}


def chip(seed: int, **config: object) -> ClosedLoop:
    return ClosedLoop(LATTICE, {"seed": seed, "drift": False, "priors": PRIORS, **config})


@pytest.mark.parametrize("qubit", ["0", "1", "2", "3"])
def test_the_frequency_is_found_within_its_error(qubit: str) -> None:
    outcome = chip(21).run("CheckQubitFrequency", qubit)
    assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
    assert abs(pulls(outcome, answers(21, qubit))["qubit_frequency"]) < 4.5


def test_a_quick_look_measures_the_rate_of_the_drive_and_what_the_readout_separates() -> None:
    loop = chip(22)
    loop.design = {"0": {"qubit_frequency": {"value": answers(22, "0")["qubit_frequency"], "error": 0.0}}}
    outcome = loop.run("CheckQubit", "0")
    assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
    found = {each.name: each for each in outcome.judged.outputs}
    rate = truth_of(22, "0").drive_hz * outcome.inputs["control_amplitude"].value / 1e6
    assert found["rabi_frequency"].value == pytest.approx(rate, abs=4.5 * found["rabi_frequency"].error)
    assert 0.05 < found["rabi_amplitude"].value < 0.6


@pytest.mark.parametrize("task", ["CheckQubit", "CheckQubitFrequency"])
def test_a_silent_line_is_no_signal(task: str) -> None:
    outcome = chip(23, faults=[{"kind": "NoLine", "target": "0"}]).run(task, "0")
    assert outcome.verdict is Verdict.NO_SIGNAL
    assert not any(each.accepted for each in outcome.judged.outputs)


@pytest.mark.parametrize(
    ("task", "parameter", "stop"),
    [("CheckQubit", "times", 8), ("CheckQubit", "times", 2), ("CheckQubitFrequency", "time_range", 16)],
)
def test_drives_too_short_to_turn_the_qubit_are_a_window_and_longer_ones_are_suggested(
    task: str, parameter: str, stop: float
) -> None:
    outcome = chip(24).run(task, "0", {parameter: {"start": 0, "stop": stop, "num": 33}})
    assert outcome.verdict is Verdict.WINDOW
    assert outcome.judged.suggestion is not None
    assert outcome.judged.suggestion.parameters[parameter]["stop"] > 2 * stop


def test_the_rates_are_drawn_on_their_hyperbola() -> None:
    loop = chip(25)
    loop.figures = True
    rates, chevron = loop.run("CheckQubitFrequency", "0").figures
    assert b'"previous"' in rates.json.content
    assert b'"resonance"' in rates.json.content
    assert b'"z":[[' in chevron.json.content


def test_what_is_declared_is_what_the_catalogue_promises() -> None:
    quick, frequency = CheckQubit.catalogue_entry(), CheckQubitFrequency.catalogue_entry()
    assert [(o.name, o.unit) for o in quick.outputs] == [("rabi_frequency", "MHz"), ("rabi_amplitude", "a.u.")]
    assert [(o.name, o.unit) for o in frequency.outputs] == [("qubit_frequency", "GHz")]
    assert (quick.r2_threshold, frequency.r2_threshold) == (0.7, None)
    assert quick.run_parameters[0].default == {"start": 0, "stop": 200, "num": 51}
    assert frequency.run_parameters[0].default == {"start": -10, "stop": 10, "num": 21}
