"""Ramsey fringes: the frequency of the qubit and how long its phase lasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import ParameterKind, RunParameter
from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits import fit_ramsey
from kubecal_tasks.fits.checks import coherence_checks, ramsey_checks
from kubecal_tasks.fits.values import Array, Measured
from kubecal_tasks.framework.declarations import DAY_S, InputParameter, OutputParameter, Precision
from kubecal_tasks.framework.outcome import Check, Refusal
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition, Operation, Swept
from kubecal_tasks.tasks.declared import HALF_PI_INPUTS, INTERVAL, STANDARD_INPUTS, decay_time, duration_s, shots, sweep
from kubecal_tasks.tasks.findings import as_checks, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.pictures import ramsey_picture
from kubecal_tasks.tasks.pulses import Pulses
from kubecal_tasks.tasks.qubit_task import GIGAHERTZ, MEGAHERTZ, MICROSECOND, QubitTask

ALIASED_FROM = 0.8
"""Of Nyquist: faster fringes are not told from slow ones with certainty."""
AXES = {"X": 0.0, "Y": np.pi / 2}
"""Phase of the second pulse, rad."""


class CheckRamsey(QubitTask):
    """Qubit frequency and T2* from Ramsey fringes along X and Y."""

    name = "CheckRamsey"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, *HALF_PI_INPUTS)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter(
            "qubit_frequency",
            "GHz",
            description="transition frequency of |0> to |1>",
            precision=Precision(absolute=50e-6),
            band="qubit",
            drift=50e-6,
            max_age_s=DAY_S,
        ),
        OutputParameter("ramsey_frequency", "MHz", description="of the fringes, the artificial detuning included"),
        decay_time("t2_star", "time after which the fringes have fallen to 1/e", required=False),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        RunParameter(
            name="detuning",
            kind=ParameterKind.NUMBER,
            unit="MHz",
            default=1,
            minimum=-1000.0,
            maximum=1000.0,
            description="artificial detuning: phase advance of the second pulse",
        ),
        sweep("times", "us", {"start": 0, "stop": 10, "num": 101}, 0.0, 10_000.0, "delays between the pulses"),
        shots(1024),
        INTERVAL,
    )
    r2_threshold = 0.7
    swept = "times"

    def preprocess(self, backend: Backend) -> None:
        """Half-pi, wait, half-pi with a phase that turns by the artificial detuning; along X and along Y."""
        delays = self.sweep("times")
        self._refuse_what_would_alias(delays)
        pulses = self.pulses(backend)
        turn = -2 * np.pi * self.number("detuning")  # a phase that falls behind looks like a faster qubit
        self.programs = {
            axis: pulses.swept("delay", "s", delays, partial(_fringe, pulses, turn, lead))
            for axis, lead in AXES.items()
        }

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """One sweep an axis."""
        return tuple(self.acquire(backend, label, program) for label, program in self.programs.items())

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """Both axes together give the fringes a sense of rotation, hence the detuning its sign."""
        x, y = self.traces(result, tuple(AXES), self.reference())
        fit = fit_ramsey(x.x, x.signal, y.signal, x.variance, y.variance)
        found = fit.frequency
        qubit = Measured(self.value("qubit_frequency") + found.value - self.number("detuning"), found.error)
        of_phase = as_checks(coherence_checks(fit), "t2_star")
        of_frequency = as_checks(ramsey_checks(fit))
        checks = (*of_frequency, *of_phase, *self.coherence_limit("t2_star", fit.t2_star))
        estimates = (
            replace(estimate("qubit_frequency", qubit), spread=fit.half_distance),
            estimate("ramsey_frequency", found),
            estimate("t2_star", fit.t2_star),
        )
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=fit.statistics.r2,
            metrics=metrics(fit.statistics) | dict.fromkeys(fit.flags, 1.0),
            suggestion=self.suggest(of_frequency, estimates, x.x),
            lines=(
                value_line("qubit frequency", qubit, "GHz", GIGAHERTZ),
                value_line("T2*", fit.t2_star, "us", MICROSECOND),
                quality_line(fit.statistics),
            ),
            figures=(ramsey_picture(fit, x),),
        )

    def _refuse_what_would_alias(self, delays: Array) -> None:
        """Fringes beyond 0.8 Nyquist cannot be told from slow ones, so they are not measured at all."""
        limit = ALIASED_FROM * 0.5 / float(np.median(np.diff(np.sort(delays)))) if len(delays) > 1 else 0.0
        fastest = 3 * self.error("qubit_frequency") + abs(self.number("detuning"))
        if fastest > limit:
            text = (
                f"fringes of up to {fastest / MEGAHERTZ:.3g} MHz (3 sigma of qubit_frequency plus the detuning) are "
                f"beyond the {limit / MEGAHERTZ:.3g} MHz that these times resolve: run CheckChevron first, or "
                "narrow the steps"
            )
            raise Refusal(Check("aliased", fastest, limit, False, Verdict.WINDOW, message=text))

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(2 * 101, 1024, 5e-6)


def _fringe(pulses: Pulses, turn: float, lead: float, t: Swept) -> Sequence[Operation]:
    return (pulses.half_pi(), pulses.wait(t), pulses.half_pi(phase=t * turn + lead))
