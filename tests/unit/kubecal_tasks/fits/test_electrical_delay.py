"""The delay of a cable with a resonator, and others beyond the sweep."""

from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits.electrical_delay import delay_checks, fit_delay
from tests.unit.kubecal_tasks.fits.reflections import Complex, Resonator, sample

F = 7.0e9 + np.linspace(-50e6, 50e6, 101)


def cable(delay: float, resonance: float = 7.0e9, neighbours: tuple[float, ...] = ()) -> Complex:
    signal = Resonator(frequency=resonance, delay=delay).reflection(F)
    for away in neighbours:
        signal = signal * (1 - 2 * 2.5e6 / (2.55e6 + 2j * (F - resonance - away)))
    return np.asarray(signal)


def rejected(signal: Complex, shots: int, seed: int, glitches: float = 0.0) -> tuple[float, float, set[str]]:
    drawn = sample(signal, shots, np.random.default_rng(seed), glitches)
    fit = fit_delay(F, drawn.iq, drawn.covariance)
    return fit.delay.value, fit.delay.error, {each.verdict for each in delay_checks(fit) if not each.ok}


@pytest.mark.parametrize("delay", [20e-9, 120e-9])
@pytest.mark.parametrize("shots", [100, 1000])
def test_the_delay_is_that_of_the_formula(delay: float, shots: int) -> None:
    for seed in range(2):
        value, error, failed = rejected(cable(delay, 7.0e9 + 1e6 * seed), shots, seed)
        assert not failed
        assert abs(value - delay) < 4 * error


@pytest.mark.parametrize("neighbours", [(70e6,), (-65e6, 70e6), (60e6, 130e6, 200e6)])
def test_neighbours_beyond_the_sweep_make_no_more_than_the_error_says(neighbours: tuple[float, ...]) -> None:
    for seed in range(2):
        value, error, failed = rejected(cable(50e-9, neighbours=neighbours), 1000, seed)
        assert not failed
        assert abs(value - 50e-9) < 3 * error
        assert error < 0.5e-9


def test_a_few_glitches_do_not_move_it() -> None:
    for seed in range(2):
        value, error, failed = rejected(cable(50e-9), 1000, seed, glitches=0.04)
        assert not failed
        assert abs(value - 50e-9) < 3 * error


def test_where_nothing_comes_back_there_is_no_delay() -> None:
    for seed in range(4):
        assert "no_signal" in rejected(0 * cable(50e-9), 300, seed)[2]
