"""What the pi pulse rotates by, from up to twenty of them in a row after half a pulse."""

from __future__ import annotations

from typing import ClassVar

from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.tasks.check_pulse import CHECK_POINTS, CheckPulse, angle_error
from kubecal_tasks.tasks.declared import PI_INPUTS, STANDARD_INPUTS, duration_s
from kubecal_tasks.tasks.trains import PI_ROTATION


class CheckPIPulse(CheckPulse):
    """Error of the pi pulse's angle, from repeated pulses."""

    name = "CheckPIPulse"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, *PI_INPUTS)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (angle_error("pi_error", "angle minus pi"),)
    pulse = "pi"
    rotation = PI_ROTATION

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(2 * CHECK_POINTS, 1024, 0.3e-6)
