"""How long the phase lasts once slow detunings are refocused."""

from __future__ import annotations

from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.task import BaseTask
from kubecal_tasks.tasks.declared import HALF_PI_INPUTS, INTERVAL, STANDARD_INPUTS, decay_time, duration_s, shots, sweep


class CheckT2Echo(BaseTask):
    """Echo coherence time from a Hahn echo's decay."""

    name = "CheckT2Echo"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, *HALF_PI_INPUTS)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        decay_time("t2_echo", "coherence time under one refocusing pulse"),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep(
            "delays",
            "us",
            {"start": 0.3, "stop": 100, "num": 51, "scale": "log"},
            0.0,
            100_000.0,
            "total waits, half before and half after the refocusing pulse",
        ),
        shots(1024),
        INTERVAL,
    )
    r2_threshold = 0.7

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(51, 1024, 17e-6)
