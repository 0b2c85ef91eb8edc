"""Cross resonance: what the tone on the control does to the target, and what has to be played against it."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import RunParameter
from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.hamiltonian import AXES, TERMS, HamiltonianFit, fit_hamiltonian, hamiltonian_checks, too_short
from kubecal_tasks.fits.suggestions import Proposal, Sweep, sweep_of
from kubecal_tasks.fits.values import Array
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter, Precision
from kubecal_tasks.framework.outcome import Check, Estimate
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition, Axis, Choose, FlatTop, Program, SequenceAxis, Swept
from kubecal_tasks.tasks.coupling_pictures import hamiltonian_picture
from kubecal_tasks.tasks.coupling_task import CR_OUTPUTS, PAIR_INPUTS, CouplingTask, acquired
from kubecal_tasks.tasks.cross_resonance import RAMP_S, TARGET, CrossResonance, Pair, measured_along
from kubecal_tasks.tasks.declared import INTERVAL, MAX_POINTS, duration_s, shots, sweep
from kubecal_tasks.tasks.findings import as_checks, estimate, quality_line, value_line
from kubecal_tasks.tasks.qubit_task import MEGAHERTZ

WANTED_RATE_HZ = 1.3e6
"""Of ZX: a gate of 190 ns besides ramps and flips."""
FIRST_DRIVE = 0.35
MOST_DRIVE = 0.65
"""Rabi rate of the control over its distance from the target: beyond, ZX hardly grows and the control is excited."""
MOST_AMPLITUDE = 0.85
"""Of full scale: fine tuning needs room above it."""
ROUNDS = ("bare", "cancelled", "rotary")
"""The tone alone; with amplitude, phase and cancel tone as found; with these refined and the rotary tone.

