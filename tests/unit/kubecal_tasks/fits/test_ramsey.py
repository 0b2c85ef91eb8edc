from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits import FitError, fit_ramsey, fit_ramseys
from kubecal_tasks.fits.checks import coherence_checks, ramsey_checks
from tests.unit.kubecal_tasks.fits.judged import failed, pulls, verdicts, within
from tests.unit.kubecal_tasks.fits.synthetic import Array, fringes, sample

DELAYS = np.linspace(0, 10e-6, 101)
QUBITS = 30


def truths(seed: int) -> tuple[Array, Array, Array, np.random.Generator]:
    rng = np.random.default_rng(seed)
    frequency = rng.uniform(0.5e6, 1.5e6, QUBITS) * rng.choice([-1, 1], QUBITS)
    return frequency, rng.uniform(15e-6, 60e-6, QUBITS), rng.uniform(4e-6, 12e-6, QUBITS), rng


@pytest.mark.parametrize("glitches", [0.0, 0.04])
def test_signed_frequency_and_t2_star_are_found(glitches: float) -> None:
    frequency, t2, t2_star, rng = truths(1)
    drawn = sample(fringes(DELAYS, frequency, t2, t2_star), 1000, rng, glitches)
    fits = fit_ramseys(DELAYS, drawn.y, drawn.variance)
    assert within([f.frequency for f in fits], frequency, 0.05) == 1
    assert within([f.t2_star for f in fits], t2_star, 0.05) >= 0.96
    assert 0.7 < np.std(pulls([f.frequency for f in fits], frequency)) < 1.35
    assert 0.7 < np.std(pulls([f.t2_star for f in fits], t2_star)) < 1.35
    assert not any(failed([*ramsey_checks(f), *coherence_checks(f)]) for f in fits)


@pytest.mark.parametrize("t2_star", [7e-6, 60e-6 * 0.999], ids=["nearly Gaussian", "exponential"])
def test_t2_star_is_the_one_over_e_time_whatever_the_envelope(t2_star: float) -> None:
    rng = np.random.default_rng(2)
    t = np.linspace(0, 2 * t2_star, 101)
    drawn = sample(
        fringes(t, np.full(QUBITS, 5 / t2_star), np.full(QUBITS, 60e-6), np.full(QUBITS, t2_star)), 1000, rng
    )
    fits = fit_ramseys(t, drawn.y, drawn.variance)
    assert abs(np.mean(pulls([f.t2_star for f in fits], np.full(QUBITS, t2_star)))) < 0.7


def test_no_detuning_at_all_is_still_a_frequency() -> None:
    rng = np.random.default_rng(3)
    drawn = sample(fringes(DELAYS, np.zeros(1), np.asarray([40e-6]), np.asarray([8e-6])), 1000, rng)
    fit = fit_ramseys(DELAYS, drawn.y, drawn.variance)[0]
    assert fit.frequency.value == pytest.approx(0, abs=5 * fit.frequency.error)
    assert not failed(ramsey_checks(fit))


def test_fringes_too_fast_for_the_spacing_are_a_window() -> None:
    rng = np.random.default_rng(4)
    drawn = sample(fringes(DELAYS, np.asarray([4.5e6]), np.asarray([40e-6]), np.asarray([8e-6])), 1000, rng)
    fit = fit_ramseys(DELAYS, drawn.y, drawn.variance)[0]
    assert failed(ramsey_checks(fit)) == {"aliased"}
    assert verdicts(ramsey_checks(fit)) == {"window"}


@pytest.mark.parametrize("half_splitting", [0.1e6, 0.3e6])
def test_two_lines_are_flagged_and_their_mean_has_half_their_distance_as_error(half_splitting: float) -> None:
    frequency, t2, t2_star, rng = (each[:8] if isinstance(each, np.ndarray) else each for each in truths(5))
    drawn = sample(fringes(DELAYS, frequency, t2, t2_star, half_splitting), 1000, rng)
    for fit, truth in zip(fit_ramseys(DELAYS, drawn.y, drawn.variance), frequency, strict=True):
        assert "two_lines" in fit.flags
        assert fit.frequency.error >= 0.9 * half_splitting
        assert fit.frequency.value == pytest.approx(truth, abs=fit.frequency.error)
        assert not failed(ramsey_checks(fit))


def test_noise_is_no_signal() -> None:
    rng = np.random.default_rng(6)
    drawn = sample(np.full((QUBITS, 2, 101), 0.5), 1000, rng)
    for fit in fit_ramseys(DELAYS, drawn.y, drawn.variance):
        assert "no_signal" in verdicts(ramsey_checks(fit))


def test_a_t2_star_far_beyond_the_delays_spoils_itself_and_not_the_frequency() -> None:
    rng = np.random.default_rng(7)
    t = np.linspace(0, 2e-6, 101)
    drawn = sample(fringes(t, np.asarray([2e6]), np.asarray([60e-6]), np.asarray([30e-6])), 1000, rng)
    fit = fit_ramseys(t, drawn.y, drawn.variance)[0]
    assert not failed(ramsey_checks(fit))
    assert "window" in failed(coherence_checks(fit))


def test_shapes_and_variances_that_do_not_pair_are_refused() -> None:
    with pytest.raises(FitError, match="must be \\(qubits, 2, 101\\)"):
        fit_ramseys(DELAYS, np.zeros((3, 101)))
    with pytest.raises(FitError, match="variances of both axes"):
        fit_ramsey(DELAYS, np.zeros(101), np.zeros(101), np.ones(101))


def test_half_the_distance_of_two_lines_is_told_apart_from_what_noise_adds() -> None:
    frequency, t2, t2_star, rng = (each[:8] if isinstance(each, np.ndarray) else each for each in truths(5))
    drawn = sample(fringes(DELAYS, frequency, t2, t2_star, 0.2e6), 1000, rng)
    for fit in fit_ramseys(DELAYS, drawn.y, drawn.variance):
        assert fit.half_distance == pytest.approx(0.2e6, rel=0.1)
        assert np.sqrt(fit.frequency.error**2 - fit.half_distance**2) < 20e3
