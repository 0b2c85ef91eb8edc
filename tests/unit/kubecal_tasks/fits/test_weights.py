from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits.weights import clip, robust_sigma, smooth_variance

FINITE = np.ones((1, 1000), dtype=bool)


def test_the_robust_scale_survives_a_fifth_of_garbage() -> None:
    rng = np.random.default_rng(1)
    residuals = rng.normal(size=(1, 1000))
    residuals[0, :200] = 1e6
    assert robust_sigma(residuals, FINITE)[0, 0] == pytest.approx(1.0, rel=0.4)


@pytest.mark.parametrize(("garbage", "dropped"), [(200, 200), (450, 400)])
def test_garbage_is_left_out_up_to_two_fifths_the_worst_first_and_all_of_it_counted(garbage: int, dropped: int) -> None:
    rng = np.random.default_rng(2)
    residuals = np.clip(rng.normal(size=(1, 1000)), -3, 3)
    residuals[0, :garbage] = 50.0 + np.arange(garbage)
    kept, suspicious = clip(residuals, FINITE)
    assert kept.sum() == 1000 - dropped
    assert not kept[0, garbage - dropped : garbage].any()
    assert suspicious[0] == garbage / 1000


def test_a_bad_model_does_not_pass_by_discarding_what_it_misses() -> None:
    residuals = 30 * np.sin(np.arange(1000.0))[None]
    kept, _ = clip(residuals, FINITE)
    assert kept.all()


def test_sample_variances_are_smoothed_to_the_function_of_the_signal_that_they_are() -> None:
    rng = np.random.default_rng(3)
    p = np.linspace(0, 1, 101)[None]
    truth = p * (1 - p) + 0.04
    found = smooth_variance(truth * rng.chisquare(30, p.shape) / 30, p, p >= 0)
    assert found == pytest.approx(truth, rel=0.3)


def test_variances_stay_where_a_signal_seen_at_three_levels_hides_most_of_them() -> None:
    p = np.asarray([[0.0, 0.5, 1.0, 0.5, 0.0] + [0.0, 1.0] * 5])
    truth = p * (1 - p) + 0.04
    assert smooth_variance(truth, p, p >= 0) == pytest.approx(truth, rel=0.01)


def test_variances_of_another_origin_stay() -> None:
    p = np.linspace(0, 1, 50)[None]
    variance = np.where(np.arange(50) % 2 == 0, 1.0, 100.0)[None]
    assert smooth_variance(variance, p, p >= 0) == pytest.approx(variance)
