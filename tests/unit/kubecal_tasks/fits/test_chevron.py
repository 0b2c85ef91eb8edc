from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits.chevron import (
    UNRELAXED,
    ChevronFit,
    chevron_checks,
    excitation,
    fit_chevron,
    fit_chevrons,
    scan_checks,
)
from kubecal_tasks.fits.values import FitError
from tests.unit.kubecal_tasks.fits.judged import failed, pulls, verdicts
from tests.unit.kubecal_tasks.fits.synthetic import HIGH, LOW, Array, sample

NARROW = np.linspace(-10e6, 10e6, 21), np.linspace(0, 400e-9, 26)
WIDE = np.linspace(-40e6, 40e6, 41), np.linspace(0, 400e-9, 51)
SCAN = np.linspace(-50e6, 50e6, 41), np.asarray([60e-9, 100e-9, 170e-9])
QUBITS = 5


def drawn(axes: tuple[Array, Array], centre: Array, rate: Array) -> Array:
    detuning, time = axes
    return np.stack([excitation(detuning[:, None] - c, time, r, 1 / 30e-6) for c, r in zip(centre, rate, strict=True)])


def fitted(
    axes: tuple[Array, Array], population: Array, shots: int, seed: int, glitches: float = 0.0
) -> list[ChevronFit]:
    data = sample(population, shots, np.random.default_rng(seed), glitches)
    return list(fit_chevrons(*axes, data.y, data.variance))


def test_the_formula_is_that_of_a_detuned_rabi_oscillation() -> None:
    detuning, time = np.asarray([0.0, 9e6]), np.asarray([20e-9, 40e-9])
    found = excitation(detuning[:, None], time, 12e6, 0.0)
    assert found[0] == pytest.approx(np.sin(np.pi * 12e6 * time) ** 2)
    assert found[1] == pytest.approx(144 / 225 * np.sin(np.pi * 15e6 * time) ** 2)


@pytest.mark.parametrize(("shots", "glitches"), [(100, 0.0), (1000, 0.0), (1000, 0.04)])
@pytest.mark.parametrize("axes", [NARROW, SCAN], ids=["chevron", "scan with three durations"])
def test_resonance_and_rate_are_found_with_honest_errors(
    axes: tuple[Array, Array], shots: int, glitches: float
) -> None:
    rng = np.random.default_rng([shots, round(100 * glitches)])
    centre, rate = rng.uniform(-0.5, 0.5, QUBITS) * axes[0].max(), rng.uniform(7e6, 20e6, QUBITS)
    fits = fitted(axes, drawn(axes, centre, rate), shots, 1, glitches)
    for measured, truth in (([f.centre for f in fits], centre), ([f.rabi_rate for f in fits], rate)):
        assert np.abs(pulls(measured, truth)).max() < 4.0
        assert 0.35 < np.sqrt(np.mean(pulls(measured, truth) ** 2)) < 1.9
    assert not any(failed(scan_checks(f)) for f in fits)


def test_a_large_map_is_searched_with_a_part_of_it_and_fitted_with_all() -> None:
    centre, rate = np.asarray([-17e6, 22e6]), np.asarray([6e6, 18e6])
    for f, c, r in zip(fitted(WIDE, drawn(WIDE, centre, rate), 1000, 2), centre, rate, strict=True):
        assert f.centre.value == pytest.approx(c, abs=4.5 * f.centre.error)
        assert f.rabi_rate.value == pytest.approx(r, abs=4.5 * f.rabi_rate.error)
        assert f.centre.error < 10e3
        assert (f.ground.value, f.excited.value) == pytest.approx((LOW, HIGH), abs=0.02)
        assert f.model(WIDE[0], WIDE[1]) == pytest.approx(f.image(f.evidence.curve(f.x)))


def test_noise_is_no_signal_even_where_a_few_glitches_invite_a_fit() -> None:
    for axes in (NARROW, SCAN):
        for glitches in (0.0, 0.04):
            for f in fitted(axes, np.zeros((QUBITS, axes[0].size, axes[1].size)), 1000, 3, glitches):
                assert failed(chevron_checks(f))
                assert glitches or "no_signal" in verdicts(scan_checks(f))


@pytest.mark.parametrize(
    ("centre", "rate", "check"), [(13e6, 12e6, "window"), (0.0, 0.6e6, "slow"), (0.0, 29e6, "aliased")]
)
def test_what_the_range_cannot_hold_is_a_window(centre: float, rate: float, check: str) -> None:
    (f,) = fitted(NARROW, drawn(NARROW, np.asarray([centre]), np.asarray([rate])), 1000, 4)
    assert check in failed(chevron_checks(f))
    assert verdicts(chevron_checks(f)) == {"window"}


def test_shots_that_start_unrelaxed_are_named_and_leave_resonance_and_rate() -> None:
    clean = drawn(NARROW, np.asarray([2e6]), np.asarray([12e6]))
    (f,) = fitted(NARROW, clean / (1 - 0.15 * (1 - 2 * clean)), 4000, 5)
    assert f.alternative == UNRELAXED
    assert f.carried == pytest.approx(0.15, abs=0.03)
    assert f.centre.value == pytest.approx(2e6, abs=4.5 * f.centre.error)
    assert f.rabi_rate.value == pytest.approx(12e6, abs=4.5 * f.rabi_rate.error)
    assert not failed(chevron_checks(f))


def test_without_variances_the_noise_is_that_of_the_residuals() -> None:
    data = sample(drawn(NARROW, np.asarray([3e6]), np.asarray([12e6])), 1000, np.random.default_rng(6))
    f = fit_chevron(*NARROW, data.y[0])
    assert f.centre.value == pytest.approx(3e6, abs=5 * f.centre.error)
    assert not failed(chevron_checks(f))


def test_data_of_another_shape_are_refused() -> None:
    with pytest.raises(FitError, match="are no chevron of 21 detunings by 26 durations"):
        fit_chevrons(*NARROW, np.zeros((1, 26, 21)))
