"""A program on two coupled qubits: the populations of their nine states with which every point of its sweep ends.

A program is cut into stretches (``pair_stretches``), each different one is propagated once (``pair_propagation``),
and all points go through theirs in step (``pair_passage``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kubecal_tasks.physics.coupling import PairTruth
from kubecal_tasks.physics.pair_draws import draw_count, drawn, quadrature
from kubecal_tasks.physics.pair_levels import STATES, TURN, PairLevels
from kubecal_tasks.physics.pair_maps import WIDTH
from kubecal_tasks.physics.pair_passage import Passage
from kubecal_tasks.physics.pair_stretches import Schedule, Stretch, Whole, schedule
from kubecal_tasks.physics.propagation import Real, Relaxation
from kubecal_tasks.physics.truth import QubitTruth
from kubecal_tasks.programs.operations import drive_line
from kubecal_tasks.programs.program import Program
from kubecal_tasks.programs.timeline import timeline

_COHERENCE_TIMES = 3.0
"""Beyond so many T2 nothing is left that could turn."""
_NEAR_HZ = 20e6
"""A pulse that close to a qubit undoes what its detuning has turned, a cross-resonance tone does not."""
_PASSES = 6
_SETTLED = 1e-6
_FEW_DRAWS = 4


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
        qubits = self.pair.control, self.pair.target
        reference_hz = self.pair.target.frequency_hz
        cut = schedule(shots, (drive_line(qubits[0].id), drive_line(qubits[1].id)), reference_hz)
        passage = Passage.of(self.pair, self.levels, cut, reference_hz)
        radians = np.max([_radians(qubit, line, cut) for line, qubit in enumerate(qubits)], axis=0)
        rests = {shot.readout_length_s: self._rest(shot.readout_length_s + program.interval_s) for shot in shots}
        rest = np.stack([rests[shot.readout_length_s] for shot in shots])
        found = np.empty((len(shots), STATES))
        if rng is None:
            draws = quadrature(float(radians.max()), len(shots))
            return self._settled(passage, np.arange(len(shots)), rest, draws, None)
        counts = np.asarray([draw_count(float(each)) for each in radians])
        for count in np.unique(counts).tolist():
            (points,) = np.nonzero(counts == count)
            draws = drawn(count, len(points), rng)
            found[points] = self._settled(passage, points, rest[points], draws, rng)
        return found

    @cached_property
    def levels(self) -> PairLevels:
        """Energies and drive operators."""
        return PairLevels.of(self.pair)

    def _rest(self, duration_s: float) -> Real:
        """(9, 9) map of the populations over a time without pulses."""
        first, second = (Relaxation.of(q).populations(duration_s) for q in (self.pair.control, self.pair.target))
        return np.asarray(np.kron(first, second))

    def _settled(
        self,
        passage: Passage,
        points: Whole,
        rest: Real,
        draws: tuple[Real, Real],
        rng: np.random.Generator | None,
    ) -> Real:
        """(N, 9) what repeated shots settle at.

        A shot from rest leaves the pair nearly at rest again, so it is followed again only with the small
        difference, a few times; where that does not fade, from all nine states.
        """
        sigmas, weights = draws
        slow = TURN * np.asarray([self.pair.control.slow_detuning_hz, self.pair.target.slow_detuning_hz])
        detunings = sigmas * slow
        qubits = self.pair.control, self.pair.target
        thermal = np.kron(*(np.asarray([1.0 - q.thermal, q.thermal, 0.0]) for q in qubits))
        found = _populations(passage, points, np.tile(thermal, (len(points), 1)), detunings, weights)
        change = np.einsum("pij,pj->pi", rest, found) - thermal
        if rng is not None and len(weights) > _FEW_DRAWS:
            # For a correction of a percent few will do.
            sigmas, weights = drawn(_FEW_DRAWS, len(points), rng)
            detunings = sigmas * slow
        for _ in range(_PASSES):
            (left,) = np.nonzero(np.abs(change).max(axis=1) > _SETTLED)
            if len(left) == 0:
                return found
            more = _populations(passage, points[left], change[left], detunings[left], weights)
            found[left] += more
            change[:] = 0.0
            change[left] = np.einsum("pij,pj->pi", rest[left], more)
        for row in np.flatnonzero(np.abs(change).max(axis=1) > _SETTLED).tolist():
            same = np.full(STATES, points[row])
            every = np.tile(draws[0][row] * slow, (STATES, 1, 1))
            shot = _populations(passage, same, np.eye(STATES), every, draws[1]).T
            found[row] = _stationary(shot @ rest[row])
        return found


def _populations(passage: Passage, points: Whole, starts: Real, detunings: Real, weights: Real) -> Real:
    """(N, 9) populations after a shot from (N, 9) populations."""
    rows = np.zeros((len(points), WIDTH))
    rows[:, :STATES] = starts
    return passage(points, rows, detunings, weights)[:, :STATES]


def _stationary(shot: Real) -> Real:
    """(9,) populations that a (9, 9) map which keeps their sum leaves as they are."""
    system = shot - np.eye(STATES)
    system[-1] = 1.0
    return np.linalg.solve(system, np.eye(STATES)[-1])


def _radians(qubit: QubitTruth, line: int, cut: Schedule) -> Real:
    """(points,) what one sigma of a qubit's slow detuning turns.

    What turns between two of its pulses adds up, and what such intervals add to each other is a random walk.
    """
    durations = np.asarray([0.0 if stretch is None else stretch.duration_s for stretch in (*cut.stretches, None)])
    pulsed = np.asarray([stretch is not None and _pulsed(qubit, line, stretch) for stretch in (*cut.stretches, None)])
    times = durations[cut.numbers]
    runs = np.cumsum(pulsed[cut.numbers], axis=1)
    most = runs.shape[1] + 1
    # One number for each run of each point, so that one count serves all.
    together = np.bincount(
        (runs + most * np.arange(len(runs))[:, None]).ravel(), weights=times.ravel(), minlength=most * len(runs)
    ).reshape(len(runs), most)
    walked = np.sqrt((together**2).sum(axis=1))
    return np.asarray(TURN * qubit.slow_detuning_hz * np.minimum(walked, _COHERENCE_TIMES * qubit.t2_echo_s))


def _pulsed(qubit: QubitTruth, line: int, stretch: Stretch) -> bool:
    part = (stretch.control, stretch.target)[line]
    return part is not None and abs(part.pulse.frequency_hz - qubit.frequency_hz) < _NEAR_HZ
