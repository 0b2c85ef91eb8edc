"""The DRAG coefficient from lines that cross."""

from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits.drag import DragFit, drag_checks, fit_drags
from tests.unit.kubecal_tasks.fits.judged import failed, pulls, verdicts
from tests.unit.kubecal_tasks.fits.synthetic import Array, sample

COUNTS = (2, 4, 8)
BETAS = np.linspace(-0.25, 0.75, 21)
"""ns."""
SLOPE = 4 * 5.06 / 24
"""rad per ns and pair, of a pi pulse of 24 ns: physics.md, DRAG."""
QUBITS = 30


def lines(beta: Array, start: Array, betas: Array = BETAS) -> Array:
    away = betas - beta[:, None]
    return np.concatenate([(1 + np.sin(start[:, None] + n * SLOPE * away)) / 2 for n in COUNTS], axis=1)


def drawn(
    shots: int, seed: int, glitches: float = 0.0, low: float = 0.1, high: float = 0.4
) -> tuple[tuple[DragFit, ...], Array]:
    rng = np.random.default_rng(seed)
    truth = rng.uniform(low, high, QUBITS)
    data = sample(lines(truth, rng.normal(0, 0.05, QUBITS)), shots, rng, glitches)
    return fit_drags(BETAS, data.y, data.variance, COUNTS, 1.3 * SLOPE), truth


@pytest.mark.parametrize("shots", [100, 1000, 3000])
def test_the_crossing_is_found_with_an_honest_error(shots: int) -> None:
    fits, truth = drawn(shots, shots)
    assert 0.7 < np.std(pulls([f.beta for f in fits], truth)) < 1.4
    assert np.median([f.beta.error for f in fits]) < 0.15 / np.sqrt(shots)
    assert np.mean([not failed(drag_checks(f)) for f in fits]) >= 0.96


def test_the_slope_is_found_with_its_sign() -> None:
    fits, _ = drawn(1000, 2)
    assert [f.slope.value for f in fits] == pytest.approx([SLOPE] * QUBITS, rel=0.05)
    falling = fit_drags(BETAS, 1 - lines(np.asarray([0.3]), np.zeros(1)), None, COUNTS, SLOPE)[0]
    assert falling.slope.value == pytest.approx(-SLOPE, rel=1e-3)
    assert falling.beta.value == pytest.approx(0.3, abs=1e-3)


def test_glitches_do_not_move_it() -> None:
    fits, truth = drawn(1000, 3, glitches=0.04)
    assert np.max(np.abs([f.beta.value for f in fits] - truth)) < 0.02


@pytest.mark.parametrize("shots", [30, 1000])
def test_noise_is_never_accepted(shots: int) -> None:
    data = sample(np.full((QUBITS, len(COUNTS) * BETAS.size), 0.5), shots, np.random.default_rng(4), 0.0)
    fits = fit_drags(BETAS, data.y, data.variance, COUNTS, SLOPE)
    assert all("no_signal" in verdicts(drag_checks(f)) for f in fits)


def test_mostly_garbage_is_a_poor_fit() -> None:
    fits, _ = drawn(1000, 5, glitches=0.35)
    assert all(verdicts(drag_checks(f)) == {"poor_fit"} for f in fits)


def test_a_crossing_outside_of_the_sweep_is_a_wrong_window() -> None:
    fits, _ = drawn(1000, 6, low=0.85, high=0.95)
    assert all(verdicts(drag_checks(f)) == {"window"} for f in fits)


def test_contrast_that_longer_trains_lose_does_not_move_it() -> None:
    truth = np.full(QUBITS, 0.3)
    clean = lines(truth, np.full(QUBITS, 0.05)).reshape(QUBITS, len(COUNTS), -1)
    left = np.exp(-0.3 * np.asarray(COUNTS) / 8)[:, None]
    data = sample((0.5 + left * (clean - 0.5)).reshape(QUBITS, -1), 3000, np.random.default_rng(7), 0.0)
    fits = fit_drags(BETAS, data.y, data.variance, COUNTS, SLOPE)
    assert all(f.alternative == "damped" for f in fits)
    assert 0.7 < np.std(pulls([f.beta for f in fits], truth)) < 1.4
