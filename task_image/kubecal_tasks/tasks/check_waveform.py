"""What the readout line gives back over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from kubecal.api.catalogue import ParameterKind, RunParameter
from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.waveform import Waveform, fit_waveform, waveform_checks
from kubecal_tasks.framework.declarations import InputParameter
from kubecal_tasks.framework.outcome import Check, Suggestion
from kubecal_tasks.framework.task import FigureContext, PostProcessResult
from kubecal_tasks.programs import Acquisition, Program, Readout, Tone, Trace, readout_line
from kubecal_tasks.tasks.declared import INTERVAL, MAX_SHOTS, STANDARD_INPUTS, duration_s, shots
from kubecal_tasks.tasks.findings import as_checks, value_line
from kubecal_tasks.tasks.pictures import Draw
from kubecal_tasks.tasks.qubit_task import QubitTask

if TYPE_CHECKING:
    from kubecal_tasks.figures import Figure

SAMPLE_S = 8e-9
_MORE = 4
"""Times the shots where nothing is seen: half the noise."""
_READOUT = ("readout_frequency", "readout_amplitude", "readout_length")


class CheckWaveform(QubitTask):
    """The captured readout trace: whether a tone is there, level, and at the time at which it is integrated."""

    name = "CheckWaveform"
    inputs: ClassVar[tuple[InputParameter, ...]] = tuple(each for each in STANDARD_INPUTS if each.name in _READOUT)
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        RunParameter(
            name="margins",
            kind=ParameterKind.NUMBER,
            unit="ns",
            default=0.0,
            minimum=0.0,
            maximum=100_000.0,
            description="what is captured before and after the readout",
        ),
        shots(2048),
        INTERVAL,
    )

    def preprocess(self, backend: Backend) -> None:
        """Read, having driven nothing, and capture."""
        tone = Tone(readout_line(self.target), self.value("readout_frequency"), self.value("readout_amplitude"))
        self.program = Program(
            frames=(),
            body=(),
            readout=Readout((tone,), self.value("readout_length")),
            acquisition=Trace(self.integer("shots"), SAMPLE_S, self.number("margins")),
            interval_s=self.interval_s(),
        )

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """One capture."""
        return (self.acquire(backend, "trace", self.program),)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """Its level, and whether it has one."""
        (trace,) = result
        seen = fit_waveform(trace.times_s, trace.iq, trace.covariance, self.value("readout_length"))
        checks = as_checks(waveform_checks(seen))
        return PostProcessResult(
            checks=checks,
            metrics={
                "magnitude": seen.magnitude.value,
                "reduced_chi2": seen.ripple,
                "clipped_fraction": seen.clipped_fraction,
            },
            suggestion=self._suggestion(checks),
            lines=(value_line("magnitude", seen.magnitude, "a.u."), f"χ²/dof of the level = {seen.ripple:.2f}"),
            figures=(_picture(seen, self.value("readout_length")),),
        )

    def _suggestion(self, checks: Sequence[Check]) -> Suggestion | None:
        failed = {check.verdict for check in checks if not check.ok}
        wanted = min(_MORE * self.integer("shots"), MAX_SHOTS)
        if Verdict.NO_SIGNAL not in failed or wanted <= self.integer("shots"):
            return None
        return Suggestion({"shots": wanted}, "no tone is seen: half the noise may show a weak one")

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default settings."""
        return duration_s(1, 2048, 0.0)


def _picture(seen: Waveform, length_s: float) -> Draw:
    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.waveform import waveform_figure

        return waveform_figure(seen, length_s, context)

    return draw
