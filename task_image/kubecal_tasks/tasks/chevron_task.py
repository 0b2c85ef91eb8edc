"""What the chevrons share: where their drive is, how a scan becomes a fit, and a fit a frequency and an amplitude."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import ParameterKind, RunParameter
from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.chevron import ChevronFit, fit_chevron
from kubecal_tasks.fits.suggestions import Proposal, Sweep, sweep_of
from kubecal_tasks.fits.values import Measured
from kubecal_tasks.framework.declarations import DAY_S, InputParameter, OutputParameter, Precision
from kubecal_tasks.framework.inputs import InputValue, MissingInputError, Origin
from kubecal_tasks.framework.outcome import Check, Estimate, Suggestion
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.declared import MAX_SHOTS, STANDARD_INPUTS, pulse_amplitude
from kubecal_tasks.tasks.detuned import driven_at, driven_with
from kubecal_tasks.tasks.dressing import line_shift_hz, undressed_rate
from kubecal_tasks.tasks.findings import could_show, metrics, quality_line, value_line
from kubecal_tasks.tasks.maps import chevron_picture
from kubecal_tasks.tasks.pulses import Pulses
from kubecal_tasks.tasks.qubit_task import GIGAHERTZ, MEGAHERTZ, TARGET_RATE_HZ, QubitTask
from kubecal_tasks.tasks.trace import Trace, measured_trace

READOUT_INPUTS = tuple(each for each in STANDARD_INPUTS if each.name != "qubit_frequency")
ANHARMONICITY = InputParameter("anharmonicity", "GHz", hint="CheckQubitSpectroscopy", fallback=-0.3)
"""Only corrects by how much the third level moves the resonance of a driven qubit."""
_TYPICAL_SPREAD_HZ = 20e6
"""How far a transmon's anharmonicity may be from the fallback, one sigma."""
_FREQUENCY = InputParameter("qubit_frequency", "GHz", required=False, hint="CheckQubitSpectroscopy")
_AMPLITUDE = InputParameter("control_amplitude", "a.u.", required=False, hint="CheckControlAmplitude")
COARSE_FREQUENCY_INPUTS = (replace(_FREQUENCY, name="coarse_qubit_frequency"), _FREQUENCY)
COARSE_AMPLITUDE_INPUTS = (replace(_AMPLITUDE, name="coarse_control_amplitude"), _AMPLITUDE)
SCAN_AMPLITUDE = InputParameter("control_amplitude", "a.u.", hint="CheckControlAmplitude", fallback=0.1)
"""Of a scan that finds the rate itself: any amplitude does that turns the qubit within the scan's durations."""
_ORIGINS = tuple(Origin)
_NEGLECTED = 0.1
"""Of the third level's shift: it is that of a resonant drive, and the scan is not resonant everywhere."""
_NEGLECTED_RATE = 1.5
"""The same of its effect on the rate, which is smaller (0.04 % at 12.5 MHz) and changes more along the scan."""
_GOOD_PERIODS = 4.0
_AS_FAR_AS_FITTED = 1.9
"""Half ranges from the middle: the fit looks no further than two."""
_MUCH_WIDER = 4.0
MAX_SCAN_POINTS = 201
NANOSECOND = 1e-9


def detuning_range(megahertz: float, num: int) -> RunParameter:
    """A scan about where the qubit is expected, linear and symmetric unless told otherwise."""
    return RunParameter(
        name="detuning_range",
        kind=ParameterKind.SWEEP,
        unit="MHz",
        default={"start": -megahertz, "stop": megahertz, "num": num},
        minimum=-1000.0,
        maximum=1000.0,
        max_points=MAX_SCAN_POINTS,
        description="frequencies of the drive, counted from where the qubit is expected",
    )


def time_range(nanoseconds: float, num: int) -> RunParameter:
    """Durations of the drive."""
    return RunParameter(
        name="time_range",
        kind=ParameterKind.SWEEP,
        unit="ns",
        default={"start": 0, "stop": nanoseconds, "num": num},
        minimum=0.0,
        maximum=10_000.0,
        max_points=MAX_SCAN_POINTS,
        description="durations of the drive",
    )


def qubit_frequency(group: str, name: str = "qubit_frequency") -> OutputParameter:
    """A transition frequency, useful to half a megahertz until Ramsey fringes tell it better."""
    return OutputParameter(
        name,
        "GHz",
        group=group,
        description="transition frequency of |0> to |1>",
        precision=Precision(absolute=0.5e-3),
        band="qubit",
        drift=50e-6,
        max_age_s=DAY_S,
    )


CHEVRON_OUTPUTS = (
    qubit_frequency("chevron"),
    pulse_amplitude("control_amplitude", "chevron", "amplitude that drives Rabi oscillations at 12.5 MHz"),
)


