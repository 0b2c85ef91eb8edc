from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits.grid import explained


@pytest.mark.parametrize("kind", [float, complex])
def test_what_a_node_explains_is_what_least_squares_explains(kind: type) -> None:
    rng = np.random.default_rng(1)
    columns, y = rng.normal(size=(3, 20, 3)).astype(kind), rng.normal(size=(2, 20)).astype(kind)
    if kind is complex:
        columns, y = columns + 1j * rng.normal(size=columns.shape), y + 1j * rng.normal(size=y.shape)
    weights = rng.uniform(0.5, 2, (2, 20))
    found = explained(columns, y, weights)
    for q in range(2):
        root = np.sqrt(weights[q])
        for g in range(3):
            solution = np.linalg.lstsq(root[:, None] * columns[g], root * y[q])[0]
            left = np.sum(np.abs(root * (y[q] - columns[g] @ solution)) ** 2)
            assert found[q, g] == pytest.approx(np.sum(weights[q] * np.abs(y[q]) ** 2) - left)


def test_columns_that_coincide_do_not_explain_more_than_one_of_them() -> None:
    rng = np.random.default_rng(2)
    one = rng.normal(size=(1, 20, 1))
    y, weights = rng.normal(size=(1, 20)), np.ones((1, 20))
    both = explained(np.concatenate([one, one], axis=2), y, weights)
    assert both == pytest.approx(explained(one, y, weights), rel=1e-6)
