"""Where the readout tells |0> from |1>, as soon as there is a half-pi pulse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.framework.declarations import InputParameter
from kubecal_tasks.programs import Operation
from kubecal_tasks.tasks.declared import HALF_PI_INPUTS, INTERVAL, STANDARD_INPUTS, duration_s, shots, sweep
from kubecal_tasks.tasks.pulses import Pulses
from kubecal_tasks.tasks.separation_task import SeparationTask


class CheckReadoutFrequency(SeparationTask):
    """Readout frequency from the contrast of |0> and |1>, excited by two half-pi pulses."""

    name = "CheckReadoutFrequency"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, *HALF_PI_INPUTS)
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep(
            "detuning_range",
            "MHz",
            {"start": -5, "stop": 5, "num": 21},
            -500.0,
            500.0,
            "distances of the tone from readout_frequency",
        ),
        shots(1024),
        INTERVAL,
    )

    def excite(self, pulses: Pulses) -> Sequence[Operation]:
        """Two half-pi pulses in a row: there may be no pi pulse yet."""
        return (pulses.half_pi(), pulses.half_pi())

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(2 * 21, 1024, 0.1e-6)
