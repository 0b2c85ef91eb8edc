"""Tasks that make and check pulses, on simulated qubits."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import RequestSite, Verdict
from kubecal.api.topology import square_lattice
from kubecal.api.units import to_si
from kubecal_tasks.active_protocols import TASKS
from kubecal_tasks.framework.task import BaseTask
from kubecal_tasks.physics.oracle import Oracle
from kubecal_tasks.physics.truth import draw_truth
from kubecal_tasks.programs import Acquisition
from tests.bench.closed_loop import ClosedLoop, Outcome

TOPOLOGY = square_lattice(2, 2, 4)
CONFIG: dict[str, Any] = {"seed": 3, "drift": False}
CHAIN = (
    "CheckRabi",
    "CreatePIPulse",
    "CheckPIPulse",
    "CreateDRAGHPIPulse",
    "CheckDRAGHPIPulse",
    "CreateDRAGPIPulse",
    "CheckDRAGPIPulse",
)
CREATED = {
    "CreatePIPulse": ("pi", np.pi, 32e-9),
    "CreateDRAGHPIPulse": ("drag_hpi", np.pi / 2, 16e-9),
    "CreateDRAGPIPulse": ("drag_pi", np.pi, 24e-9),
}
"""Tasks, with what the pulse they make is called, what it is to turn by, and how long it is."""
DRAG = tuple(task for task in CREATED if "DRAG" in task)
CHECKED = {
    "CheckPIPulse": ("pi", np.pi),
    "CheckDRAGHPIPulse": ("drag_hpi", np.pi / 2),
    "CheckDRAGPIPulse": ("drag_pi", np.pi),
}
"""Tasks, with what the pulse they check is called and is to turn by."""
QUBITS = ("0", "2")


@cache
def healthy(qubit: str) -> dict[str, Outcome]:
    loop = ClosedLoop(TOPOLOGY, CONFIG)
    return {task: loop.run(task, qubit) for task in CHAIN}


def found(outcome: Outcome) -> dict[str, tuple[float, float]]:
    return {o.name: (to_si(o.value, o.unit), to_si(o.error, o.unit)) for o in outcome.judged.outputs}


def used(outcome: Outcome, name: str) -> float:
    return to_si(outcome.inputs[name].value, outcome.inputs[name].unit)


def oracle(qubit: str) -> Oracle:
    site = TOPOLOGY.site_by_id[qubit]
    return Oracle(draw_truth(3, RequestSite(id=site.id, x=site.x, y=site.y, mux=site.mux)))


@cache
def after(task: str) -> ClosedLoop:
    """What the healthy tasks before it found."""
    before = ClosedLoop(TOPOLOGY, CONFIG)
    for each in CHAIN[: CHAIN.index(task)]:
        before.run(each, "0")
    return before


def with_fault(task: str, kind: str, parameters: dict[str, Any] | None = None, **fault: Any) -> Outcome:
    """A task with a fault, on what the healthy ones before it found."""
    planted = [{"kind": kind, "target": "0", **fault}] if kind else []
    return ClosedLoop(TOPOLOGY, CONFIG | {"faults": planted}, found={"0": dict(after(task).found["0"])}).run(
        task, "0", parameters
    )


@pytest.mark.parametrize("qubit", QUBITS)
@pytest.mark.parametrize("task", CHAIN)
def test_a_healthy_qubit_passes(task: str, qubit: str) -> None:
    outcome = healthy(qubit)[task]
    assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
    assert all(each.accepted for each in outcome.judged.outputs)


@pytest.mark.parametrize("qubit", QUBITS)
@pytest.mark.parametrize("task", CREATED)
def test_the_amplitude_is_that_of_the_noiseless_simulator(task: str, qubit: str) -> None:
    outcome = healthy(qubit)[task]
    pulse, angle, length_s = CREATED[task]
    value, error = found(outcome)[f"{pulse}_amplitude"]
    beta_s = found(outcome).get(f"{pulse}_beta", (0.0, 0.0))[0]
    truth = oracle(qubit).pulse_amplitude(angle, used(outcome, "qubit_frequency"), length_s, beta_s)
    assert abs(value - truth) < 4.5 * error
    assert error < 1e-3 * value


@pytest.mark.parametrize("qubit", QUBITS)
@pytest.mark.parametrize("task", CHECKED)
def test_the_angle_is_that_of_the_noiseless_simulator(task: str, qubit: str) -> None:
    outcome = healthy(qubit)[task]
    pulse, angle = CHECKED[task]
    value, error = found(outcome)[f"{pulse}_error"]
    beta_s = used(outcome, f"{pulse}_beta") if f"{pulse}_beta" in outcome.inputs else 0.0
    turned = oracle(qubit).angle(
        used(outcome, f"{pulse}_amplitude"),
        used(outcome, "qubit_frequency"),
        used(outcome, f"{pulse}_length"),
        beta_s=beta_s,
    )
    assert abs(value - (turned - angle)) < 4.5 * error
    assert error < 5e-3


@pytest.mark.parametrize("qubit", QUBITS)
@pytest.mark.parametrize("task", DRAG)
def test_beta_is_where_the_axis_of_the_noiseless_pulse_lies_in_the_plane(task: str, qubit: str) -> None:
    outcome = healthy(qubit)[task]
    pulse, _, length_s = CREATED[task]
    value, error = found(outcome)[f"{pulse}_beta"]
    amplitude = found(outcome)[f"{pulse}_amplitude"][0]
    truth = oracle(qubit).drag_beta(amplitude, used(outcome, "qubit_frequency"), length_s)
    assert abs(value - truth) < 4.5 * error
    assert error < 3e-12


@pytest.mark.parametrize("qubit", QUBITS)
@pytest.mark.parametrize("task", [task for task in CHECKED if "DRAG" in task])
def test_the_tilt_is_that_of_the_noiseless_simulator(task: str, qubit: str) -> None:
    """Asked with beta set a tenth of a nanosecond wrong, so that there is a tilt to see."""
    pulse, _ = CHECKED[task]
    before = dict(healthy(qubit))
    wrong = {
        name: {"value": record.value + (0.1 if name.endswith("beta") else 0.0)}
        for name, record in before[task].inputs.items()
        if name.startswith(pulse)
    }
    loop = ClosedLoop(TOPOLOGY, CONFIG, {qubit: wrong})
    loop.run("CheckRabi", qubit)
    outcome = loop.run(task, qubit)
    value, error = found(outcome)[f"{pulse}_axis_tilt"]
    names = (f"{pulse}_amplitude", "qubit_frequency", f"{pulse}_length", f"{pulse}_beta")
    truth = oracle(qubit).tilt(*(used(outcome, name) for name in names))
    assert abs(truth) > 5e-3
    assert abs(value - truth) < 4.5 * error
    assert error < 2e-3


@pytest.mark.parametrize("task", DRAG)
def test_drag_makes_the_pulse_measurably_better(task: str) -> None:
    """Against the pulse without, at its own right amplitude, driven at the qubit's frequency; without any noise."""
    pulse, angle, length_s = CREATED[task]
    loop = ClosedLoop(TOPOLOGY, CONFIG | {"priors": {"frequencyMHz": 0.0}})
    loop.run("CheckRabi", "0")
    outcome = loop.run(task, "0")
    right, drive_hz = oracle("0"), used(outcome, "qubit_frequency")
    made = (found(outcome)[f"{pulse}_amplitude"][0], drive_hz, length_s, found(outcome)[f"{pulse}_beta"][0])
    bare = (right.pulse_amplitude(angle, drive_hz, length_s), drive_hz, length_s)
    assert right.leakage(*made) < 0.3 * right.leakage(*bare)
    assert abs(right.tilt(*made)) < 0.03 * abs(right.tilt(*bare))


