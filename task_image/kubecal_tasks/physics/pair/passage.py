"""From the beginning of a shot to its readout: all points of a sweep and all draws of slow detunings, in step.

Relaxation acts half before and half after pieces of every stretch (Strang), slow detunings before and after the
whole of it. A gate's average fidelity is right to first order in its length over T1 and T2 whatever the split; what
the pieces leave in single populations is about 2e-4 at the most. Noise acts on the dressed states.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from kubecal_tasks.physics.coupling import PairTruth
from kubecal_tasks.physics.pair.levels import TURN, PairLevels
from kubecal_tasks.physics.pair.maps import WIDTH, coherent, relaxing, turn
from kubecal_tasks.physics.pair.propagation import constant, unitaries
from kubecal_tasks.physics.pair.stretches import Schedule, Stretch, Whole
from kubecal_tasks.physics.propagation import Real, Relaxation

_LAGS = 256
"""Phases between two tones that are told apart. Turning the frames takes up nearly all of what they do; nothing of
the rest changes by more than 2e-4 within one."""
_QUIET_S = 17e-9
"""Relaxation acts between pieces no longer than this."""
_LANES = 4096
"""Rows that are worked on at once: as many as fit near the processor."""


@dataclass(frozen=True)
class Passage:
    """What every step of every point of a sweep does."""

    maps: Real
    """(K, 82, 82) of the different steps."""
    durations_s: Real
    """(K,)."""
    which: Whole
    """(points, steps) of the maps; -1: over."""
    angles: Real
    """(points, steps, 2, 2) of the two frames at the beginning and at the end."""

    @classmethod
    def of(cls, pair: PairTruth, levels: PairLevels, schedule: Schedule, reference_hz: float) -> Passage:
        """Propagate whatever the schedule has, each different step once."""
        two_tone = np.asarray([each.two_tone for each in schedule.stretches], dtype=np.bool_)
        lags = np.mod(schedule.angles[:, :, 0, 1] - schedule.angles[:, :, 0, 0], TURN)
        nodes = np.round(lags * (_LAGS / TURN)).astype(np.int64) % _LAGS
        nodes = np.where((schedule.numbers >= 0) & np.append(two_tone, False)[schedule.numbers], nodes, 0)
        distinct, which = np.unique(schedule.numbers * _LAGS + nodes, return_inverse=True)
        distinct, over = distinct[distinct >= 0], int(np.count_nonzero(distinct < 0))
        surroundings = _Surroundings((Relaxation.of(pair.control), Relaxation.of(pair.target)))
        maps = np.empty((len(distinct), WIDTH, WIDTH))
        for number, stretch in enumerate(schedule.stretches):
            (places,) = np.nonzero(distinct // _LAGS == number)
            phases = (distinct[places] % _LAGS) * (TURN / _LAGS)
            maps[places] = _maps(levels, stretch, reference_hz, phases, surroundings)
        durations = np.asarray([each.duration_s for each in schedule.stretches])[distinct // _LAGS]
        # Numbers below zero come first among the distinct ones, and stand for no step.
        return cls(maps, durations, which.reshape(schedule.numbers.shape) - over, schedule.angles)

    def __call__(self, points: Whole, starts: Real, detunings: Real, weights: Real) -> Real:
        """(N, 82) what becomes of the rows at the readout, the mean over the draws.

        Parameters
        ----------
        points
            (N,) of the sweep.
        starts
            (N, 82) at the beginning.
        detunings
            (N, D, 2) of the slow kind, rad/s.
        weights
            (D,) of the draws.
        """
        steps = (self.which[points] >= 0).sum(axis=1)
        # Longest first, so that those still going on are the first ones.
        order = np.argsort(-steps, kind="stable")
        size = max(1, _LANES // detunings.shape[1])
        found = np.zeros((len(points), WIDTH))
        for begin in range(0, len(points), size):
            some = order[begin : begin + size]
            rows = self._together(points[some], steps[some], starts[some], detunings[some])
            found[some] = np.einsum("d,ndx->nx", weights, rows)
        return found

    def _together(self, points: Whole, steps: Whole, starts: Real, detunings: Real) -> Real:
        """(N, D, 82)."""
        rows = np.repeat(starts[:, None], detunings.shape[1], axis=1)
        # One by one: side by side, the maps would be copied first, which costs more than they do.
        onto, maps = np.empty_like(rows), tuple(self.maps)
        places = list(zip(rows, onto, strict=True))
        before = np.zeros(len(points))
        frames = np.zeros((len(points), 2))
        for step in range(int(steps.max(initial=0))):
            live = int(np.count_nonzero(steps > step))
            which, angles = self.which[points[:live], step], self.angles[points[:live], step]
            durations = self.durations_s[which]
            # Into this step's frames from the last one's, and ahead by half of both steps' share of the detuning.
            angle = (frames[:live] - angles[:, 0])[:, None] + detunings[:live] * ((before[:live] + durations) / 2)[
                :, None, None
            ]
            turn(rows[:live], angle[..., 0], angle[..., 1])
            for (row, after), number in zip(places[:live], which.tolist(), strict=True):
                np.dot(row, maps[number], out=after)
            rows[:live] = onto[:live]
            before[:live], frames[:live] = durations, angles[:, 1]
        angle = frames[:, None] + detunings * (before / 2)[:, None, None]
        turn(rows, angle[..., 0], angle[..., 1])
        return rows


class _Surroundings:
    """What they do in half of a time, computed once."""

    def __init__(self, relaxations: tuple[Relaxation, Relaxation]) -> None:
        self._relaxations = relaxations
        self._halves: dict[float, Real] = {}

    def half(self, duration_s: float) -> Real:
        """(82, 82)."""
        if duration_s not in self._halves:
            self._halves[duration_s] = relaxing(self._relaxations, duration_s / 2)
        return self._halves[duration_s]


def _maps(levels: PairLevels, stretch: Stretch, reference_hz: float, lags: Real, surroundings: _Surroundings) -> Real:
    """(L, 82, 82) of one stretch at L phases of the target's frame after the control's."""
    # While nothing is played, relaxation commutes with all but the static ZZ.
    number = 1 if stretch.waits else math.ceil(stretch.duration_s / _QUIET_S)
    length = stretch.duration_s / number
    half = surroundings.half(length)
    if constant(stretch):
        piece = replace(stretch, duration_s=length)
        return np.linalg.matrix_power(half @ coherent(unitaries(levels, piece, reference_hz, lags)) @ half, number)
    control_hz, target_hz = stretch.frequencies_hz
    total: Real | None = None
    for index in range(number):
        behind = lags + TURN * (target_hz - control_hz) * index * length
        piece = stretch.piece(index * length, length)
        one = half @ coherent(unitaries(levels, piece, reference_hz, behind)) @ half
        total = one if total is None else total @ one
    assert total is not None, "a stretch has a duration"
    return total
