"""The half-pi pulse: its amplitude from a sweep, then from what many of them in a row add up to."""

from __future__ import annotations

from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.tasks.create_pulse import (
    CREATE_INPUTS,
    LONGEST_TRAIN,
    ROUNDS,
    SWEEP_POINTS,
    CreatePulse,
    pulse_duration,
)
from kubecal_tasks.tasks.declared import INTERVAL, duration_s, pulse_amplitude, shots
from kubecal_tasks.tasks.trains import HALF_PI_ROTATION


class CreateHPIPulse(CreatePulse):
    """Amplitude of the half-pi pulse, from an amplitude sweep and then error amplification."""

    name = "CreateHPIPulse"
    inputs: ClassVar[tuple[InputParameter, ...]] = CREATE_INPUTS
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        pulse_amplitude("hpi_amplitude", "hpi", "amplitude of the half-pi pulse"),
        OutputParameter("hpi_length", "ns", group="hpi", minimum=0.0, description="duration of the half-pi pulse"),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (pulse_duration("hpi_duration", 32), shots(2048), INTERVAL)
    r2_threshold = 0.7
    pulse = "hpi"
    rotation = HALF_PI_ROTATION

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(SWEEP_POINTS + ROUNDS * (LONGEST_TRAIN + 1), 2048, 0.3e-6)
