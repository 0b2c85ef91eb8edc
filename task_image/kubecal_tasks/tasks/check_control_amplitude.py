"""How hard a drive amplitude drives, from how broad it makes the qubit's line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import ParameterKind, RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.chevron import scan_checks
from kubecal_tasks.fits.values import Measured
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
from kubecal_tasks.tasks.declared import INTERVAL, duration_s, pulse_amplitude, shots
from kubecal_tasks.tasks.detuned import detuned_drive
from kubecal_tasks.tasks.findings import as_checks, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.maps import scan_picture
from kubecal_tasks.tasks.qubit_task import GIGAHERTZ, MEGAHERTZ, TARGET_RATE_HZ

DURATIONS_S = np.asarray([64.0, 110.0, 190.0, 320.0]) * NANOSECOND
"""Long enough to saturate the line, so that its half width at half height is the Rabi rate, and far shorter than the
relaxation: of a line that has relaxed, the width is the Rabi rate times the square root of T1 / T2, which nobody
knows at this stage. What is left of the oscillation is part of the model."""


class CheckControlAmplitude(DetunedTask):
    """Coarse drive amplitude for a wanted Rabi rate, from the width of the driven line."""

    name = "CheckControlAmplitude"
    inputs: ClassVar[tuple[InputParameter, ...]] = (
        *COARSE_FREQUENCY_INPUTS,
        *READOUT_INPUTS,
        SCAN_AMPLITUDE,
        ANHARMONICITY,
    )
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        pulse_amplitude("coarse_control_amplitude", "drive", "amplitude that drives at target_rabi_rate"),
        qubit_frequency("", "coarse_qubit_frequency"),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        detuning_range(75, 61),
        RunParameter(
            name="target_rabi_rate",
            kind=ParameterKind.NUMBER,
            unit="MHz",
            default=12.5,
            minimum=0.1,
            maximum=100.0,
            description="Rabi rate that the amplitude is for",
        ),
        shots(8192),
        INTERVAL,
    )

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
        """Rabi rate and resonance; the amplitude goes as the rate."""
        driven = self.driven(result, "scan")
        checks = as_checks(scan_checks(driven.fit))
        amplitude = self._amplitude(driven.amplitude)
        estimates = (
            estimate("coarse_control_amplitude", amplitude),
            self.frequency_estimate("coarse_qubit_frequency", driven),
        )
        target = self.number("target_rabi_rate") / MEGAHERTZ
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=driven.fit.statistics.r2,
            metrics=metrics(driven.fit.statistics),
            suggestion=self.next_scan(checks, estimates, driven.fit),
            lines=(
                value_line(f"amplitude for {target:g} MHz", amplitude, "a.u."),
                value_line("qubit frequency", driven.frequency, "GHz", GIGAHERTZ),
                quality_line(driven.fit.statistics),
            ),
            figures=(scan_picture(driven.fit, driven.trace.referenced, driven.drive_hz),),
        )

    def _amplitude(self, usual: Measured) -> Measured:
        wanted = self.number("target_rabi_rate") / TARGET_RATE_HZ
        return Measured(usual.value * wanted, usual.error * wanted)

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(61, 8192, 0.2e-6)
