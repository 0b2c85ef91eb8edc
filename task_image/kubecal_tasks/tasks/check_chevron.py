"""The chevron of a bring-up: a wide one finds the qubit, a narrow one about it measures it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.chevron import chevron_checks
from kubecal_tasks.framework.declarations import InputParameter
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.chevron_task import (
    ANHARMONICITY,
    COARSE_AMPLITUDE_INPUTS,
    COARSE_FREQUENCY_INPUTS,
    NANOSECOND,
    READOUT_INPUTS,
    ChevronTask,
    detuning_range,
    time_range,
)
from kubecal_tasks.tasks.declared import INTERVAL, duration_s, shots
from kubecal_tasks.tasks.detuned import detuned_drive
from kubecal_tasks.tasks.findings import as_checks

NARROW_HZ = np.linspace(-10e6, 10e6, 21)
NARROW_S = np.linspace(0.0, 400 * NANOSECOND, 26)
LARGEST_AMPLITUDE = 1.0


class CheckChevron(ChevronTask):
    """Qubit frequency and drive amplitude from a wide chevron and then a narrow one about what it found."""

    name = "CheckChevron"
    inputs: ClassVar[tuple[InputParameter, ...]] = (
        *COARSE_FREQUENCY_INPUTS,
        *COARSE_AMPLITUDE_INPUTS,
        *READOUT_INPUTS,
        ANHARMONICITY,
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        detuning_range(40, 41),
        time_range(400, 51),
        shots(1024),
        INTERVAL,
    )
    timeout_s = 14_400.0

    def preprocess(self, backend: Backend) -> None:
        """The wide one; where the narrow one is follows from it."""
        self.program = detuned_drive(
            self.pulses(backend),
            self.expected("control_amplitude").si_value,
            self.sweep("detuning_range"),
            self.sweep("time_range"),
        )

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """The wide one; and where that shows a resonance, the narrow one there, at the amplitude for 12.5 MHz."""
        acquisitions = [self.acquire(backend, "wide", self.program)]
        wide = self.driven(acquisitions, "wide")
        amplitude = wide.amplitude.value
        if all(each.ok for each in chevron_checks(wide.fit)) and amplitude <= LARGEST_AMPLITUDE:
            about = replace(self.pulses(backend), drive_hz=wide.frequency.value)
            program = detuned_drive(about, amplitude, NARROW_HZ, NARROW_S)
            acquisitions.append(self.acquire(backend, "narrow", program))
        return acquisitions

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """The narrow one's values, or why there is none."""
        wide = self.driven(result, "wide")
        checks = as_checks(chevron_checks(wide.fit), prefix="" if len(result) == 1 else "wide ")
        if len(result) == 1:
            return self.judged(wide, checks)
        narrow = self.driven(result, "narrow")
        return self.judged(narrow, (*as_checks(chevron_checks(narrow.fit)), *checks), wide)

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(41 * 51 + NARROW_HZ.size * NARROW_S.size, 1024, 0.2e-6)
