from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits import fit_oscillation, fit_oscillations
from kubecal_tasks.fits.checks import oscillation_checks
from tests.unit.kubecal_tasks.fits.judged import failed, pulls, verdicts, within
from tests.unit.kubecal_tasks.fits.synthetic import HIGH, LOW, rabi, sample

TIMES = np.arange(0, 401e-9, 8e-9)
QUBITS = 40


@pytest.mark.parametrize(("shots", "glitches"), [(30, 0.0), (1000, 0.0), (1000, 0.04), (3000, 0.0)])
def test_the_rabi_frequency_is_found_every_time(shots: int, glitches: float) -> None:
    rng = np.random.default_rng([shots, round(100 * glitches)])
    truth = rng.uniform(9e6, 16e6, QUBITS)
    drawn = sample(rabi(TIMES, truth), shots, rng, glitches)
    fits = fit_oscillations(TIMES, drawn.y, drawn.variance)
    assert within([f.frequency for f in fits], truth, 0.05) == 1
    assert 0.7 < np.std(pulls([f.frequency for f in fits], truth)) < 1.35
    assert np.mean([not failed(oscillation_checks(f)) for f in fits]) >= 0.97


def test_the_levels_of_both_states_come_from_the_phase_whatever_the_sign_of_the_axis() -> None:
    rng = np.random.default_rng(4)
    drawn = sample(rabi(TIMES, np.asarray([12.5e6])), 2000, rng)
    for sign in (1, -1):
        fit = fit_oscillation(TIMES, sign * drawn.y[0], drawn.variance[0])
        assert fit.ground.value == pytest.approx(sign * LOW, abs=5 * fit.ground.error)
        assert fit.excited.value == pytest.approx(sign * HIGH, abs=5 * fit.excited.error)


def test_an_undamped_oscillation_touches_no_bound() -> None:
    rng = np.random.default_rng(6)
    drawn = sample(rabi(TIMES, np.full(QUBITS, 11e6), coherence=np.inf), 1000, rng)
    fits = fit_oscillations(TIMES, drawn.y, drawn.variance)
    rates = pulls([f.rate for f in fits], np.zeros(QUBITS))
    assert abs(rates.mean()) < 0.6
    assert 0.7 < rates.std() < 1.35


def test_noise_is_no_signal_even_where_a_few_glitches_invite_a_fit() -> None:
    rng = np.random.default_rng(7)
    for glitches in (0.0, 0.04):
        drawn = sample(np.zeros((QUBITS, TIMES.size)), 1000, rng, glitches)
        for fit in fit_oscillations(TIMES, drawn.y, drawn.variance):
            assert failed(oscillation_checks(fit))
            assert glitches or "no_signal" in verdicts(oscillation_checks(fit))


@pytest.mark.parametrize(
    ("frequency", "check"),
    [(0.375e6, "window"), (55e6, "aliased")],
    ids=["a drive of a thirtieth", "a drive 55 MHz off"],
)
def test_what_the_sweep_cannot_hold_is_a_window(frequency: float, check: str) -> None:
    rng = np.random.default_rng(8)
    drawn = sample(rabi(TIMES, np.full(QUBITS, frequency)), 2048, rng)
    for fit in fit_oscillations(TIMES, drawn.y, drawn.variance):
        assert check in failed(oscillation_checks(fit))
        assert "window" in verdicts(oscillation_checks(fit))


def test_two_lines_are_flagged_with_an_error_of_half_their_distance() -> None:
    rng = np.random.default_rng(9)
    truth = rng.uniform(11e6, 14e6, 10)
    drawn = sample((rabi(TIMES, truth - 2e6) + rabi(TIMES, truth + 2e6)) / 2, 1000, rng)
    for fit, frequency in zip(fit_oscillations(TIMES, drawn.y, drawn.variance), truth, strict=True):
        assert "two_lines" in fit.flags
        assert fit.frequency.error >= 1.9e6
        assert fit.frequency.value == pytest.approx(frequency, abs=0.3e6)
        assert not failed(oscillation_checks(fit))


def test_shots_that_start_unrelaxed_bring_a_second_harmonic_and_leave_the_frequency() -> None:
    rng = np.random.default_rng(10)
    c = np.cos(2 * np.pi * 12.5e6 * TIMES)
    population = (1 - c * 0.85 / (1 - 0.15 * c)) / 2
    drawn = sample(population, 4000, rng)
    fit = fit_oscillation(TIMES, drawn.y, drawn.variance)
    assert fit.alternative == "second_harmonic"
    assert fit.frequency.value == pytest.approx(12.5e6, abs=5 * fit.frequency.error)
    assert not failed(oscillation_checks(fit))


def test_a_gaussian_envelope_is_named_and_leaves_the_frequency() -> None:
    rng = np.random.default_rng(11)
    population = (1 - np.exp(-((TIMES / 200e-9) ** 2)) * np.cos(2 * np.pi * 12.5e6 * TIMES)) / 2
    drawn = sample(population, 1000, rng)
    fit = fit_oscillation(TIMES, drawn.y, drawn.variance)
    assert fit.alternative == "gaussian"
    assert fit.frequency.value == pytest.approx(12.5e6, abs=5 * fit.frequency.error)
