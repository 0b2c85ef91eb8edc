from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits import FitError, Reference, project, project_between
from tests.unit.kubecal_tasks.fits.synthetic import Array

GROUND, EXCITED = np.asarray([1.0, -2.0]), np.asarray([4.0, 2.0])
P = np.linspace(0, 1, 21)


def line(noise: float = 0.0, seed: int = 1) -> Array:
    rng = np.random.default_rng(seed)
    return GROUND + P[:, None] * (EXCITED - GROUND) + noise * rng.normal(size=(P.size, 2))


def test_between_references_the_signal_is_the_population() -> None:
    found = project_between(line(), None, Reference((1.0, -2.0), (4.0, 2.0)))
    assert found.signal == pytest.approx(P)
    assert found.variance is None


def test_the_variance_is_that_along_the_line_alone() -> None:
    direction = (EXCITED - GROUND) / 5
    across = np.asarray([-direction[1], direction[0]])
    covariance = 0.04 * np.outer(direction, direction) + 9.0 * np.outer(across, across)
    found = project_between(line(), np.broadcast_to(covariance, (21, 2, 2)), Reference((1.0, -2.0), (4.0, 2.0)))
    assert found.variance == pytest.approx(np.full(21, 0.04 / 25))


def test_equal_references_are_refused_with_what_to_do() -> None:
    with pytest.raises(FitError, match="run CheckRabi"):
        project_between(line(), None, Reference((1.0, 1.0), (1.0, 1.0)))


def test_without_references_the_first_point_is_low_and_points_come_back_to_the_plane() -> None:
    found = project(line(), None)
    assert found.signal[0] < found.signal[-1]
    assert found.to_iq(float(found.signal[-1])) == pytest.approx(EXCITED)


def test_far_glitches_hardly_turn_the_principal_axis() -> None:
    points = line(noise=0.05)
    points[[3, 11]] = [[60.0, -90.0], [-70.0, 80.0]]
    axis = project(points, None).axis
    assert abs(axis @ (EXCITED - GROUND) / 5) > 0.99


def test_a_batch_is_projected_qubit_by_qubit() -> None:
    batch = project(np.stack([line(), line()[::-1]]), None)
    assert batch.signal[0] == pytest.approx(project(line(), None).signal)
    assert np.all(batch.signal[:, 0] < batch.signal[:, -1])
