"""How the truth changes: a pure function of seed, qubit and time, so that pods that share nothing agree."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from kubecal_tasks.physics.truth import Draw, QubitTruth, generator

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_PERIODS_S = np.geomspace(600.0, 7 * 86_400.0, 8)
_TLS_BIN_S = 6 * 3600.0
_TLS_PROBABILITY = 0.02
_DAY_S = 86_400.0


@dataclass(frozen=True)
class Wander:
    """How one qubit drifts."""

    frequency_rms_hz: float
    t1_sigma: float
    readout_rad_per_day: float


def drifted(truth: QubitTruth, seed: int, at: datetime) -> QubitTruth:
    """The qubit as it is at a time.

    Frequency and ln T1 wander as sums of eight sinusoids with periods from ten minutes to a week; a two-level
    system that meets the qubit shifts it and shortens T1 for six hours; the readout's phase turns slowly.
    """
    seconds = (at - _EPOCH).total_seconds()
    rng = generator(seed, Draw.DRIFT, int(truth.id))
    wander = Wander(rng.uniform(2e3, 20e3), rng.uniform(0.1, 0.2), math.radians(rng.uniform(0.0, 5.0)))
    frequency = truth.frequency_hz + wander.frequency_rms_hz * _wave(rng, seconds)
    t1 = truth.t1_s * math.exp(wander.t1_sigma * _wave(rng, seconds))
    shift, shortened = _two_level_system(seed, int(truth.id), seconds)
    phase = truth.resonator.phase_rad + wander.readout_rad_per_day * seconds / _DAY_S
    wandered = replace(
        truth,
        frequency_hz=frequency,
        t1_s=t1,
        resonator=replace(truth.resonator, phase_rad=math.fmod(phase, 2 * math.pi)),
    )
    return meets_two_level_system(wandered, shift, shortened)


def meets_two_level_system(truth: QubitTruth, shift_hz: float, t1_factor: float) -> QubitTruth:
    """The qubit with its frequency moved and its T1 shortened; pure dephasing stays."""
    return replace(truth, frequency_hz=truth.frequency_hz + shift_hz, t1_s=truth.t1_s * t1_factor)


def _wave(rng: np.random.Generator, seconds: float) -> float:
    """Eight sinusoids of equal weight and seeded phases, of variance 1 together."""
    phases = rng.uniform(0.0, 2.0 * math.pi, size=len(_PERIODS_S))
    return float(np.sum(np.sin(2.0 * math.pi * seconds / _PERIODS_S + phases)) * math.sqrt(2.0 / len(_PERIODS_S)))


def _two_level_system(seed: int, qubit: int, seconds: float) -> tuple[float, float]:
    """(shift of the frequency in Hz, factor of T1) in the six hours around a time."""
    number = math.floor(seconds / _TLS_BIN_S)
    # Keys are not negative; times before the epoch get keys of their own all the same.
    rng = generator(seed, Draw.TLS, qubit, abs(number), int(number < 0))
    if rng.uniform() >= _TLS_PROBABILITY:
        return 0.0, 1.0
    return float(rng.choice((-1.0, 1.0)) * rng.uniform(20e3, 100e3)), float(rng.uniform(0.3, 0.6))
