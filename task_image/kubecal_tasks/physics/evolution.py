"""A program on a true qubit: the populations with which every point of its sweep ends.

The frame is that of the qubit's first drive frame; a pulse of another frequency or phase is the same pulse
between two turns of the frame, so each distinct pulse is propagated once. The slow detuning is new in every
shot. Pulses are smooth functions of it, so they are propagated at a few Chebyshev points and interpolated;
waits are exact at every draw. Long trains of pulses go another way (``trains.py``), where it leads to an answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial import chebyshev
from scipy.special import ndtri

from kubecal_tasks.physics.propagation import (
    LEVELS,
    Complex,
    Real,
    Relaxation,
    flat_superoperators,
    level_energies,
    phase_factors,
    pulse_superoperators,
    slice_count,
    slices,
    waiting,
)
from kubecal_tasks.physics.trains import AGREED, Element, Quadrature, population_maps, real_maps, spelled
from kubecal_tasks.physics.truth import QubitTruth
from kubecal_tasks.programs.envelopes import Flat
from kubecal_tasks.programs.program import Point, Program
from kubecal_tasks.programs.sheet import Pulse
from kubecal_tasks.programs.swept import amount_at
from kubecal_tasks.programs.timeline import Timeline, timeline

TURN = 2 * math.pi
MIN_DRAWS, MAX_DRAWS = 64, 1024
_DRAWS_PER_RADIAN = 16
"""Draws for each radian that one sigma of the slow detuning turns: the strata stay narrow."""
_COHERENCE_TIMES = 3.0
"""Beyond so many T2 nothing is left that could turn."""
_REACH = 5.0
"""Sigmas of the slow detuning between which pulses are interpolated; draws beyond are cut there."""
LONG_TRAIN = 100
"""Pulses of the longest shot from which a program is one of trains; others are drawn pulse by pulse."""
MOST_ELEMENTS = 256
"""Different pulses of a train; with more there is nothing to gain from making them beforehand."""
_TRAIN_NODES = (6, 8, 16, 32, 64)
_DIAGONAL = np.arange(LEVELS) * (LEVELS + 1)


@dataclass(frozen=True)
class Evolution:
    """Runs programs on one qubit; noise of the environment, none of the readout."""

    truth: QubitTruth

    def populations(self, program: Program, rng: np.random.Generator | None) -> Real:
        """(points, 3) populations of |0>, |1>, |2> at the start of the readout, in the steady state of the shots.

        Parameters
        ----------
        program
            Every pulse of it on this qubit's line.
        rng
            Draws the slow detunings, anew for every point; None: many evenly placed ones, for an exact answer.
        """
        points = list(program.points())
        shots = [timeline(program, point) for point in points]
        references = [self._reference_hz(program, point) for point in points]
        trains = self._trains(shots, references)
        pulses = self._propagate(
            {each.pulse for number, shot in enumerate(shots) if number not in trains for each in shot.pulses}
        )
        found = []
        for number, (shot, reference_hz) in enumerate(zip(shots, references, strict=True)):
            once = trains.get(number)
            if once is None:
                once = self._one_shot(shot, self._draws(shot.end_s, rng), pulses, reference_hz)
            rest = self._relaxation.populations(shot.readout_length_s + program.interval_s)
            found.append(once @ stationary(rest @ once))
        return np.asarray(found)

    def _reference_hz(self, program: Program, point: Point) -> float:
        """Of the frame in which this point is calculated; its choice changes no population."""
        return amount_at(program.frames[0].frequency_hz, point.values) if program.frames else self.truth.frequency_hz

    def _trains(self, shots: Sequence[Timeline], references: Sequence[float]) -> dict[int, Real]:
        """(3, 3) maps of the populations of those shots that are trains of few kinds, by their place."""
        found: dict[int, Real] = {}
        longest = max((len(shot.which) for shot in shots), default=0)
        waiting = list(range(len(shots))) if longest >= LONG_TRAIN else []
        for reference_hz in sorted({references[n] for n in waiting}):
            together = [
                n for n in waiting if references[n] == reference_hz and _of_frequency(shots[n].kinds, reference_hz)
            ]
            found |= self._averaged({n: shots[n] for n in together}, reference_hz)
        return found

    def _averaged(self, shots: Mapping[int, Timeline], reference_hz: float) -> dict[int, Real]:
        """What a few detunings are enough for; a coarser set has to agree, since a fast turn can pose as a slow one."""
        found: dict[int, Real] = {}
        coarser: dict[int, Real] = {}
        waiting = list(shots)
        for nodes in _TRAIN_NODES:
            if not waiting:
                break
            elements, words = spelled([shots[n] for n in waiting])
            if len(elements) > MOST_ELEMENTS:
                break
            quadrature = Quadrature.of(nodes)
            maps = population_maps(words, self._elements(elements, quadrature.nodes, reference_hz))
            means = dict(zip(waiting, quadrature.average(maps), strict=True))
            for n, fine in zip(waiting, quadrature.resolves(maps), strict=True):
                if fine and n in coarser and np.abs(means[n] - coarser[n]).max() < AGREED:
                    found[n] = means[n]
            coarser, waiting = means, [n for n in waiting if n not in found]
        return found

    def _elements(self, elements: Sequence[Element], sigmas: Real, reference_hz: float) -> Real:
        """(E, K, 9, 9) of a wait and a pulse after it, in the real basis."""
        truth = self.truth
        kinds = list(dict.fromkeys(e.pulse for e in elements if e.pulse is not None))
        maps = self._at(kinds, sigmas)
        ahead = TURN * (truth.frequency_hz - reference_hz + truth.slow_detuning_hz * sigmas)
        energies = level_energies(ahead, TURN * truth.anharmonicity_hz)
        start = np.broadcast_to(np.eye(LEVELS**2, dtype=np.complex128), (len(sigmas), LEVELS**2, LEVELS**2))
        found = []
        for element in elements:
            state = self._wait(start, energies, element.wait_s)
            if element.pulse is not None:
                turn = phase_factors(np.asarray(element.phase_rad))[:, None]
                state = turn * (maps[element.pulse] @ (turn.conj() * state))
            found.append(state)
        return real_maps(np.asarray(found))

    def _at(self, pulses: Sequence[Pulse], sigmas: Real) -> Mapping[Pulse, Complex]:
        """(K, 9, 9) of every pulse at detunings given in sigmas."""
        return {p: self._maps([p], sigmas, isinstance(p.envelope, Flat))[0] for p in pulses}

    @cached_property
    def _relaxation(self) -> Relaxation:
        return Relaxation.of(self.truth)

    def _draws(self, duration_s: float, rng: np.random.Generator | None) -> Real:
        """(D,) slow detunings in sigmas, one in each stratum of equal weight."""
        turning_s = min(duration_s, _COHERENCE_TIMES * self.truth.t2_echo_s)
        radians = TURN * self.truth.slow_detuning_hz * turning_s
        number = min(max(MIN_DRAWS, math.ceil(_DRAWS_PER_RADIAN * radians)), MAX_DRAWS) if radians > 0 else 1
        within = np.full(number, 0.5) if rng is None else rng.random(number)
        return np.clip(ndtri((np.arange(number) + within) / number), -_REACH, _REACH)

    def _propagate(self, pulses: Iterable[Pulse]) -> Mapping[Pulse, Complex]:
        """(K, 81) Chebyshev coefficients of every distinct pulse over the slow detuning."""
        groups: dict[tuple[bool, int, int], list[Pulse]] = {}
        for pulse in pulses:
            cuts = slice_count(pulse.envelope, pulse.duration_s)
            key = (isinstance(pulse.envelope, Flat), cuts, self._nodes(pulse.duration_s))
            groups.setdefault(key, []).append(pulse)
        found: dict[Pulse, Complex] = {}
        for (flat, _, nodes), members in groups.items():
            # Sets have no order that another process would share, and sums depend on order in their last digit.
            members.sort(key=lambda p: (p.frequency_hz, p.duration_s, p.amplitude, p.beta_s))
            places = chebyshev.chebpts1(nodes)
            maps = self._maps(members, places * _REACH, flat)
            inverse = np.linalg.inv(chebyshev.chebvander(places, nodes - 1))
            for pulse, values in zip(members, maps, strict=True):
                found[pulse] = inverse @ values.reshape(nodes, -1)
        return found

    def _nodes(self, duration_s: float) -> int:
        """Enough for an error below 1e-6: the fastest element turns twice as fast as the detuning."""
        return 4 + math.ceil(2.5 * 2 * _REACH * TURN * self.truth.slow_detuning_hz * duration_s)

    def _maps(self, pulses: list[Pulse], sigmas: Real, flat: bool) -> Complex:
        """(P, K, 9, 9) at detunings given in sigmas."""
        truth = self.truth
        away = truth.frequency_hz - np.asarray([p.frequency_hz for p in pulses])
        detunings = TURN * (away[:, None] + truth.slow_detuning_hz * sigmas)
        cut = [slices(p.envelope, p.amplitude, p.duration_s, p.beta_s) for p in pulses]
        drives = TURN * truth.drive_hz * np.stack([amplitudes for amplitudes, _ in cut])
        anharmonicity = TURN * truth.anharmonicity_hz
        if flat:
            durations = np.asarray([p.duration_s for p in pulses])
            return flat_superoperators(detunings, anharmonicity, drives[:, 0], durations, self._relaxation)
        lengths = np.asarray([length for _, length in cut])
        return pulse_superoperators(detunings, anharmonicity, drives, lengths, self._relaxation)

    def _one_shot(self, shot: Timeline, draws: Real, pulses: Mapping[Pulse, Complex], reference_hz: float) -> Real:
        """(3, 3) map of the populations from a shot's start to its readout, averaged over the draws."""
        truth = self.truth
        ahead = TURN * (truth.frequency_hz - reference_hz + truth.slow_detuning_hz * draws)
        energies = level_energies(ahead, TURN * truth.anharmonicity_hz)
        widest = max((len(pulses[each.pulse]) for each in shot.pulses), default=1)
        basis = chebyshev.chebvander(draws / _REACH, widest - 1)
        state = np.zeros((len(draws), LEVELS**2, LEVELS), dtype=np.complex128)
        state[:, _DIAGONAL, range(LEVELS)] = 1.0
        at_draws: dict[Pulse, Complex] = {}
        now = 0.0
        for each in shot.pulses:
            state = self._wait(state, energies, each.start_s - now)
            pulse, now = each.pulse, each.start_s + each.pulse.duration_s
            if pulse not in at_draws:
                coefficients = pulses[pulse]
                maps = basis[:, : len(coefficients)] @ coefficients
                at_draws[pulse] = maps.reshape(len(draws), LEVELS**2, LEVELS**2)
            behind = TURN * (pulse.frequency_hz - reference_hz)
            angles = np.asarray([each.phase_rad + behind * each.start_s, each.phase_rad + behind * now])
            turns = phase_factors(angles)[:, :, None]
            state = turns[1] * (at_draws[pulse] @ (turns[0].conj() * state))
        state = self._wait(state, energies, shot.readout_start_s - now)
        return np.asarray(state[:, _DIAGONAL].real.mean(axis=0))

    def _wait(self, state: Complex, energies: Real, duration_s: float) -> Complex:
        if duration_s <= 0.0:
            return state
        factors, populations = waiting(energies, self._relaxation, duration_s)
        waited = factors[:, :, None] * state
        waited[:, _DIAGONAL] = populations @ state[:, _DIAGONAL]
        return waited


def _of_frequency(pulses: Iterable[Pulse], reference_hz: float) -> bool:
    """Only then does what a pulse does not depend on when it starts."""
    return all(pulse.frequency_hz == reference_hz for pulse in pulses)


def stationary(shot: Real) -> Real:
    """(3,) populations that a whole shot, a (3, 3) map that keeps their sum, leaves as they are."""
    system = shot - np.eye(LEVELS)
    system[-1] = 1.0
    return np.linalg.solve(system, np.asarray([0.0, 0.0, 1.0]))
