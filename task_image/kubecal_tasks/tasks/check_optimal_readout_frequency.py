"""Where the readout tells |0> from |1> best, with a calibrated pi pulse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.framework.declarations import InputParameter
from kubecal_tasks.programs import Operation
from kubecal_tasks.tasks.declared import INTERVAL, PI_INPUTS, STANDARD_INPUTS, duration_s, shots, sweep
from kubecal_tasks.tasks.pulses import Pulses
from kubecal_tasks.tasks.separation_task import SeparationTask


class CheckOptimalReadoutFrequency(SeparationTask):
    """Readout frequency at which |0> and |1> are told apart best."""

    name = "CheckOptimalReadoutFrequency"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, *PI_INPUTS)
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep(
            "detuning_range",
            "MHz",
            {"start": -3, "stop": 3, "num": 31},
            -500.0,
            500.0,
            "distances of the tone from readout_frequency",
        ),
        shots(1024),
        INTERVAL,
    )

    def excite(self, pulses: Pulses) -> Sequence[Operation]:
        """The pi pulse."""
        return (pulses.pi(),)

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(2 * 31, 1024, 0.1e-6)
