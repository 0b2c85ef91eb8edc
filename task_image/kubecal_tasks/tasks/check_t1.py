"""How long the excited state lasts."""

from __future__ import annotations

from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.task import BaseTask
from kubecal_tasks.tasks.declared import HALF_PI_INPUTS, INTERVAL, STANDARD_INPUTS, decay_time, duration_s, shots, sweep


class CheckT1(BaseTask):
    """Energy relaxation time from the decay of |1>."""

    name = "CheckT1"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, *HALF_PI_INPUTS)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        decay_time("t1", "energy relaxation time"),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep(
            "delays",
            "us",
            {"start": 0.1, "stop": 500, "num": 51, "scale": "log"},
            0.0,
            100_000.0,
            "waits between excitation and readout",
        ),
        shots(1024),
        INTERVAL,
    )
    r2_threshold = 0.7

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(51, 1024, 59e-6)
