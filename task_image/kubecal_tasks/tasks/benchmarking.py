"""What the benchmarking tasks share: lengths, random sequences, their decays, their figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from kubecal.api.catalogue import ParameterKind, RunParameter
from kubecal_tasks.cliffords.single import Single
from kubecal_tasks.fits.rb import RBFit, bounded
from kubecal_tasks.fits.suggestions import Proposal, Sweep
from kubecal_tasks.fits.values import Array, Measured
from kubecal_tasks.framework.declarations import DAY_S, OutputParameter, Precision
from kubecal_tasks.framework.task import FigureContext
from kubecal_tasks.programs import Operation
from kubecal_tasks.tasks.findings import value_line
from kubecal_tasks.tasks.pictures import Draw
from kubecal_tasks.tasks.trace import Trace

if TYPE_CHECKING:
    from kubecal_tasks.figures import Figure

LENGTHS = 12
SEQUENCES = 10
REACH = 1.4
"""Decay lengths that the longest sequence has: 0.7 over the error per Clifford of one qubit, 1.05 of two, whose error
is a larger part of what the polarisation loses."""
_SPREAD = 300.0
"""The longest sequence over the shortest."""
LONGEST = 30_000
_LARGEST_STEP = 8.0


def sequences_parameter() -> RunParameter:
    """How many random sequences there are of each length."""
    return RunParameter(
        name="sequences",
        kind=ParameterKind.INTEGER,
        default=SEQUENCES,
        minimum=2,
        maximum=100,
        description="random sequences of each length",
    )


def lengths_parameter(expected: str) -> RunParameter:
    """The lengths, where they are not left to what is expected."""
    return RunParameter(
        name="lengths",
        kind=ParameterKind.SWEEP,
        minimum=1.0,
        maximum=float(LONGEST),
        max_points=100,
        description=f"numbers of random Cliffords; 12 up to 1.4 decay lengths expected from {expected}",
    )


def fidelity(name: str, description: str, limit: float) -> OutputParameter:
    """A gate fidelity; ``limit`` is the largest error with which it is of use."""
    return OutputParameter(
        name,
        "",
        description=description,
        minimum=0.0,
        maximum=1.0,
        precision=Precision(absolute=limit),
        max_age_s=DAY_S,
    )


def depolarizing_rate(name: str, description: str) -> OutputParameter:
    """1 - a, what is lost of the polarisation."""
    return OutputParameter(name, "", description=description, minimum=0.0, maximum=1.0, max_age_s=DAY_S)


def longest_sequence(error_per_clifford: float, states: int) -> float:
    """Cliffords of the longest sequence for an error, of a system with so many states."""
    return REACH * (1.0 - 1.0 / states) / error_per_clifford if error_per_clifford > 0 else np.inf


def expected_lengths(error_per_clifford: float, states: int) -> Array:
    """Log-spaced whole numbers up to what suits the error that is expected."""
    longest = min(longest_sequence(error_per_clifford, states), LONGEST)
    return np.unique(np.rint(np.geomspace(max(1.0, longest / _SPREAD), max(longest, LENGTHS), LENGTHS)))


def seeded(task: str, target: str) -> np.random.Generator:
    """The same sequences whenever a task measures a target: what they are is stored with the program."""
    return np.random.default_rng([crc32(task.encode()), crc32(target.encode())])


def interleave(word: Sequence[int], gate: int) -> tuple[int, ...]:
    """A gate after every block but the last, which undoes it all."""
    return tuple(part for each in word[:-1] for part in (each, gate)) + tuple(word[-1:])


def gates(element: Single, half_pi: Operation, turn: Callable[[float], Operation]) -> tuple[Operation, ...]:
    """A Clifford as operations: half-pi pulses about X, and between them virtual Z; turns by nothing are left out.

    A pulse whose phase is advanced by p turns about cos(p) X - sin(p) Y, |0> being +Z: what stands between two
    pulses of different phase is Z(p), so a virtual Z advances the phase by its own angle.
    """
    found: list[Operation] = []
    for place, quarters in enumerate(element.quarters):
        if place:
            found.append(half_pi)
        if quarters:
            found.append(turn(quarters * np.pi / 2))
    return tuple(found)


def survival(trace: Trace) -> Array:
    """P(0) where |0> and |1> are known, else the signal, turned so that it falls."""
    if trace.referenced:
        return 1.0 - trace.signal
    shortest, longest = (trace.signal[trace.x == edge].mean() for edge in (trace.x.min(), trace.x.max()))
    return trace.signal if shortest >= longest else -trace.signal


def longer_or_shorter(fit: RBFit, states: int) -> Callable[[float, float], Proposal | None]:
    """Proposes lengths that suit the error that was found, within limits."""
    error = fit.error_per_clifford(states).value

    def propose(shortest: float, longest: float) -> Proposal | None:
        now = float(fit.x.max())
        wanted = longest_sequence(error, states)
        stop = float(np.clip(np.clip(wanted, now / _LARGEST_STEP, now * _LARGEST_STEP), LENGTHS, longest))
        if abs(stop / now - 1) < 0.05:
            return None
        start = max(shortest, float(np.floor(stop / _SPREAD)))
        return Proposal(
            f"sequences of up to {stop:.0f} Cliffords instead of {now:.0f}, for an error near {error:.2g}",
            sweep=Sweep(start, float(round(stop)), LENGTHS, "log"),
        )

    return propose


def fidelity_line(name: str, measured: Measured) -> str:
    """A fidelity in per cent; one above 1 within its error is a lower bound."""
    if measured.value > 1.0 and bounded(measured):
        least = 1e2 * min(measured.value - measured.error, 1.0)
        return f"{name} ≥ {least:.4g} % ({value_line('estimate', measured, '%', 1e-2)})"
    return value_line(name, measured, "%", 1e-2)


def benchmarking_picture(fits: Sequence[tuple[str, RBFit]], referenced: bool, limit: float | None) -> Draw:
    """Decays against sequence length."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures import Axis
        from kubecal_tasks.figures.benchmarking import SURVIVAL, benchmarking_figure

        y = SURVIVAL if referenced else Axis("Signal", "a.u.")
        return benchmarking_figure(fits, context, limit, y)

    return draw
