"""CheckElectricalDelay on simulated qubits."""

from __future__ import annotations

import pytest

from kubecal.api.request import Verdict
from kubecal_tasks.tasks.check_electrical_delay import CheckElectricalDelay
from tests.unit.kubecal_tasks.tasks.chip import chip, found, truth

TASK = "CheckElectricalDelay"


@pytest.mark.parametrize("qubit", ["0", "1", "2", "3", "6"])
def test_it_finds_the_cable_s_delay(qubit: str) -> None:
    outcome = chip().run(TASK, qubit)
    assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
    measured = found(outcome, "electrical_delay")
    assert abs(measured.value - 1e9 * truth(qubit).resonator.delay_s) < 4 * measured.error
    assert measured.error < 0.5


def test_it_draws_a_figure() -> None:
    (figure,) = chip(figures=True).run(TASK, "1").figures
    assert figure.png.content.startswith(b"\x89PNG")


@pytest.mark.parametrize(("share", "verdict"), [(0.04, Verdict.OK), (0.3, Verdict.POOR_FIT)])
def test_glitches_are_survived_or_named(share: float, verdict: Verdict) -> None:
    faults = [{"kind": "Glitches", "target": "1", "value": share}]
    assert chip(faults=faults).run(TASK, "1").verdict is verdict


def test_too_weak_a_tone_is_no_signal() -> None:
    weak = {"0": {"readout_amplitude": {"value": 1e-5}}}
    loop = chip()
    loop.design = weak
    outcome = loop.run(TASK, "0", {"shots": 16})
    assert outcome.verdict is Verdict.NO_SIGNAL
    assert not any(each.accepted for each in outcome.judged.outputs)


def test_the_catalogue_names_what_it_reads_and_writes() -> None:
    entry = CheckElectricalDelay.catalogue_entry()
    assert {each.name for each in entry.inputs if each.required} == {"readout_frequency"}
    assert [(each.name, each.unit) for each in entry.outputs] == [("electrical_delay", "ns")]
