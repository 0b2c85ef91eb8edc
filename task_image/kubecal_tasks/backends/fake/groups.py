"""Which qubits of a program are simulated, which of them together, and in what states they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kubecal_tasks.backends.fake.chip import Chip
from kubecal_tasks.physics.evolution import Evolution
from kubecal_tasks.physics.readout import Real
from kubecal_tasks.physics.sampling import States
from kubecal_tasks.physics.truth import QubitTruth
from kubecal_tasks.programs.axes import AnyAxis, SequenceAxis
from kubecal_tasks.programs.operations import Delay, Operation, Play, Repeat, drive_line, qubit_of
from kubecal_tasks.programs.program import Program


def read_states(chip: Chip, program: Program, rng: np.random.Generator) -> tuple[States, ...]:
    """The states of everything that a program reads, in the order of its tones.

    A qubit that is driven is simulated by itself, pulses on other lines leaving it alone; one that is only read is
    in its thermal state, and one that is only driven shows nowhere.
    """
    qubits = [qubit_of(tone.line) for tone in program.readout.tones]
    return tuple(States((number,), _alone(chip, program, qubit, rng)) for number, qubit in enumerate(qubits))


def _alone(chip: Chip, program: Program, qubit: str, rng: np.random.Generator) -> Real:
    """(points, 3) populations of one qubit."""
    if drive_line(qubit) not in {frame.line for frame in program.frames}:
        return np.tile(thermal(chip.truth(qubit)), (program.size, 1))
    own = as_seen_by(program, qubit)
    found = [Evolution(truth).populations(own, rng) for truth in chip.parities(qubit)]
    return np.asarray(sum(found) / len(found))


def thermal(truth: QubitTruth) -> Real:
    """(3,) populations of a qubit that nothing drives."""
    return np.asarray([1.0 - truth.thermal, truth.thermal, 0.0])


def as_seen_by(program: Program, qubit: str) -> Program:
    """The program on one qubit's line alone, with the times that it has as a whole.

    What other lines play becomes waiting there, so barriers and the readout come when they did.
    """
    line = drive_line(qubit)
    others = frozenset(frame.name for frame in program.frames if frame.line != line)
    if not others:
        return program
    frames = sorted(program.frames, key=lambda frame: frame.line != line)
    axes = tuple(_axis_without(axis, others) for axis in program.axes)
    return replace(program, frames=tuple(frames), body=_without(program.body, others), axes=axes)


def _axis_without(axis: AnyAxis, others: frozenset[str]) -> AnyAxis:
    if not isinstance(axis, SequenceAxis):
        return axis
    return replace(axis, sequences=tuple(_without(sequence, others) for sequence in axis.sequences))


def _without(operations: Sequence[Operation], others: frozenset[str]) -> tuple[Operation, ...]:
    return tuple(_silenced(operation, others) for operation in operations)


def _silenced(operation: Operation, others: frozenset[str]) -> Operation:
    match operation:
        case Play() if operation.frame in others:
            return Delay(operation.frame, operation.duration_s)
        case Repeat():
            return replace(operation, body=_without(operation.body, others))
    return operation
