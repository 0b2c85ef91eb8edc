"""A wide chevron: where the qubit is, and how hard its line drives it, from coarse values of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

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
    READOUT_INPUTS,
    ChevronTask,
    detuning_range,
    time_range,
)
from kubecal_tasks.tasks.declared import INTERVAL, duration_s, shots
from kubecal_tasks.tasks.detuned import detuned_drive
from kubecal_tasks.tasks.findings import as_checks


class CheckCoarseChevron(ChevronTask):
    """Qubit frequency and drive amplitude from Rabi oscillations over a wide range of detunings."""

    name = "CheckCoarseChevron"
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

    def preprocess(self, backend: Backend) -> None:
        """Drive at every detuning for every duration, read."""
        self.program = detuned_drive(
            self.pulses(backend),
            self.expected("control_amplitude").si_value,
            self.sweep("detuning_range"),
            self.sweep("time_range"),
        )

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """One map."""
        return (self.acquire(backend, "chevron", self.program),)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """The generalised Rabi formula."""
        driven = self.driven(result, "chevron")
        return self.judged(driven, as_checks(chevron_checks(driven.fit)))

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(41 * 51, 1024, 0.2e-6)
