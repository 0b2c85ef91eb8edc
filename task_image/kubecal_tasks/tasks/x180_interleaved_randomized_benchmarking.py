"""Interleaved benchmarking of the pi pulse."""

from __future__ import annotations

from typing import ClassVar

from kubecal_tasks.cliffords.single import X180
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.tasks.benchmarking import depolarizing_rate, fidelity
from kubecal_tasks.tasks.declared import DRAG_HALF_PI_INPUTS, DRAG_PI_INPUTS, STANDARD_INPUTS
from kubecal_tasks.tasks.interleaved_benchmarking import InterleavedBenchmarkingTask
from kubecal_tasks.tasks.pulses import Pulses
from kubecal_tasks.tasks.qubit_benchmarking import T2_ECHO, Interleaved


class X180InterleavedRandomizedBenchmarking(InterleavedBenchmarkingTask):
    """Fidelity of the pi pulse with DRAG."""

    name = "X180InterleavedRandomizedBenchmarking"
    gate = "x180"
    inputs: ClassVar[tuple[InputParameter, ...]] = (
        *STANDARD_INPUTS,
        T2_ECHO,
        *DRAG_HALF_PI_INPUTS,
        *DRAG_PI_INPUTS,
    )
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        fidelity("x180_gate_fidelity", "of the pi pulse", 1e-3),
        depolarizing_rate("x180_depolarizing_rate", "part of the polarisation that the pi pulse loses"),
    )

    def interleaved(self, pulses: Pulses) -> Interleaved:
        """The pi pulse about X."""
        return Interleaved(X180, pulses.drag_pi())

    def gate_s(self) -> float:
        """Its length."""
        return self.value("drag_pi_length")
