"""What both measurements of a Bell state share: single shots of both qubits, and what they are taken for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kubecal_tasks.fits.assignment import Classifier, joint_confusion, joint_counts, shots_check
from kubecal_tasks.fits.checks import Finding
from kubecal_tasks.fits.values import Array
from kubecal_tasks.framework.declarations import InputParameter
from kubecal_tasks.framework.outcome import Check
from kubecal_tasks.programs import Acquisition, Choose, Operation, Program, SequenceAxis, readout_line
from kubecal_tasks.tasks.coupling_task import CR_INPUTS, GATE_TIME, PAIR_INPUTS, ROLES, CouplingTask, acquired, of_both
from kubecal_tasks.tasks.cross_resonance import CONTROL, TARGET, measured_along
from kubecal_tasks.tasks.findings import as_checks

_UNITS = {
    "classifier_ground_i": "a.u.",
    "classifier_ground_q": "a.u.",
    "classifier_excited_i": "a.u.",
    "classifier_excited_q": "a.u.",
    "classifier_sigma": "a.u.",
    "classifier_angle": "rad",
    "classifier_threshold": "a.u.",
}
CLASSIFIER_INPUTS = tuple(InputParameter(name, unit, hint="ReadoutClassification") for name, unit in _UNITS.items())
BELL_INPUTS = (*PAIR_INPUTS, *CR_INPUTS, GATE_TIME, *of_both(CLASSIFIER_INPUTS))
BASIS = tuple((control, target) for control in (0, 1) for target in (0, 1))


class BellTask(CouplingTask):
    """A task that makes a Bell state and reads both qubits shot by shot."""

    def bell_programs(self, settings: Sequence[tuple[str, str]]) -> dict[str, Program]:
        """The state measured along axes of the control and the target, and the four basis states."""
        pair, shots = self.pair(), self.integer("shots")
        gate = pair.zx90(self.cross_resonance(), pair.half_s(self.value("zx90_gate_time")))
        along = tuple(_measured(first, second, self) for first, second in settings)
        axis = SequenceAxis("setting", tuple(float(k) for k in range(len(settings))), along)
        basis = SequenceAxis("state", (0.0, 1.0, 2.0, 3.0), tuple(pair.prepared(*state) for state in BASIS))
        return {
            "settings": pair.program((*pair.bell(gate), Choose("setting")), (axis,), shots, single=True),
            "references": pair.program((Choose("state"),), (basis,), shots, single=True),
        }

    def checked(self, result: Sequence[Acquisition], findings: Sequence[Finding]) -> tuple[Check, ...]:
        """The findings, and whether the shots are of these two qubits; garbage hides no contrast, so both count."""
        shots = [each.tone(readout_line(qubit)).iq for each in result for qubit in self.ends]
        far = [self.classifier(role).far(iq).ravel() for iq, role in zip(shots, ROLES * len(result), strict=True)]
        garbage = [shots_check(np.concatenate(far[k::2]), role) for k, role in enumerate(ROLES)]
        return as_checks([*garbage, *findings])

    def counts(self, result: Sequence[Acquisition], label: str) -> Array:
        """(points, 4) shots taken for 00, 01, 10, 11, the control first."""
        acquisition = acquired(result, label)
        assert acquisition is not None
        taken = [
            self.classifier(role).assigned(acquisition.tone(readout_line(qubit)).iq)
            for role, qubit in zip(ROLES, self.ends, strict=True)
        ]
        return joint_counts(taken[0], taken[1])

    def confusion(self) -> Array:
        """(4, 4) of both readouts; what relaxes during them is counted where t1 is known."""
        control, target = (self.classifier(role).confusion(self._relaxed(role)) for role in ROLES)
        return joint_confusion(control, target)

    def classifier(self, role: str) -> Classifier:
        """What ReadoutClassification found of one of the qubits."""
        ground_i, ground_q, excited_i, excited_q, sigma, angle, threshold = (
            self.value(f"{role}_{name}") for name in _UNITS
        )
        return Classifier((ground_i, ground_q), (excited_i, excited_q), sigma, angle, threshold)

    def _relaxed(self, role: str) -> float:
        if not self.has(f"{role}_t1"):
            return 0.0
        return self.pair().readout_s / self.value(f"{role}_t1")


def _measured(first: str, second: str, task: BellTask) -> tuple[Operation, ...]:
    pair = task.pair()
    return (*measured_along(first, pair.control, CONTROL), *measured_along(second, pair.target, TARGET))
