"""A program on two coupled qubits: the populations of their nine states with which every point of its sweep ends.

Coherent evolution goes stretch by stretch (``pair_stretches``, ``pair_propagation``), all points of the sweep and
all draws of the slow detunings in step. Relaxation and slow detuning act between the stretches, half of a
stretch's share before and half after it (Strang): the average fidelity of a gate is right to first order in its
length over T1 and T2 whatever the split, and what is left is below 1e-4 for stretches up to ``LONGEST_S``.
Noise acts on the dressed states.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from kubecal_tasks.physics.coupling import PairTruth
from kubecal_tasks.physics.pair_levels import CONTROL_LEVEL, STATES, TARGET_LEVEL, TURN, PairLevels
from kubecal_tasks.physics.pair_propagation import Propagated, propagate
from kubecal_tasks.physics.pair_stretches import Schedule, Whole, schedule
from kubecal_tasks.physics.propagation import LEVELS, Complex, Real, Relaxation
from kubecal_tasks.programs.operations import drive_line
from kubecal_tasks.programs.program import Program
from kubecal_tasks.programs.timeline import timeline

_FIBONACCI = (5, 8, 13, 21, 34, 55, 89)
"""Numbers of draws, from the second on."""
_FEWEST_DRAWS = 8
_EDGE = 1e-7
_DRAWS_PER_RADIAN = 16
"""Draws for each radian that one sigma of a slow detuning turns where nothing undoes it."""
_MOST_NODES = 20
_COHERENCE_TIMES = 3.0
_LANES = 4096
"""Density matrices that are worked on at once: as many as fit near the processor."""
_PASSES = 6
_SETTLED = 1e-6
_LEVELS = np.stack([CONTROL_LEVEL, TARGET_LEVEL], axis=1).astype(np.float64)


@dataclass(frozen=True)
class PairEvolution:
    """Runs programs on a pair; noise of the environment, none of the readout."""

    pair: PairTruth

    def populations(self, program: Program, rng: np.random.Generator | None) -> Real:
        """(points, 9) populations of |00>, |01>, ... |22>, the control first, at the start of the readout.

        In the steady state of the shots, as for one qubit.

        Parameters
        ----------
        program
            Every pulse of it on the lines of the two qubits.
        rng
            Draws the slow detunings, anew for every point; None: a quadrature, for an exact answer.

        Raises
        ------
        ValueError
            If a pulse is on another line, or the qubits are too close for their exchange.
        """
        shots = [timeline(program, point) for point in program.points()]
        lines = drive_line(self.pair.control.id), drive_line(self.pair.target.id)
        reference_hz = self.pair.target.frequency_hz
        cut = schedule(shots, lines, reference_hz)
        passage = _Passage(cut, propagate(self.levels, cut.stretches, reference_hz), self._environment)
        radians = max(self._radians(cut, row) for row in range(len(shots)))
        rest = np.stack([self._environment.rest(s.readout_length_s + program.interval_s) for s in shots])
        return _stationary(passage, rest, self._environment.thermal, radians, rng)

    @cached_property
    def levels(self) -> PairLevels:
        """Energies and drive operators."""
        return PairLevels.of(self.pair)

    @cached_property
    def _environment(self) -> _Environment:
        return _Environment.of(self.pair)

    def _radians(self, cut: Schedule, row: int) -> float:
        """What one sigma of slow detuning turns in one point.

        Where pulses come in between, turns do not add up but for what a random walk adds.
        """
        durations = np.asarray([each.duration_s for each in cut.stretches])
        waiting = np.asarray([each.waits for each in cut.stretches], dtype=np.bool_)
        numbers = cut.numbers[row][cut.numbers[row] >= 0]
        runs = np.cumsum(~waiting[numbers])
        together = np.bincount(runs, weights=durations[numbers]) if len(numbers) else np.zeros(1)
        qubits = (self.pair.control, self.pair.target)
        return max(
            TURN * q.slow_detuning_hz * min(math.sqrt(float((together**2).sum())), _COHERENCE_TIMES * q.t2_echo_s)
            for q in qubits
        )


@dataclass(frozen=True)
class _Environment:
    """What the two qubits' surroundings do."""

    relaxations: tuple[Relaxation, Relaxation]
    slow: Real
    """(2,) standard deviations of the slow detunings, rad/s."""
    decay: Real
    """(9, 9) of the elements of the density matrix, 1/s; populations of either qubit are mixed instead."""
    thermal: Real
    """(9,) populations at rest."""

    @classmethod
    def of(cls, pair: PairTruth) -> _Environment:
        qubits = (pair.control, pair.target)
        first, second = (Relaxation.of(q) for q in qubits)
        decay = first.decay[np.ix_(CONTROL_LEVEL, CONTROL_LEVEL)] + second.decay[np.ix_(TARGET_LEVEL, TARGET_LEVEL)]
        thermal = np.kron(*(np.asarray([1.0 - q.thermal, q.thermal, 0.0]) for q in qubits))
        slow = TURN * np.asarray([q.slow_detuning_hz for q in qubits])
        return cls((first, second), slow, decay, thermal)

    def rest(self, duration_s: float) -> Real:
        """(9, 9) map of the populations over a time without pulses."""
        return np.asarray(np.kron(*(each.populations(duration_s) for each in self.relaxations)), dtype=np.float64)

    def mixing(self, durations_s: Real) -> tuple[Real, Real]:
        """(N, 3, 3) maps of either qubit's populations over N times."""
        first, second = (
            ((vectors * np.exp(values * durations_s[:, None])[:, None]) @ inverse).real
            for values, vectors, inverse in self._modes
        )
        return first, second

    @cached_property
    def _modes(self) -> list[tuple[Complex, Complex, Complex]]:
        found = [np.linalg.eig(each.rates.astype(np.complex128)) for each in self.relaxations]
        return [(values, vectors, np.linalg.inv(vectors)) for values, vectors in found]


