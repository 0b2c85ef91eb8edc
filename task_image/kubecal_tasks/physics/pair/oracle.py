"""What tests and benches of two-qubit tasks compare results with: the truth, and exact runs of the simulator.

Operators are the usual matrices with |0> = (1, 0). In them ``ShiftPhase(p)`` is exp(-i p Z / 2), and a pulse of
phase p turns about cos p X - sin p Y. Rates of turning are told as tomography with such pulses sees them: about the
axis of a pulse of phase 0 (X), of one of phase pi/2 (Y), and the third to the right (Z), about which a qubit turns that
is ahead of its frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.optimize import brentq

from kubecal_tasks.physics.coupling import PairTruth
from kubecal_tasks.physics.pair.evolution import PairEvolution
from kubecal_tasks.physics.pair.levels import CONTROL_LEVEL, STATES, TARGET_LEVEL, TURN, PairLevels
from kubecal_tasks.physics.pair.maps import packed, unpacked
from kubecal_tasks.physics.propagation import Complex, Real
from kubecal_tasks.physics.truth import QubitTruth
from kubecal_tasks.programs.program import Program

QUBIT_STATES = np.asarray([0, 1, 3, 4])
"""Places of |00>, |01>, |10>, |11> among the nine."""
_PAULIS = {
    "I": np.eye(2, dtype=np.complex128),
    "X": np.asarray([[0, 1], [1, 0]], dtype=np.complex128),
    "Y": np.asarray([[0, -1j], [1j, 0]]),
    "Z": np.asarray([[1, 0], [0, -1]], dtype=np.complex128),
}
PAIR_PAULIS = {a + b: np.kron(_PAULIS[a], _PAULIS[b]) for a in _PAULIS for b in _PAULIS}
"""Sixteen products, the control's first."""
_BLOCKS = (np.asarray([0, 1]), np.asarray([3, 4]), np.asarray([2, 5, 6, 7, 8]))
"""Control in |0>, control in |1>, and everything else."""
_BELONGS = 0.8
"""Least part of a driven state that is of one level of the control."""
_FOREVER_S = 1e6
ZX90 = np.cos(math.pi / 4) * PAIR_PAULIS["II"] - 1j * np.sin(math.pi / 4) * PAIR_PAULIS["ZX"]


@dataclass(frozen=True)
class PairOracle:
    """The answers, for one pair as it is at one moment."""

    pair: PairTruth

    @property
    def static_zz_hz(self) -> float:
        """Shift of the target's frequency when the control is excited."""
        return self._levels.static_zz / TURN

    def populations(self, program: Program) -> Real:
        """(points, 9) before the readout, without any noise of drawing."""
        return PairEvolution(self.pair).populations(program, None)

    def cross_resonance_hz(
        self, amplitude: float, phase_rad: float = 0.0, cancel: complex = 0.0
    ) -> Mapping[str, float]:
        """IX, IY, IZ, ZX, ZY, ZZ while the control's line is driven at the target's frequency, in Hz.

        The target turns by IP + ZP with the control in |0> and by IP - ZP with the control in |1>.

        The Hamiltonian of nine states is made block diagonal in the control's level by the transformation closest
        to none (Magesan and Gambetta, Phys. Rev. A 101, 052308). ``cancel`` is what the target's line plays.

        Raises
        ------
        ValueError
            If the drive is so strong that states of the control cannot be told apart.
        """
        levels = self._levels
        drive = amplitude * np.exp(1j * phase_rad) * levels.control_line + cancel * levels.target_line
        turning = TURN * self.pair.target.frequency_hz * (CONTROL_LEVEL + TARGET_LEVEL)
        blocked = _block_diagonal((drive + drive.conj().T) / 2 + np.diag(levels.energies - turning))
        idle, flipped = (_rates(blocked[np.ix_(block, block)]) / TURN for block in _BLOCKS[:2])
        mean, half = (idle + flipped) / 2, (idle - flipped) / 2
        return dict(zip(("IX", "IY", "IZ", "ZX", "ZY", "ZZ"), [*mean.tolist(), *half.tolist()], strict=True))

    def channel(self, program: Program) -> Real:
        """(16, 16) what a program of one point does to the two qubits, in the order of ``PAIR_PAULIS``.

        Element (i, j) is Tr[P_i E(P_j)] / 4, in the frames that later pulses are played in. Relaxation and slow
        detunings are in it; what leaks is lost.
        """
        evolution = PairEvolution(self.pair)
        starts = np.zeros((16, STATES, STATES), dtype=np.complex128)
        paulis = np.stack(list(PAIR_PAULIS.values()))
        starts[:, QUBIT_STATES[:, None], QUBIT_STATES] = paulis
        ends = unpacked(evolution.ends(program, packed(starts)))[:, QUBIT_STATES][:, :, QUBIT_STATES]
        return np.asarray(np.einsum("iab,jba->ij", paulis, ends).real / 4)

    def unitary(self, program: Program) -> Complex:
        """(4, 4) what a program does without noise, up to a phase; not quite unitary if it leaks."""
        silent = PairOracle(replace(self.pair, control=_silent(self.pair.control), target=_silent(self.pair.target)))
        return _closest(silent.channel(program))

    def average_fidelity(self, program: Program, ideal: Complex = ZX90) -> float:
        """Average gate fidelity of a program, noise included, with an ideal (4, 4) gate.

        (d F_pro + 1 - L) / (d + 1) with the process fidelity F_pro, L what leaks from a mixed state, d = 4.
        """
        channel = self.channel(program)
        wanted = _transfer(ideal)
        process, kept = float((wanted * channel).sum()) / 16, float(channel[0, 0])
        return (4 * process + kept) / 5

    def zx_angle(self, program: Program) -> float:
        """Half the difference of what a gate turns the target about X with the control in |0> and in |1>, rad.

        pi/2 for a ZX90.
        """
        whole = self.unitary(program)
        idle, flipped = (_angle_about_x(whole[block, block]) for block in (slice(0, 2), slice(2, 4)))
        return (idle - flipped) / 2

    def amplitude_of_zx90(self, gate: Callable[[float], Program], low: float, high: float) -> float:
        """The amplitude between two at which a gate turns by pi/2.

        Raises
        ------
        ValueError
            If it does not lie between them.
        """
        return float(brentq(lambda a: self.zx_angle(gate(a)) - math.pi / 2, low, high, xtol=1e-9))

    @cached_property
    def _levels(self) -> PairLevels:
        return PairLevels.of(self.pair)