ZX, the phase and the cancel tone are taken from the second: the rotary tone turns the target eight times as fast, and
what is small besides is seen less well.
"""
_TUNED = ROUNDS.index("cancelled")
ROTARY_TURNS = 1.0
"""That the rotary tone makes in each half of the gate: what does not commute with X averages out over it."""
LONGEST_S = 1e-6
_FEWEST_SIGMAS = 5.0


@dataclass(frozen=True)
class Tuning:
    """One round: what was played and what the target did."""

    settings: CrossResonance
    times: Array
    """Durations of the tone as the instrument could set them, s."""
    fit: HamiltonianFit


class CheckCrossResonance(CouplingTask):
    """Rate of the ZX interaction and the tones that leave nothing else, from Hamiltonian tomography."""

    name = "CheckCrossResonance"
    inputs: ClassVar[tuple[InputParameter, ...]] = PAIR_INPUTS
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        *CR_OUTPUTS,
        OutputParameter(
            "zx_rotation_rate",
            "MHz",
            description="of the target's turning that changes sign with the control, half of the difference",
            minimum=0.0,
            precision=Precision(relative=0.05),
        ),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep("times", "ns", {"start": 0, "stop": 1000, "num": 51}, 0.0, 10_000.0, "durations of the tone"),
        shots(2048),
        INTERVAL,
    )
    swept = "times"

    def preprocess(self, backend: Backend) -> None:
        """Where the tuning starts: a drive that the control's distance from the target allows."""
        self.start = first_settings(self.pair())

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """Round after round, each with what the one before it found; none after one that found nothing."""
        result: list[Acquisition] = []
        for name in ROUNDS:
            tuned = self.tuned(result)
            if tuned and not all(check.ok for check in self._checks(tuned[-1])):
                break
            settings = self._next(tuned)
            for label, program in self._programs(name, settings).items():
                result.append(self.acquire(backend, label, program))
        return tuple(result)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """Rates and settings of the second round, with what it still found of errors taken out; beta of the third."""
        tuned = self.tuned(result)
        last, seen = tuned[-1], tuned[min(_TUNED, len(tuned) - 1)]
        checks = self._checks(last)
        estimates = (
            *(self._settings(seen, last) if len(tuned) == len(ROUNDS) else ()),
            estimate("zx_rotation_rate", seen.fit.rate),
        )
        parts = seen.fit.rotations
        worst = min(parts, key=lambda each: each.statistics.r2)
        found = {f"{term.lower()}_mhz": seen.fit.term(term).value / MEGAHERTZ for term in TERMS}
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=worst.statistics.r2,
            metrics=found | {f"reduced_chi2_{c}": each.statistics.reduced_chi2 for c, each in enumerate(parts)},
            suggestion=self.suggest(checks, estimates, last.times, lambda _, longest: self._other_times(last.times)),
            lines=(
                value_line("ZX rate", seen.fit.rate, "MHz", MEGAHERTZ),
                f"CR amplitude {seen.settings.amplitude:.3f}",
                quality_line(worst.statistics),
            ),
            figures=tuple(
                hamiltonian_picture(each.fit, each.times, f"{number}_{name}")
                for number, (name, each) in enumerate(zip(ROUNDS, tuned, strict=False), start=1)
            ),
        )

    def tuned(self, result: Sequence[Acquisition]) -> list[Tuning]:
        """What each round so far played and found."""
        found: list[Tuning] = []
        for name in ROUNDS:
            acquisition = acquired(result, name)
            references = acquired(result, f"{name} references")
            if acquisition is None or references is None:
                break
            settings = self._next(found)
            found.append(Tuning(settings, acquisition.data.axes[-1], self._fit(acquisition, references)))
        return found

    def _next(self, tuned: Sequence[Tuning]) -> CrossResonance:
        """What the next round plays."""
        if not tuned:
            return first_settings(self.pair())
        refined = corrected(tuned[-1], self.pair())
        if len(tuned) == 1:
            return stronger(refined, tuned[-1].fit, self.pair())
        return with_rotary(refined, tuned[-1].fit, self.pair())

    def _programs(self, name: str, settings: CrossResonance) -> dict[str, Program]:
        pair, number = self.pair(), self.integer("shots")
        prepare = SequenceAxis("control", (0.0, 1.0), tuple(pair.prepared(state, 0) for state in (0, 1)))
        along = SequenceAxis("axis", (0.0, 1.0, 2.0), tuple(measured_along(axis, pair.target, TARGET) for axis in AXES))
        times = Axis("duration", tuple(float(t) for t in self.sweep("times")), "s")
        body = (Choose("control"), *settings.tones(Swept("duration")), Choose("axis"))
        copies = SequenceAxis("copy", (0.0, 1.0, 2.0), ((), (), ()))
        basis = SequenceAxis("target", (0.0, 1.0), tuple(pair.prepared(0, state) for state in (0, 1)))
        return {
            name: pair.program(body, (prepare, along, times), number),
            f"{name} references": pair.program((Choose("copy"), Choose("target")), (copies, basis), number),
        }

    def _fit(self, acquisition: Acquisition, references: Acquisition) -> HamiltonianFit:
        trace = self.target_trace(acquisition, references)
        times = acquisition.data.axes[-1]
        sizes = (2, len(AXES), len(times))
        cut = math.prod(sizes)
        # Without an IQ reference the line's direction is arbitrary: |0> is then whatever the references say.
        low, high = (trace.signal[cut:].reshape(3, 2)[:, state].mean() for state in (0, 1))
        sign = -1.0 if high < low else 1.0
        return fit_hamiltonian(
            effective_times(times),
            sign * trace.signal[:cut].reshape(sizes),
            trace.variance[:cut].reshape(sizes),
            sign * trace.signal[cut:].reshape(3, 2),
            trace.variance[cut:].reshape(3, 2),
        )

    def _checks(self, tuning: Tuning) -> tuple[Check, ...]:
        rate = tuning.fit.rate
        value = rate.value / rate.error if rate.error > 0 else math.nan
        text = (
            f"no signal: the target turns alike for both states of the control, ZX is {value:.2g} sigmas, "
            f"{_FEWEST_SIGMAS:g} are needed; check that the control is driven and its frequency right"
        )
        found = as_checks(hamiltonian_checks(tuning.fit))
        verdict = Verdict.WINDOW if too_short(tuning.times) else Verdict.NO_SIGNAL
        if any(not check.ok and check.verdict is Verdict.POOR_FIT for check in found):
            verdict = Verdict.POOR_FIT  # garbage hides what is there; a target that nothing turns is described well
        zx = Check("zx", value, _FEWEST_SIGMAS, value >= _FEWEST_SIGMAS, verdict, message=text)
        return (*found, zx)

    def _settings(self, seen: Tuning, last: Tuning) -> tuple[Estimate, ...]:
        """The group that is published: what the last round played, and the beta that it asks for."""
        found, fit, target_hz = last.settings, seen.fit, self.pair().target.rate_hz
        zx, size = fit.rate, found.cancel_amplitude
        along = math.hypot(fit.term("IX").error, fit.term("IY").error) / math.sqrt(2) / target_hz
        tilt = math.hypot(*(each.tilt[0].error for each in last.fit.rotations)) / 2
        return (
            Estimate("cr_amplitude", found.amplitude, 0.0),
            Estimate("cr_phase", found.phase, fit.term("ZY").error / zx.value if zx.value > 0 else math.inf),
            Estimate("rotary_amplitude", found.rotary_amplitude, 0.0),
            Estimate("cancel_amplitude", size, along),
            Estimate("cancel_phase", found.cancel_phase, min(along / size, math.pi) if size > 0 else math.pi),
            Estimate("cancel_beta", levelled(last, target_hz), tilt / per_beta(found, target_hz)),
        )

    @staticmethod
    def _other_times(times: Array) -> Proposal:
        """Longer where they are too short for anything to be seen, else finer."""
        old = sweep_of(times)
        if too_short(times):
            return Proposal(
                f"sweep to {LONGEST_S * 1e6:.2g} us, for a turn of the target", Sweep(0.0, LONGEST_S, 51, "linear")
            )
        num = min(2 * old.num - 1, MAX_POINTS)
        reason = "half the spacing: the target turns too fast for it"
        return Proposal(reason, Sweep(old.start, old.stop, num, "linear"))

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(len(ROUNDS) * (2 * 3 * 51 + 6), 2048, 0.6e-6)


