from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits import fit_amplitude, fit_amplitudes
from kubecal_tasks.fits.checks import amplitude_checks
from tests.unit.kubecal_tasks.fits.judged import failed, pulls, within
from tests.unit.kubecal_tasks.fits.synthetic import Array, sample

AMPLITUDES = np.linspace(0, 0.8, 41)
QUBITS = 40


def swept(a_pi: Array) -> Array:
    return np.asarray(np.sin(np.pi * AMPLITUDES / 2 / a_pi[:, None]) ** 2)


@pytest.mark.parametrize("glitches", [0.0, 0.04])
def test_the_pi_amplitude_is_found_every_time(glitches: float) -> None:
    rng = np.random.default_rng(1)
    truth = rng.uniform(0.2, 0.6, QUBITS)
    drawn = sample(swept(truth), 1000, rng, glitches)
    fits = fit_amplitudes(AMPLITUDES, drawn.y, drawn.variance)
    assert within([f.pi_amplitude for f in fits], truth, 0.02) == 1
    assert within([f.half_pi_amplitude for f in fits], truth / 2, 0.02) == 1
    assert 0.7 < np.std(pulls([f.pi_amplitude for f in fits], truth)) < 1.35
    assert np.mean([not failed(amplitude_checks(f)) for f in fits]) >= 0.97


def test_a_pi_amplitude_beyond_the_sweep_is_a_window() -> None:
    rng = np.random.default_rng(2)
    drawn = sample(swept(np.full(QUBITS, 1.5)), 1000, rng)
    fits = fit_amplitudes(AMPLITUDES, drawn.y, drawn.variance)
    assert all("window" in failed(amplitude_checks(f)) for f in fits)


def test_a_pulse_that_turns_too_far_from_point_to_point_is_aliased() -> None:
    rng = np.random.default_rng(3)
    drawn = sample(swept(np.full(1, 0.021)), 1000, rng)
    fit = fit_amplitude(AMPLITUDES, drawn.y[0], drawn.variance[0])
    assert "aliased" in failed(amplitude_checks(fit))


def test_unrelaxed_shots_do_not_shift_the_amplitude() -> None:
    rng = np.random.default_rng(4)
    c = np.cos(np.pi * AMPLITUDES / 0.33)
    drawn = sample((1 - c * 0.85 / (1 - 0.15 * c)) / 2, 4000, rng)
    fit = fit_amplitude(AMPLITUDES, drawn.y, drawn.variance)
    assert fit.alternative == "second_harmonic"
    assert fit.pi_amplitude.value == pytest.approx(0.33, abs=5 * fit.pi_amplitude.error)