@dataclass(frozen=True)
class Driven:
    """A fitted scan and what it says of the qubit."""

    fit: ChevronFit
    trace: Trace
    drive_hz: float
    """The frequency that detunings are counted from."""
    frequency: Measured
    """Of the qubit without any drive, Hz."""
    spread_hz: float
    """Part of its error that more shots do not make smaller."""
    amplitude: Measured
    """With which the qubit would turn at 12.5 MHz."""


class DetunedTask(QubitTask):
    """A task whose drive is swept about where the qubit is expected."""

    swept = "detuning_range"

    def expected(self, name: str) -> InputValue:
        """The coarse value of a parameter, or the parameter itself where that is known from a better source.

        Raises
        ------
        MissingInputError
            If neither is known.
        """
        known = [self.binding.inputs[n] for n in (f"coarse_{name}", name) if self.has(n)]
        if not known:
            hint = next(each.hint for each in self.inputs if each.name == name)
            raise MissingInputError(f"missing input coarse_{name} of qubit {self.target}: run {hint} or set it")
        return min(known, key=lambda each: _ORIGINS.index(each.origin))  # of equals the first

    def pulses(self, backend: Backend) -> Pulses:
        """Pulses at the expected frequency."""
        return Pulses(
            qubit=self.target,
            drive_hz=self.expected("qubit_frequency").si_value,
            readout_hz=self.value("readout_frequency"),
            readout_amplitude=self.value("readout_amplitude"),
            readout_s=self.value("readout_length"),
            interval_s=self.interval_s(),
            shots=self.integer("shots"),
        )

    @cached_property
    def _seen(self) -> dict[int, tuple[Acquisition, Driven]]:
        """Scans by their identity, with what they say: what was looked at while measuring is judged afterwards."""
        return {}

    def driven(self, result: Sequence[Acquisition], label: str) -> Driven:
        """What a scan says, fitted when it is asked for first."""
        scan = next(each for each in result if each.label == label)
        if id(scan) not in self._seen:
            self._seen[id(scan)] = scan, self._fitted(scan)
        return self._seen[id(scan)][1]

    def _fitted(self, scan: Acquisition) -> Driven:
        detunings, durations = scan.data.axes
        iq, covariance = scan.iq.reshape(-1, 2), scan.covariance.reshape(-1, 2, 2)
        trace = measured_trace(np.arange(float(len(iq))), iq, covariance, self.reference())
        shape = (detunings.size, durations.size)
        fit = fit_chevron(detunings, durations, trace.signal.reshape(shape), trace.variance.reshape(shape))
        rate = undressed_rate(fit.rabi_rate, self.value("anharmonicity"), _NEGLECTED_RATE)
        shift = self.dressing(rate)
        spread = math.hypot(shift.error, _NEGLECTED * shift.value)
        found = driven_at(scan, self.target) + fit.centre.value - shift.value
        needed = driven_with(scan, self.target) * TARGET_RATE_HZ / rate.value
        return Driven(
            fit=fit,
            trace=trace,
            drive_hz=driven_at(scan, self.target),
            frequency=Measured(found, math.hypot(fit.centre.error, spread)),
            spread_hz=spread,
            amplitude=Measured(needed, needed * rate.error / rate.value),
        )

    def dressing(self, rate: Measured) -> Measured:
        """By how much the drive itself moves the resonance up; its error is that of the anharmonicity."""
        own = self.binding.inputs["anharmonicity"]
        size = abs(own.si_value)
        error = own.si_error or (_TYPICAL_SPREAD_HZ if own.origin is Origin.FALLBACK else 0.0)
        shift = line_shift_hz(rate.value, size)
        return Measured(shift, shift * error / size)

    def frequency_estimate(self, name: str, driven: Driven) -> Estimate:
        """The qubit's frequency as an output."""
        return Estimate(name, driven.frequency.value, driven.frequency.error, driven.spread_hz)

    def about_the_expected(self, checks: tuple[Check, ...], fit: ChevronFit) -> tuple[Check, ...]:
        """The checks of a scan; that nothing is seen beside where the qubit is expected says nothing of the qubit."""
        low, high = float(fit.detuning.min()), float(fit.detuning.max())
        text = (
            f"nothing is seen between {low / MEGAHERTZ:+.4g} and {high / MEGAHERTZ:+.4g} MHz from where the qubit is "
            "expected, and there itself it was not looked for: let detuning_range hold 0"
        )
        return could_show(checks, low <= 0.0 <= high, text)

    def next_scan(self, checks: Sequence[Check], estimates: Sequence[Estimate], fit: ChevronFit) -> Suggestion | None:
        """A wider scan where nothing was seen, one about the resonance where that lies outside, or more shots."""
        failed = {check.name: check.verdict for check in checks if not check.ok}
        proposal: Proposal | None = None
        if failed.get("no_signal") is Verdict.WINDOW:
            proposal = _held(fit, *self._limits())
        elif Verdict.NO_SIGNAL in failed.values():
            proposal = _wider(fit, self.integer("shots"), *self._limits())
        elif failed.get("window") is Verdict.WINDOW:
            proposal = _shifted(fit, *self._limits())
        elif not failed:
            proposal = self._more_shots(estimates)
        return None if proposal is None else self._as_written(proposal)


