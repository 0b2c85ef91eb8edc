"""Rabi oscillation: what a drive amplitude does, and where |0> and |1> lie in the IQ plane."""

from __future__ import annotations

from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.task import BaseTask
from kubecal_tasks.tasks.declared import CONTROL_AMPLITUDE, INTERVAL, STANDARD_INPUTS, duration_s, pulse_amplitude, shots, sweep


class CheckRabi(BaseTask):
    """Rabi rate of the drive line, from a damped oscillation over pulse duration; fixes the IQ reference."""

    name = "CheckRabi"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, CONTROL_AMPLITUDE)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        pulse_amplitude("control_amplitude", "rabi", "amplitude that drives Rabi oscillations at 12.5 MHz"),
        OutputParameter("rabi_frequency", "MHz", group="rabi", minimum=0.0, description="at the amplitude used"),
        OutputParameter("maximum_rabi_frequency", "MHz/a.u.", group="rabi", minimum=0.0, description="rate per amplitude"),
        OutputParameter("rabi_amplitude", "", minimum=0.0, description="of the oscillation of P(1)"),
        OutputParameter("rabi_phase", "rad", description="of the cosine at zero duration"),
        OutputParameter("rabi_offset", "", description="mean of the oscillation of P(1)"),
        OutputParameter("iq_ground_i", "a.u.", group="iq", description="centre of |0>"),
        OutputParameter("iq_ground_q", "a.u.", group="iq", description="centre of |0>"),
        OutputParameter("iq_excited_i", "a.u.", group="iq", description="centre of |1>"),
        OutputParameter("iq_excited_q", "a.u.", group="iq", description="centre of |1>"),
        OutputParameter("iq_sigma", "a.u.", group="iq", minimum=0.0, description="of one shot"),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep("times", "ns", {"start": 0, "stop": 400, "num": 51}, 0.0, 100_000.0, "durations of the drive"),
        shots(2048),
        INTERVAL,
    )
    r2_threshold = 0.6

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(51, 2048, 0.2e-6)
