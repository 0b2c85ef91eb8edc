"""What tasks that make a pulse with DRAG share: amplitude and DRAG coefficient in turn.

The coefficient is that with which the pulse's axis lies in the plane: near 1 / (2 |anharmonicity|) (physics.md, DRAG).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import ParameterKind, RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.drag import DragFit, drag_checks, fit_drag
from kubecal_tasks.framework.declarations import DAY_S, InputParameter, OutputParameter, Precision
from kubecal_tasks.framework.outcome import Estimate
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition, Amount, Play, Program
from kubecal_tasks.tasks.create_pulse import CREATE_INPUTS, LONGEST_TRAIN, SWEEP_POINTS, CreatePulse, pulse_duration
from kubecal_tasks.tasks.declared import INTERVAL, duration_s, pulse_amplitude, shots
from kubecal_tasks.tasks.findings import as_checks, metrics, value_line
from kubecal_tasks.tasks.pictures import drag_picture
from kubecal_tasks.tasks.pulses import Pulses
from kubecal_tasks.tasks.trace import Trace
from kubecal_tasks.tasks.trains import PAIR, quarter_about_y, there_and_back

TWO_PI = 2 * math.pi
NANOSECOND = 1e-9
TYPICAL_ANHARMONICITY_HZ = 0.3e9
"""Where it is not known: transmons differ by less than the sweep is wide."""
BETA_POINTS = 21
COUNTS = ((2, 4, 8), (4, 8, 16))
"""Pairs of opposite pi rotations of each line: in the first iteration, and in all later ones, which sweep less."""
HALF_WIDTHS = (1.0, 0.25)
"""Of the swept coefficients, in 1 / |anharmonicity|."""
TILT_SLOPE = 5.06
"""How fast the axis of a pi pulse tilts with beta, times its length (physics.md, DRAG)."""
ITERATIONS = RunParameter(
    name="iterations",
    kind=ParameterKind.INTEGER,
    default=2,
    minimum=1,
    maximum=5,
    description="how often amplitude and DRAG coefficient are measured in turn",
)
DRAG_CREATE_INPUTS = (
    *CREATE_INPUTS,
    InputParameter("anharmonicity", "GHz", required=False, hint="CheckQubitSpectroscopy"),
)


def drag_outputs(pulse: str, words: str) -> tuple[OutputParameter, ...]:
    """Amplitude, DRAG coefficient and length, published together."""
    return (
        pulse_amplitude(f"{pulse}_amplitude", pulse, f"amplitude of the {words} pulse with DRAG"),
        OutputParameter(
            f"{pulse}_beta",
            "ns",
            group=pulse,
            description="DRAG coefficient: the quadrature is beta times the slope of the envelope",
            precision=Precision(absolute=0.05),
            drift=0.02,
            max_age_s=DAY_S,
        ),
        OutputParameter(
            f"{pulse}_length", "ns", group=pulse, minimum=0.0, description=f"duration of the {words} pulse"
        ),
    )


def drag_parameters(pulse: str, duration_ns: int) -> tuple[RunParameter, ...]:
    """Run parameters of a task that makes a pulse with DRAG."""
    return (pulse_duration(f"{pulse}_duration", duration_ns), ITERATIONS, shots(2048), INTERVAL)


def drag_duration_s(trains: int) -> float:
    """At default sweeps, with so many series in a train."""
    points = SWEEP_POINTS + 2 * trains * (LONGEST_TRAIN + 1) + sum(map(len, COUNTS)) * BETA_POINTS
    return duration_s(points, 2048, 0.4e-6)


class CreateDRAGPulse(CreatePulse):
    """Amplitude and DRAG coefficient of a pulse, in turn."""

    swept_turns: ClassVar[float] = 0.8
    """Short pulses are strong, and far beyond the amplitude that is looked for other levels join in."""

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """The amplitude's sweep, then in turn trains for the amplitude and lines for the coefficient."""
        acquisitions = [self.acquire(backend, "sweep", self.program)]
        if not self.sweep_is_good(acquisitions):
            return acquisitions  # there is no pulse whose error could be amplified; postprocess says so
        pulses = self.pulses(backend)
        for number in range(1, self.integer("iterations") + 1):
            beta_s = self.beta_s(acquisitions, number)
            acquisitions += self.round(backend, number, self.made(pulses, self.amplitude(acquisitions).value, beta_s))
            amplitude = self.amplitude(acquisitions).value
            for count in counts_of(number):
                program = self.line(pulses, amplitude, beta_s, number, count)
                acquisitions.append(self.acquire(backend, f"beta {number} x {count}", program))
            if not located(self.fit_lines(acquisitions, number)[0]):
                break  # a coefficient that is not there cannot be refined
        return acquisitions

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """What the last iteration found."""
        found = super().postprocess(backend, result)
        iteration = self.rounds(result)
        if not iteration:
            return found
        fit, trace = self.fit_lines(result, iteration)
        checks = (*found.checks, *as_checks(drag_checks(fit), prefix="beta "))
        estimates = (*found.estimates, Estimate(f"{self.pulse}_beta", fit.beta.value, fit.beta.error))
        of_beta = {f"beta_{name}": value for name, value in metrics(fit.statistics).items()}
        beta = value_line("beta", fit.beta, "ns", NANOSECOND)
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=found.r2,
            metrics={**found.metrics, **of_beta},
            suggestion=self.suggest(checks, estimates),
            lines=(f"{found.lines[0]}   {beta}", *found.lines[1:]),
            figures=(drag_picture(fit, trace), *found.figures),
        )

    def made(self, pulses: Pulses, amplitude: Amount, beta_s: Amount | None = None) -> Play:
        """The pulse at an amplitude; with the expected DRAG coefficient unless another one is given."""
        return pulses.pulse(amplitude, self.length_s, beta_s=self.expected_beta_s() if beta_s is None else beta_s)

    def anharmonic_s(self) -> float:
        """1 / |anharmonicity| in rad/s."""
        known = abs(self.value("anharmonicity")) if self.has("anharmonicity") else 0.0
        return 1.0 / (TWO_PI * (known or TYPICAL_ANHARMONICITY_HZ))

    def expected_beta_s(self) -> float:
        """Where the axis lies in the plane, to first order."""
        return self.anharmonic_s() / 2

    def expected_slope(self) -> float:
        """By how much more a pair of opposite pi rotations turns, rad for each second of beta."""
        return PAIR * TILT_SLOPE / self.length_s / self.rotation.whole

    def line(self, pulses: Pulses, amplitude: float, middle_s: float, number: int, count: int) -> Program:
        """So many pairs at each coefficient around one."""
        half = HALF_WIDTHS[min(number, len(HALF_WIDTHS)) - 1] * self.anharmonic_s()
        betas = np.linspace(middle_s - half, middle_s + half, BETA_POINTS)

        def body(beta_s: Amount) -> Sequence[Play]:
            pulse = self.made(pulses, amplitude, beta_s)
            return (quarter_about_y(pulse, self.rotation), *there_and_back(pulse, self.rotation) * count)

        return pulses.swept("beta", "s", betas, body)

    def fit_lines(self, result: Sequence[Acquisition], number: int) -> tuple[DragFit, Trace]:
        """The lines of one iteration."""
        counts = counts_of(number)
        traces = self.traces(result, tuple(f"beta {number} x {count}" for count in counts), self.reference())
        y = np.stack([each.signal for each in traces])
        variance = np.stack([each.variance for each in traces])
        return fit_drag(traces[0].x, y, variance, counts, self.expected_slope()), traces[0]

    def beta_s(self, result: Sequence[Acquisition], number: int) -> float:
        """The coefficient that an iteration starts from."""
        return self.expected_beta_s() if number == 1 else self.fit_lines(result, number - 1)[0].beta.value


def located(fit: DragFit) -> bool:
    """Whether the lines cross somewhere. Far from there they are no sines, which a narrower sweep does not see."""
    return all(check.ok for check in drag_checks(fit) if check.name != "poor_fit")


def counts_of(number: int) -> tuple[int, ...]:
    """Pairs of each line in an iteration."""
    return COUNTS[min(number, len(COUNTS)) - 1]
