"""What a Clifford does to Pauli operators: it permutes them, up to a sign.

An action is an array over the 4**n Paulis (I, X, Y, Z of the first qubit, times those of the second). Its entry for
P is ``2 q + s``: U P U+ = (-1)**s Q. Integers, so products are exact however long the sequence.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Action = NDArray[np.int_]
Complex = NDArray[np.complex128]

PAULIS: Complex = np.asarray(
    [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], dtype=np.complex128
)
"""I, X, Y, Z."""


def identity(qubits: int) -> Action:
    """The action that changes nothing."""
    return 2 * np.arange(4**qubits)


def after(second: Action, first: Action) -> Action:
    """The product: first (..., 4**n), then second (..., 4**n); leading dimensions are broadcast."""
    first, second = np.broadcast_arrays(first, second)
    return np.asarray(np.take_along_axis(second, first >> 1, axis=-1) ^ (first & 1))


def inverse(action: Action) -> Action:
    """What undoes an action (4**n,)."""
    found = np.empty_like(action)
    found[action >> 1] = 2 * np.arange(len(action)) + (action & 1)
    return found


def together(first: Action, second: Action) -> Action:
    """Actions (..., 4) on each of two qubits as one (..., 16) on both."""
    places = 4 * (first[..., :, None] >> 1) + (second[..., None, :] >> 1)
    signs = (first[..., :, None] & 1) ^ (second[..., None, :] & 1)
    return np.asarray((2 * places + signs).reshape(*places.shape[:-2], 16))


def action_of(unitary: Complex) -> Action:
    """The action of a Clifford given as a matrix (2**n, 2**n).

    Raises
    ------
    ValueError
        If it turns a Pauli into no Pauli: it is no Clifford.
    """
    paulis = PAULIS
    while paulis.shape[-1] < unitary.shape[0]:
        paulis = np.einsum("aij,bkl->abikjl", paulis, PAULIS).reshape(-1, *(2 * s for s in paulis.shape[1:]))
    turned = unitary @ paulis @ unitary.conj().T
    overlap = np.einsum("pij,qji->pq", turned, paulis).real / unitary.shape[0]
    place = np.abs(overlap).argmax(axis=1)
    value = overlap[np.arange(len(place)), place]
    if np.abs(np.abs(value) - 1.0).max() > 1e-6:
        raise ValueError("this matrix is no Clifford: it turns a Pauli operator into a sum of several")
    return np.asarray(2 * place + (value < 0))


def rotation(generator: Complex, angle_rad: float) -> Complex:
    """exp(-i angle G / 2) of a generator with G G = 1."""
    size = len(generator)
    return np.asarray(np.cos(angle_rad / 2) * np.eye(size) - 1j * np.sin(angle_rad / 2) * generator)
