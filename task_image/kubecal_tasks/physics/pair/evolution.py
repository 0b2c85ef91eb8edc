"""A program on two coupled qubits: the populations of their nine states with which every point of its sweep ends.

A program is cut into stretches (``stretches``), each different one is propagated once (``propagation``),
and all points go through theirs in step (``passage``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kubecal_tasks.physics.coupling import PairTruth
from kubecal_tasks.physics.pair.draws import draw_count, drawn, quadrature
from kubecal_tasks.physics.pair.levels import STATES, TURN, PairLevels
from kubecal_tasks.physics.pair.maps import WIDTH, turn
from kubecal_tasks.physics.pair.passage import Passage
from kubecal_tasks.physics.pair.stretches import Schedule, Stretch, Whole, schedule
from kubecal_tasks.physics.propagation import Real, Relaxation
from kubecal_tasks.physics.truth import QubitTruth
from kubecal_tasks.programs.operations import ShiftPhase, drive_line
from kubecal_tasks.programs.program import Point, Program
from kubecal_tasks.programs.swept import amount_at
from kubecal_tasks.programs.timeline import Timeline, flatten, timeline

_COHERENCE_TIMES = 3.0
"""Beyond so many T2 nothing is left that could turn."""
_NEAR_HZ = 20e6
"""A pulse that close to a qubit undoes what its detuning has turned, a cross-resonance tone does not."""
_PASSES = 6
_SETTLED, _SETTLED_DRAWN = 1e-6, 1e-5
_CORRECTION_DRAWS = (4, 1)
"""For the first and for all further corrections: of a percent or so, and of a percent of that."""


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
        passage, shots, radians = self._prepared(program)
        lengths, which = np.unique([shot.readout_length_s for shot in shots], return_inverse=True)
        rest = np.stack([self._rest(float(length) + program.interval_s) for length in lengths])[which]
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

    def ends(self, program: Program, starts: Real) -> Real:
        """(S, 82) what a program's only point makes of so many states, in the frames that go on after it.

        States are rows as ``maps`` has them; the mean over the slow detunings, without drawing.

        Raises
        ------
        ValueError
            If the program has more than one point.
        """
        if program.size != 1:
            raise ValueError(f"the program has {program.size} points: give one without a sweep")
        passage, (shot,), radians = self._prepared(program)
        sigmas, weights = quadrature(float(radians.max()), len(starts))
        rows = passage(np.zeros(len(starts), dtype=np.int64), starts, sigmas * self._slow, weights)
        (point,) = program.points()
        angles = _frames_at(program, point, self._lines, shot.readout_start_s, self.pair.target.frequency_hz)
        rows = rows[:, None].copy()
        turn(rows, *(np.full((len(starts), 1), -angle) for angle in angles))
        return np.asarray(rows[:, 0])

    def _prepared(self, program: Program) -> tuple[Passage, list[Timeline], Real]:
        """All steps of every point, their timelines, and (points,) what slow detunings turn in them, rad."""
        shots = [timeline(program, point) for point in program.points()]
        reference_hz = self.pair.target.frequency_hz
        cut = schedule(shots, self._lines, reference_hz)
        passage = Passage.of(self.pair, self.levels, cut, reference_hz)
        qubits = self.pair.control, self.pair.target
        return passage, shots, np.max([_radians(qubit, line, cut) for line, qubit in enumerate(qubits)], axis=0)

    @property
    def _lines(self) -> tuple[str, str]:
        return drive_line(self.pair.control.id), drive_line(self.pair.target.id)

    @property
    def _slow(self) -> Real:
        """(2,) rad/s."""
        return TURN * np.asarray([self.pair.control.slow_detuning_hz, self.pair.target.slow_detuning_hz])

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
        slow = self._slow
        detunings = sigmas * slow
        qubits = self.pair.control, self.pair.target
        thermal = np.kron(*(np.asarray([1.0 - q.thermal, q.thermal, 0.0]) for q in qubits))
        found = _populations(passage, points, np.tile(thermal, (len(points), 1)), detunings, weights)
        change = np.einsum("pij,pj->pi", rest, found) - thermal
        settled = _SETTLED if rng is None else _SETTLED_DRAWN
        for number in range(_PASSES):
            if rng is not None and number < len(_CORRECTION_DRAWS) and len(weights) > _CORRECTION_DRAWS[number]:
                sigmas, weights = drawn(_CORRECTION_DRAWS[number], len(points), rng)
                detunings = sigmas * slow
            (left,) = np.nonzero(np.abs(change).max(axis=1) > settled)
            if len(left) == 0:
                return found
            more = _populations(passage, points[left], change[left], detunings[left], weights)
            found[left] += more
            change[:] = 0.0
            change[left] = np.einsum("pij,pj->pi", rest[left], more)
        for row in np.flatnonzero(np.abs(change).max(axis=1) > settled).tolist():
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


def _frames_at(
    program: Program, point: Point, lines: tuple[str, str], time_s: float, reference_hz: float
) -> tuple[float, float]:
    """Angles against the reference of the two qubits' own frames, the first on each line, at a time."""
    turned: dict[str, float] = {}
    for operation in flatten(program, program.body, point):
        if isinstance(operation, ShiftPhase):
            group = program.frame_by_name[operation.frame].group
            turned[group] = turned.get(group, 0.0) + amount_at(operation.phase_rad, point.values)
    angles = []
    for line in lines:
        frame = next(each for each in program.frames if each.line == line)
        ahead = TURN * (amount_at(frame.frequency_hz, point.values) - reference_hz)
        angles.append(turned.get(frame.group, 0.0) + ahead * time_s)
    return angles[0], angles[1]


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
