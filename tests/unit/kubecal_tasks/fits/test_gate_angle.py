from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits import FitError
from kubecal_tasks.fits.gate_angle import OWN_ANGLES, GateAngleFit, fit_gate_angle, gate_angle_checks
from tests.unit.kubecal_tasks.fits.judged import failed, pulls, verdicts
from tests.unit.kubecal_tasks.fits.synthetic import sample

N, S = (each.ravel() for each in np.meshgrid([1.0, 3.0, 5.0], np.linspace(0.85, 1.15, 13), indexing="ij"))


def drawn(
    error: float,
    slope: float,
    rng: np.random.Generator,
    shots: int = 2048,
    glitches: float = 0.0,
    own: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> GateAngleFit:
    angle = N * (np.pi / 2 * (1 + slope * (S - 1)) + error) + np.asarray(own)[np.searchsorted([1.0, 3.0, 5.0], N)]
    data = sample(np.append((1 - 0.99**N * np.cos(angle)) / 2, [0.0, 1.0]), shots, rng, glitches)
    levels = list(zip(data.y[-2:], data.variance[-2:], strict=True))
    return fit_gate_angle(N, S, data.y[:-2], data.variance[:-2], *levels)


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
        fit = fit_gate_angle(N, S, rng.normal(0, 0.01, N.size), np.full(N.size, 1e-4), (0.0, 1e-4), (0.0, 1e-4))
        assert "no_signal" in verdicts(gate_angle_checks(fit))


def test_the_model_is_the_formula() -> None:
    fit = drawn(0.05, 1.1, np.random.default_rng(4), shots=10_000_000)
    at = np.asarray([0.9, 1.1])
    expected = (1 - 0.99**3 * np.cos(3 * (np.pi / 2 * (1 + 1.1 * (at - 1)) + 0.05))) / 2
    assert fit.signal(3, at) == pytest.approx(0.01 + 0.97 * expected, abs=2e-3)


def test_what_so_many_gates_turn_beyond_as_many_single_ones_is_told_apart_and_part_of_the_error() -> None:
    """Small angles of their own, which no common angle explains: 0.08 of one gate, 0.04 of three, -0.04 of five."""
    rng = np.random.default_rng(5)
    fits = [drawn(0.08, 0.9, rng, own=(0.08, 0.04, -0.04)) for _ in range(5)]
    assert all(fit.alternative == OWN_ANGLES for fit in fits)
    assert not any(failed(gate_angle_checks(fit)) for fit in fits)
    away = pulls([fit.error_angle for fit in fits], np.asarray(0.08))
    assert np.abs(away).max() < 3.0
    assert np.median([fit.error_angle.error for fit in fits]) == pytest.approx(0.012, rel=0.3)
    expected = (1 - 0.99**3 * np.cos(3 * (np.pi / 2 + 0.08) + 0.04)) / 2
    assert fits[0].signal(3, np.ones(1)) == pytest.approx(0.01 + 0.97 * expected, abs=0.02)


def test_gates_that_are_not_alike_at_all_are_no_good_gate() -> None:
    fit = drawn(0.0, 1.0, np.random.default_rng(6), own=(0.35, 0.18, -0.18))
    assert "poor_fit" in verdicts(gate_angle_checks(fit))
    assert any("drag_pi_duration" in each.message for each in gate_angle_checks(fit))


def test_gates_that_are_alike_have_no_angles_of_their_own() -> None:
    rng = np.random.default_rng(7)
    fits = [drawn(0.05, 1.0, rng) for _ in range(5)]
    assert all(fit.alternative == "" and fit.own_angle == 0.0 for fit in fits)


def test_shapes_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(FitError, match="one of each"):
        fit_gate_angle(N, S[:-1], N, N)
    with pytest.raises(FitError, match="both references"):
        fit_gate_angle(N, S, N, N, ground=(0.0, 1.0))
