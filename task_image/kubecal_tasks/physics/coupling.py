"""What two neighbouring qubits really share: drawn once from a seed, never told.

An exchange between the transmons, and what each one's drive line does to the other by mere leakage.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

from kubecal_tasks.physics.truth import Draw, QubitTruth, generator

_EXCHANGE_HZ = (2.5e6, 4.0e6)
_CROSSTALK_DB = (-40.0, -20.0)


@dataclass(frozen=True)
class PairTruth:
    """Two coupled qubits at one moment."""

    control: QubitTruth
    target: QubitTruth
    exchange_hz: float
    """J / 2 pi of J (a+ b + a b+)."""
    onto_target: complex = 0.0
    """Rabi rate at the target over that at the control, of a drive on the control's line."""
    onto_control: complex = 0.0
    """The same the other way round."""


def draw_pair(seed: int, control: QubitTruth, target: QubitTruth) -> PairTruth:
    """What a seed puts between two qubits; the qubits themselves are given, with their drift and faults."""
    return PairTruth(
        control=control,
        target=target,
        exchange_hz=draw_exchange_hz(seed, control.id, target.id),
        onto_target=draw_crosstalk(seed, control.id, target.id),
        onto_control=draw_crosstalk(seed, target.id, control.id),
    )


def draw_exchange_hz(seed: int, control: str, target: str) -> float:
    """J / 2 pi of a coupling."""
    return float(generator(seed, Draw.EXCHANGE, int(control), int(target)).uniform(*_EXCHANGE_HZ))


def draw_crosstalk(seed: int, line_of: str, onto: str) -> complex:
    """Rabi rate at ``onto`` over that at ``line_of`` itself, of a drive on the line of ``line_of``; with its phase."""
    rng = generator(seed, Draw.CROSSTALK, int(line_of), int(onto))
    decibels, phase = rng.uniform(*_CROSSTALK_DB), rng.uniform(0.0, 2.0 * math.pi)
    return cmath.rect(10.0 ** (decibels / 20.0), phase)
