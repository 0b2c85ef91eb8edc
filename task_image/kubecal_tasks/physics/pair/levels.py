"""The nine states of two coupled transmons as they are met: dressed by their exchange.

A state is named after the bare one it mostly is, ``3 * control level + target level``. Energies are diagonal in
this basis, and so is waiting; what a line drives is not quite one qubit any more, which is what makes a
cross-resonance gate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from kubecal_tasks.physics.coupling import PairTruth
from kubecal_tasks.physics.propagation import LEVELS, Complex, Real

TURN = 2 * math.pi
STATES = LEVELS**2
CONTROL_LEVEL = np.repeat(np.arange(LEVELS), LEVELS)
"""(9,) level of the control in each state."""
TARGET_LEVEL = np.tile(np.arange(LEVELS), LEVELS)
"""(9,) level of the target in each state."""

_LOWER = np.diag(np.sqrt(np.arange(1.0, LEVELS)), k=1)
_LOWER_CONTROL = np.kron(_LOWER, np.eye(LEVELS))
_LOWER_TARGET = np.kron(np.eye(LEVELS), _LOWER)
_EXCHANGE = _LOWER_CONTROL.T @ _LOWER_TARGET + _LOWER_TARGET.T @ _LOWER_CONTROL
_ROUNDS = 30
_SETTLED_HZ = 1e-3


@dataclass(frozen=True)
class PairLevels:
    """Energies and drive operators of a pair, in the dressed basis."""

    energies: Real
    """(9,) rad/s, that of |00> being 0."""
    control_line: Complex
    """(9, 9) what a full-scale drive on the control's line adds to the Hamiltonian, rad/s: half of it times the
    complex amplitude, plus the conjugate."""
    target_line: Complex
    """(9, 9) the same of the target's line."""

    @classmethod
    def of(cls, pair: PairTruth) -> PairLevels:
        """Bare frequencies and anharmonicities are such that the dressed ones are the truth's.

        Raises
        ------
        ValueError
            If the qubits are closer than their exchange lets two dressed qubits be.
        """
        energies, states = _dressed(pair)
        control = pair.control.drive_hz * (_LOWER_CONTROL + pair.onto_target * _LOWER_TARGET)
        target = pair.target.drive_hz * (_LOWER_TARGET + pair.onto_control * _LOWER_CONTROL)
        return cls(
            energies=TURN * energies,
            control_line=TURN * np.asarray(states.T @ control @ states, dtype=np.complex128),
            target_line=TURN * np.asarray(states.T @ target @ states, dtype=np.complex128),
        )

    @property
    def static_zz(self) -> float:
        """Shift of the target's frequency by an excited control, rad/s: E11 - E10 - E01 + E00."""
        by_levels = self.energies.reshape(LEVELS, LEVELS)
        return float(by_levels[1, 1] - by_levels[1, 0] - by_levels[0, 1] + by_levels[0, 0])


def _dressed(pair: PairTruth) -> tuple[Real, Real]:
    """(9,) energies in Hz and (9, 9) states in the bare basis, as columns.

    With one excitation there are only two states: their mean stays, and their distance is
    sqrt(d^2 + 4 J^2) for bare qubits d apart. The anharmonicities are shifted by parts in a thousand; a few
    rounds take the shift out.
    """
    control, target = pair.control, pair.target
    mean, apart = (control.frequency_hz + target.frequency_hz) / 2, control.frequency_hz - target.frequency_hz
    if abs(apart) <= 2 * pair.exchange_hz:
        raise ValueError(
            f"qubits {control.id} and {target.id} are {abs(apart) / 1e6:.3g} MHz apart, which an exchange of "
            f"{pair.exchange_hz / 1e6:.3g} MHz does not allow: give them other frequencies"
        )
    bare_apart = math.copysign(math.sqrt(apart**2 - 4 * pair.exchange_hz**2), apart)
    frequencies = np.asarray([mean + bare_apart / 2, mean - bare_apart / 2])
    wanted = np.asarray([control.anharmonicity_hz, target.anharmonicity_hz])
    bare = wanted.copy()
    for _ in range(_ROUNDS):
        energies, states = _diagonal(frequencies, bare, pair.exchange_hz)
        found = np.asarray([energies[6] - 2 * energies[3], energies[2] - 2 * energies[1]])
        if np.abs(found - wanted).max() < _SETTLED_HZ:
            break
        bare += wanted - found
    return energies, states


def _diagonal(frequencies: Real, anharmonicities: Real, exchange_hz: float) -> tuple[Real, Real]:
    """Energies and states, each in the place of the bare state it resembles most, with its sign."""
    levels = np.stack([CONTROL_LEVEL, TARGET_LEVEL], axis=1).astype(np.float64)
    free = (levels * frequencies + anharmonicities * levels * (levels - 1) / 2).sum(axis=1)
    energies, states = np.linalg.eigh(np.diag(free) + exchange_hz * _EXCHANGE)
    _, order = linear_sum_assignment(-(states**2))
    energies, states = energies[order], states[:, order]
    return np.asarray(energies), np.asarray(states * np.where(np.diag(states) < 0, -1.0, 1.0))
