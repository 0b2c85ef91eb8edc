"""Readout: errors are consequences of centres, noise and relaxation, and means carry their own scatter."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import erfc

from kubecal_tasks.physics.readout import (
    Readout,
    design_readout_hz,
    line_frequencies,
    reflection,
    sample_averages,
    sample_shots,
)
from kubecal_tasks.physics.truth import QubitTruth
from tests.unit.kubecal_tasks.physics.builders import MHZ, US, qubit

GROUND, EXCITED = np.asarray([[1.0, 0.0, 0.0]]), np.asarray([[0.0, 1.0, 0.0]])


def readout(truth: QubitTruth, off_hz: float = 0.0, amplitude: float = 0.1, length_s: float = 384e-9) -> Readout:
    return Readout.of(truth, design_readout_hz(truth) + off_hz, amplitude, length_s)


def separation(read: Readout) -> float:
    return float(abs(read.centres[1] - read.centres[0]) / read.sigma)


def test_the_design_readout_has_the_drawn_snr() -> None:
    assert separation(readout(qubit())) == pytest.approx(5.0, rel=1e-6)


@pytest.mark.parametrize(("amplitude", "length_s", "factor"), [(0.05, 384e-9, 0.5), (0.1, 4 * 384e-9, 2.0)])
def test_snr_goes_as_amplitude_and_root_of_length(amplitude: float, length_s: float, factor: float) -> None:
    assert separation(readout(qubit(), 0.0, amplitude, length_s)) == pytest.approx(5.0 * factor, rel=0.05)


def test_snr_falls_beyond_the_critical_photon_number() -> None:
    """Per amplitude; the lines then fall back on the bare resonator."""
    strong = 0.1 * math.sqrt(10 * 4e9**2 / 4 / 100e6**2 / 5.0)
    weak = qubit()
    spread = np.ptp(line_frequencies(weak, strong)[:2]) / np.ptp(line_frequencies(weak, 1e-6)[:2])
    assert spread < 0.05


@pytest.mark.parametrize(("off_mhz", "most"), [(1.5, 0.8), (5.0, 0.15), (100.0, 1e-3)])
def test_a_wrong_readout_frequency_costs_contrast(off_mhz: float, most: float) -> None:
    assert separation(readout(qubit(), off_mhz * MHZ)) < most * 5.0


def test_a_dead_qubit_reads_the_same_in_every_state() -> None:
    assert np.ptp(Readout.of(qubit(), 6.9e9, 0.1, 384e-9, alive=False).centres) == 0.0


def test_the_resonator_reflects_as_the_formula_says() -> None:
    truth = qubit()
    f, line = 6.901e9, line_frequencies(truth, 1e-6)[:1]
    kappa_e, kappa = truth.resonator.kappa_hz, truth.resonator.kappa_hz + truth.resonator.loss_hz
    assert reflection(truth, f, line)[0] == pytest.approx(1 - 2 * kappa_e / (kappa + 2j * (f - line[0])))


def test_without_decay_the_assignment_error_is_that_of_two_gaussians() -> None:
    truth = qubit()
    read, rng = readout(truth), np.random.default_rng(1)
    axis = read.centres[1] - read.centres[0]
    shots, _ = sample_shots(read, np.concatenate([GROUND, EXCITED]), 200_000, rng)
    along = ((shots[..., 0] + 1j * shots[..., 1] - read.centres[0]) * np.conj(axis)).real / abs(axis) ** 2
    expected = erfc(5.0 / (2 * math.sqrt(2))) / 2
    assert np.mean(along[0] > 0.5) == pytest.approx(expected, rel=0.1)
    assert np.mean(along[1] < 0.5) == pytest.approx(expected, rel=0.1)


def test_decay_while_reading_lands_between_the_centres() -> None:
    """A shot that decays at t lies at mu0 + (mu1 - mu0) t / tau: averaged over exponential times."""
    truth = qubit(t1_s=2 * US, anharmonicity_hz=-300e6)
    read, rng = readout(truth), np.random.default_rng(2)
    means = sample_averages(read, EXCITED, 4_000_000, rng)
    axis = read.centres[1] - read.centres[0]
    found = ((means.iq[0, 0] + 1j * means.iq[0, 1] - read.centres[0]) * np.conj(axis)).real / abs(axis) ** 2
    ratio = 384e-9 / truth.t1_s
    assert found == pytest.approx((1 - math.exp(-ratio)) / ratio, abs=1e-3)


def test_heating_while_reading_shows_in_the_ground_state() -> None:
    truth = qubit(t1_s=2 * US, thermal=0.03)
    read = readout(truth)
    found = sample_averages(read, GROUND, 4_000_000, np.random.default_rng(3)).iq[0]
    axis = read.centres[1] - read.centres[0]
    along = ((found[0] + 1j * found[1] - read.centres[0]) * np.conj(axis)).real / abs(axis) ** 2
    assert along == pytest.approx(0.03 * 384e-9 / truth.t1_s / 2, rel=0.2)


@pytest.mark.parametrize("shots", [2, 3, 10, 1000])
def test_means_and_covariances_have_the_distribution_of_single_shots(shots: int) -> None:
    truth = qubit(t1_s=5 * US, thermal=0.02)
    read, many = readout(truth), 20_000
    populations = np.tile([[0.55, 0.44, 0.01]], (many, 1))
    quick = sample_averages(read, populations, shots, np.random.default_rng(4))
    few = min(many, 2_000_000 // shots)
    single, _ = sample_shots(read, populations[:few], shots, np.random.default_rng(5))
    slow_mean, away = single.mean(axis=1), single - single.mean(axis=1, keepdims=True)
    slow_covariance = np.einsum("psx,psy->pxy", away, away) / (shots * (shots - 1))
    size = np.sqrt(slow_covariance.mean(axis=0).diagonal())
    tolerance = 5 / math.sqrt(few)
    assert np.abs(quick.iq.mean(axis=0) - slow_mean.mean(axis=0)).max() < tolerance * size.max() * 1.5
    assert np.cov(quick.iq.T) == pytest.approx(np.cov(slow_mean.T), rel=0.1, abs=tolerance * size.max() ** 2)
    for moment in (np.mean, np.std):
        quick_moment, slow_moment = moment(quick.covariance, axis=0), moment(slow_covariance, axis=0)
        assert quick_moment == pytest.approx(slow_moment, rel=0.1, abs=2 * tolerance * size.max() ** 2)


def test_too_strong_a_readout_is_clipped_and_says_so() -> None:
    weak = sample_averages(readout(qubit()), GROUND, 1000, np.random.default_rng(6))
    strong = sample_averages(readout(qubit(), 0.0, 1.0), GROUND, 1000, np.random.default_rng(6))
    assert weak.clipped == 0.0
    assert strong.clipped == 1.0
    assert np.abs(readout(qubit(), 0.0, 1.0).centres.real).max() <= 1.0


def test_digits_beyond_a_billionth_change_no_draw() -> None:
    read = readout(qubit())
    first, second = (
        sample_averages(read, np.asarray([[0.5, 0.5, 0.0]]) + noise, 1000, np.random.default_rng(7)).iq
        for noise in (0.0, 2e-13)
    )
    assert np.array_equal(first, second)
