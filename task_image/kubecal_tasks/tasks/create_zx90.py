"""The echoed ZX90 gate: its duration from a sweep, its amplitude from what several in a row add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits import OscillationFit, fit_oscillation
from kubecal_tasks.fits.checks import oscillation_checks
from kubecal_tasks.fits.gate_angle import GateAngleFit, fit_gate_angle, gate_angle_checks
from kubecal_tasks.fits.hamiltonian import too_short
from kubecal_tasks.fits.values import Array, Measured
from kubecal_tasks.framework.declarations import DAY_S, InputParameter, OutputParameter
from kubecal_tasks.framework.outcome import Estimate
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition, Axis, Choose, FlatTop, Program, Repeat, SequenceAxis, Swept
from kubecal_tasks.tasks.coupling_pictures import duration_picture, gate_angle_picture
from kubecal_tasks.tasks.coupling_task import CR_INPUTS, CR_OUTPUTS, PAIR_INPUTS, CouplingTask, acquired
from kubecal_tasks.tasks.cross_resonance import RAMP_S, CrossResonance
from kubecal_tasks.tasks.declared import INTERVAL, duration_s, shots
from kubecal_tasks.tasks.findings import as_checks, could_show, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.pictures import Draw
from kubecal_tasks.tasks.trace import Trace

REPETITIONS = (1, 3, 5)
HALVES_S = (2 * RAMP_S, 900e-9)
"""Durations of each half that are tried: half a turn for the slowest rate that is of use."""
HALVES_STEP_S = 20e-9
"""About: six points for half a turn at the fastest rate."""
REACHES = (0.15, 0.05)
"""By how much the amplitude is swept around what the round before found."""
AMPLITUDES = 11
STEP_S = 1e-9
"""To which the halves are rounded: the amplitude takes up the rest."""
SHORTEST_S = 2 * RAMP_S
MOST_AMPLITUDE = 1.0


@dataclass(frozen=True)
class Tuned:
    """One round of fine tuning."""

    settings: CrossResonance
    """Around which the amplitude was swept."""
    fit: GateAngleFit

    @property
    def result(self) -> CrossResonance:
        """The settings that turn by pi/2."""
        return self.settings.scaled(self.fit.right_scale.value)


class CreateZX90(CouplingTask):
    """Duration and amplitude of the echoed ZX90 gate, fine-tuned with one, three and five of them in a row."""

    name = "CreateZX90"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*PAIR_INPUTS, *CR_INPUTS)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        *CR_OUTPUTS,
        OutputParameter(
            "zx90_gate_time",
            "ns",
            group="cr",
            description="of the whole echoed gate, ramps and both flips included",
            minimum=0.0,
            max_age_s=DAY_S,
        ),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (shots(2048), INTERVAL)

    def preprocess(self, backend: Backend) -> None:
        """How the target turns with the duration of the gate, the control in |0>."""
        pair, cr = self.pair(), self.cross_resonance()
        axis = Axis("half", tuple(float(each) for each in halves_s(pair.distance_hz)), "s")
        self.program = pair.program(pair.zx90(cr, Swept("half")), (axis,), self.integer("shots"))

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """The duration, then rounds of repeated gates, each around the amplitude that the one before it found."""
        result = [self.acquire(backend, "duration", self.program)]
        half_s = self._half(result)
        if half_s is None:
            return result  # there is no gate that could be repeated; postprocess says so
        result.append(self.acquire(backend, "references", self._references()))
        for number in range(1, len(REACHES) + 1):
            tuned = self._rounds(result)
            if tuned and not all(check.ok for check in as_checks(gate_angle_checks(tuned[-1].fit))):
                break
            settings = tuned[-1].result if tuned else self.cross_resonance()
            program = self._train(settings, half_s, _scales(settings, REACHES[number - 1]))
            result.append(self.acquire(backend, f"round {number}", program))
        return result

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """What the last round found, or why there was none."""
        sweep, trace = self._sweep(result)
        half_s, rounds = self._half(result), self._rounds(result)
        longest = float(sweep.x.max())
        text = (
            f"nothing is seen turning in halves of up to {longest * 1e9:.3g} ns besides ramps, in which no gate of use "
            "turns by much: the instrument cut the sweep short, look at what it can play"
        )
        checks = could_show(as_checks(oscillation_checks(sweep)), not too_short(2 * sweep.x), text)
        figures: list[Draw] = [duration_picture(sweep, trace)]
        found = metrics(sweep.statistics)
        lines: tuple[str, ...] = (quality_line(sweep.statistics),)
        estimates: tuple[Estimate, ...] = ()
        if rounds and half_s is not None:
            last = rounds[-1]
            checks += as_checks(gate_angle_checks(last.fit), prefix="angle ")
            found |= {f"angle_{name}": value for name, value in metrics(last.fit.statistics).items()}
            figures += [
                gate_angle_picture(each.fit, trace.referenced, f"round_{k}") for k, each in enumerate(rounds, start=1)
            ]
            if len(rounds) == len(REACHES):
                estimates = self._settings(last, self.pair().gate_s(half_s))
            lines = (
                value_line("CR amplitude", _amplitude(last), ""),
                f"gate time {self.pair().gate_s(half_s) * 1e9:.0f} ns",
                quality_line(last.fit.statistics),
            )
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=(rounds[-1].fit if rounds else sweep).statistics.r2,
            metrics=found,
            suggestion=self.suggest(checks, estimates),
            lines=lines,
            figures=tuple(figures),
        )

    def _train(self, settings: CrossResonance, half_s: float, scales: Array) -> Program:
        """One, three and five gates at every amplitude, the control in |0> and in |1>."""
        pair = self.pair()
        prepare = SequenceAxis("control", (0.0, 1.0), tuple(pair.prepared(state, 0) for state in (0, 1)))
        counts = Axis("repetitions", tuple(float(n) for n in REPETITIONS))
        gates = tuple(pair.zx90(settings.scaled(scale), half_s) for scale in scales)
        strengths = SequenceAxis("scale", tuple(float(scale) for scale in scales), gates)
        body = (Choose("control"), Repeat(Swept("repetitions"), (Choose("scale"),)))
        return pair.program(body, (prepare, counts, strengths), self.integer("shots"))

    def _references(self) -> Program:
        """|0> and |1> of the target, the control in |0> and in |1>."""
        pair = self.pair()
        prepare = SequenceAxis("control", (0.0, 1.0), tuple(pair.prepared(state, 0) for state in (0, 1)))
        basis = SequenceAxis("target", (0.0, 1.0), tuple(pair.prepared(0, state) for state in (0, 1)))
        return pair.program((Choose("control"), Choose("target")), (prepare, basis), self.integer("shots"))

    def _sweep(self, result: Sequence[Acquisition]) -> tuple[OscillationFit, Trace]:
        acquisition = acquired(result, "duration")
        assert acquisition is not None
        trace = self.target_trace(acquisition)
        areas = np.asarray([FlatTop(RAMP_S).area_s(float(half)) for half in acquisition.x])
        return fit_oscillation(areas, trace.signal, trace.variance), trace

    def _half(self, result: Sequence[Acquisition]) -> float | None:
        """Duration of the halves after which the target has made a quarter turn; None where that cannot be said."""
        fit, _ = self._sweep(result)
        if not all(check.ok for check in as_checks(oscillation_checks(fit))):
            return None
        return max(round((0.25 / fit.frequency.value + RAMP_S) / STEP_S) * STEP_S, SHORTEST_S)

    def _rounds(self, result: Sequence[Acquisition]) -> list[Tuned]:
        found: list[Tuned] = []
        for number in range(1, len(REACHES) + 1):
            acquisition = acquired(result, f"round {number}")
            references = acquired(result, "references")
            if acquisition is None or references is None:
                break
            settings = found[-1].result if found else self.cross_resonance()
            found.append(Tuned(settings, self._fit(acquisition, references)))
        return found

    def _fit(self, acquisition: Acquisition, references: Acquisition) -> GateAngleFit:
        """Both states of the control turn the target alike, but for the sense: of their mean IX drops out."""
        trace = self.target_trace(acquisition, references)
        _, counts, scales = acquisition.data.axes
        n, s = (each.ravel() for each in np.meshgrid(counts, scales, indexing="ij"))
        cut = 2 * n.size
        signal, variance = trace.signal[:cut].reshape(2, -1).mean(axis=0), trace.variance[:cut].reshape(2, -1)
        levels, doubts = trace.signal[cut:].reshape(2, 2).mean(axis=0), trace.variance[cut:].reshape(2, 2)
        ground, excited = zip(levels, doubts.sum(axis=0) / 4, strict=True)
        return fit_gate_angle(n, s, signal, variance.sum(axis=0) / 4, ground, excited)

    def _settings(self, last: Tuned, gate_s: float) -> tuple[Estimate, ...]:
        found = last.result
        return (
            estimate("cr_amplitude", _amplitude(last)),
            Estimate("cr_phase", found.phase, self.error("cr_phase")),
            Estimate("rotary_amplitude", found.rotary_amplitude, self.error("rotary_amplitude")),
            Estimate("cancel_amplitude", found.cancel_amplitude, self.error("cancel_amplitude")),
            Estimate("cancel_phase", found.cancel_phase, self.error("cancel_phase")),
            Estimate("cancel_beta", found.cancel_beta_s, self.error("cancel_beta")),
            Estimate("zx90_gate_time", gate_s, 0.0),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        points = len(halves_s(0.0)) + 4 + len(REACHES) * 2 * len(REPETITIONS) * AMPLITUDES
        return duration_s(points, 2048, 0.9e-6)


def halves_s(distance_hz: float) -> Array:
    """Durations of each half, as many as a step of about 20 ns gives.

    The flips of the control turn the target a little too, about an axis that goes round with the distance of both
    frequencies. Durations whole rounds apart see it always alike, and the target turns evenly. Where a round takes
    longer than two steps the flips are not seen: they are slower there than the qubits are far apart.
    """
    start, end = HALVES_S
    rounds = round(HALVES_STEP_S * distance_hz)
    step = rounds / distance_hz if rounds else HALVES_STEP_S
    return np.asarray(start + step * np.arange(int((end - start) / step + 1e-9) + 1))


def _amplitude(tuned: Tuned) -> Measured:
    """Of the tone with which the gate turns by pi/2."""
    return Measured(tuned.result.amplitude, tuned.settings.amplitude * tuned.fit.right_scale.error)


def _scales(settings: CrossResonance, reach: float) -> Array:
    """Amplitudes over the present one, none above full scale."""
    return np.linspace(1 - reach, min(1 + reach, MOST_AMPLITUDE / settings.amplitude), AMPLITUDES)
