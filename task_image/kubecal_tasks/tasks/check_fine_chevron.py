"""A narrow chevron about a qubit that is known already."""

from __future__ import annotations

from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.framework.declarations import InputParameter
from kubecal_tasks.tasks.check_coarse_chevron import CheckCoarseChevron
from kubecal_tasks.tasks.chevron_task import ANHARMONICITY, detuning_range, time_range
from kubecal_tasks.tasks.declared import CONTROL_AMPLITUDE, INTERVAL, STANDARD_INPUTS, duration_s, shots


class CheckFineChevron(CheckCoarseChevron):
    """Qubit frequency and drive amplitude from Rabi oscillations near resonance."""

    name = "CheckFineChevron"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, CONTROL_AMPLITUDE, ANHARMONICITY)
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        detuning_range(10, 21),
        time_range(400, 26),
        shots(1024),
        INTERVAL,
    )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(21 * 26, 1024, 0.2e-6)
