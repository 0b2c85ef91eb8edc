"""CheckOptimalReadoutAmplitude on simulated qubits."""

from __future__ import annotations

import numpy as np
import pytest

from kubecal.api.request import Verdict
from kubecal_tasks.physics.readout import Readout
from kubecal_tasks.tasks.check_optimal_readout_amplitude import CheckOptimalReadoutAmplitude
from tests.unit.kubecal_tasks.tasks.chip import found, truth
from tests.unit.kubecal_tasks.tasks.test_readout_points import with_pulses

TASK = "CheckOptimalReadoutAmplitude"


def right(qubit: str, frequency_ghz: float) -> float:
    """Where the noiseless separation has risen to 95 % of its largest within the default sweep."""
    fine = np.linspace(0.01, 0.25, 5000)
    centres = Readout.of(truth(qubit), frequency_ghz * 1e9, fine, 384e-9).centres
    size = np.abs(centres[:, 1] - centres[:, 0])
    return float(fine[np.argmax(size >= 0.95 * size.max())])


@pytest.mark.parametrize("qubit", ["0", "1", "2", "5"])
def test_it_finds_where_the_separation_saturates(qubit: str) -> None:
    outcome = with_pulses(qubit).run(TASK, qubit)
    assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
    measured = found(outcome, "readout_amplitude")
    value = right(qubit, outcome.inputs["readout_frequency"].value)
    assert abs(measured.value - value) < max(4 * measured.error, 0.02 * value)
    assert measured.error < 0.05 * value


def test_it_draws_a_figure() -> None:
    (figure,) = with_pulses("1", figures=True).run(TASK, "1").figures
    assert figure.png.content.startswith(b"\x89PNG")


def test_a_sweep_that_ends_too_early_goes_further() -> None:
    first = with_pulses("1").run(TASK, "1", {"amplitudes": {"start": 0.01, "stop": 0.08, "num": 25}})
    assert first.verdict is Verdict.WINDOW
    assert first.judged.suggestion is not None
    assert with_pulses("1").run(TASK, "1", first.judged.suggestion.parameters).verdict is Verdict.OK


def test_a_drive_that_does_not_arrive_is_no_signal() -> None:
    outcome = with_pulses("1", faults=[{"kind": "NoLine", "target": "1"}]).run(TASK, "1")
    assert outcome.verdict is Verdict.NO_SIGNAL
    assert not any(each.accepted for each in outcome.judged.outputs)


@pytest.mark.parametrize(("share", "verdict"), [(0.04, Verdict.OK), (0.3, Verdict.POOR_FIT)])
def test_glitches_are_survived_or_named(share: float, verdict: Verdict) -> None:
    faults = [{"kind": "Glitches", "target": "1", "value": share}]
    assert with_pulses("1", faults=faults).run(TASK, "1").verdict is verdict


def test_the_catalogue_names_what_it_reads_and_writes() -> None:
    entry = CheckOptimalReadoutAmplitude.catalogue_entry()
    assert "pi_amplitude" in {each.name for each in entry.inputs if each.required}
    assert [(each.name, each.unit) for each in entry.outputs] == [("readout_amplitude", "a.u.")]
    assert entry.run_parameters[0].default == {"start": 0.01, "stop": 0.25, "num": 25}