class ChevronTask(DetunedTask):
    """A chevron that gives the qubit's frequency and the amplitude for 12.5 MHz."""

    outputs: ClassVar[tuple[OutputParameter, ...]] = CHEVRON_OUTPUTS

    def found(self, driven: Driven) -> tuple[Estimate, ...]:
        """Both outputs."""
        return (
            self.frequency_estimate("qubit_frequency", driven),
            Estimate("control_amplitude", driven.amplitude.value, driven.amplitude.error),
        )

    def judged(self, driven: Driven, checks: tuple[Check, ...], before: Driven | None = None) -> PostProcessResult:
        """What a chevron says.

        Parameters
        ----------
        before
            The chevron that told where to make this one.
        """
        estimates = self.found(driven)
        pictures = [chevron_picture(driven.fit, driven.trace.referenced, driven.drive_hz, "chevron")]
        if before is not None:
            pictures.append(chevron_picture(before.fit, before.trace.referenced, before.drive_hz, "wide_chevron"))
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=driven.fit.statistics.r2,
            metrics=metrics(driven.fit.statistics),
            suggestion=self.next_scan(checks, estimates, driven.fit),
            lines=(
                value_line("qubit frequency", driven.frequency, "GHz", GIGAHERTZ),
                value_line("amplitude for 12.5 MHz", driven.amplitude, "a.u."),
                quality_line(driven.fit.statistics),
            ),
            figures=tuple(pictures),
        )

    def next_scan(self, checks: Sequence[Check], estimates: Sequence[Estimate], fit: ChevronFit) -> Suggestion | None:
        """Besides: longer drives where the oscillation is too slow for these, finer ones where it is too fast."""
        suggestion = super().next_scan(checks, estimates, fit)
        failed = {check.name for check in checks if not check.ok}
        if suggestion is not None or not failed & {"slow", "aliased"}:
            return suggestion
        longest, num = float(fit.time.max()), fit.time.size
        faster = _GOOD_PERIODS / max(fit.periods, 0.5) if "slow" in failed else 0.5
        declared = next(each for each in self.run_parameters if each.name == "time_range")
        stop = min(round(longest * faster / NANOSECOND, 3), declared.maximum or math.inf)
        why = "too slow to be seen in" if "slow" in failed else "too fast for the spacing of"
        reason = f"drives up to {stop:g} ns: the oscillation is {why} {longest / NANOSECOND:g} ns"
        return Suggestion({"time_range": {"start": 0.0, "stop": stop, "num": num, "scale": "linear"}}, reason)


def _shifted(fit: ChevronFit, lowest: float, highest: float) -> Proposal | None:
    """The same range about the resonance; where the fit does not know how far away that is, a much wider one."""
    old = sweep_of(fit.detuning)
    half, middle = (old.stop - old.start) / 2, (old.start + old.stop) / 2
    move = float(np.clip(fit.centre.value - middle, -half, half))
    num = old.num
    if abs(fit.centre.value - middle) > _AS_FAR_AS_FITTED * half:
        move, half, num = 0.0, _MUCH_WIDER * half, min(2 * old.num - 1, MAX_SCAN_POINTS)
    start, stop = max(middle + move - half, lowest), min(middle + move + half, highest)
    if not stop > start:
        return None
    reason = (
        f"{start / 1e6:+.4g} ... {stop / 1e6:+.4g} MHz: the resonance may be near {fit.centre.value / 1e6:+.3g} MHz"
    )
    return Proposal(reason, sweep=Sweep(start, stop, num, "linear"))


def _held(fit: ChevronFit, lowest: float, highest: float) -> Proposal:
    """As far to both sides of where the qubit is expected as the scan was away from it."""
    old = sweep_of(fit.detuning)
    half = max(abs(old.start), abs(old.stop))
    start, stop = max(-half, lowest), min(half, highest)
    return Proposal(f"{start / 1e6:+.4g} ... {stop / 1e6:+.4g} MHz", sweep=Sweep(start, stop, old.num, "linear"))


def _wider(fit: ChevronFit, shots: int, lowest: float, highest: float) -> Proposal | None:
    """Where nothing was seen: twice the range in as many steps, and twice the shots, as far as allowed."""
    old = sweep_of(fit.detuning)
    start, stop = max(2 * old.start, lowest), min(2 * old.stop, highest)
    more, num = min(2 * shots, MAX_SHOTS), min(2 * old.num - 1, MAX_SCAN_POINTS)
    if stop - start <= old.stop - old.start and more <= shots:
        return None
    reason = f"nothing seen: {start / 1e6:+.4g} ... {stop / 1e6:+.4g} MHz with {more} shots"
    return Proposal(reason, sweep=Sweep(start, stop, num, "linear"), shots=more)