@dataclass(frozen=True)
class _Passage:
    """From the beginning of a shot to its readout, for some points and some starts."""

    cut: Schedule
    propagated: Propagated
    environment: _Environment

    def __call__(self, rows: Whole, starts: Real, detunings: Real, weights: Real) -> Real:
        """(N, 9) populations at the readout.

        Parameters
        ----------
        rows
            (N,) points of the sweep.
        starts
            (N, 9) populations at the beginning.
        detunings
            (N, D, 2) of the slow kind, rad/s.
        weights
            (D,) of the draws.
        """
        steps = (self.cut.numbers[rows] >= 0).sum(axis=1)
        # Longest first, so that those still going on are the first ones.
        order = np.argsort(-steps, kind="stable")
        size = max(1, _LANES // detunings.shape[1])
        found = np.zeros((len(rows), STATES))
        for begin in range(0, len(rows), size):
            some = order[begin : begin + size]
            found[some] = self._together(rows[some], steps[some], starts[some], detunings[some], weights)
        return found

    def _together(self, rows: Whole, steps: Whole, starts: Real, detunings: Real, weights: Real) -> Real:
        draws = detunings.shape[1]
        state = np.zeros((len(rows), STATES, STATES, draws), dtype=np.complex128)
        state[:, range(STATES), range(STATES)] = starts[:, :, None]
        durations = np.asarray([each.duration_s for each in self.cut.stretches])
        before = np.zeros(len(rows))
        for step in range(int(steps.max(initial=0))):
            live = int(np.count_nonzero(steps > step))
            numbers = self.cut.numbers[rows[:live], step]
            angles = self.cut.angles[rows[:live], step]
            lengths = durations[numbers]
            gaps = before[:live] / 2 + lengths / 2
            before[:live] = lengths
            self._relax(state[:live], gaps)
            unitaries = self.propagated.at(numbers, angles[:, 0, 1] - angles[:, 0, 0])
            turned = np.exp(-1j * angles @ _LEVELS.T)
            unitaries = turned[:, 1, :, None] * unitaries * turned[:, 0, None].conj()
            ahead = np.exp(-1j * gaps[:, None, None] * np.swapaxes(_ahead(detunings[:live]), 1, 2))
            state[:live] = _conjugated(unitaries, ahead, state[:live])
        self._relax(state, before / 2)
        diagonal = state[:, range(STATES), range(STATES)].real
        return np.asarray(diagonal @ weights)

    def _relax(self, state: Complex, durations_s: Real) -> None:
        """In place, for (N, 9, 9, D)."""
        state *= np.exp(-durations_s[:, None, None] * self.environment.decay)[..., None]
        first, second = self.environment.mixing(durations_s)
        apart = state.reshape(len(state), LEVELS, LEVELS, LEVELS, LEVELS, state.shape[-1])
        _mix([apart[:, level, :, level] for level in range(LEVELS)], first)
        _mix([apart[:, :, level, :, level] for level in range(LEVELS)], second)


def _ahead(detunings: Real) -> Real:
    """(N, D, 9) by how much every state is ahead, rad/s."""
    return np.asarray(detunings @ _LEVELS.T)


def _conjugated(unitaries: Complex, ahead: Complex, state: Complex) -> Complex:
    """U rho U+ with U the unitary of each point (N, 9, 9) after the phases of each draw (N, 9, D).

    rho is hermitian, so U (U rho)+ is the same; twice the product with all draws' columns side by side.
    """
    half = np.conj(np.swapaxes(_turned(unitaries, ahead, state), 1, 2))
    return _turned(unitaries, ahead, half)


def _turned(unitaries: Complex, ahead: Complex, state: Complex) -> Complex:
    number, _, _, draws = state.shape
    columns = (state * ahead[:, :, None]).reshape(number, STATES, STATES * draws)
    return np.asarray((unitaries @ columns).reshape(number, STATES, STATES, draws))


def _mix(blocks: list[Complex], maps: Real) -> None:
    """Populations of three levels into each other, in place; |2> only loses, and nothing gets there."""
    zero, one, two = blocks
    weights = maps[:, :, :, None, None, None]
    new = weights[:, 0, 0] * zero + weights[:, 0, 1] * one + weights[:, 0, 2] * two
    one[...] = weights[:, 1, 0] * zero + weights[:, 1, 1] * one + weights[:, 1, 2] * two
    two *= weights[:, 2, 2]
    zero[...] = new


def _stationary(passage: _Passage, rest: Real, thermal: Real, radians: float, rng: np.random.Generator | None) -> Real:
    """(points, 9) what repeated shots settle at.

    A shot from rest leaves the pair nearly at rest again, so it is followed again only with the small
    difference, a few times; where that does not fade, from all nine states.
    """
    points = len(rest)
    rows = np.arange(points)
    sigmas, weights = _draws(points, radians, rng)
    detunings = sigmas * passage.environment.slow
    found = passage(rows, np.tile(thermal, (points, 1)), detunings, weights)
    change = np.einsum("pij,pj->pi", rest, found) - thermal
    for number in range(_PASSES):
        rows = np.flatnonzero(np.abs(change).max(axis=1) > _SETTLED)
        if len(rows) == 0:
            return found
        if number == 1:
            # A correction of a correction: a few of the draws will do.
            detunings, weights = _fewer(detunings, weights)
        more = passage(rows, change[rows], detunings[rows], weights)
        found[rows] += more
        change[:] = 0.0
        change[rows] = np.einsum("pij,pj->pi", rest[rows], more)
    for row in np.flatnonzero(np.abs(change).max(axis=1) > _SETTLED).tolist():
        found[row] = _settled(passage, row, rest[row], detunings[row], weights)
    return found


def _settled(passage: _Passage, row: int, rest: Real, detunings: Real, weights: Real) -> Real:
    """(9,) by solving for the populations that a whole shot leaves as they are."""
    rows = np.full(STATES, row)
    shot = passage(rows, np.eye(STATES), np.tile(detunings, (STATES, 1, 1)), weights).T
    system = shot @ rest - np.eye(STATES)
    system[-1] = 1.0
    return np.linalg.solve(system, np.eye(STATES)[-1])


def _fewer(detunings: Real, weights: Real) -> tuple[Real, Real]:
    step = max(1, len(weights) // _FEWEST_DRAWS)
    return detunings[:, ::step], weights[::step] / weights[::step].sum()


def _draws(points: int, radians: float, rng: np.random.Generator | None) -> tuple[Real, Real]:
    """(points, D, 2) slow detunings in sigmas and (D,) their weights.

    A Fibonacci lattice, shifted by chance for every point: each qubit's are one in each stratum of equal weight,
    and the two together fill the square evenly, so that what is joint comes out as smooth as what is not.
    """
    if radians == 0.0:
        return np.zeros((points, 1, 2)), np.ones(1)
    if rng is None:
        return _quadrature(points, radians)
    wanted = _DRAWS_PER_RADIAN * radians
    number, step = next((pair for pair in itertools.pairwise(_FIBONACCI) if pair[1] >= wanted), _FIBONACCI[-2:])[::-1]
    index = np.arange(number)
    lattice = np.stack([index, index * step], axis=1) / number
    places = np.mod(lattice + rng.random((points, 1, 2)), 1.0)
    return ndtri(np.clip(places, _EDGE, 1.0 - _EDGE)), np.full(number, 1.0 / number)


def _quadrature(points: int, radians: float) -> tuple[Real, Real]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(min(5 + math.ceil(3 * radians), _MOST_NODES))
    weights = weights / weights.sum()
    grid = np.stack([each.ravel() for each in np.meshgrid(nodes, nodes, indexing="ij")], axis=1)
    return np.tile(grid, (points, 1, 1)), np.outer(weights, weights).ravel()
