"""Interleaved benchmarking of one pulse: what X90 and X180 have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.rb import lost, ratio, rb_checks, scaled
from kubecal_tasks.fits.values import Measured
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.benchmarking import benchmarking_picture, fidelity_line, longer_or_shorter
from kubecal_tasks.tasks.findings import as_checks, estimate, metrics, quality_line
from kubecal_tasks.tasks.pulses import Pulses
from kubecal_tasks.tasks.qubit_benchmarking import STATES, Interleaved, QubitBenchmarkingTask


class InterleavedBenchmarkingTask(QubitBenchmarkingTask):
    """Fidelity of one gate, from sequences with and without it, played in turn."""

    gate: ClassVar[str]
    """As the outputs and figures call it: ``x90``."""

    @abstractmethod
    def interleaved(self, pulses: Pulses) -> Interleaved:
        """The gate."""

    @abstractmethod
    def gate_s(self) -> float:
        """How long it takes."""

    def preprocess(self, backend: Backend) -> None:
        """Random sequences without and with the gate after each Clifford, in turn."""
        pulses = self.pulses(backend)
        self.program = self.benchmark(pulses, self.interleaved(pulses))

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """All sequences."""
        return (self.acquire(backend, "sequences", self.program),)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """Two decays, of which the ratio is the gate's own."""
        (reference, interleaved), referenced = self.decays(result[0], 2)
        own = lost(ratio(interleaved.decay, reference.decay))
        error = scaled(own, 1.0 - 1.0 / STATES)
        found = Measured(1.0 - error.value, error.error)
        checks = (
            *as_checks(rb_checks(reference), prefix="reference "),
            *as_checks(rb_checks(interleaved), prefix="interleaved "),
        )
        estimates = (
            estimate(f"{self.gate}_gate_fidelity", found),
            estimate(f"{self.gate}_depolarizing_rate", own),
        )
        per_clifford = reference.error_per_clifford(STATES)
        limit = self.gate_limit(self.gate_s())
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=reference.statistics.r2,
            metrics=metrics(reference.statistics)
            | {f"interleaved_{name}": value for name, value in metrics(interleaved.statistics).items()}
            | {"error_per_clifford": per_clifford.value},
            suggestion=self.suggest(checks, estimates, np.unique(reference.x), longer_or_shorter(reference, STATES)),
            lines=(
                fidelity_line(f"{self.gate.upper()} fidelity", found),
                *(() if limit is None else (f"coherence limit {1e2 * (1.0 - limit.value):.4f} %",)),
                quality_line(reference.statistics),
            ),
            figures=(
                benchmarking_picture(
                    (("reference", reference), (f"with {self.gate.upper()}", interleaved)),
                    referenced,
                    self.decay_limit(),
                ),
            ),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default settings: twice as many sequences as without the gate, half of them twice as long."""
        return 2.0 * super().estimated_duration_s()
