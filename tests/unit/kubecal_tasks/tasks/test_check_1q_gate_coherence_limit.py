"""The coherence limit of one-qubit gates is computed, whatever the instruments do."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import Verdict
from kubecal.api.topology import square_lattice
from kubecal_tasks.tasks.check_1q_gate_coherence_limit import Check1QGateCoherenceLimit
from tests.bench.closed_loop import ClosedLoop, Outcome, TaskFailedError

TIMES = {"t1_average": {"value": 30.0, "error": 1.0}, "t2_echo_average": {"value": 40.0, "error": 2.0}}
SINGLE = {"t1": {"value": 20.0, "error": 1.0}, "t2_echo": {"value": 25.0, "error": 1.0}}


def computed(known: dict[str, Any], config: dict[str, Any] | None = None, **parameters: Any) -> Outcome:
    loop = ClosedLoop(square_lattice(2, 2, 4), config or {}, {"0": known})
    return loop.run("Check1QGateCoherenceLimit", "0", parameters)


def limit(gate_us: float, t1_us: float, t2_us: float) -> float:
    """physics.md, section 3."""
    return 1 - (3 - 2 * math.exp(-gate_us / t2_us) - math.exp(-gate_us / t1_us)) / 6


@pytest.mark.parametrize(
    ("known", "parameters", "expected"),
    [
        (TIMES, {}, limit(0.016, 30, 40)),
        (TIMES, {"drag_hpi_duration": 32}, limit(0.032, 30, 40)),
        (SINGLE, {}, limit(0.016, 20, 25)),
        (TIMES | SINGLE, {}, limit(0.016, 30, 40)),
        ({"t1_average": TIMES["t1_average"], "t2_echo": SINGLE["t2_echo"]}, {}, limit(0.016, 30, 25)),
    ],
)
def test_it_follows_from_the_times_that_are_known(
    known: dict[str, Any], parameters: dict[str, Any], expected: float
) -> None:
    outcome = computed(known, **parameters)
    (output,) = outcome.judged.outputs
    assert (outcome.verdict, output.accepted) == (Verdict.OK, True)
    assert output.value == pytest.approx(expected, abs=1e-12)


def test_its_error_follows_from_theirs() -> None:
    (output,) = computed(TIMES).judged.outputs
    t1, t2 = 0.016 / 6 / 30**2 * 1.0, 0.016 / 3 / 40**2 * 2.0
    assert output.error == pytest.approx(math.hypot(t1, t2), rel=0.01)


def test_the_record_names_what_was_used() -> None:
    assert set(computed(SINGLE).inputs) == {"t1", "t2_echo"}


def test_its_figure_shows_the_limit_at_the_gate() -> None:
    loop = ClosedLoop(square_lattice(2, 2, 4), {}, {"0": TIMES}, figures=True)
    (figure,) = loop.run("Check1QGateCoherenceLimit", "0").figures
    (panel,) = json.loads(figure.json.content)["panels"]
    point = next(each for each in panel["series"] if each["name"] == "limit")
    assert (point["x"], point["y"]) == ([16.0], [pytest.approx(1 - limit(0.016, 30, 40), rel=1e-6)])


def test_no_instrument_is_asked() -> None:
    broken = {"faults": [{"kind": "InstrumentError", "target": "0"}]}
    outcome = computed(TIMES, broken)
    assert (outcome.verdict, outcome.raw_data) == (Verdict.OK, ())


def test_without_any_time_it_is_said_which_are_missing() -> None:
    with pytest.raises(TaskFailedError, match=r"missing input t1_average or t1 of qubit 0: run CheckT1Average"):
        computed({})


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"t1": {"value": 20.0, "error": 0.5}, "t2_echo": {"value": 60.0, "error": 1.0}}, "longer than 2 T1"),
        ({"t1": {"value": -1.0}, "t2_echo": {"value": 10.0}}, "are no times"),
    ],
)
def test_times_that_cannot_be_are_unphysical(known: dict[str, Any], words: str) -> None:
    outcome = computed(known)
    assert outcome.verdict is Verdict.UNPHYSICAL
    assert words in outcome.judged.message
    assert not outcome.judged.outputs


def test_the_catalogue_entry_is_as_agreed() -> None:
    entry = Check1QGateCoherenceLimit.catalogue_entry()
    assert (entry.kind, entry.drives, entry.r2_threshold) == (TargetKind.QUBIT, False, None)
    assert [each.name for each in entry.inputs] == ["t1_average", "t1", "t2_echo_average", "t2_echo"]
    assert [(each.name, each.unit) for each in entry.outputs] == [("one_qubit_gate_coherence_limit", "")]
    assert {each.name: each.default for each in entry.run_parameters} == {"drag_hpi_duration": 16}
