from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits import FitError, fit_repetition, fit_repetitions
from kubecal_tasks.fits.checks import repetition_checks
from tests.unit.kubecal_tasks.fits.judged import failed, pulls, verdicts
from tests.unit.kubecal_tasks.fits.synthetic import Array, sample

PULSES = np.arange(0.0, 21.0)
QUBITS = 40


def half_pis(eps: Array) -> Array:
    return np.asarray(np.sin(PULSES * (np.pi / 4 + eps[:, None] / 2)) ** 2)


def test_small_errors_are_found_to_a_milliradian() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 0.03, QUBITS)
    drawn = sample(half_pis(truth), 1000, rng)
    fits = fit_repetitions(PULSES, drawn.y, drawn.variance)
    assert max(f.error_angle.error for f in fits) < 2e-3
    assert 0.7 < np.std(pulls([f.error_angle for f in fits], truth)) < 1.35
    assert np.mean([not failed(repetition_checks(f)) for f in fits]) >= 0.97


def test_what_a_pulse_loses_is_told_from_what_it_turns_too_far() -> None:
    kept = 0.99**PULSES
    y = (1 - kept * np.cos(PULSES * (np.pi / 2 + 0.02))) / 2
    fit = fit_repetition(PULSES, y, np.full(21, 1e-4))
    assert fit.loss.value == pytest.approx(0.01, abs=1e-5)
    assert fit.error_angle.value == pytest.approx(0.02, abs=1e-5)


def test_right_pi_pulses_leave_a_flat_line_that_the_references_make_a_signal() -> None:
    rng = np.random.default_rng(2)
    drawn = sample((1 - np.cos(np.pi / 2 + PULSES * (np.pi + 1e-3))) / 2, 1000, rng)
    fit = fit_repetition(PULSES, drawn.y, drawn.variance, np.pi, np.pi / 2, ground=(0.01, 1e-5), excited=(0.98, 1e-5))
    assert fit.error_angle.value == pytest.approx(1e-3, abs=5 * fit.error_angle.error)
    assert not failed(repetition_checks(fit))


def test_equal_references_are_no_signal() -> None:
    rng = np.random.default_rng(3)
    drawn = sample(np.zeros(21), 1000, rng)
    fit = fit_repetition(PULSES, drawn.y, drawn.variance, ground=(0.012, 5e-5), excited=(0.009, 5e-5))
    assert "no_signal" in verdicts(repetition_checks(fit))


def test_equal_references_among_garbage_are_a_poor_fit() -> None:
    """What hides both states is no qubit that does not answer."""
    rng = np.random.default_rng(4)
    fit = fit_repetition(PULSES, rng.uniform(-5, 5, 21), np.full(21, 1e-4), ground=(0.5, 5e-5), excited=(0.5, 5e-5))
    assert verdicts(repetition_checks(fit)) == {"poor_fit"}


def test_one_reference_alone_is_refused() -> None:
    with pytest.raises(FitError, match="give both references"):
        fit_repetition(PULSES, np.zeros(21), ground=(0.0, 1e-5))
