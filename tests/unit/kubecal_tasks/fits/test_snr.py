"""Signal-to-noise ratios: the crossing with an honest error, and nothing from noise or garbage."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from kubecal_tasks.fits.snr import SnrFit, fit_snr, snr_checks, snr_window
from kubecal_tasks.fits.values import FitError

Array = NDArray[np.float64]
AMPLITUDES = np.linspace(0.0, 0.2, 51)
NOISE, SLOPE = 0.05, 30.0


def data(
    rng: np.random.Generator, shots: int, amplitudes: Array = AMPLITUDES, slope: float = SLOPE, glitches: int = 0
) -> tuple[Array, Array]:
    """(N, 2) means whose ratio grows by so much per amplitude, with the scatter of a thermal state on top."""
    thermal = 0.02 * np.outer(amplitudes, [0.6, 0.8])[:, :, None] * np.outer(amplitudes, [0.6, 0.8])[:, None, :]
    covariance = (NOISE**2 * np.eye(2) + thermal) / shots
    drawn = [rng.multivariate_normal(np.zeros(2), each, size=shots) * np.sqrt(shots) for each in covariance]
    iq = np.outer(amplitudes * slope * NOISE, [0.8, -0.6]) + np.asarray([each.mean(axis=0) for each in drawn])
    iq[rng.permutation(len(iq))[:glitches]] = rng.uniform(-1, 1, size=(glitches, 2))
    return iq, np.asarray([np.cov(each.T) / shots for each in drawn])


def fit(seed: int, shots: int = 1024, threshold: float = 1.0, **changes: object) -> SnrFit:
    amplitudes = changes.get("amplitudes", AMPLITUDES)
    assert isinstance(amplitudes, np.ndarray)
    iq, covariance = data(np.random.default_rng(seed), shots, **changes)  # type: ignore[arg-type]
    return fit_snr(amplitudes, iq, covariance, shots, threshold)


def verdicts(found: SnrFit) -> set[str]:
    return {each.verdict for each in snr_checks(found) if not each.ok}


@pytest.mark.parametrize(("shots", "glitches"), [(256, 0), (1024, 0), (1024, 2), (4096, 0)])
def test_the_crossing_is_found_with_an_honest_error(shots: int, glitches: int) -> None:
    found = [fit(seed, shots, glitches=glitches) for seed in range(30)]
    assert not any(verdicts(each) for each in found)
    pulls = np.asarray([(each.crossing.value - 1 / SLOPE) / each.crossing.error for each in found])
    assert abs(pulls.mean()) < 3.3 / np.sqrt(30)
    assert np.abs(pulls).max() < 4.0
    assert 0.55 < pulls.std() < 1.45
    assert np.median([each.crossing.error for each in found]) * SLOPE < 0.5 / np.sqrt(shots)
    assert np.median([each.noise.value for each in found]) == pytest.approx(NOISE, rel=0.01)


def test_noise_alone_has_no_crossing() -> None:
    for seed in range(20):
        assert "no_signal" in verdicts(fit(seed, slope=0.0))
        assert "no_signal" in verdicts(fit(seed, slope=0.0, threshold=0.02))


def test_garbage_where_the_line_is_fitted_is_a_poor_fit_and_elsewhere_costs_nothing() -> None:
    seen = [fit(seed, glitches=18) for seed in range(20)]
    good = [each for each in seen if not verdicts(each)]
    assert len(good) <= 4
    assert all(verdicts(each) <= {"poor_fit"} for each in seen)
    for each in good:
        assert each.crossing.value == pytest.approx(1 / SLOPE, abs=4 * each.crossing.error)


def test_a_sweep_that_ends_too_soon_is_a_window_and_asks_for_a_longer_one() -> None:
    found = fit(1, amplitudes=np.linspace(0.0, 0.02, 51))
    assert verdicts(found) == {"window"}
    proposal = snr_window(found, 1.0)
    assert proposal is not None
    assert proposal.sweep is not None
    assert proposal.sweep.stop == pytest.approx(0.04)
    assert snr_window(found, 0.02) is None


def test_steps_that_jump_over_the_crossing_are_a_window_and_ask_for_finer_ones() -> None:
    found = fit(1, amplitudes=np.linspace(0.0, 1.0, 21))
    assert verdicts(found) == {"window"}
    proposal = snr_window(found, 1.0)
    assert proposal is not None
    assert proposal.sweep is not None
    assert proposal.sweep.stop == pytest.approx(4 / SLOPE, rel=0.15)


def test_too_few_points_cannot_be_fitted() -> None:
    with pytest.raises(FitError, match="5 are needed"):
        fit_snr(np.arange(4) / 10, np.ones((4, 2)), np.ones((4, 2, 2)), 100, 1.0)
    iq, covariance = data(np.random.default_rng(1), 100)
    iq[3:] = np.nan
    with pytest.raises(FitError, match="5 are needed"):
        fit_snr(AMPLITUDES, iq, covariance, 100, 1.0)
