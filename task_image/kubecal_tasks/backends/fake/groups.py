"""Which qubits of a program are simulated, which of them together, and in what states they are read."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kubecal_tasks.backends.fake.chip import Chip
from kubecal_tasks.physics.coupling import draw_pair
from kubecal_tasks.physics.evolution import Evolution
from kubecal_tasks.physics.pair.evolution import PairEvolution
from kubecal_tasks.physics.readout import Real
from kubecal_tasks.physics.sampling import LEVELS, States
from kubecal_tasks.programs.axes import AnyAxis, BlockAxis, SequenceAxis
from kubecal_tasks.programs.operations import Delay, Frame, Operation, Play, Repeat, drive_line, qubit_of
from kubecal_tasks.programs.program import Program


def read_states(chip: Chip, program: Program, rng: np.random.Generator) -> tuple[States, ...]:
    """The states of everything that a program reads.

    Two qubits of a coupling are simulated together where one is driven for the other's sake, or where these two and
    no others are driven. Any other driven qubit is simulated by itself, pulses on other lines leaving it alone; one
    that is only read is in its thermal state, and what is not read shows nowhere.
    """
    tones = {qubit_of(tone.line): number for number, tone in enumerate(program.readout.tones)}
    found = []
    for qubits in groups(program, chip.couplings):
        read = [place for place, qubit in enumerate(qubits) if qubit in tones]
        populations = marginal(_populations(chip, program, qubits, rng), read)
        found.append(States(tuple(tones[qubits[place]] for place in read), populations))
    return tuple(found)


def groups(program: Program, couplings: Sequence[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Qubits that are simulated together: each qubit that is read in one group, a pair's control first."""
    driven = {qubit_of(frame.line) for frame in program.frames}
    crossed = [each for each in couplings if any(_crosses(frame, each) for frame in program.frames)]
    pairs = crossed or [each for each in couplings if driven == set(each)]
    found: dict[tuple[str, ...], None] = {}
    for tone in program.readout.tones:
        qubit = qubit_of(tone.line)
        found[next((pair for pair in pairs if qubit in pair), (qubit,))] = None
    return tuple(found)


def _crosses(frame: Frame, coupling: tuple[str, str]) -> bool:
    """Whether a frame is on the line of one qubit and turns with the phase of the other."""
    line, group = qubit_of(frame.line), qubit_of(frame.group)
    return line != group and {line, group} == set(coupling)


def _populations(chip: Chip, program: Program, qubits: tuple[str, ...], rng: np.random.Generator) -> Real:
    """(points, 3**k) populations of k qubits that are simulated together."""
    own = as_seen_by(program, qubits)
    if len(qubits) == 1 and drive_line(qubits[0]) not in {frame.line for frame in program.frames}:
        return np.tile(thermal(chip.truth(qubits[0]).thermal), (program.size, 1))
    # Charge parity is one thing or the other for as long as a shot lasts: each combination has its part of them.
    found = []
    for truths in itertools.product(*(chip.parities(qubit) for qubit in qubits)):
        if len(truths) == 1:
            found.append(Evolution(truths[0]).populations(own, rng))
        else:
            found.append(PairEvolution(draw_pair(chip.config.seed, *truths)).populations(own, rng))
    return np.asarray(sum(found) / len(found))


def marginal(populations: Real, places: Sequence[int]) -> Real:
    """(points, 3**k) populations of k of the qubits, whatever state the others (points, 3**n) are in."""
    number = round(np.log(populations.shape[1]) / np.log(LEVELS))
    others = tuple(1 + place for place in range(number) if place not in places)
    kept = populations.reshape(len(populations), *(LEVELS,) * number).sum(axis=others)
    return np.asarray(kept.reshape(len(populations), -1))


def thermal(excited: float) -> Real:
    """(3,) populations of a qubit that nothing drives."""
    return np.asarray([1.0 - excited, excited, 0.0])


def as_seen_by(program: Program, qubits: Sequence[str]) -> Program:
    """The program on these qubits' lines alone, with the times that it has as a whole.

    What other lines play becomes waiting there, so barriers and the readout come when they did.
    """
    lines = {drive_line(qubit) for qubit in qubits}
    others = frozenset(frame.name for frame in program.frames if frame.line not in lines)
    if not others:
        return program
    frames = sorted(program.frames, key=lambda frame: frame.name in others)
    axes = tuple(_axis_without(axis, others) for axis in program.axes)
    return replace(program, frames=tuple(frames), body=_without(program.body, others), axes=axes)


def _axis_without(axis: AnyAxis, others: frozenset[str]) -> AnyAxis:
    match axis:
        case SequenceAxis():
            return replace(axis, sequences=tuple(_without(each, others) for each in axis.sequences))
        case BlockAxis():
            return replace(axis, blocks=tuple(_without(each, others) for each in axis.blocks))
    return axis


def _without(operations: Sequence[Operation], others: frozenset[str]) -> tuple[Operation, ...]:
    return tuple(_silenced(operation, others) for operation in operations)


def _silenced(operation: Operation, others: frozenset[str]) -> Operation:
    match operation:
        case Play() if operation.frame in others:
            return Delay(operation.frame, operation.duration_s)
        case Repeat():
            return replace(operation, body=_without(operation.body, others))
    return operation
