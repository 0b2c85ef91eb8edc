"""What tasks should have found: the hidden truth, and exact runs of the simulator with the settings that they had.

A pulse's amplitude is right where the noiseless simulator turns by the angle, with the frequency, length and DRAG
coefficient that the task itself had (physics.md, section 1.8); a fidelity is what the simulator's own channel has.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kubecal.api.request import RequestSite
from kubecal.api.topology import Topology
from kubecal.api.units import to_si
from kubecal_tasks.physics.oracle import HALF_PI, Oracle
from kubecal_tasks.physics.readout import Resonator, line_frequencies
from kubecal_tasks.physics.truth import QubitTruth, draw_truth
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.coherence import one_qubit_limit
from kubecal_tasks.tasks.qubit_task import TARGET_RATE_HZ
from tests.bench.closed_loop import Outcome

ANGLES = {"hpi": HALF_PI, "pi": math.pi, "drag_hpi": HALF_PI, "drag_pi": math.pi}
"""Pulses, by what their parameters are called."""
GATES = {"average_gate_fidelity": "drag_hpi", "x90_gate_fidelity": "drag_hpi", "x180_gate_fidelity": "drag_pi"}
"""Fidelities, with the pulse whose it is: a Clifford takes one half-pi pulse on average."""
_LEAST_RATIO = 1e-12


@dataclass(frozen=True)
class Pull:
    """One estimate beside the truth, SI."""

    target: str
    output: str
    value: float
    error: float
    truth: float

    @property
    def pull(self) -> float:
        """How many errors the estimate is off."""
        return (self.value - self.truth) / self.error


@dataclass(frozen=True)
class Answers:
    """What a simulated chip hides, as it is without drift and faults."""

    topology: Topology
    seed: int

    def truth(self, qubit: str) -> QubitTruth:
        """A qubit."""
        site = self.topology.site_by_id[qubit]
        return draw_truth(self.seed, RequestSite(id=site.id, x=site.x, y=site.y, mux=site.mux))

    def beside(self, qubit: str) -> tuple[Resonator, ...]:
        """The other resonators of a qubit's readout cable."""
        mux = self.topology.site_by_id[qubit].mux
        return tuple(
            Resonator(self.truth(site.id)) for site in self.topology.sites if site.mux == mux and site.id != qubit
        )

    def of(self, qubit: str, outcome: Outcome) -> dict[str, float]:
        """The right values of a one-qubit task's outputs, SI; those that have none are absent."""
        oracle = Oracle(self.truth(qubit))
        inputs = {name: to_si(each.value, each.unit) for name, each in outcome.inputs.items()}
        outputs = {each.name: to_si(each.value, each.unit) for each in outcome.judged.outputs}
        found = _properties(oracle)
        found |= _readout(oracle.truth, outputs.get("readout_amplitude", inputs.get("readout_amplitude", 0.0)))
        if "qubit_frequency" in inputs:
            found |= dict(_created(oracle, inputs["qubit_frequency"], outputs))
            found |= dict(_checked(oracle, inputs["qubit_frequency"], inputs))
        if "readout_fidelity_0" in outputs:
            found |= self._classified(qubit, outcome, outputs)
        if "optimal_power" not in outputs:
            del found["readout_frequency"]  # other tasks mean the best point by it, not the line of |0>
        return {name: value for name, value in found.items() if name in outputs}

    def pulls(self, qubit: str, outcome: Outcome) -> Iterator[Pull]:
        """Of every accepted output that has an error and a right value."""
        answers = self.of(qubit, outcome)
        for each in outcome.judged.outputs:
            value, error = to_si(each.value, each.unit), to_si(each.error, each.unit)
            if each.accepted and each.name in answers and error > _LEAST_RATIO * abs(value):
                yield Pull(qubit, each.name, value, error, answers[each.name])

    def _classified(self, qubit: str, outcome: Outcome, outputs: Mapping[str, float]) -> dict[str, float]:
        program = Acquisition.from_npz(outcome.raw_data[0].content).program
        zero, one = Oracle(self.truth(qubit)).assigned_excited(
            program, outputs["classifier_angle"], outputs["classifier_threshold"], self.beside(qubit)
        )
        return {
            "readout_fidelity_0": 1.0 - float(zero),
            "readout_fidelity_1": float(one),
            "average_readout_fidelity": (1.0 - float(zero) + float(one)) / 2,
        }


def _properties(oracle: Oracle) -> dict[str, float]:
    """What does not depend on how it is measured."""
    truth = oracle.truth
    frequencies = dict.fromkeys(("qubit_frequency", "coarse_qubit_frequency"), oracle.qubit_frequency_hz)
    amplitudes = dict.fromkeys(("control_amplitude", "coarse_control_amplitude"), TARGET_RATE_HZ / truth.drive_hz)
    return {
        **frequencies,
        **amplitudes,
        "maximum_rabi_frequency": truth.drive_hz,
        "anharmonicity": truth.anharmonicity_hz,
        "t1": oracle.t1_s,
        "t1_average": oracle.t1_s,
        "t2_echo": oracle.t2_echo_s,
        "t2_echo_average": oracle.t2_echo_s,
        "t2_star": oracle.t2_star_s,
        "one_qubit_gate_coherence_limit": 1.0 - one_qubit_limit(16e-9, oracle.t1_s, oracle.t2_echo_s),
    }


def _readout(truth: QubitTruth, amplitude: float) -> dict[str, float]:
    """Lines as they are at a tone's amplitude."""
    ground, excited, _ = line_frequencies(truth, amplitude)
    return {
        "coarse_resonator_frequency": float(ground),
        "readout_frequency": float(ground),
        "resonator_frequency": float(ground),
        "kappa_external": truth.resonator.kappa_hz,
        "kappa_internal": truth.resonator.loss_hz,
        "dispersive_shift": float(excited - ground) / 2,
        "optimal_readout_frequency": float(excited + ground) / 2,
    }


def _created(oracle: Oracle, drive_hz: float, outputs: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """Pulses that were made."""
    for pulse, angle in ANGLES.items():
        if f"{pulse}_amplitude" not in outputs:
            continue
        length_s = outputs[f"{pulse}_length"]
        beta_s = outputs.get(f"{pulse}_beta", 0.0)
        yield f"{pulse}_amplitude", oracle.pulse_amplitude(angle, drive_hz, length_s, beta_s)
        if f"{pulse}_beta" in outputs:
            yield f"{pulse}_beta", oracle.drag_beta(outputs[f"{pulse}_amplitude"], drive_hz, length_s)


def _checked(oracle: Oracle, drive_hz: float, inputs: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """What pulses do that were made before."""
    for pulse, angle in ANGLES.items():
        if f"{pulse}_amplitude" not in inputs:
            continue
        played = inputs[f"{pulse}_amplitude"], drive_hz, inputs[f"{pulse}_length"]
        beta_s = inputs.get(f"{pulse}_beta", 0.0)
        yield f"{pulse}_error", oracle.angle(*played, beta_s=beta_s) - angle
        yield f"{pulse}_axis_tilt", oracle.tilt(*played, beta_s)
        for fidelity, gate in GATES.items():
            if gate == pulse:
                yield fidelity, 1.0 - oracle.infidelity(angle, *played, beta_s)
