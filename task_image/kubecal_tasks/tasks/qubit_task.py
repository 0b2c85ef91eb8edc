"""What all one-qubit measurements share: the pulses of their inputs, their readout, their way to a signal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from kubecal.api.request import Verdict
from kubecal.api.units import from_si, to_si
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits import Reference
from kubecal_tasks.fits.suggestions import Proposal, more_shots, stronger_signal
from kubecal_tasks.fits.values import Array, Measured
from kubecal_tasks.framework.outcome import Check, Estimate, Suggestion
from kubecal_tasks.framework.task import BaseTask
from kubecal_tasks.programs import Acquisition, Program
from kubecal_tasks.tasks.declared import DEFAULT_INTERVAL_US, MAX_SHOTS
from kubecal_tasks.tasks.pulses import Pulses, Shape
from kubecal_tasks.tasks.trace import Trace, measured_trace, split

GIGAHERTZ, MEGAHERTZ = 1e9, 1e6
MICROSECOND = 1e-6
HALF_PI = math.pi / 2
TARGET_RATE_HZ = 12.5e6
"""The Rabi rate that ``control_amplitude`` stands for."""
_RESETS = 5.0
"""Shots wait so many t1 for the qubit to relax, where t1 is known."""
_SIGMAS = 3.0
_IQ = ("iq_ground_i", "iq_ground_q", "iq_excited_i", "iq_excited_q")


class QubitTask(BaseTask):
    """A task on one qubit's drive and readout lines."""

    swept: ClassVar[str] = ""
    """The run parameter that holds the sweep a suggestion may change."""

    def interval_s(self) -> float:
        """Wait between shots: as asked, else 153.6 us or 5 t1 where that is longer and t1 is known."""
        if "interval" in self.binding.parameters:
            return self.number("interval")
        return max(DEFAULT_INTERVAL_US * MICROSECOND, _RESETS * self.value("t1") if self.has("t1") else 0.0)

    def pulses(self, backend: Backend) -> Pulses:
        """The pulses that this task's inputs describe."""
        return Pulses(
            qubit=self.target,
            drive_hz=self.value("qubit_frequency"),
            readout_hz=self.value("readout_frequency"),
            readout_amplitude=self.value("readout_amplitude"),
            readout_s=self.value("readout_length"),
            interval_s=self.interval_s(),
            shots=self.integer("shots"),
            half_pi_pulse=self.shape("hpi"),
            pi_pulse=self.shape("pi"),
            drag_half_pi_pulse=self.shape("drag_hpi"),
            drag_pi_pulse=self.shape("drag_pi"),
        )

    def shape(self, pulse: str) -> Shape | None:
        """The pulse whose inputs have a name (``hpi``, ``pi``, ``drag_hpi``, ``drag_pi``), if all are there."""
        parts = [f"{pulse}_amplitude", f"{pulse}_length", *([f"{pulse}_beta"] if pulse.startswith("drag") else [])]
        return Shape(*map(self.value, parts)) if all(map(self.has, parts)) else None

    def acquire(self, backend: Backend, label: str, program: Program) -> Acquisition:
        """Run one program."""
        return Acquisition(label, program, backend.run(program))

    def reference(self) -> Reference | None:
        """Where |0> and |1> lie in the IQ plane, if CheckRabi has found out."""
        if not all(self.has(name) for name in _IQ):
            return None
        ground_i, ground_q, excited_i, excited_q = (self.value(name) for name in _IQ)
        return Reference((ground_i, ground_q), (excited_i, excited_q))

    def traces(
        self, result: Sequence[Acquisition], labels: Sequence[str], reference: Reference | None
    ) -> tuple[Trace, ...]:
        """Several sweeps, projected on the same line."""
        parts = [next(each for each in result if each.label == label) for label in labels]
        x = [part.x for part in parts]
        iq = np.concatenate([part.iq for part in parts])
        covariance = np.concatenate([part.covariance for part in parts])
        joint = measured_trace(np.concatenate(x), iq, covariance, reference)
        return split(joint, [len(each) for each in x])

    def trace(self, result: Sequence[Acquisition], *labels: str) -> Trace:
        """One or more sweeps of the same quantity as one curve, on the line of the IQ reference."""
        parts = [next(each for each in result if each.label == label) for label in labels]
        return measured_trace(
            np.concatenate([part.x for part in parts]),
            np.concatenate([part.iq for part in parts]),
            np.concatenate([part.covariance for part in parts]),
            self.reference(),
        )

    def difference(self, result: Sequence[Acquisition], labels: Sequence[str], signs: Sequence[int]) -> Trace:
        """Sweeps of the same quantity added with their signs, over their number."""
        parts = self.traces(result, labels, self.reference())
        signal = sum(sign * part.signal for sign, part in zip(signs, parts, strict=True)) / len(parts)
        variance = sum(part.variance for part in parts) / len(parts) ** 2
        return replace(parts[0], signal=np.asarray(signal), variance=np.asarray(variance))

    def previous(self, output: str) -> float | None:
        """What an output of this task was before, where it is one of its inputs."""
        return self.value(output) if self.has(output) else None

    def suggest(
        self,
        checks: Sequence[Check],
        estimates: Sequence[Estimate],
        x: Array | None = None,
        window: Callable[[float, float], Proposal | None] = lambda shortest, longest: None,
    ) -> Suggestion | None:
        """What to change for a next attempt.

        Parameters
        ----------
        checks, estimates
            Of this attempt.
        x
            The points of the sweep, where there is one to change.
        window
            Proposes another range between a shortest and a longest.
        """
        failed = {check.verdict for check in checks if not check.ok}
        proposal: Proposal | None = None
        if Verdict.NO_SIGNAL in failed:
            if x is not None:
                proposal = stronger_signal(x, self.integer("shots"), self._limits()[1], MAX_SHOTS)
        elif Verdict.WINDOW in failed and self.swept:
            proposal = window(*self._limits())
        elif not failed:
            proposal = self._more_shots(estimates)
        return None if proposal is None else self._as_written(proposal)

    def _more_shots(self, estimates: Sequence[Estimate]) -> Proposal | None:
        """Enough for the least precise of the required outputs."""
        found = {each.name: each for each in estimates}
        for output in self.outputs:
            estimate, precision = found.get(output.name), output.precision
            if estimate is None or precision is None or not output.required:
                continue
            absolute = to_si(precision.absolute or 0.0, output.unit)
            wanted = max(absolute, (precision.relative or 0.0) * abs(estimate.value))
            proposal = more_shots(self.integer("shots"), estimate.random_error, wanted, MAX_SHOTS)
            if proposal is not None:
                return proposal
        return None

    def _limits(self) -> tuple[float, float]:
        """What the sweep's declaration allows, in SI."""
        declared = next(p for p in self.run_parameters if p.name == self.swept)
        least, most = declared.minimum or 0.0, declared.maximum or math.inf
        return to_si(least, declared.unit), to_si(most, declared.unit)

    def _as_written(self, proposal: Proposal) -> Suggestion:
        parameters: dict[str, object] = {}
        if proposal.sweep is not None:
            unit = next(p.unit for p in self.run_parameters if p.name == self.swept)
            sweep = proposal.sweep
            parameters[self.swept] = {
                "start": float(f"{from_si(sweep.start, unit):.6g}"),
                "stop": float(f"{from_si(sweep.stop, unit):.6g}"),
                "num": sweep.num,
                "scale": sweep.scale,
            }
        if proposal.shots is not None:
            parameters["shots"] = proposal.shots
        return Suggestion(parameters, proposal.reason)

    def coherence_limit(self, output: str, found: Measured) -> tuple[Check, ...]:
        """T2 <= 2 T1, within three sigma of both; nothing to say while T1 is unknown."""
        if not self.has("t1"):
            return ()
        limit = 2 * self.value("t1") + _SIGMAS * math.hypot(found.error, 2 * self.error("t1"))
        text = (
            f"{output} = {found.value / MICROSECOND:.4g} us is longer than 2 t1 = {2e6 * self.value('t1'):.4g} us "
            "by more than 3 sigma: measure t1 again"
        )
        return (Check("2 t1", found.value, limit, found.value <= limit, Verdict.UNPHYSICAL, output, text),)
