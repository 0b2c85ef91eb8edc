"""What all two-qubit measurements share: both qubits' pulses and readouts, and the cross-resonance settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import TargetKind
from kubecal_tasks.fits import Reference
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.programs import Acquisition, readout_line
from kubecal_tasks.tasks.cross_resonance import CrossResonance, DragPulse, End, Pair
from kubecal_tasks.tasks.declared import (
    DEFAULT_INTERVAL_US,
    DRAG_HALF_PI_INPUTS,
    DRAG_PI_INPUTS,
    STANDARD_INPUTS,
    pulse_amplitude,
)
from kubecal_tasks.tasks.qubit_task import MICROSECOND, QubitTask
from kubecal_tasks.tasks.trace import Trace, measured_trace

ROLES = ("control", "target")
_RESETS = 5.0


def of_both(inputs: Sequence[InputParameter]) -> tuple[InputParameter, ...]:
    """Inputs that are read of the control and of the target."""
    return tuple(replace(each, role=role) for role in ROLES for each in inputs)


PAIR_INPUTS = of_both((*STANDARD_INPUTS, *DRAG_HALF_PI_INPUTS, *DRAG_PI_INPUTS))
"""Of both qubits: what every one-qubit task reads, and their DRAG pulses."""

_CR_UNITS = {
    "cr_amplitude": "a.u.",
    "cr_phase": "rad",
    "rotary_amplitude": "a.u.",
    "cancel_amplitude": "a.u.",
    "cancel_phase": "rad",
    "cancel_beta": "ns",
}
CR_INPUTS = tuple(InputParameter(name, unit, hint="CheckCrossResonance") for name, unit in _CR_UNITS.items())
"""The coupling's own settings."""
GATE_TIME = InputParameter("zx90_gate_time", "ns", hint="CreateZX90")

CR_OUTPUTS = (
    pulse_amplitude("cr_amplitude", "cr", "of the tone on the control at the target's frequency"),
    OutputParameter("cr_phase", "rad", group="cr", description="at which the target turns about +X"),
    OutputParameter(
        "rotary_amplitude", "a.u.", group="cr", minimum=0.0, maximum=1.0, description="of the target's own turning"
    ),
    OutputParameter(
        "cancel_amplitude", "a.u.", group="cr", minimum=0.0, maximum=1.0, description="of the tone against crosstalk"
    ),
    OutputParameter("cancel_phase", "rad", group="cr", description="of the tone against crosstalk"),
    OutputParameter("cancel_beta", "ns", group="cr", description="DRAG coefficient of the tone on the target"),
)


class CouplingTask(QubitTask):
    """A task on both drive and readout lines of a coupling."""

    kind: ClassVar[TargetKind] = TargetKind.COUPLING
    timeout_s: ClassVar[float] = 1500.0

    def interval_s(self) -> float:
        """Wait between shots: as asked, else what the slower of both qubits needs."""
        if "interval" in self.binding.parameters:
            return self.number("interval")
        known = [self.value(f"{role}_t1") for role in ROLES if self.has(f"{role}_t1")]
        return max(DEFAULT_INTERVAL_US * MICROSECOND, *(_RESETS * t1 for t1 in known), 0.0)

    def pair(self) -> Pair:
        """Both qubits as this task's inputs describe them; both are read as long as the slower one needs."""
        control, target = (self._end(role, qubit) for role, qubit in zip(ROLES, self.ends, strict=True))
        readout_s = max(self.value(f"{role}_readout_length") for role in ROLES)
        return Pair(control, target, readout_s, self.interval_s())

    def cross_resonance(self) -> CrossResonance:
        """The coupling's settings as its inputs have them."""
        return CrossResonance(
            amplitude=self.value("cr_amplitude"),
            phase=self.value("cr_phase"),
            cancel_amplitude=self.value("cancel_amplitude"),
            cancel_phase=self.value("cancel_phase"),
            cancel_beta_s=self.value("cancel_beta"),
            rotary_amplitude=self.value("rotary_amplitude"),
        )

    def reference_of(self, role: str) -> Reference | None:
        """Where |0> and |1> of one of the qubits lie in the IQ plane, if CheckRabi has found out."""
        names = [f"{role}_iq_{state}_{axis}" for state in ("ground", "excited") for axis in "iq"]
        if not all(self.has(name) for name in names):
            return None
        ground_i, ground_q, excited_i, excited_q = (self.value(name) for name in names)
        return Reference((ground_i, ground_q), (excited_i, excited_q))

    def target_trace(self, *parts: Acquisition) -> Trace:
        """All points of some programs on the target as one curve, in their order; x only counts them."""
        tones = [part.tone(readout_line(self.ends[1])) for part in parts]
        iq = np.concatenate([tone.iq.reshape(-1, 2) for tone in tones])
        covariance = np.concatenate([tone.covariance.reshape(-1, 2, 2) for tone in tones])
        return measured_trace(np.arange(len(iq), dtype=float), iq, covariance, self.reference_of("target"))

    def _end(self, role: str, qubit: str) -> End:
        def drag(pulse: str) -> DragPulse:
            amplitude, beta, length = (self.value(f"{role}_{pulse}_{part}") for part in ("amplitude", "beta", "length"))
            return DragPulse(amplitude, beta, length)

        return End(
            qubit=qubit,
            drive_hz=self.value(f"{role}_qubit_frequency"),
            readout_hz=self.value(f"{role}_readout_frequency"),
            readout_amplitude=self.value(f"{role}_readout_amplitude"),
            half_pi=drag("drag_hpi"),
            pi=drag("drag_pi"),
        )


def acquired(result: Sequence[Acquisition], label: str) -> Acquisition | None:
    """The acquisition of this label, where there is one."""
    return next((each for each in result if each.label == label), None)
