"""Ramsey fringes: the frequency of the qubit and how long its phase lasts."""

from __future__ import annotations

from typing import ClassVar

from kubecal.api.catalogue import ParameterKind, RunParameter
from kubecal_tasks.framework.declarations import DAY_S, InputParameter, OutputParameter, Precision
from kubecal_tasks.framework.task import BaseTask
from kubecal_tasks.tasks.declared import HALF_PI_INPUTS, INTERVAL, STANDARD_INPUTS, decay_time, duration_s, shots, sweep


class CheckRamsey(BaseTask):
    """Qubit frequency and T2* from Ramsey fringes along X and Y."""

    name = "CheckRamsey"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, *HALF_PI_INPUTS)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter(
            "qubit_frequency",
            "GHz",
            description="transition frequency of |0> to |1>",
            precision=Precision(absolute=50e-6),
            band="qubit",
            drift=50e-6,
            max_age_s=DAY_S,
        ),
        OutputParameter("ramsey_frequency", "MHz", description="of the fringes, the artificial detuning included"),
        decay_time("t2_star", "time after which the fringes have fallen to 1/e", required=False),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        RunParameter(
            name="detuning",
            kind=ParameterKind.NUMBER,
            unit="MHz",
            default=1,
            minimum=-1000.0,
            maximum=1000.0,
            description="artificial detuning: phase advance of the second pulse",
        ),
        sweep("times", "us", {"start": 0, "stop": 10, "num": 101}, 0.0, 10_000.0, "delays between the pulses"),
        shots(1024),
        INTERVAL,
    )
    r2_threshold = 0.7

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(2 * 101, 1024, 5e-6)
