"""CheckWaveform on the simulated chip."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import Verdict
from kubecal.api.topology import square_lattice
from kubecal_tasks.tasks.check_waveform import CheckWaveform
from tests.bench.closed_loop import ClosedLoop, Outcome


def run(
    qubit: str = "2",
    parameters: Mapping[str, Any] | None = None,
    faults: list[dict[str, Any]] | None = None,
    amplitude: float | None = None,
    figures: bool = False,
) -> Outcome:
    design = {} if amplitude is None else {qubit: {"readout_amplitude": {"value": amplitude}}}
    config = {"seed": 3, "drift": False, "faults": faults or []}
    return ClosedLoop(square_lattice(2, 2, 4), config, design, figures=figures).run("CheckWaveform", qubit, parameters)


@pytest.mark.parametrize("margins", [0, 100])
@pytest.mark.parametrize("qubit", ["0", "1", "2", "3"])
def test_a_healthy_line_shows_a_level_tone(qubit: str, margins: float) -> None:
    outcome = run(qubit, {"margins": margins})
    assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
    assert outcome.judged.metrics["magnitude"] == pytest.approx(0.2, rel=0.15)


def test_a_line_without_a_tone_has_no_signal_and_asks_for_more_shots() -> None:
    outcome = run(amplitude=1e-7)
    assert outcome.verdict is Verdict.NO_SIGNAL
    assert outcome.judged.suggestion is not None
    assert outcome.judged.suggestion.parameters == {"shots": 8192}


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ({"kind": "SaturatedReadout"}, Verdict.UNPHYSICAL),
        ({"kind": "Glitches", "value": 0.04}, Verdict.OK),
        ({"kind": "Glitches", "value": 0.3}, Verdict.POOR_FIT),
        ({"kind": "InstrumentError"}, Verdict.HARDWARE_ERROR),
    ],
)
def test_a_fault_gets_its_verdict(fault: dict[str, Any], verdict: Verdict) -> None:
    outcome = run(faults=[fault | {"target": "2"}])
    assert outcome.verdict is verdict, outcome.judged.message


def test_the_catalogue_entry_is_as_agreed() -> None:
    entry = CheckWaveform.catalogue_entry()
    assert (entry.kind, entry.outputs, entry.timeout_s, entry.r2_threshold) == (TargetKind.QUBIT, (), 3600.0, None)
    assert [each.name for each in entry.inputs] == ["readout_frequency", "readout_amplitude", "readout_length"]
    assert {each.name: each.default for each in entry.run_parameters} == {
        "margins": 0.0,
        "shots": 2048,
        "interval": None,
    }


@pytest.mark.parametrize("amplitude", [None, 1e-7])
def test_both_quadratures_are_drawn(amplitude: float | None) -> None:
    (figure,) = run(parameters={"margins": 100}, amplitude=amplitude, figures=True).figures
    panels = json.loads(figure.json.content)["panels"]
    assert [panel["name"] for panel in panels] == ["I", "Q"]
    assert [series["name"] for series in panels[0]["series"]] == (["data", "level"] if amplitude is None else ["data"])