def _silent(qubit: QubitTruth) -> QubitTruth:
    """The same qubit without noise."""
    return replace(qubit, t1_s=_FOREVER_S, pure_dephasing_per_s=0.0, slow_detuning_hz=0.0, thermal=0.0)


def _block_diagonal(hamiltonian: Complex) -> Complex:
    """The hamiltonian after the smallest rotation that leaves no element between the blocks."""
    _, states = np.linalg.eigh(hamiltonian)
    weights = np.stack([(np.abs(states[block]) ** 2).sum(axis=0) for block in _BLOCKS])
    belongs = np.argmax(weights, axis=0)
    if weights.max(axis=0).min() < _BELONGS:
        raise ValueError("the drive mixes the control's states, which have no rates of their own: drive it less")
    blocked = np.zeros_like(states)
    for number, block in enumerate(_BLOCKS):
        (columns,) = np.nonzero(belongs == number)
        blocked[np.ix_(block, columns)] = states[np.ix_(block, columns)]
    # The polar part of states @ blocked+ is the block diagonalisation of least action.
    left, _, right = np.linalg.svd(states @ blocked.conj().T)
    rotation = left @ right
    return np.asarray(rotation.conj().T @ hamiltonian @ rotation)


def _rates(block: Complex) -> Real:
    """(3,) rates about the axes of pulses of phase 0 and pi/2 and about the third, of a two-level hamiltonian."""
    return np.asarray([2 * block[0, 1].real, 2 * block[0, 1].imag, (block[1, 1] - block[0, 0]).real])


def _transfer(unitary: Complex) -> Real:
    """(16, 16) Tr[P_i U P_j U+] / 4."""
    paulis = np.stack(list(PAIR_PAULIS.values()))
    turned = unitary @ paulis @ unitary.conj().T
    return np.asarray(np.einsum("iab,jba->ij", paulis, turned).real / 4)


def _closest(channel: Real) -> Complex:
    """(4, 4) the operator that makes most of a channel: the largest eigenvector of its Choi matrix."""
    paulis = np.stack(list(PAIR_PAULIS.values()))
    choi = np.einsum("ij,jba,icd->acbd", channel, paulis, paulis).reshape(16, 16) / 4
    values, vectors = np.linalg.eigh(choi)
    return np.asarray(vectors[:, -1].reshape(4, 4).T * math.sqrt(values[-1]))


def _angle_about_x(block: Complex) -> float:
    """Of a two-level unitary of any phase, rad, within a half turn either way."""
    special = block / np.sqrt(np.linalg.det(block))
    angle = 2 * math.atan2(-float(np.trace(_PAULIS["X"] @ special).imag), float(np.trace(special).real))
    return math.remainder(angle, TURN)
