"""What the tasks share that look for the readout frequency at which |0> and |1> are told apart."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.separation import fit_separation, separation_checks
from kubecal_tasks.framework.declarations import OutputParameter
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition, Axis, Operation, Swept
from kubecal_tasks.tasks.findings import as_checks, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.pulses import Pulses
from kubecal_tasks.tasks.qubit_task import GIGAHERTZ
from kubecal_tasks.tasks.readout_pictures import separation_picture
from kubecal_tasks.tasks.readout_task import ReadoutTask, about, readout_frequency

_WIDTHS = 3.0
"""Line widths and distances of the lines that a sweep should hold."""


class SeparationTask(ReadoutTask):
    """A sweep of the readout frequency with the qubit in |0> and in |1>."""

    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        readout_frequency("readout_frequency", "half-way between the resonances with |0> and with |1>"),
    )
    swept = "detuning_range"

    @abstractmethod
    def excite(self, pulses: Pulses) -> Sequence[Operation]:
        """The pulses that make |1> of |0>."""

    def preprocess(self, backend: Backend) -> None:
        """The same sweep twice: with the qubit left alone, and with it excited."""
        detunings = Axis("detuning", tuple(self.sweep("detuning_range")), "Hz")
        frequency = Swept("detuning") + self.value("readout_frequency")
        self.programs = self.in_both_states(backend, detunings, frequency, self.value("readout_amplitude"), self.excite)

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """Both sweeps."""
        return tuple(self.acquire(backend, label, program) for label, program in self.programs.items())

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """Two lines, of which the difference alone is looked at: how well the qubit is excited does not matter."""
        middle = self.value("readout_frequency")
        x = result[0].x
        iq, covariance = self.both(result)
        fit = fit_separation(x + middle, iq[1] - iq[0], covariance[0] + covariance[1])
        sigma = self.shot_sigma(covariance)
        checks = as_checks(separation_checks(fit))
        estimates = (estimate("readout_frequency", fit.middle),)
        chosen = float(fit.separation(x[:1] * 0 + fit.middle.value)[0])
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=fit.statistics.r2,
            metrics=metrics(fit.statistics)
            | {"separation_sigmas": chosen / sigma, "of_largest": chosen / fit.largest()},
            suggestion=self.suggest_frequencies(
                checks,
                estimates,
                x,
                lambda limits: about(
                    fit.x, middle, fit.middle.value, _WIDTHS * (fit.kappa.value + fit.half_distance.value), limits
                ),
            ),
            lines=(
                value_line("readout frequency", fit.middle, "GHz", GIGAHERTZ),
                f"{chosen / sigma:.2f} σ of a shot apart, {chosen / fit.largest():.0%} of the most",
                quality_line(fit.statistics),
            ),
            figures=(separation_picture(fit, iq, sigma, middle),),
        )
