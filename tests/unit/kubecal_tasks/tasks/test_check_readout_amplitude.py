"""CheckReadoutAmplitude on the simulated chip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import Verdict
from kubecal.api.topology import square_lattice
from kubecal_tasks.physics.readout import Readout
from kubecal_tasks.tasks.check_readout_amplitude import CheckReadoutAmplitude
from tests.bench.closed_loop import ClosedLoop, Outcome
from tests.unit.kubecal_tasks.backends.fake.builders import backend


def run(
    qubit: str = "2",
    parameters: Mapping[str, Any] | None = None,
    faults: list[dict[str, Any]] | None = None,
    seed: int = 3,
    figures: bool = False,
) -> Outcome:
    config = {"seed": seed, "drift": False, "faults": faults or []}
    loop = ClosedLoop(square_lattice(2, 4, 4), config, figures=figures)
    return loop.run("CheckReadoutAmplitude", qubit, parameters)


def true_crossing(outcome: Outcome, qubit: str, seed: int, threshold: float) -> float:
    """Where the mean of a weak tone is that many times the noise of a shot."""
    chip = backend(qubit, config={"seed": seed})._chip
    truth, weak = chip.truth(qubit), 0.02
    hertz = outcome.inputs["readout_frequency"].value * 1e9
    read = Readout.of(truth, hertz, weak, 384e-9, others=chip.others_on_cable(qubit))
    mean = abs(read.centres @ np.asarray([1 - truth.thermal, truth.thermal, 0.0]))
    return threshold * float(read.sigma) / (float(mean) / weak)


@pytest.mark.parametrize(("threshold", "shots"), [(0.5, 8192), (1.0, 1024)])
def test_the_crossing_is_the_truth_within_its_error(threshold: float, shots: int) -> None:
    pulls = []
    for seed in range(6):
        for qubit in "0123":
            outcome = run(qubit, {"snr_threshold": threshold, "shots": shots}, seed=seed)
            assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
            (found,) = outcome.judged.outputs
            pulls.append((found.value - true_crossing(outcome, qubit, seed, threshold)) / found.error)
    assert np.abs(pulls).max() < 4.0
    assert abs(np.mean(pulls)) < 3.3 / np.sqrt(len(pulls))


def test_a_sweep_that_shows_nothing_has_no_signal_and_asks_for_more() -> None:
    outcome = run(parameters={"amplitudes": {"start": 0, "stop": 1e-5, "num": 51}})
    assert outcome.verdict is Verdict.NO_SIGNAL
    assert not outcome.judged.outputs[0].accepted
    assert outcome.judged.suggestion is not None
    assert set(outcome.judged.suggestion.parameters) == {"amplitudes", "shots"}


def test_a_sweep_that_ends_too_soon_leads_to_one_that_does_not() -> None:
    short = run(parameters={"amplitudes": {"start": 0, "stop": 0.015, "num": 51}})
    assert short.verdict is Verdict.WINDOW
    assert "sweep further" in short.judged.message
    assert short.judged.suggestion is not None
    assert run(parameters=short.judged.suggestion.parameters).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ({"kind": "WrongWindow"}, Verdict.WINDOW),
        ({"kind": "SaturatedReadout"}, Verdict.UNPHYSICAL),
        ({"kind": "Glitches", "value": 0.04}, Verdict.OK),
        ({"kind": "Glitches", "value": 0.35}, Verdict.POOR_FIT),
        ({"kind": "InstrumentError"}, Verdict.HARDWARE_ERROR),
    ],
)
def test_a_fault_gets_its_verdict(fault: dict[str, Any], verdict: Verdict) -> None:
    outcome = run(faults=[fault | {"target": "2"}])
    assert outcome.verdict is verdict, outcome.judged.message


def test_the_catalogue_entry_is_as_agreed() -> None:
    entry = CheckReadoutAmplitude.catalogue_entry()
    assert (entry.kind, entry.timeout_s, entry.r2_threshold) == (TargetKind.QUBIT, 3600.0, None)
    assert [each.name for each in entry.inputs] == ["readout_frequency", "readout_length"]
    assert [(each.name, each.unit, each.required) for each in entry.outputs] == [("readout_amplitude", "a.u.", True)]
    assert {each.name: each.default for each in entry.run_parameters} == {
        "amplitudes": {"start": 0, "stop": 0.2, "num": 51},
        "snr_threshold": 1.0,
        "shots": 1024,
        "interval": None,
    }


@pytest.mark.parametrize("faults", [[], [{"kind": "Glitches", "target": "2", "value": 0.35}]])
def test_ratio_and_crossing_are_drawn(faults: list[dict[str, Any]]) -> None:
    (figure,) = run(faults=faults, figures=True).figures
    assert figure.png.content.startswith(b"\x89PNG")
    assert b'"label":"threshold"' in figure.json.content
