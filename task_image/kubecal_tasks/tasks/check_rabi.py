"""Rabi oscillation: what a drive amplitude does, and where |0> and |1> lie in the IQ plane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits import OscillationFit, fit_oscillation
from kubecal_tasks.fits.values import Measured
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.outcome import Estimate
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.declared import (
    CONTROL_AMPLITUDE,
    INTERVAL,
    STANDARD_INPUTS,
    duration_s,
    pulse_amplitude,
    shots,
    sweep,
)
from kubecal_tasks.tasks.findings import estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.pictures import rabi_picture
from kubecal_tasks.tasks.qubit_task import MEGAHERTZ, TARGET_RATE_HZ
from kubecal_tasks.tasks.rabi_task import RabiTask
from kubecal_tasks.tasks.trace import Trace


class CheckRabi(RabiTask):
    """Rabi rate of the drive line, from a damped oscillation over pulse duration; fixes the IQ reference."""

    name = "CheckRabi"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, CONTROL_AMPLITUDE)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        pulse_amplitude("control_amplitude", "rabi", "amplitude that drives Rabi oscillations at 12.5 MHz"),
        OutputParameter("rabi_frequency", "MHz", group="rabi", minimum=0.0, description="at the amplitude used"),
        OutputParameter(
            "maximum_rabi_frequency", "MHz/a.u.", group="rabi", minimum=0.0, description="rate per amplitude"
        ),
        OutputParameter("rabi_amplitude", "a.u.", minimum=0.0, description="of the oscillation, in the IQ plane"),
        OutputParameter("rabi_phase", "rad", description="of the cosine at zero duration"),
        OutputParameter("rabi_offset", "a.u.", description="mean of the oscillation along its line in the IQ plane"),
        OutputParameter("iq_ground_i", "a.u.", group="iq", description="centre of |0>"),
        OutputParameter("iq_ground_q", "a.u.", group="iq", description="centre of |0>"),
        OutputParameter("iq_excited_i", "a.u.", group="iq", description="centre of |1>"),
        OutputParameter("iq_excited_q", "a.u.", group="iq", description="centre of |1>"),
        OutputParameter("iq_sigma", "a.u.", group="iq", minimum=0.0, description="of one shot"),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep("times", "ns", {"start": 0, "stop": 400, "num": 51}, 0.0, 100_000.0, "durations of the drive"),
        shots(2048),
        INTERVAL,
    )
    r2_threshold = 0.6

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """A damped cosine; its extremes without damping are |0> and |1>.

        The IQ reference of earlier runs is not used: this task is the one that fixes it.
        """
        trace = self.traces(result, ("rabi",), None)[0]
        fit = fit_oscillation(trace.x, trace.signal, trace.variance)
        checks = self.judged(fit)
        rate = self.resonant_rate(fit.frequency)
        amplitude = self.value("control_amplitude")
        estimates = (
            *self._drive_line(rate, amplitude),
            estimate("rabi_frequency", fit.frequency),
            estimate("rabi_amplitude", fit.amplitude),
            estimate("rabi_phase", fit.phase),
            Estimate("rabi_offset", fit.offset.value + trace.middle, fit.offset.error),
            *self._iq_reference(trace, fit),
        )
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=fit.statistics.r2,
            metrics=metrics(fit.statistics),
            suggestion=self.next_times(checks, estimates, fit),
            lines=(value_line("Rabi frequency", fit.frequency, "MHz", MEGAHERTZ), quality_line(fit.statistics)),
            figures=(rabi_picture(fit, trace, TARGET_RATE_HZ),),
        )

    @staticmethod
    def _drive_line(rate: Measured, amplitude: float) -> tuple[Estimate, ...]:
        """What the rate says of the drive line: nothing where it could as well be the detuning's alone."""
        if not rate.value > 0:
            return ()
        needed = amplitude * TARGET_RATE_HZ / rate.value
        return (
            Estimate("control_amplitude", needed, needed * rate.error / rate.value),
            Estimate("maximum_rabi_frequency", rate.value / amplitude, rate.error / amplitude),
        )

    def resonant_rate(self, found: Measured) -> Measured:
        """The rate on resonance: a drive off by d turns at sqrt(rate^2 + d^2).

        d is only known by its expected size, the error of the input frequency. That size is taken out, and as
        much is added to the error.
        """
        square = self.error("qubit_frequency") ** 2
        rate = math.sqrt(max(found.value**2 - square, 0.0))
        doubt = math.sqrt(2) * square / (2 * rate) if rate > 0 else math.inf
        return Measured(rate, math.hypot(found.error, doubt))

    def _iq_reference(self, trace: Trace, fit: OscillationFit) -> tuple[Estimate, ...]:
        """Where the extremes of the oscillation lie in the IQ plane, and how far one shot scatters."""
        estimates = []
        for state, level in (("ground", fit.ground), ("excited", fit.excited)):
            point, error = trace.iq(level)
            estimates += [
                Estimate(f"iq_{state}_{axis}", float(point[k]), float(error[k])) for k, axis in enumerate("iq")
            ]
        sigma = trace.shot_sigma(self.integer("shots"))
        return (*estimates, Estimate("iq_sigma", sigma.value, sigma.error))

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(51, 2048, 0.2e-6)