def effective_times(times: Array) -> Array:
    """How long a tone without ramps would have to be."""
    return np.asarray([FlatTop(RAMP_S).area_s(float(t)) for t in times])


def first_settings(pair: Pair) -> CrossResonance:
    """The tone alone, as strong as is surely allowed."""
    return CrossResonance(min(FIRST_DRIVE * pair.distance_hz / pair.control.rate_hz, MOST_AMPLITUDE))


def corrected(tuning: Tuning, pair: Pair) -> CrossResonance:
    """Phase and cancel tone after one round, so that only ZX is left.

    The phase of the tone on the control turns everything that comes from it; what comes from the target's own
    line does not turn along.
    """
    settings, fit, target_hz = tuning.settings, tuning.fit, pair.target.rate_hz
    turn = cmath.rect(1.0, -cmath.phase(fit.zx))
    from_control = (fit.ix - settings.on_target * target_hz) * turn
    found = settings.with_cancel(-from_control / target_hz)
    phase = cmath.phase(cmath.rect(1.0, settings.phase) * turn)
    return replace(found, phase=phase)


def levelled(tuning: Tuning, target_hz: float) -> float:
    """The beta with which the ramps would not tilt the target out of the plane in which ZX turns it."""
    tilt = sum(each.tilt[0].value for each in tuning.fit.rotations) / 2
    return tuning.settings.cancel_beta_s - tilt / per_beta(tuning.settings, target_hz)


def per_beta(settings: CrossResonance, target_hz: float) -> float:
    """By how much, in rad, a ramp tilts the target for a beta of a second."""
    return 2 * math.pi * target_hz * abs(settings.on_target)


def stronger(settings: CrossResonance, fit: HamiltonianFit, pair: Pair) -> CrossResonance:
    """The amplitude with which ZX would have its rate, as far as the control may be driven."""
    most = min(MOST_DRIVE * pair.distance_hz / pair.control.rate_hz, MOST_AMPLITUDE)
    wanted = settings.amplitude * WANTED_RATE_HZ / fit.rate.value
    return settings.scaled(min(wanted, most) / settings.amplitude)


def with_rotary(settings: CrossResonance, fit: HamiltonianFit, pair: Pair) -> CrossResonance:
    """With a tone along X that makes a whole turn in each half of the gate, which takes an eighth of a period of ZX."""
    return replace(settings, rotary_amplitude=ROTARY_TURNS * 8 * fit.rate.value / pair.target.rate_hz)
