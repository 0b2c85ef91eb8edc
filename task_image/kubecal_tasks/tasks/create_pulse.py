"""What tasks that make a pulse share: its amplitude from a sweep, then from what many of them in a row add up to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import ParameterKind, RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits import AmplitudeFit, fit_amplitude
from kubecal_tasks.fits.checks import amplitude_checks
from kubecal_tasks.fits.train import TrainFit, train_checks
from kubecal_tasks.fits.values import Measured
from kubecal_tasks.framework.outcome import Check, Estimate
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition, Amount, Play
from kubecal_tasks.tasks.declared import CONTROL_AMPLITUDE, STANDARD_INPUTS
from kubecal_tasks.tasks.findings import as_checks, could_show, metrics, quality_line, value_line
from kubecal_tasks.tasks.pictures import Draw, amplitude_picture, train_picture
from kubecal_tasks.tasks.pulses import Pulses
from kubecal_tasks.tasks.qubit_task import TARGET_RATE_HZ, QubitTask
from kubecal_tasks.tasks.trace import Trace
from kubecal_tasks.tasks.trains import Rotation, fit_traces, train_programs

SWEEP_POINTS = 51
LARGEST_AMPLITUDE = 1.0
FEWEST_TURNS = 0.25
"""Of a sweep in which a qubit that is driven must show: half of its way to |1>."""
LONGEST_TRAIN = 20
"""Pulses in a row. What a pulse turns too far shows twenty times over, and relaxation is still small."""
ROUNDS = 2
"""The first round finds the amplitude to a few per mille, the second what is left of its error there."""
CREATE_INPUTS = (*STANDARD_INPUTS, CONTROL_AMPLITUDE)


def pulse_duration(name: str, default: int) -> RunParameter:
    """How long the pulse is that is made."""
    return RunParameter(
        name=name,
        kind=ParameterKind.NUMBER,
        unit="ns",
        default=default,
        minimum=8.0,
        maximum=1000.0,
        description="duration of the pulse to create",
    )


class CreatePulse(QubitTask):
    """Amplitude of a pulse, from an amplitude sweep and then error amplification."""

    pulse: ClassVar[str]
    """What its parameters are called: ``hpi`` for ``hpi_amplitude``."""
    rotation: ClassVar[Rotation]
    swept_turns: ClassVar[float] = 1.25
    """Reach of the sweep in full turns, as the input amplitude has it: a fifth too much or too little still fits."""

    def preprocess(self, backend: Backend) -> None:
        """The sweep's range follows from the Rabi rate: somewhat more than a full turn at its end."""
        pulses = self.pulses(backend)
        end = min(LARGEST_AMPLITUDE, self.swept_turns / self._turns_at_full_scale(pulses))
        amplitudes = np.linspace(0.0, end, SWEEP_POINTS)
        self.program = pulses.swept("amplitude", "a.u.", amplitudes, lambda a: (self.made(pulses, a),))

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """The sweep, then rounds of repeated pulses, each at the amplitude that the one before it found."""
        acquisitions = [self.acquire(backend, "sweep", self.program)]
        if not self.sweep_is_good(acquisitions):
            return acquisitions  # there is no pulse whose error could be amplified; postprocess says so
        for number in range(1, ROUNDS + 1):
            amplitude = self.amplitude(acquisitions).value
            acquisitions += self.round(backend, number, self.made(self.pulses(backend), amplitude))
        return acquisitions

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """What the rounds found, or why there were none."""
        sweep, sweep_trace = self.fit_sweep(result)
        checks = self._sweep_checks(sweep, self.pulses(backend))
        amplitude = self.amplitude(result)
        estimates: tuple[Estimate, ...] = ()
        figures: list[Draw] = [amplitude_picture(sweep, sweep_trace, amplitude.value)]
        found = metrics(sweep.statistics)
        if self.rounds(result):
            more, picture, of_train = self.judged_train(result)
            checks += more
            found |= of_train
            figures.append(picture)
            estimates = (
                Estimate(f"{self.pulse}_amplitude", amplitude.value, amplitude.error),
                Estimate(f"{self.pulse}_length", self.length_s, 0.0),
            )
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=sweep.statistics.r2,
            metrics=found,
            suggestion=self.suggest(checks, estimates),
            lines=(
                value_line(f"{self.rotation.words} amplitude", amplitude, "a.u."),
                quality_line(sweep.statistics),
            ),
            figures=tuple(figures),
        )

    def _sweep_checks(self, sweep: AmplitudeFit, pulses: Pulses) -> tuple[Check, ...]:
        """What speaks against the sweep; that nothing is seen where nothing can turn says nothing of the qubit."""
        largest = float(sweep.x.max())
        turns = largest * self._turns_at_full_scale(pulses)
        text = (
            f"nothing is seen up to an amplitude of {largest:.3g}, with which control_amplitude makes this pulse turn "
            f"the qubit {turns:.2g} times, and {FEWEST_TURNS} is needed: run CheckRabi again"
        )
        return could_show(as_checks(amplitude_checks(sweep)), turns >= FEWEST_TURNS, text)

    def _turns_at_full_scale(self, pulses: Pulses) -> float:
        """How often the pulse turns the qubit, as the Rabi rate of the input amplitude has it."""
        return TARGET_RATE_HZ / self.value("control_amplitude") * pulses.area_s(self.length_s)

    @property
    def length_s(self) -> float:
        """Of the pulse."""
        return self.number(f"{self.pulse}_duration")

    def made(self, pulses: Pulses, amplitude: Amount) -> Play:
        """The pulse at an amplitude."""
        return pulses.pulse(amplitude, self.length_s)

    def round(self, backend: Backend, number: int, pulse: Play) -> list[Acquisition]:
        """0 to 20 of the pulse in a row."""
        programs = train_programs(self.pulses(backend), pulse, self.rotation, range(LONGEST_TRAIN + 1))
        return [self.acquire(backend, f"round {number} {words}", program) for words, program in programs.items()]

    def sweep_is_good(self, result: Sequence[Acquisition]) -> bool:
        """Whether the sweep found an amplitude."""
        return all(check.ok for check in amplitude_checks(self.fit_sweep(result)[0]))

    def fit_sweep(self, result: Sequence[Acquisition]) -> tuple[AmplitudeFit, Trace]:
        """The amplitude sweep."""
        trace = self.trace(result, "sweep")
        return fit_amplitude(trace.x, trace.signal, trace.variance), trace

    def rounds(self, result: Sequence[Acquisition]) -> int:
        """How many trains were measured."""
        return sum(each.label.startswith("round ") for each in result) // len(self.rotation.series())

    def fit_round(self, result: Sequence[Acquisition], number: int) -> tuple[TrainFit, Trace]:
        """One of the trains."""
        labels = tuple(f"round {number} {series.words}" for series in self.rotation.series())
        traces = self.traces(result, labels, self.reference())
        return fit_traces(traces, self.rotation), traces[0]

    def amplitude(self, result: Sequence[Acquisition]) -> Measured:
        """As the sweep has it, corrected by one train after the other."""
        sweep, _ = self.fit_sweep(result)
        amplitude = sweep.pi_amplitude if self.rotation.whole == 1 else sweep.half_pi_amplitude
        for number in range(1, self.rounds(result) + 1):
            amplitude = corrected(amplitude.value, self.fit_round(result, number)[0], self.rotation.angle_rad)
        return amplitude

    def judged_train(self, result: Sequence[Acquisition]) -> tuple[tuple[Check, ...], Draw, dict[str, float]]:
        """Checks, picture and metrics of the last train."""
        fit, trace = self.fit_round(result, self.rounds(result))
        found = {f"repetition_{name}": value for name, value in metrics(fit.statistics).items()}
        return (
            as_checks(train_checks(fit), prefix="repetition "),
            train_picture(fit, trace, "repetitions"),
            found,
        )


def corrected(amplitude: float, fit: TrainFit, angle: float) -> Measured:
    """The amplitude that turns by the angle, from what pulses of another one turn too far; angle goes as amplitude."""
    scale = angle / (angle + fit.error_angle.value)
    return Measured(amplitude * scale, amplitude * scale**2 * fit.error_angle.error / angle)
