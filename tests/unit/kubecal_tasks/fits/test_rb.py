"""Randomized benchmarking: right values, honest errors, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits.rb import RBFit, bounded, fit_rb, fit_rbs, ratio, rb_checks
from kubecal_tasks.fits.values import Measured
from tests.unit.kubecal_tasks.fits.judged import failed, pulls, verdicts, within
from tests.unit.kubecal_tasks.fits.synthetic import Array, sample

LENGTHS = np.repeat(np.rint(np.geomspace(4, 1000, 12)), 10)
QUBITS = 100


def fits(
    shots: int = 1000,
    scatter: float = 0.0,
    glitches: float = 0.0,
    epc: tuple[float, float] = (1e-3, 1.5e-3),
    seed: int = 0,
) -> tuple[tuple[RBFit, ...], Array]:
    """Fits and true errors per Clifford; ``scatter`` is that between sequences half-way down."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(*epc, QUBITS)
    excited = 0.5 - 0.5 * (1 - 2 * truth[:, None]) ** LENGTHS
    excited = excited + 2 * scatter * np.sqrt(excited * (1 - excited)) * rng.standard_normal(excited.shape)
    drawn = sample(np.clip(excited, 0, 1), shots, rng, glitches)
    return fit_rbs(LENGTHS, drawn.y, drawn.variance), truth


@pytest.mark.parametrize("glitches", [0.0, 0.04])
def test_errors_per_clifford_are_within_five_per_cent_as_often_as_the_data_allow(glitches: float) -> None:
    found, truth = fits(glitches=glitches)
    assert within([each.error_per_clifford(2) for each in found], truth, 0.05) >= (0.72 if glitches else 0.76)
    assert np.mean([not failed(rb_checks(each)) for each in found]) >= 0.98


@pytest.mark.parametrize(("shots", "scatter"), [(300, 0.0), (1000, 0.02), (1000, 0.05), (3000, 0.03)])
def test_errors_are_honest_whether_shots_or_sequences_scatter(shots: int, scatter: float) -> None:
    found, truth = fits(shots, scatter, seed=shots)
    off = pulls([each.error_per_clifford(2) for each in found], truth)
    assert np.sqrt(np.mean(off**2)) == pytest.approx(1.0, abs=0.2)
    assert np.abs(off).max() < 4.5


def test_signal_levels_are_free() -> None:
    """An offset fixed at one half would be wrong as soon as assignment errors differ."""
    rng = np.random.default_rng(4)
    signal = 0.81 - 0.43 * np.exp(-LENGTHS / 300) + 0.003 * rng.standard_normal(LENGTHS.size)
    fit = fit_rb(LENGTHS, signal, np.full(LENGTHS.size, 9e-6))
    assert fit.offset.value == pytest.approx(0.81, abs=0.01)
    assert fit.amplitude.value == pytest.approx(-0.43, abs=0.01)
    assert fit.length.value == pytest.approx(300, rel=0.03)
    assert fit.error_per_clifford(4).value == pytest.approx(0.75 * (1 - np.exp(-1 / 300)), rel=0.03)


@pytest.mark.parametrize("shots", [30, 1000])
@pytest.mark.parametrize("glitches", [0.0, 0.04])
def test_noise_alone_is_no_decay(shots: int, glitches: float) -> None:
    rng = np.random.default_rng(shots)
    drawn = sample(np.full((QUBITS, LENGTHS.size), 0.5), shots, rng, glitches)
    assert all("no_signal" in failed(rb_checks(each)) for each in fit_rbs(LENGTHS, drawn.y, drawn.variance))


def test_sequences_too_short_for_the_decay_are_a_window() -> None:
    found, _ = fits(epc=(0.9e-4, 1.1e-4))
    assert np.mean(["window" in verdicts(rb_checks(each)) for each in found]) > 0.95
    found, _ = fits(epc=(0.3, 0.4))
    assert all(verdicts(rb_checks(each)) & {"window", "no_signal"} for each in found)


def test_a_decay_that_is_no_exponential_is_a_poor_fit() -> None:
    rng = np.random.default_rng(6)
    excited = 0.5 - 0.5 * np.exp(-((LENGTHS / 400.0) ** 2))
    drawn = sample(excited, 3000, rng)
    assert "poor_fit" in verdicts(rb_checks(fit_rb(LENGTHS, drawn.y, drawn.variance)))


def test_much_garbage_is_a_poor_fit() -> None:
    found, _ = fits(glitches=0.35)
    assert np.mean(["poor_fit" in verdicts(rb_checks(each)) for each in found]) > 0.95


def test_a_gate_of_its_own_is_the_ratio_of_two_decays() -> None:
    found = ratio(Measured(0.96, 0.002), Measured(0.98, 0.001))
    assert found.value == pytest.approx(0.96 / 0.98)
    assert found.error == pytest.approx(found.value * np.hypot(0.002 / 0.96, 0.001 / 0.98))


def test_a_fidelity_above_one_counts_while_its_error_explains_it() -> None:
    assert bounded(Measured(1.002, 0.001))
    assert not bounded(Measured(1.004, 0.001))


def test_one_sequence_a_length_still_fits() -> None:
    lengths = np.rint(np.geomspace(4, 1000, 24))
    rng = np.random.default_rng(8)
    drawn = sample(0.5 - 0.5 * 0.998**lengths, 4000, rng)
    fit = fit_rb(lengths, drawn.y, drawn.variance)
    assert abs(fit.decay.value - 0.998) < 4 * fit.decay.error
