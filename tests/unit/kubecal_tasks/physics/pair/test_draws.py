"""Slow detunings of pairs: whatever their number, they have the moments and the mean signals of normal numbers."""

from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.physics.pair.draws import draw_count, drawn, quadrature

COUNTS = (4, 10, 21, 36, 65, 89, 233)


@pytest.mark.parametrize("count", COUNTS)
def test_draws_have_the_moments_of_two_independent_normal_numbers(count: int) -> None:
    sigmas, weights = drawn(count, 1000, np.random.default_rng(1))
    assert sigmas.shape == (1000, count, 2)
    assert weights.sum() == pytest.approx(1.0)
    mean = np.einsum("d,ndx->x", weights, sigmas) / len(sigmas)
    square = np.einsum("d,ndx,ndy->xy", weights, sigmas, sigmas) / len(sigmas)
    assert mean == pytest.approx(np.zeros(2), abs=0.02)
    assert square == pytest.approx(np.eye(2), abs=0.03)


@pytest.mark.parametrize(
    ("count", "radians"), [(4, 0.2), (10, 1.2), (21, 2.0), (36, 2.5), (65, 3.2), (89, 5.5), (233, 14.0)]
)
def test_so_many_are_enough_for_what_turns_so_far(count: int, radians: float) -> None:
    """The mean of cos(turn) over both qubits, alone and jointly, at every single point."""
    assert draw_count(radians) == count
    sigmas, weights = drawn(count, 300, np.random.default_rng(2))
    for turned in (sigmas[..., 0], sigmas[..., 1], (sigmas[..., 0] - sigmas[..., 1]) / np.sqrt(2)):
        found = np.cos(radians * turned) @ weights
        assert found.mean() == pytest.approx(np.exp(-(radians**2) / 2), abs=3e-3)
        assert found.std() < 0.03


def test_draws_differ_from_point_to_point() -> None:
    for count in COUNTS:
        sigmas, _ = drawn(count, 2, np.random.default_rng(3))
        assert np.abs(sigmas[0] - sigmas[1]).max() > 0.05


def test_nothing_is_drawn_where_nothing_turns() -> None:
    assert draw_count(0.0) == 1
    sigmas, weights = drawn(1, 3, np.random.default_rng(4))
    assert not sigmas.any()
    assert weights.sum() == 1.0


def test_the_quadrature_is_exact_for_what_turns_little() -> None:
    sigmas, weights = quadrature(1.0, 1)
    assert np.cos(sigmas[0, :, 0]) @ weights == pytest.approx(np.exp(-0.5), abs=1e-6)
