from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits import FitError
from kubecal_tasks.fits.assignment import joint_confusion
from kubecal_tasks.fits.tomography import (
    BELL,
    SETTINGS,
    TomographyFit,
    contrast_checks,
    fit_tomography,
    measurement_operators,
    tomography_checks,
)
from tests.unit.kubecal_tasks.fits.judged import failed, pulls, verdicts
from tests.unit.kubecal_tasks.fits.synthetic import Array

READOUT = joint_confusion(np.asarray([[0.985, 0.05], [0.015, 0.95]]), np.asarray([[0.97, 0.03], [0.03, 0.97]]))
SHOTS = 2048


def werner(weight: float) -> Array:
    return np.asarray(weight * np.outer(BELL, BELL.conj()) + (1 - weight) * np.eye(4) / 4)


def drawn(density: Array, rng: np.random.Generator, confusion: Array = READOUT) -> Array:
    p = np.einsum("skab,ba->sk", measurement_operators(confusion), density).real
    return np.asarray([rng.multinomial(SHOTS, each / each.sum()) for each in p], dtype=float)


def fits(weight: float, number: int, seed: int) -> list[TomographyFit]:
    rng = np.random.default_rng(seed)
    return [fit_tomography(drawn(werner(weight), rng), READOUT) for _ in range(number)]


@pytest.mark.parametrize("weight", [0.95, 0.6])
def test_the_fidelity_of_a_noisy_bell_state_is_found_with_an_honest_error(weight: float) -> None:
    """F = (1 + 3 lambda) / 4, whatever the readout confuses."""
    found = fits(weight, 16, seed=1)
    away = pulls([fit.fidelity for fit in found], np.asarray((1 + 3 * weight) / 4))
    assert np.abs(away).max() < 4.5
    assert 0.6 < np.std(away) < 1.4
    assert abs(np.mean(away)) < 0.9
    assert not any(failed(tomography_checks(fit)) for fit in found)
    assert max(fit.fidelity.error for fit in found) < 0.01


def test_the_matrix_is_a_state() -> None:
    fit = fits(0.99, 1, seed=2)[0]
    assert np.linalg.eigvalsh(fit.density).min() >= -1e-12
    assert np.trace(fit.density).real == pytest.approx(1.0)
    assert [fit.coefficient(label) for label in ("XX", "YY", "ZZ")] == pytest.approx([0.99, -0.99, 0.99], abs=0.04)


def test_exact_counts_give_the_state_back() -> None:
    rng = np.random.default_rng(3)
    root = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    density = root @ root.conj().T
    density /= np.trace(density).real
    p = np.einsum("skab,ba->sk", measurement_operators(READOUT), density).real
    assert np.abs(fit_tomography(1e6 * p, READOUT).density - density).max() < 1e-4


def test_counts_that_no_state_explains_are_a_poor_fit() -> None:
    """A readout that always says 00 is along +X, +Y and +Z at once."""
    counts = np.tile([SHOTS - 3.0, 1.0, 1.0, 1.0], (len(SETTINGS), 1))
    assert verdicts(tomography_checks(fit_tomography(counts, READOUT))) == {"poor_fit"}


def test_random_outcomes_are_the_mixed_state() -> None:
    rng = np.random.default_rng(4)
    counts = rng.multinomial(SHOTS, [0.25] * 4, size=9).astype(float)
    fit = fit_tomography(counts, np.eye(4))
    assert fit.fidelity.value == pytest.approx(0.25, abs=5 * fit.fidelity.error)


@pytest.mark.parametrize("dead", [0, 1])
def test_a_qubit_whose_states_look_alike_is_no_signal(dead: int) -> None:
    rng = np.random.default_rng(5)
    p = np.eye(4).reshape(2, 2, 2, 2) * 0.94 + 0.015
    p = p.mean(axis=dead, keepdims=True) * np.ones((2, 2, 2, 2))
    references = np.asarray([rng.multinomial(SHOTS, each / each.sum()) for each in p.reshape(4, 4)], dtype=float)
    assert failed(contrast_checks(references, ("control", "target"))) == {("contrast control", "contrast target")[dead]}


def test_a_readout_that_tells_nothing_apart_is_refused() -> None:
    with pytest.raises(FitError, match="ReadoutClassification"):
        fit_tomography(np.full((9, 4), 512.0), np.full((4, 4), 0.25))
    with pytest.raises(FitError, match="all nine"):
        fit_tomography(np.zeros((9, 4)), READOUT)
