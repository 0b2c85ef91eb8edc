"""How long the phase lasts once slow detunings are refocused."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits import fit_decay
from kubecal_tasks.fits.checks import decay_checks
from kubecal_tasks.fits.suggestions import decay_window
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition, Operation, Swept
from kubecal_tasks.tasks.declared import HALF_PI_INPUTS, INTERVAL, STANDARD_INPUTS, decay_time, duration_s, shots, sweep
from kubecal_tasks.tasks.findings import as_checks, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.pictures import decay_picture
from kubecal_tasks.tasks.pulses import Pulses
from kubecal_tasks.tasks.qubit_task import MICROSECOND, QubitTask

SIGNS = (-1, 1, -1, 1)
"""Of the echo at the refocusing pulse's phases 0, 90, 180 and 270 degrees."""


class CheckT2Echo(QubitTask):
    """Echo coherence time from a Hahn echo's decay."""

    name = "CheckT2Echo"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, *HALF_PI_INPUTS)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        decay_time("t2_echo", "coherence time under one refocusing pulse"),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep(
            "delays",
            "us",
            {"start": 0.3, "stop": 100, "num": 51, "scale": "log"},
            0.0,
            100_000.0,
            "total waits, half before and half after the refocusing pulse",
        ),
        shots(1024),
        INTERVAL,
    )
    r2_threshold = 0.7
    swept = "delays"

    def preprocess(self, backend: Backend) -> None:
        """Half-pi, half the delay, pi, half the delay, half-pi; over a cycle of phases.

        The refocusing pulse is never perfect, and what it fails to turn shows as fringes and offsets. With every
        quarter turn of its phase the echo changes sign and the rest does not, or turns once around: the
        alternating sum over a full turn leaves the echo alone.
        """
        pulses = self.pulses(backend)
        delays = self.sweep("delays")
        self.programs = {
            f"phase {quarter * 90}": pulses.swept(
                "delay", "s", delays, partial(_echo, pulses, quarter * np.pi / 2), share=len(SIGNS)
            )
            for quarter in range(len(SIGNS))
        }

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """One sweep for each step of the phase cycle; together they take the shots that were asked for."""
        return tuple(self.acquire(backend, label, program) for label, program in self.programs.items())

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """Decay of the echo to nothing."""
        trace = self.difference(result, tuple(self.programs), SIGNS)
        fit = fit_decay(trace.x, trace.signal, trace.variance, offset=0.0)
        checks = (*as_checks(decay_checks(fit)), *self.coherence_limit("t2_echo", fit.tau))
        estimates = (estimate("t2_echo", fit.tau),)
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=fit.statistics.r2,
            metrics=metrics(fit.statistics),
            suggestion=self.suggest(checks, estimates, trace.x, partial(decay_window, fit)),
            lines=(value_line("T2 echo", fit.tau, "us", MICROSECOND), quality_line(fit.statistics)),
            figures=(decay_picture(fit, trace, "echo", "Echo", self.previous("t2_echo")),),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(51, 1024, 17e-6)


def _echo(pulses: Pulses, refocusing: float, t: Swept) -> Sequence[Operation]:
    """The pi pulse is two half-pi pulses in a row, so that one calibration serves."""
    half = t * 0.5
    return (
        pulses.half_pi(),
        pulses.wait(half),
        pulses.half_pi(phase=refocusing),
        pulses.half_pi(phase=refocusing),
        pulses.wait(half),
        pulses.half_pi(),
    )
