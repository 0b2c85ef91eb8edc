from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits import FitError, fit_decay, fit_decays
from kubecal_tasks.fits.checks import decay_checks
from tests.unit.kubecal_tasks.fits.judged import failed, pulls, verdicts, within
from tests.unit.kubecal_tasks.fits.synthetic import Array, decays, sample

DELAYS = np.geomspace(0.1e-6, 500e-6, 51)
QUBITS = 40


def taus(seed: int = 5) -> tuple[Array, np.random.Generator]:
    rng = np.random.default_rng(seed)
    return rng.uniform(15e-6, 60e-6, QUBITS), rng


@pytest.mark.parametrize("glitches", [0.0, 0.04])
def test_t1_is_found_within_five_percent_with_honest_errors(glitches: float) -> None:
    truth, rng = taus()
    drawn = sample(decays(DELAYS, truth), 1000, rng, glitches)
    fits = fit_decays(DELAYS, drawn.y, drawn.variance)
    assert within([f.tau for f in fits], truth, 0.05) >= 0.96
    assert 0.7 < np.std(pulls([f.tau for f in fits], truth)) < 1.35
    assert not any(failed(decay_checks(f)) for f in fits)


@pytest.mark.parametrize("shots", [30, 3000])
def test_errors_stay_honest_from_few_shots_to_many(shots: int) -> None:
    truth, rng = taus(seed=8)
    drawn = sample(decays(DELAYS, truth), shots, rng)
    fits = fit_decays(DELAYS, drawn.y, drawn.variance)
    assert 0.7 < np.std(pulls([f.tau for f in fits], truth)) < 1.35


def test_one_fit_says_what_the_batch_says() -> None:
    truth, rng = taus()
    drawn = sample(decays(DELAYS, truth), 1000, rng)
    alone = fit_decay(DELAYS, drawn.y[3], drawn.variance[3])
    together = fit_decays(DELAYS, drawn.y, drawn.variance)[3]
    assert alone.tau.value == pytest.approx(together.tau.value, rel=1e-4)
    assert alone.tau.error == pytest.approx(together.tau.error, rel=1e-2)


def test_a_noiseless_decay_is_found_exactly_in_any_units() -> None:
    for unit in (1e-6, 1.0, 1e6):
        t = np.geomspace(0.1, 500, 51) * unit
        fit = fit_decay(t, 7.0 + 1e-4 * np.exp(-t / (31 * unit)))
        assert fit.tau.value == pytest.approx(31 * unit, rel=1e-5)
        assert fit.contrast.value == pytest.approx(1e-4, rel=1e-4)
        assert fit.offset.value == pytest.approx(7.0)


def test_a_known_offset_makes_the_echo_twice_as_precise() -> None:
    rng = np.random.default_rng(3)
    t = np.geomspace(0.3e-6, 100e-6, 51)
    drawn = sample(decays(t, np.asarray([50e-6])), 1000, rng)
    y = drawn.y - 0.01
    free = fit_decays(t, y, drawn.variance)[0]
    known = fit_decays(t, y, drawn.variance, offset=0.0)[0]
    assert known.tau.error < 0.5 * free.tau.error
    assert known.offset.value == 0.0
    assert known.offset.error == 0.0


def test_a_short_interval_between_shots_does_not_shift_t1() -> None:
    tau, interval = 60e-6, 100e-6
    decay = np.exp(-DELAYS / tau)
    y = decay / (1 + decay * np.exp(-interval / tau))
    assert fit_decay(DELAYS, y, interval=interval).tau.value == pytest.approx(tau, rel=1e-4)
    assert abs(fit_decay(DELAYS, y).tau.value / tau - 1) > 0.01


def test_a_stretched_decay_is_named_and_its_time_is_the_one_over_e_time() -> None:
    rng = np.random.default_rng(2)
    drawn = sample(np.exp(-((DELAYS / 30e-6) ** 2)), 1000, rng)
    fit = fit_decay(DELAYS, drawn.y, drawn.variance)
    assert fit.alternative == "stretched"
    assert fit.tau.value == pytest.approx(30e-6, rel=0.05)
    assert not failed(decay_checks(fit))


