"""Randomized benchmarking: the average fidelity of a qubit's Cliffords."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.rb import lost, rb_checks
from kubecal_tasks.fits.values import Measured
from kubecal_tasks.framework.declarations import OutputParameter
from kubecal_tasks.framework.outcome import Estimate
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.benchmarking import (
    benchmarking_picture,
    depolarizing_rate,
    fidelity,
    fidelity_line,
    longer_or_shorter,
)
from kubecal_tasks.tasks.findings import as_checks, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.qubit_benchmarking import STATES, QubitBenchmarkingTask


class RandomizedBenchmarking(QubitBenchmarkingTask):
    """Average fidelity of one-qubit Cliffords, one half-pi pulse each on average."""

    name = "RandomizedBenchmarking"
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        fidelity("average_gate_fidelity", "of a random Clifford, one half-pi pulse on average", 1e-3),
        depolarizing_rate("depolarizing_rate", "part of the polarisation that a random Clifford loses"),
    )

    def preprocess(self, backend: Backend) -> None:
        """Random sequences of each length, each with the Clifford that undoes it."""
        self.program = self.benchmark(self.pulses(backend))

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """All sequences."""
        return (self.acquire(backend, "sequences", self.program),)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """One decay."""
        (fit,), referenced = self.decays(result[0], 1)
        error, rate = fit.error_per_clifford(STATES), lost(fit.decay)
        found = Measured(1.0 - error.value, error.error)
        checks = as_checks(rb_checks(fit))
        estimates: tuple[Estimate, ...] = (
            estimate("average_gate_fidelity", found),
            estimate("depolarizing_rate", rate),
        )
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=fit.statistics.r2,
            metrics=metrics(fit.statistics) | {"error_per_clifford": error.value, "lack_of_fit": fit.lack},
            suggestion=self.suggest(checks, estimates, np.unique(fit.x), window=longer_or_shorter(fit, STATES)),
            lines=(
                fidelity_line("average gate fidelity", found),
                value_line("error per Clifford", error, "%", 1e-2),
                quality_line(fit.statistics),
            ),
            figures=(benchmarking_picture((("reference", fit),), referenced, self.decay_limit()),),
        )
