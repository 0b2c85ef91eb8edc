from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits.lines import LineFound, find_line, line_check
from kubecal_tasks.fits.values import FitError
from tests.unit.kubecal_tasks.fits.synthetic import Array

FREQUENCIES = np.arange(4.5e9, 5.5e9, 5e6)
SIGMA = 0.02


def scanned(population: Array, seed: int, glitches: float = 0.0) -> LineFound:
    """Two repetitions of a scan whose |0> and |1> lie somewhere in the IQ plane."""
    rng = np.random.default_rng(seed)
    iq = np.asarray([0.2, -0.1]) + population[:, None, None] * np.asarray([-0.3, 0.2])
    iq = iq + SIGMA * rng.normal(size=(FREQUENCIES.size, 2, 2))
    iq[rng.random(iq.shape[:2]) < glitches] = 0.9
    covariance = np.broadcast_to(SIGMA**2 * np.eye(2), (*iq.shape, 2))
    return find_line(FREQUENCIES, iq, covariance)


def lorentzian(centre: float, width: float = 16e6) -> Array:
    return np.asarray(0.5 / (1 + (2 * (FREQUENCIES - centre) / width) ** 2))


@pytest.mark.parametrize("glitches", [0.0, 0.04])
def test_a_line_is_found_wherever_it_is(glitches: float) -> None:
    for seed, centre in enumerate(np.linspace(4.51e9, 5.48e9, 40)):
        line = scanned(lorentzian(float(centre)), seed, glitches)
        assert line.found
        assert line.at == pytest.approx(centre, abs=8e6)


@pytest.mark.parametrize("glitches", [0.0, 0.04])
def test_noise_is_no_line(glitches: float) -> None:
    for seed in range(60):
        line = scanned(np.zeros(FREQUENCIES.size), seed, glitches)
        finding = line_check(line, "in the band")
        assert (finding.ok, finding.verdict) == (False, "no_signal")
        assert "no line in the band" in finding.message


def test_of_two_lines_the_stronger_one_counts() -> None:
    line = scanned(lorentzian(4.8e9) + 0.4 * lorentzian(5.1e9), 1)
    assert line.at == pytest.approx(4.8e9, abs=8e6)


def test_what_is_no_scan_is_refused() -> None:
    with pytest.raises(FitError, match="scan at least 5"):
        find_line(FREQUENCIES[:3], np.zeros((3, 2, 2)), np.zeros((3, 2, 2, 2)))
    with pytest.raises(FitError, match="are numbers"):
        find_line(FREQUENCIES, np.full((FREQUENCIES.size, 2, 2), np.nan), np.zeros((FREQUENCIES.size, 2, 2, 2)))
    with pytest.raises(FitError, match="claim no noise"):
        find_line(FREQUENCIES, np.zeros((FREQUENCIES.size, 2, 2)), np.zeros((FREQUENCIES.size, 2, 2, 2)))
