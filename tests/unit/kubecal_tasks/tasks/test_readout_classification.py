"""Single-shot readout on simulated qubits."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import Verdict
from kubecal.api.topology import square_lattice
from kubecal_tasks.tasks.readout_classification import ReadoutClassification
from tests.bench.answers import Answers
from tests.bench.closed_loop import ClosedLoop, Outcome

TOPOLOGY = square_lattice(2, 2, 4)
CONFIG: dict[str, Any] = {"seed": 3, "drift": False}
TASK = "ReadoutClassification"


@cache
def prepared(qubit: str) -> ClosedLoop:
    loop = ClosedLoop(TOPOLOGY, CONFIG)
    for task in ("CheckRabi", "CreateDRAGPIPulse"):
        loop.run(task, qubit)
    return loop


def classified(qubit: str = "0", design: dict[str, Any] | None = None, faults: tuple[str, ...] = ()) -> Outcome:
    config = CONFIG | {"faults": [{"kind": kind, "target": qubit} for kind in faults]}
    found = {qubit: dict(prepared(qubit).found[qubit])}
    return ClosedLoop(TOPOLOGY, config, {qubit: design or {}}, found=found).run(TASK, qubit)


@pytest.mark.parametrize("qubit", ["0", "1", "2", "3"])
def test_fidelities_and_centres_are_those_of_the_noiseless_simulator(qubit: str) -> None:
    outcome = classified(qubit)
    assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
    found = {each.name: (each.value, each.error) for each in outcome.judged.outputs}
    answers = Answers(TOPOLOGY, 3).of(qubit, outcome)
    assert set(answers) == {"average_readout_fidelity", "readout_fidelity_0", "readout_fidelity_1"}
    for name, truth in answers.items():
        value, error = found[name]
        assert abs(value - truth) < 4.5 * error, name
        assert error < 0.01


@pytest.mark.parametrize(("share", "verdict"), [(0.04, Verdict.OK), (0.25, Verdict.POOR_FIT)])
def test_garbage_among_the_shots_is_survived_or_named(share: float, verdict: Verdict) -> None:
    config = CONFIG | {"faults": [{"kind": "Glitches", "target": "0", "value": share}]}
    outcome = ClosedLoop(TOPOLOGY, config, found={"0": dict(prepared("0").found["0"])}).run(TASK, "0")
    assert outcome.verdict is verdict, outcome.judged.message


@pytest.mark.parametrize("fault", ["NoLine", "DeadQubit"])
def test_without_a_signal_nothing_is_accepted(fault: str) -> None:
    outcome = classified(faults=(fault,))
    assert outcome.verdict is Verdict.NO_SIGNAL
    assert not any(each.accepted for each in outcome.judged.outputs)


def test_a_readout_far_too_weak_is_not_accepted() -> None:
    outcome = classified(design={"readout_amplitude": {"value": 0.008}})
    assert outcome.verdict in (Verdict.POOR_FIT, Verdict.NO_SIGNAL)
    assert "readout_amplitude" in outcome.judged.message
    assert not any(each.accepted for each in outcome.judged.outputs)


def test_the_catalogue_entry_is_as_agreed() -> None:
    entry = ReadoutClassification.catalogue_entry()
    assert (entry.kind, entry.r2_threshold, entry.timeout_s) == (TargetKind.QUBIT, None, 3600.0)
    assert {each.name: each.default for each in entry.run_parameters} == {"shots": 2048, "interval": None}
    assert {"drag_pi_amplitude", "drag_pi_beta", "drag_pi_length"} <= {each.name for each in entry.inputs}
    grouped = {each.name: each.unit for each in entry.outputs if each.group == "classifier"}
    assert grouped == {
        "classifier_ground_i": "a.u.",
        "classifier_ground_q": "a.u.",
        "classifier_excited_i": "a.u.",
        "classifier_excited_q": "a.u.",
        "classifier_sigma": "a.u.",
        "classifier_angle": "rad",
        "classifier_threshold": "a.u.",
    }
    alone = {each.name for each in entry.outputs if not each.group}
    assert alone == {"average_readout_fidelity", "readout_fidelity_0", "readout_fidelity_1"}
