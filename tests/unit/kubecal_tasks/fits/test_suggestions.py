from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits import fit_amplitude, fit_decay, fit_oscillation
from kubecal_tasks.fits.suggestions import (
    Sweep,
    amplitude_window,
    decay_window,
    more_shots,
    oscillation_window,
    stronger_signal,
    sweep_of,
)


def test_sweeps_are_recognised_by_their_spacing() -> None:
    assert sweep_of(np.linspace(0, 10, 11)) == Sweep(0.0, 10.0, 11, "linear")
    assert sweep_of(np.linspace(1, 10, 10)).scale == "linear"
    assert sweep_of(np.geomspace(0.1, 500, 51)).scale == "log"


@pytest.mark.parametrize(
    ("error", "wanted", "most", "shots"),
    [(0.2, 0.1, 10**6, 5200), (0.2, 0.1, 3000, 3000), (0.1, 0.2, 10**6, None), (0.2, 0.1, 1000, None)],
)
def test_shots_follow_the_square_law_within_the_limit(
    error: float, wanted: float, most: int, shots: int | None
) -> None:
    found = more_shots(1000, error, wanted, most)
    assert (found.shots if found else None) == shots


def test_no_error_at_all_suggests_nothing() -> None:
    assert more_shots(1000, float("nan"), 0.1, 10**6) is None
    assert more_shots(1000, float("inf"), 0.1, 10**6) is None


def test_a_decay_longer_than_its_window_asks_for_five_decay_times_and_no_more_than_allowed() -> None:
    t = np.geomspace(0.1e-6, 20e-6, 51)
    fit = fit_decay(t, np.exp(-t / 30e-6))
    found = decay_window(fit, 1e-9, 1.0)
    assert found is not None
    assert found.sweep is not None
    assert found.sweep.stop == pytest.approx(150e-6, rel=0.01)
    assert found.sweep.scale == "log"
    limited = decay_window(fit, 1e-9, 100e-6)
    assert limited is not None
    assert limited.sweep is not None
    assert limited.sweep.stop == pytest.approx(100e-6)
    assert decay_window(fit, 1e-9, 20e-6) is None


def test_less_than_half_a_period_asks_for_a_longer_sweep_and_aliasing_for_a_finer_one() -> None:
    t = np.arange(0, 401e-9, 8e-9)
    slow = oscillation_window(fit_oscillation(t, -np.cos(2 * np.pi * 1e6 * t)), 1.0, 1001)
    assert slow is not None
    assert slow.sweep is not None
    assert slow.sweep.stop == pytest.approx(3.2e-6)
    fast = oscillation_window(fit_oscillation(t, -np.cos(2 * np.pi * 55e6 * t)), 1.0, 1001)
    assert fast is not None
    assert fast.sweep == Sweep(0.0, pytest.approx(400e-9), 101, "linear")


def test_a_pi_amplitude_beyond_the_sweep_asks_for_it_within_full_scale() -> None:
    a = np.linspace(0, 0.3, 31)
    fit = fit_amplitude(a, np.sin(np.pi * a / 2 / 0.5) ** 2)
    found = amplitude_window(fit, 0.7)
    assert found is not None
    assert found.sweep == Sweep(0.0, 0.7, 31, "linear")
    assert amplitude_window(fit, 0.3) is None


def test_nothing_seen_asks_for_range_and_shots_as_far_as_allowed() -> None:
    t = np.linspace(0, 1e-6, 11)
    found = stronger_signal(t, 1000, 1.5e-6, 2000)
    assert found is not None
    assert (found.sweep, found.shots) == (Sweep(0.0, 1.5e-6, 11, "linear"), 2000)
    assert stronger_signal(t, 1000, 1e-6, 1000) is None
