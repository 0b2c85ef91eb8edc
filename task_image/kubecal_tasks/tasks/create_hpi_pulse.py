"""The half-pi pulse: its amplitude from a sweep, then from what many of them in a row add up to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import ParameterKind, RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits import AmplitudeFit, RepetitionFit, fit_amplitude, fit_repetition
from kubecal_tasks.fits.checks import amplitude_checks, repetition_checks
from kubecal_tasks.fits.values import Measured
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.outcome import Estimate
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition, Program
from kubecal_tasks.tasks.declared import (
    CONTROL_AMPLITUDE,
    INTERVAL,
    STANDARD_INPUTS,
    duration_s,
    pulse_amplitude,
    shots,
)
from kubecal_tasks.tasks.findings import as_checks, metrics, quality_line, value_line
from kubecal_tasks.tasks.pictures import Draw, amplitude_picture, repetition_picture
from kubecal_tasks.tasks.qubit_task import HALF_PI, TARGET_RATE_HZ, QubitTask
from kubecal_tasks.tasks.trace import Trace

SWEEP_POINTS = 51
SWEPT_TURNS = 1.25
"""Reach of the sweep in full turns, as the input amplitude has it: a fifth too much or too little still fits."""
LARGEST_AMPLITUDE = 1.0
LONGEST_TRAIN = 20
"""Pulses in a row. What a pulse turns too far shows twenty times over, and relaxation is still small."""
ROUNDS = 2
"""The first round finds the amplitude to a few per mille, the second what is left of its error there."""


class CreateHPIPulse(QubitTask):
    """Amplitude of the half-pi pulse, from an amplitude sweep and then error amplification."""

    name = "CreateHPIPulse"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, CONTROL_AMPLITUDE)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        pulse_amplitude("hpi_amplitude", "hpi", "amplitude of the half-pi pulse"),
        OutputParameter("hpi_length", "ns", group="hpi", minimum=0.0, description="duration of the half-pi pulse"),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        RunParameter(
            name="hpi_duration",
            kind=ParameterKind.NUMBER,
            unit="ns",
            default=32,
            minimum=8.0,
            maximum=1000.0,
            description="duration of the pulse to create",
        ),
        shots(2048),
        INTERVAL,
    )
    r2_threshold = 0.7

    def preprocess(self, backend: Backend) -> None:
        """The sweep's range follows from the Rabi rate: somewhat more than a full turn at its end."""
        pulses = self.pulses(backend)
        length = self.number("hpi_duration")
        turns_per_amplitude = TARGET_RATE_HZ / self.value("control_amplitude") * pulses.area_s(length)
        amplitudes = np.linspace(0.0, min(LARGEST_AMPLITUDE, SWEPT_TURNS / turns_per_amplitude), SWEEP_POINTS)
        self.program = pulses.swept("amplitude", "a.u.", amplitudes, lambda a: (pulses.pulse(a, length),))

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """The sweep, then rounds of repeated pulses, each at the amplitude that the one before it found."""
        acquisitions = [self.acquire(backend, "sweep", self.program)]
        sweep, _ = self._sweep(acquisitions)
        if not all(check.ok for check in as_checks(amplitude_checks(sweep))):
            return acquisitions  # there is no pulse whose error could be amplified; postprocess says so
        amplitude = sweep.half_pi_amplitude
        for number in range(1, ROUNDS + 1):
            program = self._train(backend, amplitude.value)
            acquisitions.append(self.acquire(backend, f"round {number}", program))
            amplitude = corrected(amplitude.value, self._round(acquisitions, number)[0])
        return acquisitions

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """What the rounds found, or why there were none."""
        sweep, sweep_trace = self._sweep(result)
        checks = as_checks(amplitude_checks(sweep))
        rounds = [self._round(result, number) for number in range(1, len(result))]
        amplitude = sweep.half_pi_amplitude
        for fit, _ in rounds:
            amplitude = corrected(amplitude.value, fit)
        estimates: tuple[Estimate, ...] = ()
        figures: list[Draw] = [amplitude_picture(sweep, sweep_trace, amplitude.value)]
        found = metrics(sweep.statistics)
        if rounds:
            fit, trace = rounds[-1]
            checks += as_checks(repetition_checks(fit), prefix="repetition ")
            found |= {f"repetition_{name}": value for name, value in metrics(fit.statistics).items()}
            figures.append(repetition_picture(fit, trace, "repetitions"))
            estimates = (
                Estimate("hpi_amplitude", amplitude.value, amplitude.error),
                Estimate("hpi_length", self.number("hpi_duration"), 0.0),
            )
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=sweep.statistics.r2,
            metrics=found,
            suggestion=self.suggest(checks, estimates),
            lines=(value_line("half-pi amplitude", amplitude, "a.u."), quality_line(sweep.statistics)),
            figures=tuple(figures),
        )

    def _train(self, backend: Backend, amplitude: float) -> Program:
        """0 to 20 of the pulses in a row."""
        pulses = self.pulses(backend)
        return pulses.repeated(pulses.pulse(amplitude, self.number("hpi_duration")), range(LONGEST_TRAIN + 1))

    def _sweep(self, result: Sequence[Acquisition]) -> tuple[AmplitudeFit, Trace]:
        trace = self.trace(result, "sweep")
        return fit_amplitude(trace.x, trace.signal, trace.variance), trace

    def _round(self, result: Sequence[Acquisition], number: int) -> tuple[RepetitionFit, Trace]:
        trace = self.trace(result, f"round {number}")
        return fit_repetition(trace.x, trace.signal, trace.variance, angle=HALF_PI), trace

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(SWEEP_POINTS + ROUNDS * (LONGEST_TRAIN + 1), 2048, 0.3e-6)


def corrected(amplitude: float, fit: RepetitionFit) -> Measured:
    """The amplitude that turns by pi/2, from what pulses of another one turn too far; angle goes as amplitude."""
    scale = HALF_PI / (HALF_PI + fit.error_angle.value)
    return Measured(amplitude * scale, amplitude * scale**2 * fit.error_angle.error / HALF_PI)
