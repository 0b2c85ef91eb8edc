"""The half-pi pulse with DRAG: amplitude and DRAG coefficient in turn."""

from __future__ import annotations

from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.tasks.create_drag_pulse import (
    DRAG_CREATE_INPUTS,
    CreateDRAGPulse,
    drag_duration_s,
    drag_outputs,
    drag_parameters,
)
from kubecal_tasks.tasks.trains import HALF_PI_ROTATION


class CreateDRAGHPIPulse(CreateDRAGPulse):
    """Amplitude and DRAG coefficient of a short half-pi pulse, in turn, each from what repeated pulses add up to."""

    name = "CreateDRAGHPIPulse"
    inputs: ClassVar[tuple[InputParameter, ...]] = DRAG_CREATE_INPUTS
    outputs: ClassVar[tuple[OutputParameter, ...]] = drag_outputs("drag_hpi", "half-pi")
    run_parameters: ClassVar[tuple[RunParameter, ...]] = drag_parameters("drag_hpi", 16)
    r2_threshold = 0.7
    pulse = "drag_hpi"
    rotation = HALF_PI_ROTATION

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return drag_duration_s(trains=1)
