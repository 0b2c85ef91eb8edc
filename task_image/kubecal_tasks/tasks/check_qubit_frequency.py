"""The qubit's frequency is where its Rabi oscillation is slowest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.chevron import chevron_checks
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.chevron_task import (
    ANHARMONICITY,
    ChevronTask,
    detuning_range,
    qubit_frequency,
    time_range,
)
from kubecal_tasks.tasks.declared import CONTROL_AMPLITUDE, INTERVAL, STANDARD_INPUTS, duration_s, shots
from kubecal_tasks.tasks.detuned import detuned_drive
from kubecal_tasks.tasks.findings import as_checks, metrics, quality_line, value_line
from kubecal_tasks.tasks.maps import chevron_picture, rates_picture
from kubecal_tasks.tasks.qubit_task import GIGAHERTZ


class CheckQubitFrequency(ChevronTask):
    """Qubit frequency from the Rabi rate against detuning."""

    name = "CheckQubitFrequency"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, CONTROL_AMPLITUDE, ANHARMONICITY)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (qubit_frequency(""),)
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        detuning_range(10, 21),
        time_range(240, 25),
        shots(1024),
        INTERVAL,
    )

    def preprocess(self, backend: Backend) -> None:
        """A Rabi oscillation at every detuning."""
        self.program = detuned_drive(
            self.pulses(backend),
            self.value("control_amplitude"),
            self.sweep("detuning_range"),
            self.sweep("time_range"),
        )

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """One map."""
        return (self.acquire(backend, "rabi", self.program),)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """All oscillations together give the hyperbola that their rates lie on: sqrt(rate^2 + detuning^2).

        Fitted one by one, the slow and shallow ones far off resonance would each be uncertain.
        """
        driven = self.driven(result, "rabi")
        checks = as_checks(chevron_checks(driven.fit))
        estimates = (self.frequency_estimate("qubit_frequency", driven),)
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=driven.fit.statistics.r2,
            metrics=metrics(driven.fit.statistics),
            suggestion=self.next_scan(checks, estimates, driven.fit),
            lines=(
                value_line("qubit frequency", driven.frequency, "GHz", GIGAHERTZ),
                quality_line(driven.fit.statistics),
            ),
            figures=(
                rates_picture(driven.fit, driven.drive_hz),
                chevron_picture(driven.fit, driven.trace.referenced, driven.drive_hz, "map"),
            ),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(21 * 25, 1024, 0.1e-6)
