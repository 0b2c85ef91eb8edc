"""Lines against power: dressed, bare and where they change."""

from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits import FitError
from kubecal_tasks.fits.punch_out import LineTrack, fit_punch_out, follow_lines, punch_out_checks
from tests.unit.kubecal_tasks.fits.reflections import SHOT_SIGMA, Array, sample

BAND = np.arange(6.9e9, 7.1e9, 2e6)
POWERS = np.arange(-60.0, 1.0, 5.0)
AMPLITUDES = 10 ** (POWERS / 20)
BARE = (6.945e9, 7.021e9)
SHIFT, CRITICAL, WIDTH = 12e6, 0.3, 2.5e6


def tracks(shift: float = SHIFT, critical: float = CRITICAL, shots: int = 1000, seed: int = 1) -> tuple[LineTrack, ...]:
    """Of a map with two lines, whose level goes as the amplitude: 1 at 0.1."""
    rng = np.random.default_rng(seed)
    iq, covariance = [], []
    for amplitude in AMPLITUDES:
        signal = 10 * amplitude * np.exp(-2j * np.pi * (BAND - BAND[0]) * 50e-9)
        for bare in BARE:
            line = bare + shift / (1 + (amplitude / critical) ** 4)
            signal = signal * (1 - 2 * WIDTH / (1.02 * WIDTH + 2j * (BAND - line)))
        drawn = sample(signal, shots, rng)
        iq.append(drawn.iq)
        covariance.append(drawn.covariance)
    return follow_lines(BAND, AMPLITUDES, np.stack(iq), np.stack(covariance), 2)


def failed(track: LineTrack) -> set[str]:
    return {each.name for each in punch_out_checks(fit_punch_out(track)) if not each.ok}


@pytest.mark.parametrize("seed", range(4))
def test_dressed_bare_and_critical_amplitude_are_those_of_the_formula(seed: int) -> None:
    found = tracks(seed=seed)
    assert len(found) == 2
    for track, bare in zip(found, BARE, strict=True):
        fit = fit_punch_out(track)
        assert not failed(track)
        for measured, right in ((fit.bare, bare), (fit.dressed, bare + SHIFT), (fit.critical_amplitude, CRITICAL)):
            assert abs(measured.value - right) < 4 * measured.error
        assert fit.critical_amplitude.error < 0.01 * CRITICAL


def test_at_the_proposed_amplitude_two_per_cent_of_the_way_are_gone() -> None:
    fit = fit_punch_out(tracks()[0])
    gone = 1 - 1 / (1 + (fit.amplitude.value / fit.critical_amplitude.value) ** 4)
    assert gone == pytest.approx(0.02)
    assert fit.frequency.value == pytest.approx(BARE[0] + 0.98 * SHIFT, abs=4 * fit.frequency.error)
    assert fit.line(np.asarray([fit.amplitude.value]))[0] == pytest.approx(fit.frequency.value, abs=1.0)


def test_a_line_that_does_not_move_has_no_qubit() -> None:
    assert failed(tracks(shift=0.0)[0]) >= {"no_signal"}


def test_a_line_that_is_never_bare_is_a_matter_of_the_window() -> None:
    assert "window" in failed(tracks(critical=1.5)[0])


def test_noise_makes_no_lines() -> None:
    rng = np.random.default_rng(3)
    covariance: Array = np.broadcast_to(SHOT_SIGMA**2 / 1000 * np.eye(2), (POWERS.size, BAND.size, 2, 2))
    for _ in range(5):
        iq = SHOT_SIGMA / np.sqrt(1000) * rng.standard_normal((POWERS.size, BAND.size, 2))
        assert not follow_lines(BAND, AMPLITUDES, iq, covariance, 2)


def test_too_few_powers_are_refused() -> None:
    track = tracks()[0]
    with pytest.raises(FitError, match="5 are needed"):
        fit_punch_out(LineTrack(track.amplitudes[:3], track.fits[:3]))
