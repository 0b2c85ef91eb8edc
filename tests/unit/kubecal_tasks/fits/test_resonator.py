"""Resonators in reflection: right values, honest errors, and nothing made of noise."""

from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits import FitError
from kubecal_tasks.fits.resonator import ResonatorFit, fit_resonator, fit_resonators
from kubecal_tasks.fits.resonator_checks import resonator_checks
from tests.unit.kubecal_tasks.fits.reflections import Array, Resonator, sample

FINE = 7.0e9 + np.arange(-10e6, 10.01e6, 0.2e6)
COARSE = 7.0e9 + np.arange(-24e6, 24.1e6, 2e6)


def _fits(f: Array, truth: Resonator, shots: int, seeds: int = 12, glitches: float = 0.0) -> tuple[ResonatorFit, ...]:
    rng = np.random.default_rng([shots, f.size])
    drawn = [sample(truth.reflection(f), shots, rng, glitches) for _ in range(seeds)]
    return fit_resonators(f, np.stack([d.iq for d in drawn]), np.stack([d.covariance for d in drawn]))


def _rejected(fit: ResonatorFit) -> set[str]:
    return {each.verdict for each in resonator_checks(fit) if not each.ok}


@pytest.mark.parametrize("f", [FINE, COARSE], ids=["fine", "coarser than the line"])
@pytest.mark.parametrize("shots", [100, 1000, 10_000])
@pytest.mark.parametrize("truth", [Resonator(), Resonator(frequency=7.0035e9, external=1.5e6, delay=90e-9, phase=4.0)])
def test_frequency_widths_and_delay_are_those_of_the_formula(f: Array, shots: int, truth: Resonator) -> None:
    for fit in _fits(f, truth, shots):
        assert not _rejected(fit)
        for found, right in (
            (fit.frequency, truth.frequency),
            (fit.kappa_external, truth.external),
            (fit.kappa_internal, truth.internal),
            (fit.delay, truth.delay),
        ):
            assert abs(found.value - right) < 4 * found.error
        assert fit.frequency.error < 0.06 * truth.external * max(1.0, np.sqrt(1000 / shots))


def test_errors_of_the_delay_are_as_large_as_its_scatter() -> None:
    truth = Resonator()
    pulls = [(fit.delay.value - truth.delay) / fit.delay.error for fit in _fits(FINE, truth, 1000, seeds=40)]
    assert 0.8 < np.std(pulls) < 1.25


def test_a_few_glitches_do_not_move_it() -> None:
    for fit in _fits(FINE, Resonator(), 1000, glitches=0.04):
        assert not _rejected(fit)
        assert abs(fit.frequency.value - 7.0e9) < 4 * fit.frequency.error


def test_mostly_garbage_is_a_poor_fit() -> None:
    assert all(_rejected(fit) == {"poor_fit"} for fit in _fits(FINE, Resonator(), 1000, glitches=0.3))


@pytest.mark.parametrize("level", [0.0, 1.0], ids=["nothing comes back", "a cable without a resonator"])
def test_noise_is_no_resonator(level: float) -> None:
    rng = np.random.default_rng(7)
    for _ in range(8):
        drawn = sample(level * Resonator().background(FINE), 300, rng)
        assert "no_signal" in _rejected(fit_resonator(FINE, drawn.iq, drawn.covariance))


def test_a_thermal_line_is_seen_where_there_are_shots_enough_and_told() -> None:
    truth = Resonator(shift=-5e6)
    drawn = sample(truth.reflection(FINE, excited=0.03), 20_000, np.random.default_rng(3))
    fit = fit_resonator(FINE, drawn.iq, drawn.covariance)
    assert fit.alternative == "thermal_line"
    assert fit.thermal_doubt == 0.0
    assert abs(fit.frequency.value - truth.frequency) < 4 * fit.frequency.error
    assert not _rejected(fit)


@pytest.mark.parametrize("external", [2.5e6, 3.9e6])
def test_a_thermal_line_within_the_width_of_the_other_is_no_poor_fit(external: float) -> None:
    truth = Resonator(frequency=7.0e9 - 2.6e6, external=external)
    rng = np.random.default_rng(11)
    drawn = [sample(truth.reflection(FINE, excited=0.01), 3000, rng) for _ in range(24)]
    fits = fit_resonators(FINE, np.stack([d.iq for d in drawn]), np.stack([d.covariance for d in drawn]))
    assert [_rejected(fit) for fit in fits if _rejected(fit)] == []
    assert max(abs(fit.frequency.value - truth.frequency) / fit.frequency.error for fit in fits) < 4.5


def test_a_line_outside_the_sweep_is_a_matter_of_the_window() -> None:
    beside = Resonator(frequency=7.0e9 + 13e6)
    assert all(_rejected(fit) == {"window"} for fit in _fits(FINE, beside, 3000))


def test_without_known_variances_values_stay_right() -> None:
    drawn = sample(Resonator().reflection(FINE), 1000, np.random.default_rng(5))
    fit = fit_resonator(FINE, drawn.iq)
    assert not _rejected(fit)
    assert abs(fit.frequency.value - 7.0e9) < 4 * fit.frequency.error


def test_points_over_the_background_lie_on_a_circle_through_one() -> None:
    fit = _fits(FINE, Resonator(internal=0.0), 100_000, seeds=1)[0]
    seen = fit.normalised(FINE, np.stack(tuple(fit.evidence.y), axis=-1))
    assert np.abs(seen) == pytest.approx(1.0, abs=0.03)


def test_data_of_another_shape_are_refused() -> None:
    with pytest.raises(FitError, match="IQ points"):
        fit_resonator(FINE, np.zeros((3, 2)))
