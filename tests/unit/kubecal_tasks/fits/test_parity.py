from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits import FitError
from kubecal_tasks.fits.assignment import joint_confusion
from kubecal_tasks.fits.parity import fit_parity, parity_checks
from tests.unit.kubecal_tasks.fits.judged import failed, pulls

READOUT = joint_confusion(np.asarray([[0.985, 0.05], [0.015, 0.95]]), np.asarray([[0.97, 0.03], [0.03, 0.97]]))
BELL = np.asarray([0.485, 0.015, 0.015, 0.485])
SHOTS = 4096


def drawn(rng: np.random.Generator, settings: int = 1) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return rng.multinomial(SHOTS, READOUT @ BELL, size=settings).astype(float)


def test_parity_is_corrected_for_the_readout_with_an_honest_error() -> None:
    rng = np.random.default_rng(3)
    fit = fit_parity(drawn(rng, 1000), READOUT)
    away = pulls([fit.parity(k) for k in range(1000)], np.asarray(0.94))
    assert np.abs(away).max() < 4.5
    assert 0.92 < np.std(away) < 1.08
    raw = float(np.mean(drawn(rng, 200) @ [1, -1, -1, 1])) / SHOTS
    assert raw < 0.9, "as counted it is less"


def test_probabilities_sum_to_one_and_the_right_readout_passes() -> None:
    fit = fit_parity(drawn(np.random.default_rng(2), 3), READOUT)
    assert fit.probabilities.sum(axis=1) == pytest.approx([1.0, 1.0, 1.0])
    assert not failed(parity_checks(fit))


def test_a_readout_that_got_better_than_its_classifier_says_is_noticed() -> None:
    counts = np.asarray([[2048.0, 0.0, 0.0, 2048.0]])
    assert failed(parity_checks(fit_parity(counts, READOUT))) == {"negative"}


def test_a_readout_that_tells_nothing_apart_is_refused() -> None:
    with pytest.raises(FitError, match="ReadoutClassification"):
        fit_parity(np.full((1, 4), 10.0), np.full((4, 4), 0.25))
    with pytest.raises(FitError, match="no shots"):
        fit_parity(np.zeros((1, 4)), READOUT)
