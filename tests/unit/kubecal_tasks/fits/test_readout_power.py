"""The separation of |0> and |1> against the amplitude of the tone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from kubecal_tasks.fits import FitError
from kubecal_tasks.fits.readout_power import SHARE, ReadoutPowerFit, fit_readout_power, readout_power_checks
from tests.unit.kubecal_tasks.fits.reflections import Array, Complex, sample

AMPLITUDES = np.linspace(0.01, 0.25, 25)


@dataclass(frozen=True)
class Punched:
    """Two lines that a strong tone takes from dressed to bare, Hz; the level is 10 times the amplitude."""

    critical: float = 0.28
    shift: float = 12e6
    chi: float = -1.3e6
    kappa: float = 2.4e6
    detuning: float = 0.2e6

    def difference(self, a: Array) -> Complex:
        """(n,) of what comes back of |1> and of |0>."""
        left = 1 / (1 + (a / self.critical) ** 4)
        tone = self.shift + self.detuning
        lines = [self.shift * left + sign * self.chi * left for sign in (-1, 1)]
        states = [1 - 2 * self.kappa / (self.kappa + 2j * (tone - line)) for line in lines]
        return np.asarray(10 * a * (states[1] - states[0]))

    def risen(self, reach: float = 0.25) -> float:
        """Where it has risen to so much of its largest."""
        fine = np.linspace(0.01, reach, 20_000)
        size = np.abs(self.difference(fine))
        return float(fine[np.argmax(size >= SHARE * size.max())])


def fits(truth: Punched, shots: int, a: Array = AMPLITUDES, glitches: float = 0.0) -> list[ReadoutPowerFit]:
    rng = np.random.default_rng([shots, a.size])
    drawn = [sample(truth.difference(a), shots, rng, glitches) for _ in range(8)]
    return [fit_readout_power(a, each.iq, each.covariance) for each in drawn]


def rejected(fit: ReadoutPowerFit) -> set[str]:
    return {each.verdict for each in readout_power_checks(fit) if not each.ok}


@pytest.mark.parametrize("truth", [Punched(), Punched(0.2, 20e6, -0.8e6, 3e6, -0.3e6), Punched(0.3, 9e6, -2e6, 2e6)])
@pytest.mark.parametrize("shots", [100, 1000])
def test_the_amplitude_is_where_the_separation_has_risen(truth: Punched, shots: int) -> None:
    for fit in fits(truth, shots):
        assert not rejected(fit)
        assert abs(fit.amplitude.value - truth.risen()) < 4.5 * fit.amplitude.error
        assert fit.amplitude.value < fit.peak_amplitude


def test_a_few_glitches_do_not_move_it() -> None:
    for fit in fits(Punched(), 1000, a=np.linspace(0.01, 0.25, 51), glitches=0.04):
        assert not rejected(fit)
        assert fit.amplitude.value == pytest.approx(Punched().risen(), rel=0.05)


def test_a_sweep_that_ends_before_it_falls_is_a_matter_of_the_window() -> None:
    assert all("window" in rejected(fit) for fit in fits(Punched(), 1000, a=np.linspace(0.01, 0.1, 25)))


def test_a_sweep_in_which_the_separation_only_rises_is_never_right_wherever_noise_puts_a_peak() -> None:
    for end in (0.0125, 0.05):
        assert all(
            rejected(fit) & {"window", "no_signal"} for fit in fits(Punched(), 100, a=np.linspace(5e-4, end, 25))
        )


def test_noise_is_no_separation() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        drawn = sample(np.zeros(AMPLITUDES.size, dtype=complex), 1000, rng)
        assert "no_signal" in rejected(fit_readout_power(AMPLITUDES, drawn.iq, drawn.covariance))


def test_amplitude_zero_is_refused() -> None:
    with pytest.raises(FitError, match="amplitude 0 reads nothing"):
        fit_readout_power(np.asarray([0.0, 0.1]), np.zeros((2, 2)), np.ones((2, 2, 2)))
