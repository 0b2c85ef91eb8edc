"""What the half-pi pulse rotates by, from up to twenty of them in a row."""

from __future__ import annotations

from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter, Precision
from kubecal_tasks.framework.task import BaseTask
from kubecal_tasks.tasks.declared import HALF_PI_INPUTS, INTERVAL, STANDARD_INPUTS, duration_s, shots, sweep


class CheckHPIPulse(BaseTask):
    """Error of the half-pi pulse's angle, from repeated pulses."""

    name = "CheckHPIPulse"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, *HALF_PI_INPUTS)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter(
            "hpi_error", "rad", description="angle minus pi/2", precision=Precision(absolute=0.02)
        ),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep("repetitions", "", {"start": 0, "stop": 20, "num": 21}, 0.0, 200.0, "numbers of pulses in a row"),
        shots(1024),
        INTERVAL,
    )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(21 + 2, 1024, 0.3e-6)