def test_two_decays_are_named_and_the_time_is_where_the_sum_has_fallen_to_one_over_e() -> None:
    rng = np.random.default_rng(2)
    drawn = sample(0.5 * np.exp(-DELAYS / 2e-6) + 0.5 * np.exp(-DELAYS / 90e-6), 4000, rng)
    fit = fit_decay(DELAYS, drawn.y, drawn.variance)
    assert fit.alternative == "biexponential"
    level = fit.curve(np.asarray([fit.tau.value]))[0] - fit.offset.value
    assert level == pytest.approx(fit.contrast.value / np.e, rel=1e-3)


def test_noise_is_no_signal() -> None:
    for shots, seed in ((30, 1), (1000, 2), (3000, 3)):
        rng = np.random.default_rng(seed)
        drawn = sample(np.full((QUBITS, 51), 0.5), shots, rng)
        for fit in fit_decays(DELAYS, drawn.y, drawn.variance):
            assert "no_signal" in verdicts(decay_checks(fit))


def test_noise_without_a_covariance_is_no_signal_and_a_decay_is_one() -> None:
    truth, rng = taus()
    flat = sample(np.full((QUBITS, 51), 0.5), 1000, rng)
    assert all("no_signal" in verdicts(decay_checks(f)) for f in fit_decays(DELAYS, flat.y))
    drawn = sample(decays(DELAYS, truth), 1000, rng)
    fits = fit_decays(DELAYS, drawn.y)
    assert np.mean([not failed(decay_checks(f)) for f in fits]) >= 0.95
    assert within([f.tau for f in fits], truth, 0.05) >= 0.9


@pytest.mark.parametrize("windows", [2, 3, 6])
def test_a_window_much_shorter_than_t1_is_not_accepted(windows: int) -> None:
    rng = np.random.default_rng(windows)
    t = np.geomspace(0.1e-6, 30e-6, 51)
    drawn = sample(decays(t, np.full(QUBITS, windows * 30e-6)), 1000, rng)
    fits = fit_decays(t, drawn.y, drawn.variance)
    useful = [not failed(decay_checks(f)) and f.tau.error < 0.2 * f.tau.value for f in fits]
    assert np.mean(useful) <= 0.05


def test_more_than_fifteen_percent_of_garbage_is_a_poor_fit() -> None:
    truth, rng = taus()
    drawn = sample(decays(DELAYS, truth[:1]), 1000, rng)
    y = drawn.y[0].copy()
    y[::4] += rng.choice([-3.0, 3.0], y[::4].size)
    fit = fit_decay(DELAYS, y, drawn.variance[0])
    assert failed(decay_checks(fit)) == {"glitches"}
    assert verdicts(decay_checks(fit)) == {"poor_fit"}
    assert fit.statistics.clipped_fraction > 0.15


def test_points_that_are_no_numbers_are_left_out_and_counted() -> None:
    truth, rng = taus()
    drawn = sample(decays(DELAYS, truth[:1]), 1000, rng)
    y = drawn.y[0].copy()
    y[[4, 20]] = np.nan
    fit = fit_decay(DELAYS, y, drawn.variance[0])
    assert not fit.evidence.kept[[4, 20]].any()
    assert fit.statistics.clipped_fraction >= 2 / 51
    assert fit.tau.value == pytest.approx(truth[0], rel=0.05)


@pytest.mark.parametrize(
    ("t", "y", "words"),
    [
        (np.arange(3.0), np.zeros(3), "3 finite points of 3 cannot determine 3 parameters"),
        (np.arange(9.0), np.full(9, np.nan), "0 finite points of 9"),
        (np.arange(9.0), np.zeros(8), "do not belong to a sweep"),
    ],
)
def test_data_that_determine_nothing_are_refused_in_words(t: Array, y: Array, words: str) -> None:
    with pytest.raises(FitError, match=words):
        fit_decay(t, y)


def test_a_constant_signal_is_no_signal_rather_than_an_error() -> None:
    fit = fit_decay(DELAYS, np.full(51, 0.3), np.full(51, 1e-4))
    assert "no_signal" in verdicts(decay_checks(fit))
