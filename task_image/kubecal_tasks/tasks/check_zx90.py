"""What the ZX90 gate turns the target by, from up to twenty of them in a row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits import RepetitionFit, fit_repetitions
from kubecal_tasks.fits.checks import repetition_checks
from kubecal_tasks.fits.values import Measured
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter, Precision
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition, Axis, Choose, Repeat, SequenceAxis, Swept
from kubecal_tasks.tasks.coupling_pictures import both_controls_picture
from kubecal_tasks.tasks.coupling_task import CR_INPUTS, GATE_TIME, PAIR_INPUTS, CouplingTask, acquired
from kubecal_tasks.tasks.cross_resonance import HALF_PI
from kubecal_tasks.tasks.declared import INTERVAL, duration_s, shots, sweep
from kubecal_tasks.tasks.findings import as_checks, estimate, quality_line, value_line


class CheckZX90(CouplingTask):
    """Error of the ZX90 gate's angle, from repeated gates with the control in |0> and in |1>."""

    name = "CheckZX90"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*PAIR_INPUTS, *CR_INPUTS, GATE_TIME)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter("zx90_error", "rad", description="angle minus pi/2", precision=Precision(absolute=0.02)),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep("repetitions", "", {"start": 0, "stop": 20, "num": 21}, 0.0, 100.0, "numbers of gates in a row"),
        shots(1024),
        INTERVAL,
    )

    def preprocess(self, backend: Backend) -> None:
        """So many gates for both states of the control; |0> and |1> of the target besides."""
        pair, number = self.pair(), self.integer("shots")
        gate = pair.zx90(self.cross_resonance(), pair.half_s(self.value("zx90_gate_time")))
        prepare = SequenceAxis("control", (0.0, 1.0), tuple(pair.prepared(state, 0) for state in (0, 1)))
        counts = Axis("repetitions", tuple(float(round(n)) for n in self.sweep("repetitions")))
        basis = SequenceAxis("target", (0.0, 1.0), tuple(pair.prepared(0, state) for state in (0, 1)))
        train = (Choose("control"), Repeat(Swept("repetitions"), gate))
        self.programs = {
            "repetitions": pair.program(train, (prepare, counts), number),
            "references": pair.program((Choose("control"), Choose("target")), (prepare, basis), number),
        }

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """Both series."""
        return tuple(self.acquire(backend, label, program) for label, program in self.programs.items())

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """sin^2(n (pi/4 + eps/2)) for both states; half of their difference is what IX is left with."""
        fits = self._fits(result)
        ground, excited = (fit.error_angle for fit in fits)
        error = math.hypot(ground.error, excited.error) / 2
        found = Measured((ground.value + excited.value) / 2, error)
        checks = tuple(
            check
            for state, fit in enumerate(fits)
            for check in as_checks(repetition_checks(fit), prefix=f"control |{state}> ")
        )
        estimates = (estimate("zx90_error", found),)
        worst = min(fits, key=lambda fit: fit.statistics.r2)
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=worst.statistics.r2,
            metrics={
                "ix_error_rad": (ground.value - excited.value) / 2,
                "loss_per_gate": (fits[0].loss.value + fits[1].loss.value) / 2,
                "reduced_chi2": worst.statistics.reduced_chi2,
            },
            suggestion=self.suggest(checks, estimates),
            lines=(value_line("angle error", found, "rad"), quality_line(worst.statistics)),
            figures=(both_controls_picture(fits, self.reference_of("target") is not None),),
        )

    def _fits(self, result: Sequence[Acquisition]) -> tuple[RepetitionFit, RepetitionFit]:
        """For the control in |0> and in |1>; the last two points of each are the target's |0> and |1>."""
        series, references = acquired(result, "repetitions"), acquired(result, "references")
        assert series is not None
        assert references is not None
        trace = self.target_trace(series, references)
        counts = series.data.axes[-1]
        cut = 2 * len(counts)
        signal, variance = (
            np.concatenate([each[:cut].reshape(2, -1), each[cut:].reshape(2, 2)], axis=1)
            for each in (trace.signal, trace.variance)
        )
        n = np.append(counts, [np.nan, np.nan])
        ground, excited = fit_repetitions(n, signal, variance, angle=HALF_PI)
        return ground, excited

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(2 * 21 + 4, 1024, 4e-6)
