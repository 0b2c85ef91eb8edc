"""The readout resonator in reflection: its frequency and how fast it loses photons, and to where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.resonator import fit_resonator
from kubecal_tasks.fits.resonator_checks import resonator_checks
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter, Precision
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition, Axis, Swept
from kubecal_tasks.tasks.declared import INTERVAL, duration_s, shots, sweep
from kubecal_tasks.tasks.findings import as_checks, could_show, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.qubit_task import GIGAHERTZ, MEGAHERTZ
from kubecal_tasks.tasks.readout_pictures import resonator_picture
from kubecal_tasks.tasks.readout_task import READOUT_INPUTS, ReadoutTask, about, readout_frequency, with_spread

_WIDTHS = 5.0
"""Line widths that a sweep should hold."""


class CheckReflectionCoefficient(ReadoutTask):
    """Frequency, external and internal line width of the readout resonator, from its complex reflection."""

    name = "CheckReflectionCoefficient"
    inputs: ClassVar[tuple[InputParameter, ...]] = READOUT_INPUTS
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        readout_frequency("resonator_frequency", "resonance with the qubit in |0>, at this readout amplitude"),
        OutputParameter(
            "kappa_external",
            "MHz",
            description="line width through the readout line",
            minimum=0.0,
            precision=Precision(relative=0.2),
        ),
        OutputParameter("kappa_internal", "MHz", required=False, description="line width through losses", minimum=0.0),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep(
            "detuning_range",
            "MHz",
            {"start": -10, "stop": 10, "num": 201},
            -500.0,
            500.0,
            "distances of the tone from readout_frequency",
        ),
        shots(1024),
        INTERVAL,
    )
    swept = "detuning_range"

    def preprocess(self, backend: Backend) -> None:
        """A readout, its frequency swept, the qubit left alone."""
        detunings = Axis("detuning", tuple(self.sweep("detuning_range")), "Hz")
        frequency = Swept("detuning") + self.value("readout_frequency")
        self.program = self.reading((detunings,), frequency, self.value("readout_amplitude"))

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """One sweep."""
        return (self.acquire(backend, "reflection", self.program),)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """A circle in the plane, turned by the cable's delay."""
        middle = self.value("readout_frequency")
        acquired = result[0]
        fit = fit_resonator(acquired.x + middle, acquired.iq, acquired.covariance)
        low, high = float(acquired.x.min()), float(acquired.x.max())
        text = (
            f"nothing is seen between {low / MEGAHERTZ:+.4g} and {high / MEGAHERTZ:+.4g} MHz from readout_frequency, "
            "and there itself it was not looked for: let detuning_range hold 0"
        )
        held = low <= 0.0 <= high
        checks = could_show(as_checks(resonator_checks(fit)), held, text)
        place, span = (fit.frequency.value, _WIDTHS * fit.kappa.value) if held else (middle, 2 * max(-low, high))
        estimates = (
            with_spread(estimate("resonator_frequency", fit.frequency), fit.thermal_doubt),
            estimate("kappa_external", fit.kappa_external),
            estimate("kappa_internal", fit.kappa_internal),
        )
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=fit.statistics.r2,
            metrics=metrics(fit.statistics),
            suggestion=self.suggest_frequencies(
                checks,
                estimates,
                acquired.x,
                lambda limits: about(fit.x, middle, place, span, limits),
            ),
            lines=(
                value_line("resonator frequency", fit.frequency, "GHz", GIGAHERTZ),
                value_line("κ external", fit.kappa_external, "MHz", MEGAHERTZ),
                value_line("internal", fit.kappa_internal, "MHz", MEGAHERTZ),
                quality_line(fit.statistics),
            ),
            figures=(resonator_picture(fit, middle),),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(201, 1024, 0.0)
