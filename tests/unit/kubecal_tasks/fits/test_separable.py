from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits import FitError, fit_separable
from tests.unit.kubecal_tasks.fits.synthetic import Array

X = np.linspace(-1, 1, 61)


def lorentzian(x: Array, theta: Array) -> Array:
    line = 1 / (1 + ((x - theta[..., :1]) / np.exp(theta[..., 1:])) ** 2)
    return np.stack([np.ones_like(line), line], axis=-1)


def test_a_task_can_bring_its_own_physics() -> None:
    rng = np.random.default_rng(1)
    y = 2.0 - 0.7 / (1 + ((X - 0.21) / 0.12) ** 2) + 0.01 * rng.normal(size=X.size)
    grid = np.stack([each.ravel() for each in np.meshgrid(np.linspace(-1, 1, 41), np.log([0.05, 0.15, 0.5]))], axis=-1)
    fit = fit_separable(X, y, np.full(X.size, 1e-4), lorentzian, grid, np.asarray([-2, -6]), np.asarray([2, 3]))
    assert fit.nonlinear(0).value == pytest.approx(0.21, abs=4 * fit.nonlinear(0).error)
    assert np.exp(fit.theta[1]) == pytest.approx(0.12, rel=0.1)
    assert fit.coefficient(0).value == pytest.approx(2.0, abs=4 * fit.coefficient(0).error)
    assert fit.coefficient(1).value == pytest.approx(-0.7, abs=4 * fit.coefficient(1).error)
    assert fit.curve(X) + fit.evidence.residuals == pytest.approx(y)
    assert fit.covariance.shape == (4, 4)


def test_columns_without_a_constant_are_refused() -> None:
    with pytest.raises(FitError, match="the first of them constant 1"):
        fit_separable(
            X, X, None, lambda x, theta: lorentzian(x, theta)[..., ::-1], np.zeros((1, 2)), np.zeros(2), np.ones(2)
        )
