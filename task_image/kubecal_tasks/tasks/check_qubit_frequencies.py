"""A scan of the drive frequency at one power."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.chevron import scan_checks
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.chevron_task import (
    ANHARMONICITY,
    COARSE_FREQUENCY_INPUTS,
    NANOSECOND,
    READOUT_INPUTS,
    SCAN_AMPLITUDE,
    DetunedTask,
    detuning_range,
    qubit_frequency,
)
from kubecal_tasks.tasks.declared import INTERVAL, duration_s, shots
from kubecal_tasks.tasks.detuned import detuned_drive
from kubecal_tasks.tasks.findings import as_checks, metrics, quality_line, value_line
from kubecal_tasks.tasks.maps import scan_picture
from kubecal_tasks.tasks.qubit_task import GIGAHERTZ, MEGAHERTZ

DURATIONS_S = np.asarray([60.0, 100.0, 170.0]) * NANOSECOND
"""Where one of them happens to turn the qubit by full turns, the others do not. None is much longer than the inverse
of the step, or the line could fall between two points."""


class CheckQubitFrequencies(DetunedTask):
    """Coarse qubit frequency from a scan of the drive at one power."""

    name = "CheckQubitFrequencies"
    inputs: ClassVar[tuple[InputParameter, ...]] = (
        *COARSE_FREQUENCY_INPUTS,
        *READOUT_INPUTS,
        SCAN_AMPLITUDE,
        ANHARMONICITY,
    )
    outputs: ClassVar[tuple[OutputParameter, ...]] = (qubit_frequency("", "coarse_qubit_frequency"),)
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (detuning_range(50, 101), shots(1024), INTERVAL)

    def preprocess(self, backend: Backend) -> None:
        """At every detuning drives of a few durations, among which the shots are divided."""
        self.program = detuned_drive(
            self.pulses(backend),
            self.value("control_amplitude"),
            self.sweep("detuning_range"),
            DURATIONS_S,
            share=DURATIONS_S.size,
        )

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """One scan."""
        return (self.acquire(backend, "scan", self.program),)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """The line of a driven qubit, with the sidelobes that each duration gives it."""
        driven = self.driven(result, "scan")
        checks = self.about_the_expected(as_checks(scan_checks(driven.fit)), driven.fit)
        estimates = (self.frequency_estimate("coarse_qubit_frequency", driven),)
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=driven.fit.statistics.r2,
            metrics=metrics(driven.fit.statistics),
            suggestion=self.next_scan(checks, estimates, driven.fit),
            lines=(
                value_line("qubit frequency", driven.frequency, "GHz", GIGAHERTZ),
                value_line("Rabi rate", driven.fit.rabi_rate, "MHz", MEGAHERTZ),
                quality_line(driven.fit.statistics),
            ),
            figures=(scan_picture(driven.fit, driven.trace.referenced, driven.drive_hz),),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(101, 1024, 0.1e-6)
