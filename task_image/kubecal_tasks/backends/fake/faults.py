"""Planted faults: which befall an attempt, and what they do to a program and its data."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kubecal.api.request import TaskRequest
from kubecal_tasks.backends.fake.config import FakeConfig, Fault, FaultKind
from kubecal_tasks.physics.drift import meets_two_level_system
from kubecal_tasks.physics.truth import QubitTruth
from kubecal_tasks.programs.axes import AnyAxis, Axis
from kubecal_tasks.programs.operations import Operation, Repeat
from kubecal_tasks.programs.program import Program
from kubecal_tasks.programs.swept import Swept

GLITCHED_SHARE = 0.03
HANG_S = 86_400.0
TLS_SHIFT_KHZ, TLS_T1_FACTOR = 60.0, 0.45
PARITY_KHZ = 150.0
"""Half the distance of two lines: a fringe of a few microseconds has its node well within T2*."""
SATURATING_GAIN = 10.0
"""Twice what a single readout of design strength has room for."""
_KHZ = 1e3
REACH_OF_TIMES, REACH_OF_AMPLITUDES = 0.02, 0.05
"""How far a wrong window reaches unless its fault says so. The shortest decay times outlast two per cent of their
default sweep; of a pulse, whose effect begins with the square of its amplitude, two per cent show nothing at all."""


@dataclass(frozen=True)
class ActiveFaults:
    """The faults that befall an attempt; of two of a kind at the same place the later one counts."""

    faults: tuple[Fault, ...]
    target: str
    qubits: tuple[str, ...]
    """That the attempt drives or reads."""

    def anywhere(self, kind: FaultKind) -> Fault | None:
        """A fault of this kind on the attempt's target or any of its qubits."""
        return self._last(kind, {self.target, *self.qubits})

    def on(self, kind: FaultKind, qubit: str) -> Fault | None:
        """A fault of this kind on one qubit; a coupling's, a MUX's or the chip's befalls all its qubits."""
        return self._last(kind, {qubit, self.target} if qubit in self.qubits else {qubit})

    def _last(self, kind: FaultKind, places: set[str]) -> Fault | None:
        found = [fault for fault in self.faults if fault.kind is kind and fault.target in places]
        return found[-1] if found else None


def active_faults(config: FakeConfig, request: TaskRequest) -> ActiveFaults:
    """Everything planted that befalls this attempt's task and number."""
    faults = tuple(fault for fault in config.faults if _befalls(fault, request))
    return ActiveFaults(faults, request.target, request.qubits)


def _befalls(fault: Fault, request: TaskRequest) -> bool:
    return (fault.tasks is None or request.task in fault.tasks) and (
        fault.attempts is None or request.attempt <= fault.attempts
    )


def as_befallen(truth: QubitTruth, faults: ActiveFaults) -> QubitTruth:
    """The qubit with what is planted on it: no drive that arrives, a two-level system beside it."""
    if faults.on(FaultKind.NO_LINE, truth.id) is not None:
        truth = replace(truth, drive_hz=0.0)
    tls = faults.on(FaultKind.TLS, truth.id)
    if tls is None:
        return truth
    return meets_two_level_system(truth, _KHZ * _severity(tls, TLS_SHIFT_KHZ), TLS_T1_FACTOR)


def parities(truth: QubitTruth, faults: ActiveFaults) -> tuple[QubitTruth, ...]:
    """What the qubit is in equal parts of the shots: one and the same, unless it has two lines."""
    fault = faults.on(FaultKind.TWO_LINES, truth.id)
    if fault is None:
        return (truth,)
    away = _KHZ * _severity(fault, PARITY_KHZ)
    return tuple(replace(truth, frequency_hz=truth.frequency_hz + sign * away) for sign in (-1.0, 1.0))


def readout_gain(qubit: str, faults: ActiveFaults) -> float:
    """By how much a readout line's amplifier amplifies more than it should."""
    fault = faults.on(FaultKind.SATURATED_READOUT, qubit)
    return 1.0 if fault is None else _severity(fault, SATURATING_GAIN)


def _severity(fault: Fault, usual: float) -> float:
    return usual if fault.value is None else fault.value


def narrowed(program: Program, reach: float | None) -> Program:
    """The program whose sweeps go only so much of the way; numbers of repetitions stay, or they would not be whole.

    Parameters
    ----------
    reach
        None: ``REACH_OF_TIMES`` or ``REACH_OF_AMPLITUDES``, by what is swept.
    """
    counted = _counting_axes(program)
    return replace(program, axes=tuple(_narrowed_axis(axis, reach, counted) for axis in program.axes))


def _narrowed_axis(axis: AnyAxis, reach: float | None, counted: set[str]) -> AnyAxis:
    if not isinstance(axis, Axis) or axis.name in counted:
        return axis
    if reach is None:
        reach = REACH_OF_TIMES if axis.unit == "s" else REACH_OF_AMPLITUDES
    # A frequency is not swept from nothing: what is left of a band is its lowest part.
    start = min(axis.values) if axis.unit == "Hz" else 0.0
    return replace(axis, values=tuple(start + reach * (value - start) for value in axis.values))


def _counting_axes(program: Program) -> set[str]:
    found: set[str] = set()
    waiting: list[Operation] = [*program.body, *(o for a in program.sequences.values() for s in a.parts for o in s)]
    while waiting:
        operation = waiting.pop()
        if isinstance(operation, Repeat):
            waiting.extend(operation.body)
            if isinstance(operation.count, Swept):
                found.add(operation.count.axis)
    return found


def glitched(
    iq: NDArray[np.float64], share: float, full_scale: float, place: np.random.Generator, size: np.random.Generator
) -> NDArray[np.float64]:
    """Data (points, ..., 2) of which a share of the points lies anywhere within the ADC's range.

    Parameters
    ----------
    place
        With equal numbers the same points of every sweep of that size are hit: what spoils a measurement (a burst
        on a line) comes back wherever the sweep does, so a phase cycle does not multiply the share.
    size
        New for every sweep: garbage that came out alike each time would cancel in a phase cycle.
    """
    where = place.permutation(len(iq))[: round(share * len(iq))]
    found = iq.copy()
    found[where] = size.uniform(-full_scale, full_scale, size=(len(where), *iq.shape[1:]))
    return found
