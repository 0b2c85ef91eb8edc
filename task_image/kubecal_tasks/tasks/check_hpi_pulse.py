"""What the half-pi pulse rotates by, from up to twenty of them in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits import fit_repetition
from kubecal_tasks.fits.checks import repetition_checks
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter, Precision
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.declared import HALF_PI_INPUTS, INTERVAL, STANDARD_INPUTS, duration_s, shots, sweep
from kubecal_tasks.tasks.findings import as_checks, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.pictures import repetition_picture
from kubecal_tasks.tasks.qubit_task import HALF_PI, QubitTask


class CheckHPIPulse(QubitTask):
    """Error of the half-pi pulse's angle, from repeated pulses."""

    name = "CheckHPIPulse"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, *HALF_PI_INPUTS)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter("hpi_error", "rad", description="angle minus pi/2", precision=Precision(absolute=0.02)),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep("repetitions", "", {"start": 0, "stop": 20, "num": 21}, 0.0, 200.0, "numbers of pulses in a row"),
        shots(1024),
        INTERVAL,
    )

    def preprocess(self, backend: Backend) -> None:
        """0 to 20 pulses in a row; |0> and |1> as no and two pulses, whatever the repetitions asked for."""
        pulses = self.pulses(backend)
        half_pi = pulses.half_pi()
        self.programs = {
            "repetitions": pulses.repeated(half_pi, [round(n) for n in self.sweep("repetitions")]),
            "references": pulses.repeated(half_pi, (0, 2)),
        }

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """Both series."""
        return tuple(self.acquire(backend, label, program) for label, program in self.programs.items())

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """sin^2(n (pi/4 + eps/2)), with whatever one pulse loses."""
        trace = self.trace(result, "repetitions", "references")
        fit = fit_repetition(trace.x, trace.signal, trace.variance, angle=HALF_PI)
        checks = as_checks(repetition_checks(fit))
        estimates = (estimate("hpi_error", fit.error_angle),)
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=fit.statistics.r2,
            metrics=metrics(fit.statistics),
            suggestion=self.suggest(checks, estimates),
            lines=(value_line("angle error", fit.error_angle, "rad"), quality_line(fit.statistics)),
            figures=(repetition_picture(fit, trace, "repetitions"),),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(21 + 2, 1024, 0.3e-6)
