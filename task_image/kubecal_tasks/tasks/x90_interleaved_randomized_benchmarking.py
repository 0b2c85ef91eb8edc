"""Interleaved benchmarking of the half-pi pulse."""

from __future__ import annotations

from typing import ClassVar

from kubecal_tasks.cliffords.single import X90
from kubecal_tasks.framework.declarations import OutputParameter
from kubecal_tasks.tasks.benchmarking import depolarizing_rate, fidelity
from kubecal_tasks.tasks.interleaved_benchmarking import InterleavedBenchmarkingTask
from kubecal_tasks.tasks.pulses import Pulses
from kubecal_tasks.tasks.qubit_benchmarking import Interleaved


class X90InterleavedRandomizedBenchmarking(InterleavedBenchmarkingTask):
    """Fidelity of the half-pi pulse with DRAG."""

    name = "X90InterleavedRandomizedBenchmarking"
    gate = "x90"
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        fidelity("x90_gate_fidelity", "of the half-pi pulse", 1e-3),
        depolarizing_rate("x90_depolarizing_rate", "part of the polarisation that the half-pi pulse loses"),
    )

    def interleaved(self, pulses: Pulses) -> Interleaved:
        """The half-pi pulse about X."""
        return Interleaved(X90, pulses.drag_half_pi())

    def gate_s(self) -> float:
        """Its length."""
        return self.value("drag_hpi_length")
