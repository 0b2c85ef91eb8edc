"""How long the cables of a readout line are, in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.electrical_delay import TAILS_S, delay_checks, fit_delay
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter, Precision
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition, Axis, Swept
from kubecal_tasks.tasks.declared import INTERVAL, duration_s, shots, sweep
from kubecal_tasks.tasks.findings import as_checks, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.readout_pictures import delay_picture
from kubecal_tasks.tasks.readout_task import READOUT_LENGTH, ReadoutTask, with_spread

_NANOSECOND = 1e-9


class CheckElectricalDelay(ReadoutTask):
    """Electrical delay of the readout line, from the slope of the phase about the resonator."""

    name = "CheckElectricalDelay"
    inputs: ClassVar[tuple[InputParameter, ...]] = (
        InputParameter("readout_frequency", "GHz", hint="CheckResonatorSpectroscopy"),
        InputParameter("readout_amplitude", "a.u.", fallback=0.05),
        READOUT_LENGTH,
    )
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter(
            "electrical_delay",
            "ns",
            description="of cables and electronics, with what the other resonators of the line add",
            minimum=0.0,
            precision=Precision(absolute=1.0),
        ),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep(
            "detuning_range",
            "MHz",
            {"start": -50, "stop": 50, "num": 101},
            -500.0,
            500.0,
            "distances of the tone from readout_frequency",
        ),
        shots(1024),
        INTERVAL,
    )
    swept = "detuning_range"

    def preprocess(self, backend: Backend) -> None:
        """A readout, its frequency swept far to both sides of the resonance."""
        detunings = Axis("detuning", tuple(self.sweep("detuning_range")), "Hz")
        frequency = Swept("detuning") + self.value("readout_frequency")
        self.program = self.reading((detunings,), frequency, self.value("readout_amplitude"))

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """One sweep."""
        return (self.acquire(backend, "delay", self.program),)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """A phase that falls by the delay, and by a turn more at the resonance."""
        acquired = result[0]
        fit = fit_delay(acquired.x + self.value("readout_frequency"), acquired.iq, acquired.covariance)
        checks = as_checks(delay_checks(fit))
        estimates = (with_spread(estimate("electrical_delay", fit.delay), TAILS_S),)
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=fit.statistics.r2,
            metrics=metrics(fit.statistics),
            suggestion=self.suggest_frequencies(checks, estimates, acquired.x, lambda limits: None),
            lines=(value_line("electrical delay", fit.delay, "ns", _NANOSECOND), quality_line(fit.statistics)),
            figures=(delay_picture(fit),),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(101, 1024, 0.0)