def test_an_anharmonicity_that_is_known_sets_where_beta_is_looked_for() -> None:
    design = {"0": {"anharmonicity": {"value": -0.2}, "control_amplitude": {"value": 0.157}}}
    loop = ClosedLoop(TOPOLOGY, CONFIG, design)
    outcome = loop.run("CreateDRAGPIPulse", "0", {"iterations": 1})
    assert outcome.inputs["anharmonicity"].value == -0.2
    first = next(Acquisition.from_npz(each.content) for each in outcome.raw_data if "beta" in each.name)
    assert float(np.mean(first.x)) == pytest.approx(0.5 / (2 * np.pi * 0.2e9))
    assert outcome.verdict is not Verdict.NO_SIGNAL


@pytest.mark.parametrize("task", [*CREATED, *CHECKED])
@pytest.mark.parametrize("fault", ["NoLine", "DeadQubit"])
def test_without_a_signal_nothing_is_accepted(task: str, fault: str) -> None:
    outcome = with_fault(task, fault)
    assert outcome.verdict is Verdict.NO_SIGNAL
    assert not any(each.accepted for each in outcome.judged.outputs)


@pytest.mark.parametrize("task", CREATED)
def test_a_sweep_that_ends_before_the_pulse_is_a_wrong_window(task: str) -> None:
    for reach in (0.15, 0.01):  # where something is seen of the turn, and where nothing is
        assert with_fault(task, "WrongWindow", value=reach).verdict is Verdict.WINDOW


