from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits import FitError
from kubecal_tasks.fits.gate_angle import GateAngleFit, fit_gate_angle, gate_angle_checks
from tests.unit.kubecal_tasks.fits.judged import failed, pulls, verdicts
from tests.unit.kubecal_tasks.fits.synthetic import sample

N, S = (each.ravel() for each in np.meshgrid([1.0, 3.0, 5.0], np.linspace(0.85, 1.15, 13), indexing="ij"))


def drawn(
    error: float, slope: float, rng: np.random.Generator, shots: int = 2048, glitches: float = 0.0
) -> GateAngleFit:
    angle = np.pi / 2 * (1 + slope * (S - 1)) + error
    data = sample((1 - 0.99**N * np.cos(N * angle)) / 2, shots, rng, glitches)
    return fit_gate_angle(N, S, data.y, data.variance)


@pytest.mark.parametrize("shots", [500, 2048])
def test_the_right_amplitude_is_found_to_a_few_per_mille(shots: int) -> None:
    rng = np.random.default_rng(shots)
    truth = 1 - 0.08 / (np.pi / 2 * 0.9)
    fits = [drawn(0.08, 0.9, rng, shots) for _ in range(15)]
    away = pulls([fit.right_scale for fit in fits], np.asarray(truth))
    assert np.abs(away).max() < 4.5
    assert 0.55 < np.std(away) < 1.45
    assert max(fit.right_scale.error for fit in fits) < 0.005
    assert not any(failed(gate_angle_checks(fit)) for fit in fits)


def test_glitches_are_left_out() -> None:
    fit = drawn(0.08, 0.9, np.random.default_rng(1), glitches=0.04)
    assert fit.right_scale.value == pytest.approx(1 - 0.08 / (np.pi / 2 * 0.9), abs=0.01)


@pytest.mark.parametrize("error", [0.4, -0.4])
def test_an_angle_that_no_tried_amplitude_makes_right_is_a_wrong_window(error: float) -> None:
    assert "window" in verdicts(gate_angle_checks(drawn(error, 1.0, np.random.default_rng(2))))


def test_pure_noise_is_no_signal_every_time() -> None:
    rng = np.random.default_rng(3)
    for _ in range(10):
        fit = fit_gate_angle(N, S, rng.normal(0, 0.01, N.size), np.full(N.size, 1e-4))
        assert "no_signal" in verdicts(gate_angle_checks(fit))


def test_the_model_is_the_formula() -> None:
    fit = drawn(0.05, 1.1, np.random.default_rng(4), shots=10_000_000)
    at = np.asarray([0.9, 1.1])
    expected = (1 - 0.99**3 * np.cos(3 * (np.pi / 2 * (1 + 1.1 * (at - 1)) + 0.05))) / 2
    assert fit.signal(3, at) == pytest.approx(0.01 + 0.97 * expected, abs=2e-3)


def test_shapes_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(FitError, match="one of each"):
        fit_gate_angle(N, S[:-1], N, N)
