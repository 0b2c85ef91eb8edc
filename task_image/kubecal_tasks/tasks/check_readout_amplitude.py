"""The weakest readout tone of use, from the signal-to-noise ratio of one shot against its amplitude."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from kubecal.api.catalogue import ParameterKind, RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.snr import SnrFit, fit_snr, snr_checks, snr_window
from kubecal_tasks.framework.declarations import DAY_S, InputParameter, OutputParameter, Precision
from kubecal_tasks.framework.task import FigureContext, PostProcessResult
from kubecal_tasks.programs import Acquisition, Average, Axis, Program, Readout, Swept, Tone, readout_line
from kubecal_tasks.tasks.declared import INTERVAL, STANDARD_INPUTS, duration_s, shots, sweep
from kubecal_tasks.tasks.findings import as_checks, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.pictures import Draw
from kubecal_tasks.tasks.qubit_task import QubitTask

if TYPE_CHECKING:
    from kubecal_tasks.figures import Figure

_READOUT = ("readout_frequency", "readout_length")


class CheckReadoutAmplitude(QubitTask):
    """Readout amplitude at which the mean of a shot rises out of its noise."""

    name = "CheckReadoutAmplitude"
    inputs: ClassVar[tuple[InputParameter, ...]] = tuple(each for each in STANDARD_INPUTS if each.name in _READOUT)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter(
            "readout_amplitude",
            "a.u.",
            description="at which the signal-to-noise ratio of one shot is the threshold",
            minimum=0.0,
            maximum=1.0,
            precision=Precision(relative=0.02),
            drift=0.01,
            drift_relative=True,
            max_age_s=DAY_S,
        ),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep("amplitudes", "a.u.", {"start": 0, "stop": 0.2, "num": 51}, 0.0, 1.0, "amplitudes of the readout tone"),
        RunParameter(
            name="snr_threshold",
            kind=ParameterKind.NUMBER,
            default=1.0,
            minimum=0.01,
            maximum=100.0,
            description="ratio of the mean to the noise of one shot that is looked for",
        ),
        shots(1024),
        INTERVAL,
    )
    swept = "amplitudes"

    def preprocess(self, backend: Backend) -> None:
        """Read with tones of growing amplitude, having driven nothing."""
        tone = Tone(readout_line(self.target), self.value("readout_frequency"), Swept("amplitude"))
        self.program = Program(
            frames=(),
            body=(),
            readout=Readout((tone,), self.value("readout_length")),
            acquisition=Average(self.integer("shots")),
            interval_s=self.interval_s(),
            axes=(Axis("amplitude", tuple(float(each) for each in self.sweep("amplitudes")), "a.u."),),
        )

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """One sweep."""
        return (self.acquire(backend, "amplitudes", self.program),)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """A line through the origin up to twice the threshold, and where it crosses it."""
        (swept,) = result
        threshold = self.number("snr_threshold")
        fit = fit_snr(swept.x, swept.iq, swept.covariance, self.integer("shots"), threshold)
        checks = as_checks(snr_checks(fit))
        estimates = (estimate("readout_amplitude", fit.crossing),)
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=fit.statistics.r2,
            metrics=metrics(fit.statistics) | {"shot_noise": fit.noise.value},
            suggestion=self.suggest(checks, estimates, swept.x, lambda _, largest: snr_window(fit, largest)),
            lines=(value_line("readout amplitude", fit.crossing, "a.u."), quality_line(fit.statistics)),
            figures=(_picture(fit),),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(51, 1024, 0.0)


def _picture(fit: SnrFit) -> Draw:
    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.snr import snr_figure

        return snr_figure(fit, context)

    return draw
