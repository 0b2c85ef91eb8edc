"""Where a qubit's resonator is, from the jump of the phase in one sweep of the whole band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import RunParameter
from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.resonator import ResonatorFit
from kubecal_tasks.fits.resonator_checks import resonator_checks
from kubecal_tasks.fits.resonator_lines import fit_lines, line_gains
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.outcome import Check, Suggestion
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition, Axis, Swept
from kubecal_tasks.tasks.band import FREQUENCY_RANGE, band_frequencies, glitch_check, line_check
from kubecal_tasks.tasks.declared import INTERVAL, MAX_SHOTS, duration_s, shots
from kubecal_tasks.tasks.findings import as_checks, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.qubit_task import GIGAHERTZ
from kubecal_tasks.tasks.readout_pictures import band_picture
from kubecal_tasks.tasks.readout_task import READOUT_LENGTH, ReadoutTask, readout_frequency, with_spread

FARTHEST_HZ = 25e6
"""From where the design has the line: less than half way to the next one, so that none is taken for another."""
_POINTS = 1001


class CheckResonatorFrequencies(ReadoutTask):
    """Frequency of the readout resonator to some per cent of its width, from phase jumps over the whole band."""

    name = "CheckResonatorFrequencies"
    inputs: ClassVar[tuple[InputParameter, ...]] = (
        InputParameter("readout_frequency", "GHz", hint="CheckResonatorSpectroscopy"),
        InputParameter("readout_amplitude", "a.u.", fallback=0.05),
        READOUT_LENGTH,
    )
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        readout_frequency("coarse_resonator_frequency", "resonance with the qubit in |0>, at this readout amplitude"),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (FREQUENCY_RANGE, shots(1024), INTERVAL)

    def preprocess(self, backend: Backend) -> None:
        """A tone over the whole band."""
        axis = Axis("frequency", tuple(band_frequencies(self, backend, self.target)), "Hz")
        self.program = self.reading((axis,), Swept("frequency"), self.value("readout_amplitude"))

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """One sweep."""
        return (self.acquire(backend, "band", self.program),)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """All lines of the cable; of these the one nearest to where the design has it."""
        acquired = result[0]
        design = self.value("readout_frequency")
        clean = glitch_check(acquired.iq[None])
        fits = lines_of(acquired) if clean.ok else ()
        lines = np.asarray([fit.frequency.value for fit in fits])
        near = np.abs(lines - design)
        found = float(near.min(initial=np.inf)) <= FARTHEST_HZ
        mine = line_check("line", lines, f"qubit {self.target}", found, acquired.x, design)
        if not (clean.ok and mine.ok):
            seen = (clean, mine) if clean.ok else (clean,)
            return PostProcessResult(
                checks=seen, suggestion=self._better(*seen), figures=(band_picture(acquired, fits, None, design),)
            )
        fit = fits[int(np.argmin(near))]
        checks = (clean, mine, *as_checks(resonator_checks(fit)))
        return PostProcessResult(
            estimates=(with_spread(estimate("coarse_resonator_frequency", fit.frequency), fit.thermal_doubt),),
            checks=checks,
            r2=fit.statistics.r2,
            metrics=metrics(fit.statistics) | {"lines": float(lines.size)},
            suggestion=self._better(*checks),
            lines=(
                value_line("resonator frequency", fit.frequency, "GHz", GIGAHERTZ),
                f"{lines.size} lines in the band",
                quality_line(fit.statistics),
            ),
            figures=(band_picture(acquired, fits, fit, design),),
        )

    def _better(self, *checks: Check) -> Suggestion | None:
        number = self.integer("shots")
        if any(not check.ok and check.verdict is Verdict.NO_SIGNAL for check in checks) and number < MAX_SHOTS:
            more = min(4 * number, MAX_SHOTS)
            return Suggestion({"shots": more}, f"no line seen: {more} shots instead of {number}")
        return None

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps, of a band of 2 GHz."""
        return duration_s(_POINTS, 1024, 0.0)


def lines_of(acquired: Acquisition) -> tuple[ResonatorFit, ...]:
    """Every line of a sweep, ascending.

    Raises
    ------
    FitError
        If the sweep has too few points.
    """
    iq, covariance = acquired.iq[None], acquired.covariance[None]
    gains = line_gains(acquired.x, iq, covariance)
    peaks = gains.peaks(gains.gain[0], gains.limit())
    where = [(0, float(gains.places[peak])) for peak in peaks]
    fits = fit_lines(acquired.x, iq, covariance, where, gains.half_points)
    return tuple(sorted((fit for fit in fits if fit is not None), key=lambda fit: fit.frequency.value))
