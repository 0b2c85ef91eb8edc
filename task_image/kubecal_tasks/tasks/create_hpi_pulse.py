"""The half-pi pulse: its amplitude from a sweep, then from what many of them in a row add up to."""

from __future__ import annotations

from typing import ClassVar

from kubecal.api.catalogue import ParameterKind, RunParameter
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.task import BaseTask
from kubecal_tasks.tasks.declared import CONTROL_AMPLITUDE, INTERVAL, STANDARD_INPUTS, duration_s, pulse_amplitude, shots


class CreateHPIPulse(BaseTask):
    """Amplitude of the half-pi pulse, from an amplitude sweep and then error amplification."""

    name = "CreateHPIPulse"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, CONTROL_AMPLITUDE)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        pulse_amplitude("hpi_amplitude", "hpi", "amplitude of the half-pi pulse"),
        OutputParameter("hpi_length", "ns", group="hpi", minimum=0.0, description="duration of the half-pi pulse"),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        RunParameter(
            name="hpi_duration",
            kind=ParameterKind.NUMBER,
            unit="ns",
            default=32,
            minimum=8.0,
            maximum=1000.0,
            description="duration of the pulse to create",
        ),
        shots(2048),
        INTERVAL,
    )
    r2_threshold = 0.7

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(51 + 2 * 21, 2048, 0.2e-6)
