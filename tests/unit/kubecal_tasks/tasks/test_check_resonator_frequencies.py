"""CheckResonatorFrequencies on simulated qubits."""

from __future__ import annotations

import pytest

from kubecal.api.request import Verdict
from kubecal_tasks.physics.readout import line_frequencies
from kubecal_tasks.tasks.check_resonator_frequencies import CheckResonatorFrequencies
from tests.unit.kubecal_tasks.tasks.chip import chip, found, truth

TASK = "CheckResonatorFrequencies"


@pytest.mark.parametrize("qubit", ["0", "1", "3"])
def test_it_finds_the_qubit_s_own_line_among_four(qubit: str) -> None:
    outcome = chip(priors={"frequencyMHz": 10, "amplitude": 0.3, "readoutMHz": 3}).run(TASK, qubit)
    measured = found(outcome, "coarse_resonator_frequency")
    right = line_frequencies(truth(qubit), outcome.inputs["readout_amplitude"].value)[0] / 1e9
    assert outcome.verdict is Verdict.OK
    assert abs(measured.value - right) < 4 * measured.error
    assert measured.error < 60e-6


def test_the_line_of_a_neighbour_is_not_taken_for_its_own() -> None:
    outcome = chip().run(TASK, "0", {"frequency_range": {"start": 6.99, "stop": 7.4, "num": 206}})
    assert outcome.verdict is Verdict.WINDOW
    assert "widen frequency_range" in outcome.judged.message


@pytest.mark.parametrize(("share", "verdict"), [(0.04, Verdict.OK), (0.3, Verdict.POOR_FIT)])
def test_glitches_are_survived_or_named(share: float, verdict: Verdict) -> None:
    assert chip(faults=[{"kind": "Glitches", "target": "1", "value": share}]).run(TASK, "1").verdict is verdict


def test_frequencies_that_are_not_evenly_spaced_are_refused() -> None:
    with pytest.raises(AssertionError, match="evenly spaced"):
        chip().run(TASK, "0", {"frequency_range": [6.9, 6.91, 6.93, 7.0, 7.1]})


def test_the_catalogue_names_what_it_writes() -> None:
    entry = CheckResonatorFrequencies.catalogue_entry()
    assert [(each.name, each.unit) for each in entry.outputs] == [("coarse_resonator_frequency", "GHz")]
    assert [each.name for each in entry.run_parameters] == ["frequency_range", "shots", "interval"]
