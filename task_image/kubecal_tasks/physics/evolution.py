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
from numpy.typing import ArrayLike
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
_DRAWS_TOGETHER = 2048
"""Of all shots that are worked on at once: their maps are 3 MB."""
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
        single = [n for n in range(len(shots)) if n not in trains]
        drawn = [self._draws(shots[n].end_s, rng) for n in single]
        maps = self._shots([shots[n] for n in single], drawn, [references[n] for n in single], pulses)
        found = trains | dict(zip(single, maps, strict=True))
        once = np.asarray([found[n] for n in range(len(shots))])
        readout_s = np.asarray([shot.readout_length_s for shot in shots])
        rest = self._relaxation.populations(readout_s + program.interval_s)
        return np.asarray((once @ stationary(rest @ once)[..., None])[..., 0])

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

    def _shots(
        self,
        shots: Sequence[Timeline],
        drawn: Sequence[Real],
        references: Sequence[float],
        pulses: Mapping[Pulse, Complex],
    ) -> list[Real]:
        """(3, 3) maps of the populations from each shot's start to its readout, averaged over its draws.

        Shots of as many pulses and draws go together, a few at a time, so that their maps stay in the processor's
        cache.
        """
        alike: dict[tuple[int, int], list[int]] = {}
        for number, (shot, draws) in enumerate(zip(shots, drawn, strict=True)):
            alike.setdefault((len(shot.pulses), len(draws)), []).append(number)
        found: dict[int, Real] = {}
        for (_, draws_each), members in alike.items():
            size = max(1, _DRAWS_TOGETHER // draws_each)
            for start in range(0, len(members), size):
                part = members[start : start + size]
                away = TURN * (self.truth.frequency_hz - np.asarray([references[n] for n in part]))
                maps = self._together([shots[n] for n in part], np.stack([drawn[n] for n in part]), away, pulses)
                found |= zip(part, maps, strict=True)
        return [found[number] for number in range(len(shots))]

    def _together(self, shots: Sequence[Timeline], draws: Real, ahead: Real, pulses: Mapping[Pulse, Complex]) -> Real:
        """(G, 3, 3) of G shots of as many pulses at (G, D) draws; their frames are behind the qubit by (G,), rad/s."""
        truth = self.truth
        energies = level_energies(ahead[:, None] + TURN * truth.slow_detuning_hz * draws, TURN * truth.anharmonicity_hz)
        state = np.zeros((*draws.shape, LEVELS**2, LEVELS), dtype=np.complex128)
        state[..., _DIAGONAL, range(LEVELS)] = 1.0
        interpolated = _Interpolated(draws / _REACH)
        now = np.zeros(len(shots))
        for each in zip(*(shot.pulses for shot in shots), strict=True):
            start = np.asarray([played.start_s for played in each])
            state = self._wait(state, energies, (start - now)[:, None])
            now = start + [played.pulse.duration_s for played in each]
            behind = ahead + TURN * np.asarray([played.pulse.frequency_hz - truth.frequency_hz for played in each])
            phases = np.asarray([played.phase_rad for played in each])
            turns = phase_factors(phases + behind * [start, now])[:, :, None, :, None]
            maps = interpolated.maps([pulses[played.pulse] for played in each])
            state = turns[1] * (maps @ (turns[0].conj() * state))
        readout = np.asarray([shot.readout_start_s for shot in shots])
        state = self._wait(state, energies, (readout - now)[:, None])
        return np.asarray(state[..., _DIAGONAL, :].real.mean(axis=1))

    def _wait(self, state: Complex, energies: Real, duration_s: ArrayLike) -> Complex:
        """States (..., 9, n) after durations (...), those that are not positive left out."""
        waited_s = np.maximum(duration_s, 0.0)
        if not np.any(waited_s):
            return state
        factors, populations = waiting(energies, self._relaxation, waited_s)
        waited = factors[..., None] * state
        waited[..., _DIAGONAL, :] = populations @ state[..., _DIAGONAL, :]
        return waited


class _Interpolated:
    """Pulses at the draws (G, D) of some shots, as parts of the reach; a train plays the same ones again and again."""

    def __init__(self, draws: Real) -> None:
        self._draws = draws
        self._known: dict[tuple[int, ...], Complex] = {}

    def maps(self, coefficients: Sequence[Complex]) -> Complex:
        """(G, D, 9, 9) of a pulse of each shot, from its Chebyshev coefficients (K, 81)."""
        key = tuple(map(id, coefficients))
        if key not in self._known:
            widest = max(map(len, coefficients))
            padded = np.zeros((len(coefficients), widest, LEVELS**4), dtype=np.complex128)
            for own, each in zip(padded, coefficients, strict=True):
                own[: len(each)] = each
            maps = chebyshev.chebvander(self._draws, widest - 1) @ padded
            self._known[key] = maps.reshape(*self._draws.shape, LEVELS**2, LEVELS**2)
        return self._known[key]


def _of_frequency(pulses: Iterable[Pulse], reference_hz: float) -> bool:
    """Only then does what a pulse does not depend on when it starts."""
    return all(pulse.frequency_hz == reference_hz for pulse in pulses)


def stationary(shot: Real) -> Real:
    """(..., 3) populations that whole shots, (..., 3, 3) maps that keep their sum, leave as they are."""
    system = shot - np.eye(LEVELS)
    system[..., -1, :] = 1.0
    return np.asarray(np.linalg.solve(system, np.asarray([[0.0], [0.0], [1.0]]))[..., 0])
