"""Interleaved benchmarking of the ZX90 gate on a simulated coupling."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from kubecal.api.request import Verdict
from kubecal_tasks.fits.rb import fit_rb, ratio
from kubecal_tasks.framework.task import Binding
from kubecal_tasks.physics.pair.evolution import PairEvolution
from kubecal_tasks.tasks.coherence import two_qubit_limit
from kubecal_tasks.tasks.zx90_interleaved_randomized_benchmarking import ZX90InterleavedRandomizedBenchmarking
from tests.unit.kubecal_tasks.tasks.couplings import CalibratedCoupling, CouplingOutcome
from tests.unit.kubecal_tasks.tasks.test_two_qubit import TUNED

TASK = ZX90InterleavedRandomizedBenchmarking
FEW = {"sequences": 3, "lengths": [1, 4, 16, 48]}


@pytest.fixture(scope="module")
def coupling() -> CalibratedCoupling:
    return CalibratedCoupling(3).knows(**TUNED)


@pytest.fixture(scope="module")
def outcome(coupling: CalibratedCoupling) -> CouplingOutcome:
    began = time.process_time()
    found = coupling.run(TASK.name)
    assert time.process_time() - began < 5.0, "it takes 1.6 s"
    return found


def bound(coupling: CalibratedCoupling, **parameters: int) -> ZX90InterleavedRandomizedBenchmarking:
    """The task with the inputs that the coupling gives it."""
    inputs = coupling.task(TASK).binding.inputs
    return TASK(Binding(coupling.target, inputs, {"shots": 2, "sequences": 10, **parameters}))


def test_the_fidelity_is_what_the_noiseless_simulator_gives(
    coupling: CalibratedCoupling, outcome: CouplingOutcome
) -> None:
    """The same sequences without shot noise."""
    assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
    task = bound(coupling)
    task.preprocess(None)  # type: ignore[arg-type]
    populations = PairEvolution(coupling.truth).populations(task.program, np.random.default_rng(1)).reshape(-1, 3, 3)
    signal = (populations[:, 0].sum(axis=-1) + populations[:, :, 0].sum(axis=-1)) / 2
    x = np.asarray(task.program.axes[0].values)
    decays = [fit_rb(x[k::2], signal[k::2], np.full(len(x[k::2]), 1e-6)).decay for k in (0, 1)]
    found, error = outcome.values["zx90_gate_fidelity"]
    assert abs(found - (1 - 0.75 * (1 - ratio(decays[1], decays[0]).value))) < 4.5 * error
    assert error < 0.005


def test_no_gate_is_better_than_coherence_allows(coupling: CalibratedCoupling, outcome: CouplingOutcome) -> None:
    qubits = (coupling.truth.control, coupling.truth.target)
    times = [each for qubit in qubits for each in (qubit.t1_s, qubit.t2_echo_s)]
    limit = 1 - two_qubit_limit(TUNED["zx90_gate_time"] * 1e-9, *times)
    found, error = outcome.values["zx90_gate_fidelity"]
    assert found < limit + 3 * error
    assert found > limit - 0.015


def test_the_figure_shows_both_decays_and_what_coherence_would_allow(coupling: CalibratedCoupling) -> None:
    for offers in (coupling.found["0"], coupling.found["1"]):
        offers["t2_echo"] = replace(offers["t1"], name="t2_echo")
    (figure,) = coupling.run(TASK.name, FEW, figures=True).figures
    assert figure.png.content.startswith(b"\x89PNG")
    for name in (b"reference", b"with ZX90", b"coherence limit"):
        assert name in figure.json.content


def test_without_errors_every_sequence_ends_where_it_began(coupling: CalibratedCoupling) -> None:
    """Turns, signs and order of all gates: one that was wrong would leave nothing in |00>."""
    task = bound(coupling)
    task.binding.parameters["lengths"] = (1, 2)  # type: ignore[index]
    task.preprocess(None)  # type: ignore[arg-type]
    populations = PairEvolution(coupling.truth).populations(task.program, np.random.default_rng(1))
    assert populations[:, 0].min() > 0.8


def test_a_gate_with_the_wrong_sign_shows_at_once(coupling: CalibratedCoupling) -> None:
    wrong = CalibratedCoupling(3).knows(**{**TUNED, "cr_phase": np.pi})
    outcome = wrong.run(TASK.name, FEW)
    assert outcome.verdict is not Verdict.OK


@pytest.mark.parametrize("qubit", ["0", "1"])
def test_without_a_drive_there_is_no_fidelity(qubit: str) -> None:
    broken = CalibratedCoupling(3, config={"faults": [{"kind": "NoLine", "target": qubit}]}).knows(**TUNED)
    outcome = broken.run(TASK.name, FEW)
    assert outcome.verdict is not Verdict.OK
    assert not any(each.accepted for each in outcome.judged.outputs)


def test_short_sequences_are_a_window(coupling: CalibratedCoupling) -> None:
    outcome = CalibratedCoupling(3).knows(**TUNED).run(TASK.name, {"lengths": {"start": 1, "stop": 12, "num": 12}})
    assert outcome.verdict is Verdict.WINDOW
    assert outcome.judged.suggestion is not None


def test_the_catalogue_says_what_it_reads_and_writes() -> None:
    entry = TASK.catalogue_entry()
    assert {each.name for each in entry.outputs} == {"zx90_gate_fidelity", "zx90_depolarizing_rate"}
    assert (entry.timeout_s, entry.r2_threshold, entry.kind.value) == (1800.0, 0.7, "Coupling")
    required = {(each.name, each.role) for each in entry.inputs if each.required}
    assert {("cr_amplitude", ""), ("zx90_gate_time", ""), ("drag_hpi_amplitude", "control")} <= required
