"""Trains of one pulse: what it turns too far and how its axis is tilted, from several series together."""

from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits import FitError
from kubecal_tasks.fits.train import Series, TrainFit, fit_trains, train_checks
from tests.unit.kubecal_tasks.fits.judged import failed, pulls, verdicts
from tests.unit.kubecal_tasks.fits.synthetic import Array, sample

COUNTS = np.arange(0.0, 21.0)
QUBITS = 40
PI = (Series("in a row", np.pi), Series("after half a pulse", np.pi, led=True))
PI_AND_TILT = (*PI, Series("there and back", led=True, tilts=True, pulses=2))


def trains(series: tuple[Series, ...], eps: Array, pair: Array, kept: float = 0.999) -> Array:
    """physics.md, amplitude error amplification and DRAG; the lead is off by half of what the pulse is."""
    parts = []
    for each in series:
        lead = (np.pi / 2 + eps / 2 if each.led else np.zeros_like(eps))[:, None]
        turned = each.angle + (pair if each.tilts else eps)[:, None]
        parts.append((1 - kept ** (each.pulses * COUNTS) * np.cos(lead + COUNTS * turned)) / 2)
    return np.concatenate(parts, axis=1)


def drawn(
    series: tuple[Series, ...], shots: int, seed: int, glitches: float = 0.0, qubits: int = QUBITS
) -> tuple[tuple[TrainFit, ...], Array, Array]:
    rng = np.random.default_rng(seed)
    eps, pair = rng.normal(0, 0.03, qubits), rng.normal(0, 0.05, qubits)
    data = sample(trains(series, eps, pair), shots, rng, glitches)
    return fit_trains(COUNTS, data.y, data.variance, series), eps, pair


@pytest.mark.parametrize("shots", [100, 1000, 3000])
def test_angle_and_tilt_are_found_with_honest_errors(shots: int) -> None:
    fits, eps, pair = drawn(PI_AND_TILT, shots, shots)
    assert 0.75 < np.std(pulls([f.error_angle for f in fits], eps)) < 1.3
    assert 0.75 < np.std(pulls([f.pair_angle for f in fits], pair)) < 1.3
    assert np.median([f.error_angle.error for f in fits]) < 0.05 / np.sqrt(shots)
    assert np.mean([not failed(train_checks(f)) for f in fits]) >= 0.97


def test_without_a_tilting_series_nothing_is_said_of_the_tilt() -> None:
    fits, eps, _ = drawn(PI, 1000, 2)
    assert all(np.isnan(f.pair_angle.value) for f in fits)
    assert 0.75 < np.std(pulls([f.error_angle for f in fits], eps)) < 1.3


def test_glitches_do_not_move_it() -> None:
    fits, eps, pair = drawn(PI_AND_TILT, 1000, 3, glitches=0.04)
    assert np.max(np.abs([f.error_angle.value for f in fits] - eps)) < 0.02
    assert np.max(np.abs([f.pair_angle.value for f in fits] - pair)) < 0.02


@pytest.mark.parametrize("shots", [30, 1000])
def test_noise_is_never_accepted(shots: int) -> None:
    flat = np.full((20, 3 * COUNTS.size), 0.5)
    data = sample(flat, shots, np.random.default_rng(4), 0.0)
    fits = fit_trains(COUNTS, data.y, data.variance, PI_AND_TILT)
    assert all("no_signal" in verdicts(train_checks(f)) for f in fits)


def test_mostly_garbage_is_a_poor_fit() -> None:
    fits, _, _ = drawn(PI_AND_TILT, 1000, 5, glitches=0.35, qubits=6)
    assert all(verdicts(train_checks(f)) == {"poor_fit"} for f in fits)


def test_a_train_that_shows_no_contrast_is_refused() -> None:
    with pytest.raises(FitError, match="add one without a lead"):
        fit_trains(COUNTS, np.zeros((1, 21)), None, (Series("there and back", led=True, tilts=True),))
