"""How long the excited state lasts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits import fit_decay
from kubecal_tasks.fits.checks import decay_checks
from kubecal_tasks.fits.suggestions import decay_window
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.declared import HALF_PI_INPUTS, INTERVAL, STANDARD_INPUTS, decay_time, duration_s, shots, sweep
from kubecal_tasks.tasks.findings import as_checks, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.pictures import decay_picture
from kubecal_tasks.tasks.qubit_task import MICROSECOND, QubitTask


class CheckT1(QubitTask):
    """Energy relaxation time from the decay of |1>."""

    name = "CheckT1"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, *HALF_PI_INPUTS)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (decay_time("t1", "energy relaxation time"),)
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep(
            "delays",
            "us",
            {"start": 0.1, "stop": 500, "num": 51, "scale": "log"},
            0.0,
            100_000.0,
            "waits between excitation and readout",
        ),
        shots(1024),
        INTERVAL,
    )
    r2_threshold = 0.7
    swept = "delays"

    def preprocess(self, backend: Backend) -> None:
        """Excite by two half-pi pulses in a row, wait, read."""
        pulses = self.pulses(backend)
        self.program = pulses.swept(
            "delay", "s", self.sweep("delays"), lambda t: (pulses.half_pi(), pulses.half_pi(), pulses.wait(t))
        )

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """One sweep."""
        return (self.acquire(backend, "decay", self.program),)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """Decay to the thermal population, from a start that the steady state of the repetition sets."""
        trace = self.trace(result, "decay")
        fit = fit_decay(
            trace.x, trace.signal, trace.variance, interval=self.interval_s() + self.value("readout_length")
        )
        checks = as_checks(decay_checks(fit))
        estimates = (estimate("t1", fit.tau),)
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=fit.statistics.r2,
            metrics=metrics(fit.statistics),
            suggestion=self.suggest(checks, estimates, trace.x, partial(decay_window, fit)),
            lines=(value_line("T1", fit.tau, "us", MICROSECOND), quality_line(fit.statistics)),
            figures=(decay_picture(fit, trace, "t1", "P(1)", self.previous("t1")),),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(51, 1024, 59e-6)
