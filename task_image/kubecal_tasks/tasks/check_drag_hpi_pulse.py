"""What the half-pi pulse with DRAG rotates by, and how far its axis is out of the plane."""

from __future__ import annotations

from typing import ClassVar

from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.tasks.check_pulse import CHECK_POINTS, CheckPulse, angle_error
from kubecal_tasks.tasks.declared import DRAG_HALF_PI_INPUTS, STANDARD_INPUTS, duration_s
from kubecal_tasks.tasks.trains import HALF_PI_ROTATION


class CheckDRAGHPIPulse(CheckPulse):
    """Errors of angle and axis of the half-pi pulse with DRAG, from repeated pulses."""

    name = "CheckDRAGHPIPulse"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, *DRAG_HALF_PI_INPUTS)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        angle_error("drag_hpi_error", "angle minus pi/2"),
        angle_error("drag_hpi_axis_tilt", "angle of the rotation's axis out of the plane, towards |0>"),
    )
    pulse = "drag_hpi"
    rotation = HALF_PI_ROTATION
    tilts = True

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s((1 + 1) * CHECK_POINTS, 1024, 0.5e-6)
