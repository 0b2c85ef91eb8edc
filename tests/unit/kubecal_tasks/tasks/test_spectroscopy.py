"""Spectroscopy of qubits of which only the band is known, and the bring-up that starts with it."""

from __future__ import annotations

import pytest

from kubecal.api.request import Verdict
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.check_qubit_spectroscopy import CheckQubitSpectroscopy
from kubecal_tasks.tasks.check_simultaneous_qubit_spectroscopy import CheckSimultaneousQubitSpectroscopy
from tests.unit.kubecal_tasks.tasks.bring_up import answers, bring_up, pulls

BAND = {"frequency_range": {"start": 4.5, "stop": 5.5, "num": 201}}
FEW_POWERS = BAND | {"power_range": {"start": -30, "stop": 0, "num": 4}}
WHOLE_BAND = {"qubit": {"min": 4.5, "max": 5.5}}
"""Of a chip on which that range leaves nothing out."""
CHAIN = ("CheckQubitSpectroscopy", "CheckControlAmplitude", "CheckChevron")
TASK, BATCH = CheckQubitSpectroscopy.name, CheckSimultaneousQubitSpectroscopy.name


@pytest.mark.parametrize("seed", [41, 43])
def test_a_qubit_is_brought_up_from_its_band(seed: int) -> None:
    loop, right = bring_up(seed), answers(seed, "0")
    for task in CHAIN:
        outcome = loop.run(task, "0", BAND if task == TASK else None)
        assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
        assert all(each.accepted for each in outcome.judged.outputs)
        assert all(abs(pull) < 4.5 for pull in pulls(outcome, right).values())
    found = loop.found["0"]
    assert found["qubit_frequency"].value == pytest.approx(right["qubit_frequency"], abs=0.5e-3)
    assert found["control_amplitude"].value == pytest.approx(right["control_amplitude"], rel=0.02)
    assert found["anharmonicity"].value == pytest.approx(right["anharmonicity"], abs=2e-3)


def test_the_coarse_scan_is_followed_by_a_map_about_the_line_and_by_its_two_photon_line() -> None:
    outcome = bring_up(45).run(TASK, "0", FEW_POWERS)
    coarse, powers, pair = (Acquisition.from_npz(each.content) for each in outcome.raw_data)
    assert [each.label for each in (coarse, powers, pair)] == ["coarse -20 dB", "map", "two photons"]
    assert powers.program.shape == (4, 105, 2)
    about = powers.program.frames[0].at({"detuning": 0.0}).frequency_hz
    assert about == pytest.approx(1e9 * answers(45, "0")["qubit_frequency"], abs=10e6)


def test_without_a_range_the_band_of_the_design_is_scanned() -> None:
    loop = bring_up(46)
    parameters = {"power_range": FEW_POWERS["power_range"]}
    loop.bands = {"qubit": {"min": 4.6, "max": 5.4}}
    outcome = loop.run(TASK, "0", parameters)
    assert outcome.verdict is Verdict.OK
    coarse = Acquisition.from_npz(outcome.raw_data[0].content)
    frame = coarse.program.frames[0]
    ends = [frame.at({"detuning": each}).frequency_hz for each in (coarse.data.axes[0][0], coarse.data.axes[0][-1])]
    assert ends == pytest.approx([4.6e9, 5.4e9])
    assert coarse.data.axes[0].size == 161


def test_a_silent_line_is_no_signal_at_every_power_and_more_shots_are_suggested() -> None:
    loop = bring_up(47, faults=[{"kind": "NoLine", "target": "0"}])
    loop.bands = WHOLE_BAND
    outcome = loop.run(TASK, "0", FEW_POWERS)
    assert outcome.verdict is Verdict.NO_SIGNAL
    assert "no line between 4.5 and 5.5 GHz" in outcome.judged.message
    assert not outcome.judged.outputs
    assert len(outcome.raw_data) == 3, "at each power, and nothing after"
    assert outcome.judged.suggestion is not None
    assert outcome.judged.suggestion.parameters["shots"] == 4096


def test_a_range_without_the_qubit_is_a_window_and_the_whole_band_finds_it() -> None:
    loop = bring_up(48)
    powers = {"power_range": FEW_POWERS["power_range"]}
    outcome = loop.run(TASK, "0", powers | {"frequency_range": {"start": 5.6, "stop": 6.0, "num": 81}})
    assert outcome.verdict is Verdict.WINDOW
    assert "let frequency_range hold all of it" in outcome.judged.message
    assert not any(each.accepted for each in outcome.judged.outputs)
    assert outcome.judged.suggestion is not None
    again = loop.run(TASK, "0", powers | dict(outcome.judged.suggestion.parameters))
    assert again.verdict is Verdict.OK


def test_several_qubits_are_swept_together_and_judged_each_by_itself() -> None:
    loop = bring_up(49, faults=[{"kind": "NoLine", "target": "2"}])
    loop.bands = WHOLE_BAND
    outcomes = loop.run_all(BATCH, "0", ("0", "1", "2"), BAND | {"power_range": {"start": -20, "stop": 0, "num": 3}})
    assert [outcomes[one].verdict for one in ("0", "1", "2")] == [Verdict.OK, Verdict.OK, Verdict.NO_SIGNAL]
    for one in ("0", "1"):
        assert all(abs(pull) < 4.5 for pull in pulls(outcomes[one], answers(49, one)).values())
    assert not any(each.accepted for each in outcomes["2"].judged.outputs)


def test_the_lines_are_drawn_over_frequency_and_power() -> None:
    loop = bring_up(50)
    loop.figures = True
    figures = {each.json.name: each.json.content for each in loop.run(TASK, "0", FEW_POWERS).figures}
    assert set(figures) == {"scan.json", "power_map.json", "coarse_scan.json", "two_photons.json"}
    for words in (b'"f01"', b'"f12"', b'"two photons"', b'"limit of noise"'):
        assert words in figures["coarse_scan.json"]
    assert b'"z":[[' in figures["power_map.json"]


def test_what_is_declared_is_what_the_catalogue_promises() -> None:
    for task, batch in ((CheckQubitSpectroscopy, False), (CheckSimultaneousQubitSpectroscopy, True)):
        entry = task.catalogue_entry()
        assert [(o.name, o.unit, o.required) for o in entry.outputs] == [
            ("coarse_qubit_frequency", "GHz", True),
            ("anharmonicity", "GHz", False),
            ("f01_quality_level", "", False),
            ("coarse_control_amplitude", "a.u.", False),
        ]
        assert (entry.batch, entry.timeout_s) == (batch, 7200)
        defaults = {p.name: p.default for p in entry.run_parameters}
        assert defaults["frequency_range"] is None
        assert defaults["power_range"] == {"start": -40, "stop": 0, "num": 9}
