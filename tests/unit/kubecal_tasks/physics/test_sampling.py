"""Drawing: errors are consequences of centres, noise and relaxation, and means carry their own scatter."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import erfc

from kubecal_tasks.physics.readout import Complex, Readout, Real, design_readout_hz
from kubecal_tasks.physics.sampling import (
    Averages,
    States,
    cross_talk,
    sample_averages,
    sample_shots,
    sample_traces,
)
from kubecal_tasks.physics.truth import QubitTruth
from kubecal_tasks.programs import Trace
from tests.unit.kubecal_tasks.physics.builders import MHZ, US, qubit

GROUND, EXCITED = np.asarray([[1.0, 0.0, 0.0]]), np.asarray([[0.0, 1.0, 0.0]])


def readout(truth: QubitTruth, off_hz: float = 0.0) -> Readout:
    return Readout.of(truth, design_readout_hz(truth) + off_hz, 0.1, 384e-9)


def averages(read: Readout, populations: Real, shots: int, rng: np.random.Generator) -> Averages:
    """Of one tone, without the axis of the tones."""
    found = sample_averages([read], [States((0,), populations)], shots, rng)
    return Averages(found.iq[:, 0], found.covariance[:, 0])


def single_shots(read: Readout, populations: Real, shots: int, rng: np.random.Generator) -> Real:
    return sample_shots([read], [States((0,), populations)], shots, rng)[:, :, 0]


def test_without_decay_the_assignment_error_is_that_of_two_gaussians() -> None:
    truth = qubit()
    read, rng = readout(truth), np.random.default_rng(1)
    axis = read.centres[1] - read.centres[0]
    shots = single_shots(read, np.concatenate([GROUND, EXCITED]), 200_000, rng)
    along = ((shots[..., 0] + 1j * shots[..., 1] - read.centres[0]) * np.conj(axis)).real / abs(axis) ** 2
    expected = erfc(5.0 / (2 * math.sqrt(2))) / 2
    assert np.mean(along[0] > 0.5) == pytest.approx(expected, rel=0.1)
    assert np.mean(along[1] < 0.5) == pytest.approx(expected, rel=0.1)


def test_decay_while_reading_lands_between_the_centres() -> None:
    """A shot that decays at t lies at mu0 + (mu1 - mu0) t / tau: averaged over exponential times."""
    truth = qubit(t1_s=2 * US, anharmonicity_hz=-300e6)
    read, rng = readout(truth), np.random.default_rng(2)
    means = averages(read, EXCITED, 4_000_000, rng)
    axis = read.centres[1] - read.centres[0]
    found = ((means.iq[0, 0] + 1j * means.iq[0, 1] - read.centres[0]) * np.conj(axis)).real / abs(axis) ** 2
    ratio = 384e-9 / truth.t1_s
    assert found == pytest.approx((1 - math.exp(-ratio)) / ratio, abs=1e-3)


def test_heating_while_reading_shows_in_the_ground_state() -> None:
    truth = qubit(t1_s=2 * US, thermal=0.03)
    read = readout(truth)
    found = averages(read, GROUND, 4_000_000, np.random.default_rng(3)).iq[0]
    axis = read.centres[1] - read.centres[0]
    along = ((found[0] + 1j * found[1] - read.centres[0]) * np.conj(axis)).real / abs(axis) ** 2
    assert along == pytest.approx(0.03 * 384e-9 / truth.t1_s / 2, rel=0.2)


@pytest.mark.parametrize("shots", [2, 3, 10, 1000])
def test_means_and_covariances_have_the_distribution_of_single_shots(shots: int) -> None:
    truth = qubit(t1_s=5 * US, thermal=0.02)
    read, many = readout(truth), 20_000
    populations = np.tile([[0.55, 0.44, 0.01]], (many, 1))
    quick = averages(read, populations, shots, np.random.default_rng(4))
    few = min(many, 2_000_000 // shots)
    single = single_shots(read, populations[:few], shots, np.random.default_rng(5))
    slow_mean, away = single.mean(axis=1), single - single.mean(axis=1, keepdims=True)
    slow_covariance = np.einsum("psx,psy->pxy", away, away) / (shots * (shots - 1))
    size = np.sqrt(slow_covariance.mean(axis=0).diagonal())
    tolerance = 5 / math.sqrt(few)
    assert np.abs(quick.iq.mean(axis=0) - slow_mean.mean(axis=0)).max() < tolerance * size.max() * 1.5
    assert np.cov(quick.iq.T) == pytest.approx(np.cov(slow_mean.T), rel=0.1, abs=tolerance * size.max() ** 2)
    for moment in (np.mean, np.std):
        quick_moment, slow_moment = moment(quick.covariance, axis=0), moment(slow_covariance, axis=0)
        assert quick_moment == pytest.approx(slow_moment, rel=0.1, abs=2 * tolerance * size.max() ** 2)


def test_digits_beyond_a_billionth_change_no_draw() -> None:
    read = readout(qubit())
    first, second = (
        averages(read, np.asarray([[0.5, 0.5, 0.0]]) + noise, 1000, np.random.default_rng(7)).iq
        for noise in (0.0, 2e-13)
    )
    assert np.array_equal(first, second)


# ------------------------------------------------------------------ several tones

BELL = np.asarray([[0.5, 0, 0, 0, 0.5, 0, 0, 0, 0]])
"""Populations of two qubits that are found in |00> or in |11>."""
TONES = (readout(qubit()), readout(qubit(id="4"), 70 * MHZ))


def excited(iq: Real, read: Readout) -> Real:
    """1 where a shot lies nearer to |1> than to |0>."""
    axis = read.centres[1] - read.centres[0]
    along = ((iq[..., 0] + 1j * iq[..., 1] - read.centres[0]) * np.conj(axis)).real / abs(axis) ** 2
    return np.asarray(along > 0.5, dtype=np.float64)


def both(populations: Real, shots: int = 20_000) -> tuple[Real, Real]:
    """Outcomes of two qubits that are read at once by equal tones."""
    tone = readout(qubit())
    iq = sample_shots([tone, tone], [States((0, 1), populations)], shots, np.random.default_rng(8))[0]
    return excited(iq[:, 0], tone), excited(iq[:, 1], tone)


def test_states_that_depend_on_each_other_are_found_together() -> None:
    first, second = both(BELL)
    assert np.mean(first) == pytest.approx(0.5, abs=0.02)
    assert np.mean(first == second) > 0.97
    mixed = np.kron([[0.5, 0.5, 0.0]], [0.5, 0.5, 0.0])
    first, second = both(mixed)
    assert np.mean(first == second) == pytest.approx(0.5, abs=0.02)


def test_the_first_qubit_is_the_most_significant() -> None:
    first, second = both(np.kron(EXCITED, GROUND))
    assert (np.mean(first) > 0.9, np.mean(second) < 0.1) == (True, True)


def test_means_of_a_pair_are_those_of_its_members() -> None:
    tone, rng = readout(qubit(t1_s=5 * US)), np.random.default_rng(9)
    populations = np.kron([[0.3, 0.7, 0.0]], [0.8, 0.15, 0.05])
    found = sample_averages([tone, tone], [States((0, 1), populations)], 4_000_000, rng)
    for place, own in enumerate(([[0.3, 0.7, 0.0]], [[0.8, 0.15, 0.05]])):
        alone = averages(tone, np.asarray(own), 4_000_000, rng)
        sigma = np.sqrt(alone.covariance[0].diagonal())
        assert np.all(np.abs(found.iq[0, place] - alone.iq[0]) < 5 * sigma * math.sqrt(2))
        assert found.covariance[0, place] == pytest.approx(alone.covariance[0], rel=0.05, abs=0.05 * sigma.max() ** 2)


def leaks(share: complex) -> dict[tuple[int, int], Complex]:
    return {(1, 0): np.asarray(share)}


@pytest.mark.parametrize("averaged", [True, False])
def test_a_tone_moves_with_what_leaks_into_it(averaged: bool) -> None:
    share, shots = 0.2 * np.exp(0.7j), 200_000
    found = []
    for state in (GROUND, EXCITED):
        states, rng = [States((0,), GROUND), States((1,), state)], np.random.default_rng(10)
        if averaged:
            found.append(sample_averages(TONES, states, shots, rng, leaks(share)).iq[0, 0])
        else:
            found.append(sample_shots(TONES, states, shots, rng, leaks(share))[0, :, 0].mean(axis=0))
    moved = (found[1] - found[0]) @ np.asarray([1.0, 1j])
    expected = share * (TONES[1].centres[1] - TONES[1].centres[0])
    assert moved == pytest.approx(expected, abs=5 * float(TONES[0].sigma) * math.sqrt(2 / shots))


def test_the_scatter_of_what_leaks_is_in_the_covariance() -> None:
    half = np.asarray([[0.5, 0.5, 0.0]])
    states, shots = [States((0,), GROUND), States((1,), half)], 50_000
    quick = sample_averages(TONES, states, shots, np.random.default_rng(11), leaks(0.8j)).covariance[0, 0]
    single = sample_shots(TONES, states, shots, np.random.default_rng(12), leaks(0.8j))[0, :, 0]
    assert quick * shots == pytest.approx(np.cov(single.T), rel=0.1, abs=0.03 * float(TONES[0].sigma) ** 2)


def test_only_tones_of_the_same_cable_leak_into_each_other() -> None:
    tones = (*TONES, readout(qubit(id="5"), 140 * MHZ))
    assert set(cross_talk(tones, [0, 0, 1])) == {(0, 1), (1, 0)}
    assert abs(cross_talk(TONES, [0, 0])[0, 1]) < 0.012


# ------------------------------------------------------------------ traces

SAMPLE_S = 4e-9
TRACE = Trace(1_000_000, SAMPLE_S, margin_s=40e-9)
TIMES = np.asarray(TRACE.times_s(384e-9))


def traces(tones: tuple[Readout, ...], *populations: Real, cables: tuple[int, ...] = (0, 0)) -> Averages:
    states = [States((number,), each) for number, each in enumerate(populations)]
    return sample_traces(tones, states, TRACE, TIMES, cables[: len(tones)], np.random.default_rng(13))


def test_a_trace_shows_the_tone_while_it_is_there_and_noise_around_it() -> None:
    read = readout(qubit())
    found = traces((read,), GROUND)
    inside = (TIMES > 0) & (TIMES < 384e-9)
    expected = np.where(inside, read.centres[0], 0.0)
    sigma = float(read.sigma) * math.sqrt(384 / 4 / 1e6)
    assert found.iq.shape == (1, len(TIMES), 1, 2)
    assert np.abs(found.iq[0, :, 0] @ [1, 1j] - expected).max() < 5 * sigma
    assert np.sqrt(found.covariance[0, :, 0].diagonal(axis1=-2, axis2=-1)) == pytest.approx(sigma, rel=0.01)
    assert np.std(found.iq[0, ~inside, 0]) == pytest.approx(sigma, rel=0.4)


def test_a_trace_shows_the_decay_and_averages_to_what_is_integrated() -> None:
    read = readout(qubit(t1_s=0.5 * US))
    found = traces((read,), EXCITED).iq[0, :, 0] @ np.asarray([1, 1j])
    inside = (TIMES > 0) & (TIMES < 384e-9)
    along = (found - read.centres[0]) / (read.centres[1] - read.centres[0])
    left = np.exp(-TIMES / 0.5e-6)
    assert along[inside].real == pytest.approx(left[inside], abs=0.03), "to half a bin of a sixteenth"
    integrated = averages(read, EXCITED, 4_000_000, np.random.default_rng(14)).iq[0] @ np.asarray([1, 1j])
    assert found[inside].mean() == pytest.approx(integrated, abs=5 * float(read.sigma) / 1000)


def test_another_tone_of_the_cable_beats_and_leaks_by_its_mean() -> None:
    found = traces(TONES, GROUND, GROUND).iq[0, :, 0] @ np.asarray([1, 1j])
    apart = traces(TONES, GROUND, GROUND, cables=(0, 1)).iq[0, :, 0] @ np.asarray([1, 1j])
    beat = found - apart
    inside = (TIMES > 0) & (TIMES < 384e-9)
    sinc = np.sinc(70e6 * SAMPLE_S)
    expected = sinc * TONES[1].centres[0] * np.exp(2j * np.pi * 70e6 * TIMES) * inside
    assert beat == pytest.approx(expected, abs=1e-9)
    assert beat[inside].mean() == pytest.approx(cross_talk(TONES, [0, 0])[1, 0] * TONES[1].centres[0], abs=1e-9)