@pytest.mark.parametrize("task", [*CREATED, *CHECKED])
def test_mostly_garbage_is_a_poor_fit(task: str) -> None:
    assert with_fault(task, "Glitches", value=0.35).verdict is Verdict.POOR_FIT


@pytest.mark.parametrize("task", [*CREATED, *CHECKED])
def test_a_few_glitches_do_no_harm(task: str) -> None:
    assert with_fault(task, "Glitches", value=0.04).verdict is Verdict.OK


def test_pi_pulses_of_one_parity_are_refused() -> None:
    outcome = with_fault("CheckPIPulse", "", {"repetitions": [0, 2, 4, 6, 8, 10, 12]})
    assert outcome.verdict is Verdict.WINDOW
    assert "give both kinds" in outcome.judged.message
    assert not outcome.raw_data, "nothing was measured"


def test_few_shots_are_imprecise_and_more_are_suggested() -> None:
    outcome = with_fault("CheckPIPulse", "", {"shots": 16, "repetitions": [0, 1, 2, 3, 4]})
    assert outcome.verdict is Verdict.IMPRECISE
    assert outcome.judged.suggestion is not None
    assert outcome.judged.suggestion.parameters["shots"] > 16


ENTRIES = {
    "CreatePIPulse": (
        {"control_amplitude"},
        {"pi_amplitude": "a.u.", "pi_length": "ns"},
        {"pi_duration": 32, "shots": 2048, "interval": None},
        0.7,
    ),
    **{
        f"CreateDRAG{short}Pulse": (
            {"control_amplitude"},
            {f"{pulse}_amplitude": "a.u.", f"{pulse}_length": "ns", f"{pulse}_beta": "ns"},
            {f"{pulse}_duration": duration, "iterations": 2, "shots": 2048, "interval": None},
            0.7,
        )
        for short, pulse, duration in (("HPI", "drag_hpi", 16), ("PI", "drag_pi", 24))
    },
    **{
        f"CheckDRAG{short}Pulse": (
            {f"{pulse}_amplitude", f"{pulse}_beta", f"{pulse}_length"},
            {f"{pulse}_error": "rad", f"{pulse}_axis_tilt": "rad"},
            {"repetitions": {"start": 0, "stop": 20, "num": 21}, "shots": 1024, "interval": None},
            None,
        )
        for short, pulse in (("HPI", "drag_hpi"), ("PI", "drag_pi"))
    },
    "CheckPIPulse": (
        {"pi_amplitude", "pi_length"},
        {"pi_error": "rad"},
        {"repetitions": {"start": 0, "stop": 20, "num": 21}, "shots": 1024, "interval": None},
        None,
    ),
}


@pytest.mark.parametrize("task", ENTRIES)
def test_the_catalogue_entry_is_as_agreed(task: str) -> None:
    inputs, outputs, parameters, r2 = ENTRIES[task]
    entry = by_name(task).catalogue_entry()
    assert inputs <= {each.name for each in entry.inputs if each.required}
    assert {each.name: each.unit for each in entry.outputs} == outputs
    assert {each.name: each.default for each in entry.run_parameters} == parameters
    assert (entry.kind, entry.r2_threshold, entry.timeout_s) == (TargetKind.QUBIT, r2, 3600.0)


def by_name(task: str) -> type[BaseTask]:
    return next(each for each in TASKS if each.name == task)
