"""Readout: where the states lie, what other resonators and tones of the cable do, and what the ADC cuts off."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from kubecal_tasks.physics.readout import (
    Readout,
    Resonator,
    design_readout_hz,
    digitised,
    leakage,
    line_frequencies,
    reflection,
)
from kubecal_tasks.physics.truth import QubitTruth
from tests.unit.kubecal_tasks.physics.builders import MHZ, RESONATOR, qubit


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


@pytest.mark.parametrize(("share_of_critical", "left"), [(0.0, 1.0), (1.0, 0.5), (3.0, 0.1)])
def test_a_strong_tone_punches_the_line_out_to_the_bare_resonator(share_of_critical: float, left: float) -> None:
    """f_bare + (f_dressed - f_bare) / (1 + (n / n_crit)^2), n_crit = Delta^2 / 4 g^2."""
    truth = qubit()
    critical = (truth.frequency_hz - 6.9e9) ** 2 / (4 * 100e6**2)
    amplitude = 0.1 * math.sqrt(share_of_critical * critical / 5.0)
    shifts = line_frequencies(truth, amplitude) - 6.9e9
    assert shifts == pytest.approx(left * (line_frequencies(truth, 0.0) - 6.9e9), rel=1e-9)


def test_a_swept_tone_gives_at_each_point_what_it_gives_alone() -> None:
    truth = qubit()
    frequencies, amplitudes = 6.9e9 + np.linspace(-5e6, 5e6, 7), np.linspace(0.01, 0.3, 7)
    swept = Readout.of(truth, frequencies, amplitudes, 384e-9)
    single = [Readout.of(truth, f, a, 384e-9) for f, a in zip(frequencies, amplitudes, strict=True)]
    assert swept.centres == pytest.approx(np.stack([each.centres for each in single]), abs=1e-14)
    assert swept.classes()[1] == pytest.approx(np.stack([each.classes()[1] for each in single]), abs=1e-14)


def neighbour(bare_hz: float) -> Resonator:
    return Resonator(qubit(id="4", frequency_hz=4.98e9, resonator=replace(RESONATOR, bare_hz=bare_hz)))


def test_a_tone_sees_the_line_of_every_resonator_on_its_cable() -> None:
    truth, other = qubit(), neighbour(6.97e9)
    line = line_frequencies(other.truth, 0.1)[0]
    around = line + np.linspace(-40e6, 40e6, 401)
    turned = np.unwrap(np.angle(Readout.of(truth, around, 0.1, 384e-9, others=[other]).centres[:, 0]))
    alone = np.unwrap(np.angle(Readout.of(truth, around, 0.1, 384e-9).centres[:, 0]))
    phase = turned - alone
    assert abs(phase[-1] - phase[0]) == pytest.approx(2 * math.pi, rel=0.05), "an overcoupled line turns once around"
    assert around[np.argmax(np.abs(np.gradient(phase)))] == pytest.approx(line, abs=0.2e6)


def test_the_tail_of_a_line_70_mhz_away_turns_the_readout_a_little_and_costs_no_contrast() -> None:
    """Far off, 1 - 2 kappa / (kappa + 2 i D) is 1 + i kappa / D."""
    alone = readout(qubit())
    beside = Readout.of(qubit(), design_readout_hz(qubit()), 0.1, 384e-9, others=[neighbour(6.97e9)])
    assert separation(beside) == pytest.approx(separation(alone), rel=1e-3)
    turned = np.angle(beside.centres[0] / alone.centres[0])
    line = line_frequencies(neighbour(6.97e9).truth, 0.1)[0]
    assert turned == pytest.approx(2e6 / (design_readout_hz(qubit()) - line), rel=0.05)


def test_too_strong_a_tone_is_cut_off_and_says_so() -> None:
    (weak,), (strong,) = digitised([readout(qubit())]), digitised([readout(qubit(), 0.0, 1.0)])
    assert (bool(weak.clipped), bool(strong.clipped)) == (False, True)
    assert np.abs(strong.centres).max() == pytest.approx(1.0)
    assert weak.centres == pytest.approx(readout(qubit()).centres)


def test_tones_that_fit_one_by_one_can_be_too_strong_together() -> None:
    tones = [readout(qubit(), 0.0, 0.2)] * 3
    assert not any(digitised([each])[0].clipped for each in tones)
    together = digitised(tones)
    assert all(each.clipped for each in together)
    assert sum(np.abs(each.centres).max() for each in together) == pytest.approx(1.0)


def test_four_tones_of_design_strength_fit() -> None:
    assert not any(each.clipped for each in digitised([readout(qubit())] * 4))


@pytest.mark.parametrize("away_hz", [3e6, 62.5e6, 70e6])
def test_a_channel_integrates_what_beats_too_slowly_to_average_out(away_hz: float) -> None:
    """The mean of exp(2 pi i D t) over the readout."""
    truth = qubit()
    one, other = Readout.of(truth, 6.9e9, 0.1, 384e-9), Readout.of(truth, 6.9e9 + away_hz, 0.1, 384e-9)
    times = (np.arange(20_000) + 0.5) / 20_000 * 384e-9
    expected = np.mean(np.exp(2j * math.pi * away_hz * times))
    assert leakage(of=other, into=one) == pytest.approx(expected, abs=1e-6)
    assert leakage(of=one, into=one) == 1.0
