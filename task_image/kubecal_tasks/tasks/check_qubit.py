"""A quick look whether the qubit answers its drive: a short Rabi oscillation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits import fit_oscillation
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.declared import (
    CONTROL_AMPLITUDE,
    INTERVAL,
    STANDARD_INPUTS,
    duration_s,
    shots,
    sweep,
)
from kubecal_tasks.tasks.findings import estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.pictures import rabi_picture
from kubecal_tasks.tasks.qubit_task import MEGAHERTZ, TARGET_RATE_HZ
from kubecal_tasks.tasks.rabi_task import RabiTask


class CheckQubit(RabiTask):
    """Whether the qubit answers its drive, from a short Rabi oscillation."""

    name = "CheckQubit"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, CONTROL_AMPLITUDE)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter("rabi_frequency", "MHz", minimum=0.0, description="at the amplitude used"),
        OutputParameter("rabi_amplitude", "a.u.", minimum=0.0, description="of the oscillation, in the IQ plane"),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep("times", "ns", {"start": 0, "stop": 200, "num": 51}, 0.0, 100_000.0, "durations of the drive"),
        shots(1024),
        INTERVAL,
    )
    r2_threshold = 0.7

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """A damped cosine, in the IQ plane as it is: rabi_amplitude then tells what the readout separates."""
        trace = self.traces(result, ("rabi",), None)[0]
        fit = fit_oscillation(trace.x, trace.signal, trace.variance)
        checks = self.judged(fit)
        estimates = (estimate("rabi_frequency", fit.frequency), estimate("rabi_amplitude", fit.amplitude))
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=fit.statistics.r2,
            metrics=metrics(fit.statistics),
            suggestion=self.next_times(checks, estimates, fit),
            lines=(value_line("Rabi frequency", fit.frequency, "MHz", MEGAHERTZ), quality_line(fit.statistics)),
            figures=(rabi_picture(fit, trace, TARGET_RATE_HZ),),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(51, 1024, 0.1e-6)
