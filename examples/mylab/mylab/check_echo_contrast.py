"""How much of a superposition an echo brings back after one delay: a number to watch every hour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from kubecal.api.catalogue import ParameterKind, RunParameter
from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits import Measured, SeparableFit, fit_separable
from kubecal_tasks.fits.checks import chi2_check, glitch_check
from kubecal_tasks.fits.values import Array
from kubecal_tasks.framework.declarations import DAY_S, InputParameter, OutputParameter, Precision
from kubecal_tasks.framework.outcome import Check, Estimate, Suggestion
from kubecal_tasks.framework.task import FigureContext, PostProcessResult
from kubecal_tasks.programs import Acquisition, Operation, Swept
from kubecal_tasks.tasks.declared import HALF_PI_INPUTS, INTERVAL, STANDARD_INPUTS, duration_s, shots
from kubecal_tasks.tasks.findings import as_checks, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.pulses import Pulses
from kubecal_tasks.tasks.qubit_task import MICROSECOND, QubitTask
from kubecal_tasks.tasks.trace import Trace

if TYPE_CHECKING:
    from kubecal_tasks.figures import Figure

PHASES = np.linspace(0.0, 2 * np.pi, 16, endpoint=False)
"""Of the last pulse: one turn, so that the fringe's period is known."""
REFERENCES = (0, 2) * 8
"""Half-pi pulses that make |0> and |1>, as often as there are phases: both are known as well as the fringe."""
SHORTEST_US = 0.1
FEWEST_SIGMAS = 5.0
SMALLEST_CONTRAST = 0.1
"""Below it the echo is gone: what is left would tell no change."""


class CheckEchoContrast(QubitTask):
    """Contrast of a Hahn echo after one delay, from the fringe over the last pulse's phase."""

    name = "CheckEchoContrast"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, *HALF_PI_INPUTS)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter(
            "echo_contrast",
            "",
            group="echo",
            description="part of the superposition that an echo brings back",
            minimum=0.0,
            maximum=1.0,
            precision=Precision(absolute=0.05),
            drift=0.2,
            max_age_s=DAY_S,
        ),
        OutputParameter("echo_delay", "us", group="echo", description="total wait for which the contrast holds"),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        RunParameter(
            name="delay",
            kind=ParameterKind.NUMBER,
            unit="us",
            default=10.0,
            minimum=SHORTEST_US,
            maximum=10_000.0,
            description="total wait, half before and half after the refocusing pulse",
        ),
        shots(1024),
        INTERVAL,
    )

    def preprocess(self, backend: Backend) -> None:
        """Two programs: the echo over the phase of its last pulse, and |0> and |1> to compare it with."""
        pulses = self.pulses(backend)
        self.programs = {
            "echo": pulses.swept("phase", "rad", PHASES, partial(_echo, pulses, self.number("delay") / 2)),
            "references": pulses.repeated(pulses.half_pi(), REFERENCES),
        }

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """Both programs; each is kept with its data under its label."""
        return tuple(self.acquire(backend, label, program) for label, program in self.programs.items())

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """The fringe's height in units of the distance of |0> and |1>."""
        fringe, levels = self.traces(result, ("echo", "references"), self.reference())
        ground, excited = _level(levels, REFERENCES[0]), _level(levels, REFERENCES[1])
        fit = fit_fringe(fringe)
        contrast = _contrast(fit, ground, excited)
        checks = (
            _signal_check(ground, excited),
            *as_checks([chi2_check(fit), glitch_check(fit)]),
            _window_check(contrast, self.number("delay")),
        )
        estimates = (estimate("echo_contrast", contrast), Estimate("echo_delay", self.number("delay"), 0.0))
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=fit.statistics.r2,
            metrics=metrics(fit.statistics),
            suggestion=self._shorter(checks) or self.suggest(checks, estimates),
            lines=(value_line("echo contrast", contrast, ""), quality_line(fit.statistics)),
            figures=(partial(_draw, fit, ground, excited),),
        )

    def _shorter(self, checks: Sequence[Check]) -> Suggestion | None:
        """Where the echo is gone, a quarter of the delay; unless there was nothing to see in the first place."""
        failed = {check.verdict for check in checks if not check.ok}
        delay_us = self.number("delay") / MICROSECOND
        if failed != {Verdict.WINDOW} or delay_us <= SHORTEST_US:
            return None
        delay_us = max(delay_us / 4, SHORTEST_US)
        return Suggestion({"delay": float(f"{delay_us:.3g}")}, "the echo is gone: a quarter of the delay")

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(len(PHASES) + len(REFERENCES), 1024, 10e-6)


