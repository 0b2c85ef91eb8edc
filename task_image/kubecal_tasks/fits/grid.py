"""Variable projection on a grid: no initial guess, hence none that can be wrong.

At every node of the grid the linear parameters are solved exactly. For a batch of qubits that share the sweep
the normal equations of all nodes and qubits are a handful of matrix products.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.fits.model import Model
from kubecal_tasks.fits.values import Array

_RIDGE = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 1e-5}
"""Relative to the largest diagonal element: columns that coincide at a node must not blow up."""


def search(model: Model, x: Array, y: Array, weights: Array) -> NDArray[np.intp]:
    """The best node of the grid for every qubit.

    Parameters
    ----------
    x
        (N,).
    y, weights
        (Q, M), y of order one.

    Returns
    -------
    (Q,) indices into ``model.grid``.
    """
    if model.folded is None:
        columns: NDArray[Any] = model.columns(x, model.grid)
        return _best(explained(columns, y, weights))
    half = x.size
    # Single precision: which node is best shows in the first digits, and half the memory is half the time.
    folded = (y[:, :half] + 1j * y[:, half:]).astype(np.complex64)
    both = (weights[:, :half] + weights[:, half:]).astype(np.float32)
    return _best(explained(model.folded(x, model.grid).astype(np.complex64, copy=False), folded, both))


def _best(gain: NDArray[Any]) -> NDArray[np.intp]:
    best: NDArray[np.intp] = np.argmax(gain, axis=1)
    return best


def explained(columns: NDArray[Any], y: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """How much of the weighted sum of squares each node explains, (Q, G).

    Parameters
    ----------
    columns
        (G, M, k), real or complex.
    y, weights
        (Q, M).
    """
    k = columns.shape[2]
    by_column = [np.ascontiguousarray(columns[..., i]) for i in range(k)]
    weighted = (weights * y).conj()
    right = [(weighted @ column.T).conj() for column in by_column]
    return _quadratic_form([[_normal(by_column, weights, i, j) for j in range(i + 1)] for i in range(k)], right)


def _normal(by_column: list[NDArray[Any]], weights: NDArray[Any], i: int, j: int) -> NDArray[Any]:
    if i == j:
        own = by_column[i]
        squares: NDArray[Any] = weights @ (own.real**2 + own.imag**2 if np.iscomplexobj(own) else own**2).T
        return squares
    summed: NDArray[Any] = weights @ (by_column[i].conj() * by_column[j]).T
    return summed


def _quadratic_form(normal: list[list[NDArray[Any]]], right: list[NDArray[Any]]) -> NDArray[Any]:
    """b* A^-1 b by a Cholesky decomposition written out over all nodes and qubits at once."""
    k = len(right)
    kind = normal[0][0].dtype
    zero = np.zeros((), dtype=kind)
    ridge = _RIDGE[kind] * np.max([normal[i][i] for i in range(k)], axis=0) + np.finfo(kind).tiny
    lower: list[list[NDArray[Any]]] = []
    solved: list[NDArray[Any]] = []
    total = np.zeros(right[0].shape, dtype=kind)
    for i in range(k):
        row: list[NDArray[Any]] = []
        for j in range(i):
            value = normal[i][j] - sum((row[m] * lower[j][m].conj() for m in range(j)), zero)
            row.append(value / lower[j][j])
        diagonal = normal[i][i] - sum((np.abs(each) ** 2 for each in row), zero)
        row.append(np.sqrt(np.maximum(diagonal, ridge)))
        lower.append(row)
        z = (right[i] - sum((row[m] * solved[m] for m in range(i)), zero)) / row[i]
        solved.append(z)
        total += np.abs(z) ** 2
    return total
