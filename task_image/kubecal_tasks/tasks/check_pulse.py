"""What tasks that check a pulse share: what it rotates by, from up to twenty of them in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.train import TrainFit, train_checks
from kubecal_tasks.fits.values import Measured
from kubecal_tasks.framework.declarations import OutputParameter, Precision
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition, Play
from kubecal_tasks.tasks.declared import INTERVAL, shots, sweep
from kubecal_tasks.tasks.findings import as_checks, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.pictures import train_picture
from kubecal_tasks.tasks.qubit_task import QubitTask
from kubecal_tasks.tasks.trains import Rotation, fit_traces, tilt_of, train_programs

ANGLE = Precision(absolute=0.02)
"""rad; worse than that is of no use for a gate."""
CHECK_PARAMETERS = (
    sweep("repetitions", "", {"start": 0, "stop": 20, "num": 21}, 0.0, 200.0, "numbers of pulses in a row"),
    shots(1024),
    INTERVAL,
)
CHECK_POINTS = 21
"""Of one series at default sweeps."""


def angle_error(name: str, description: str) -> OutputParameter:
    """An angle that should be zero."""
    return OutputParameter(name, "rad", description=description, precision=ANGLE)


class CheckPulse(QubitTask):
    """Error of a pulse's angle, from repeated pulses."""

    pulse: ClassVar[str]
    """What its parameters are called: ``pi`` for ``pi_amplitude``."""
    rotation: ClassVar[Rotation]
    tilts: ClassVar[bool] = False
    """Whether the tilt of its axis is measured too; the second output then."""
    run_parameters: ClassVar[tuple[RunParameter, ...]] = CHECK_PARAMETERS

    def preprocess(self, backend: Backend) -> None:
        """0 to 20 pulses in a row."""
        counts = [round(n) for n in self.sweep("repetitions")]
        self.programs = train_programs(
            self.pulses(backend), self.calibrated(backend), self.rotation, counts, self.tilts
        )

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """All series."""
        return tuple(self.acquire(backend, label, program) for label, program in self.programs.items())

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """The angle that one pulse turns too far, with whatever it loses; and how its axis is tilted."""
        labels = tuple(series.words for series in self.rotation.series(self.tilts))
        traces = self.traces(result, labels, self.reference())
        fit = fit_traces(traces, self.rotation, self.tilts)
        checks = as_checks(train_checks(fit))
        found = self._found(fit)
        estimates = tuple(estimate(output.name, found[k]) for k, output in enumerate(self.outputs))
        words = ("angle error", "axis tilt")
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=fit.statistics.r2,
            metrics=metrics(fit.statistics),
            suggestion=self.suggest(checks, estimates),
            lines=(
                "   ".join(value_line(words[k], each, "rad") for k, each in enumerate(found)),
                quality_line(fit.statistics),
            ),
            figures=(train_picture(fit, traces[0], "repetitions"),),
        )

    def calibrated(self, backend: Backend) -> Play:
        """The pulse as its inputs have it."""
        pulses = self.pulses(backend)
        by_name = {"pi": pulses.pi, "drag_hpi": pulses.drag_half_pi, "drag_pi": pulses.drag_pi}
        return by_name[self.pulse]()

    def _found(self, fit: TrainFit) -> list[Measured]:
        return [fit.error_angle, tilt_of(fit)] if self.tilts else [fit.error_angle]
