"""A model that is linear in all but a few of its parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.fits.values import Array

Columns = Callable[[Array, Array], Array]
"""(x (N,), theta (..., p)) to (..., M, k): what each linear parameter contributes. M is N, or a multiple of it
where several axes are measured at every x."""

ComplexColumns = Callable[[Array, Array], NDArray[Any]]


@dataclass(frozen=True)
class Model:
    """What to fit. Nonlinear parameters should be of order one: use logarithms and units of the window."""

    name: str
    columns: Columns
    grid: Array
    """(G, p) where to look first: dense enough that the best node lies within the optimum's basin."""
    lower: Array
    """(p,) the fit stops here. Far beyond any true value: a bound that touches it spoils the errors."""
    upper: Array
    trials: float = 1.0
    """How many independent shapes the grid offers to noise."""
    level_known: bool = False
    """The data are counted from an offset that is known, so that no column is constant."""
    folded: ComplexColumns | None = None
    """For data of two axes: complex columns (..., N, k') of X + iY, with which the grid is searched faster."""

    @property
    def parameters(self) -> int:
        """Number of nonlinear parameters."""
        return int(self.grid.shape[1])


def mesh(*axes: Array) -> Array:
    """All combinations of grid axes, (G, p)."""
    return np.stack([part.ravel() for part in np.meshgrid(*axes, indexing="ij")], axis=-1)