def _echo(pulses: Pulses, half_s: float, phase: Swept) -> Sequence[Operation]:
    """The refocusing pulse is two half-pi pulses in a row, so that one calibration serves."""
    return (
        pulses.half_pi(),
        pulses.wait(half_s),
        pulses.half_pi(),
        pulses.half_pi(),
        pulses.wait(half_s),
        pulses.half_pi(phase=phase),
    )


def fit_fringe(trace: Trace) -> SeparableFit:
    """offset + height cos(phase - turned): the angle is fitted, the other two follow from it."""

    def columns(phase: Array, theta: Array) -> Array:
        cosine = np.cos(phase - theta)
        return np.stack([np.ones_like(cosine), cosine], axis=-1)

    angles = np.linspace(-np.pi / 2, np.pi / 2, 9)[:, None]
    return fit_separable(
        trace.x, trace.signal, trace.variance, columns, angles, np.asarray([-np.pi]), np.asarray([np.pi])
    )


def _level(trace: Trace, pulses: int) -> Measured:
    """The median of the points after so many pulses: a glitch among them moves it little."""
    of_state = trace.x == pulses
    number = np.count_nonzero(of_state)
    error = math.sqrt(float(np.mean(trace.variance[of_state])) * np.pi / 2 / number)
    return Measured(float(np.median(trace.signal[of_state])), error)


def _contrast(fit: SeparableFit, ground: Measured, excited: Measured) -> Measured:
    """Twice the height over the distance: without a phase the echo ends in |0>, where the cosine is lowest."""
    height, distance = fit.coefficient(1), excited.value - ground.value
    if distance == 0:
        return Measured(math.nan, math.nan)
    value = -2 * height.value / distance
    error = math.hypot(2 * height.error, value * math.hypot(ground.error, excited.error)) / abs(distance)
    return Measured(value, error)


def _signal_check(ground: Measured, excited: Measured) -> Check:
    """A flat fringe may be an echo that is gone; no signal is when not even |0> and |1> differ."""
    value, limit = abs(excited.value - ground.value), FEWEST_SIGMAS * math.hypot(ground.error, excited.error)
    text = f"no signal: |0> and |1> are {value:.2g} apart, more than {limit:.2g} is needed: run CheckRabi"
    return Check("signal", value, limit, value > limit, Verdict.NO_SIGNAL, message=text)


def _window_check(contrast: Measured, delay_s: float) -> Check:
    """Fails only where the contrast is small for certain; one that is not known well is imprecise."""
    highest = contrast.value + 2 * contrast.error
    text = f"after {delay_s / MICROSECOND:.3g} us the contrast is {highest:.2g} at most: wait less long"
    return Check(
        "window", highest, SMALLEST_CONTRAST, highest >= SMALLEST_CONTRAST, Verdict.WINDOW, "echo_contrast", text
    )


def _draw(fit: SeparableFit, ground: Measured, excited: Measured, context: FigureContext) -> Figure:
    """The fringe between the levels of |0> and |1>."""
    from kubecal_tasks.figures import style  # here and not above: matplotlib is half a second that no verdict needs
    from kubecal_tasks.figures.figure import Axis, grid, house_style, new_sheet
    from kubecal_tasks.figures.series import fit_label

    with house_style():
        sheet = new_sheet(context)
        panel = sheet.panel(grid(sheet, 1, 1)[0], "fringe", Axis("Phase of the last pulse", "rad"), Axis("Signal"))
        fine = np.linspace(0, 2 * np.pi, style.FINE_POINTS)
        panel.points(fit.x, fit.evidence.y, fit.evidence.sigma, fit.evidence.kept)
        panel.line(fine, fit.curve(fine), fit_label(fit.evidence, context))
        panel.marker(ground.value, "|0⟩", style.GREY, dashed=True, horizontal=True)
        panel.marker(excited.value, "|1⟩", style.SKY, dashed=True, horizontal=True)
        panel.legend()
        return sheet.finished("echo")
