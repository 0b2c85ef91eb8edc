"""By how much the qubit's state moves its resonator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.dispersive import dispersive_checks, fit_dispersive
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter, Precision
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition, Axis, Swept
from kubecal_tasks.tasks.declared import INTERVAL, PI_INPUTS, STANDARD_INPUTS, duration_s, shots, sweep
from kubecal_tasks.tasks.findings import as_checks, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.qubit_task import GIGAHERTZ, MEGAHERTZ
from kubecal_tasks.tasks.readout_pictures import dispersive_picture
from kubecal_tasks.tasks.readout_task import ReadoutTask, about, readout_frequency

_WIDTHS = 3.0
"""Line widths and distances of the lines that a sweep should hold."""


class CheckDispersiveShift(ReadoutTask):
    """Dispersive shift chi and the readout point, from the resonator with the qubit in |0> and in |1>."""

    name = "CheckDispersiveShift"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, *PI_INPUTS)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter(
            "dispersive_shift",
            "MHz",
            description="chi: half the way of the resonance from the qubit in |0> to the qubit in |1>",
            precision=Precision(relative=0.1),
        ),
        readout_frequency("optimal_readout_frequency", "half-way between the resonances with |0> and with |1>"),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep(
            "detuning_range",
            "MHz",
            {"start": -5, "stop": 5, "num": 101},
            -500.0,
            500.0,
            "distances of the tone from readout_frequency",
        ),
        shots(2048),
        INTERVAL,
    )
    swept = "detuning_range"

    def preprocess(self, backend: Backend) -> None:
        """The same sweep twice: with the qubit left alone, and after a pi pulse."""
        detunings = Axis("detuning", tuple(self.sweep("detuning_range")), "Hz")
        frequency = Swept("detuning") + self.value("readout_frequency")
        self.programs = self.in_both_states(
            backend, detunings, frequency, self.value("readout_amplitude"), lambda pulses: (pulses.pi(),)
        )

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """Both sweeps."""
        return tuple(self.acquire(backend, label, program) for label, program in self.programs.items())

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """Both sweeps together, on the same cable and of the same width."""
        middle = self.value("readout_frequency")
        x = result[0].x
        iq, covariance = self.both(result)
        fit = fit_dispersive(x + middle, iq, covariance)
        checks = as_checks(dispersive_checks(fit))
        estimates = (estimate("dispersive_shift", fit.chi), estimate("optimal_readout_frequency", fit.middle))
        least_span = _WIDTHS * (fit.kappa.value + abs(fit.chi.value))
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=fit.statistics.r2,
            metrics=metrics(fit.statistics) | {"kappa_hz": fit.kappa.value},
            suggestion=self.suggest_frequencies(
                checks, estimates, x, lambda limits: about(fit.x, middle, fit.middle.value, least_span, limits)
            ),
            lines=(
                value_line("χ", fit.chi, "MHz", MEGAHERTZ),
                value_line("readout point", fit.middle, "GHz", GIGAHERTZ),
                quality_line(fit.statistics),
            ),
            figures=(dispersive_picture(fit, middle),),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(2 * 101, 2048, 0.1e-6)
