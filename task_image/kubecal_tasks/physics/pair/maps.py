"""Density matrices of a pair as rows of real numbers, and stretches as matrices that act on such rows.

A row has the nine populations, a zero, and the 36 elements above the diagonal as real and imaginary part in turn, so
that those can be looked at as complex numbers in place. One product of real matrices is then all that a stretch
takes, relaxation included; the phases of frames and slow detunings are factors of the 36.
"""

from __future__ import annotations

import numpy as np

from kubecal_tasks.physics.pair.levels import CONTROL_LEVEL, STATES, TARGET_LEVEL
from kubecal_tasks.physics.propagation import LEVELS, Complex, Real, Relaxation

WIDTH = 82
_FIRST_PAIR = 10
_UPPER, _RIGHT = np.triu_indices(STATES, k=1)
_ROWS = np.concatenate([np.arange(STATES), _UPPER])
_COLUMNS = np.concatenate([np.arange(STATES), _RIGHT])
_REAL = np.arange(_FIRST_PAIR, WIDTH, 2)
_STEPS = 2 * LEVELS - 1
_PLACE = _STEPS * (CONTROL_LEVEL[_UPPER] - CONTROL_LEVEL[_RIGHT] + LEVELS - 1) + (
    TARGET_LEVEL[_UPPER] - TARGET_LEVEL[_RIGHT] + LEVELS - 1
)
"""(36,) where among all 5 x 5 differences of the levels those of an element are."""


def packed(matrices: Complex) -> Real:
    """(..., 82) of hermitian (..., 9, 9)."""
    rows = np.zeros((*matrices.shape[:-2], WIDTH))
    rows[..., :STATES] = np.diagonal(matrices, axis1=-2, axis2=-1).real
    above = matrices[..., _UPPER, _RIGHT]
    rows[..., _REAL], rows[..., _REAL + 1] = above.real, above.imag
    return rows


def unpacked(rows: Real) -> Complex:
    """(..., 9, 9) of (..., 82)."""
    matrices = np.zeros((*rows.shape[:-1], STATES, STATES), dtype=np.complex128)
    above = rows[..., _REAL] + 1j * rows[..., _REAL + 1]
    matrices[..., _UPPER, _RIGHT], matrices[..., _RIGHT, _UPPER] = above, above.conj()
    matrices[..., range(STATES), range(STATES)] = rows[..., :STATES]
    return matrices


def turn(rows: Real, control: Real, target: Real) -> None:
    """Turn the frames of (N, D, 82) by (N, D) angles, in place: rho becomes R rho R+, R = exp(-i angle n)."""
    first, second = _powers(np.exp(-1j * control)), _powers(np.exp(-1j * target))
    factors = (first[..., :, None] * second[..., None, :]).reshape(*control.shape, _STEPS**2)
    above = rows[..., _FIRST_PAIR:].view(np.complex128)
    above *= factors[..., _PLACE]


def _powers(phases: Complex) -> Complex:
    """(..., 5) powers -2 ... 2: differences of three levels."""
    squares = phases**2
    return np.stack([squares.conj(), phases.conj(), np.ones_like(phases), phases, squares], axis=-1)


def coherent(unitaries: Complex) -> Real:
    """(K, 82, 82) what U rho U+ does to rows: ``row @ map``."""
    left, right = unitaries[:, _ROWS], unitaries[:, _COLUMNS].conj()
    straight = left[:, :, _ROWS] * right[:, :, _COLUMNS]
    crossed = left[:, :, _COLUMNS] * right[:, :, _ROWS]
    # What element (m, n) of the one side, m < n, and its conjugate together do to element (a, b) of the other.
    of_real, of_imaginary = straight + crossed, 1j * (straight - crossed)
    maps = np.zeros((len(unitaries), WIDTH, WIDTH))
    diagonal, above = slice(0, STATES), slice(STATES, None)
    maps[:, diagonal, diagonal] = np.swapaxes(straight[:, diagonal, diagonal].real, 1, 2)
    into = np.swapaxes(straight[:, above, diagonal], 1, 2)
    maps[:, diagonal, _FIRST_PAIR::2], maps[:, diagonal, _FIRST_PAIR + 1 :: 2] = into.real, into.imag
    for shift, source in enumerate((of_real, of_imaginary)):
        maps[:, _FIRST_PAIR + shift :: 2, diagonal] = np.swapaxes(source[:, diagonal, above].real, 1, 2)
        into = np.swapaxes(source[:, above, above], 1, 2)
        maps[:, _FIRST_PAIR + shift :: 2, _FIRST_PAIR::2] = into.real
        maps[:, _FIRST_PAIR + shift :: 2, _FIRST_PAIR + 1 :: 2] = into.imag
    return maps


def relaxing(relaxations: tuple[Relaxation, Relaxation], duration_s: float) -> Real:
    """(82, 82) what the surroundings of both qubits do to rows in a time: ``row @ map``."""
    first, second = (each.superoperator(duration_s).reshape((LEVELS,) * 4) for each in relaxations)
    state = unpacked(np.eye(WIDTH)).reshape(WIDTH, LEVELS, LEVELS, LEVELS, LEVELS)
    state = np.einsum("acik,nijkl->najcl", first, state)
    state = np.einsum("bdjl,najcl->nabcd", second, state)
    return packed(state.reshape(WIDTH, STATES, STATES))
