from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from kubecal_tasks.fits import DecayFit, fit_decay
from kubecal_tasks.fits.checks import decay_checks
from kubecal_tasks.fits.values import Measured
from tests.unit.kubecal_tasks.fits.judged import failed
from tests.unit.kubecal_tasks.fits.synthetic import sample

T = np.geomspace(0.1, 500, 51)


def good() -> DecayFit:
    drawn = sample(np.exp(-T / 30), 1000, np.random.default_rng(1))
    return fit_decay(T, drawn.y, drawn.variance)


def test_every_check_tells_its_value_its_limit_and_when_it_fails_what_to_do() -> None:
    fit = good()
    drawn = sample(np.full(51, 0.5), 1000, np.random.default_rng(1))
    for found in (*decay_checks(fit), *decay_checks(fit_decay(T, drawn.y, drawn.variance))):
        assert math.isfinite(found.value)
        assert math.isfinite(found.limit)
        assert bool(found.message) is not found.ok


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"delta_chi2": 5.0}, "no_signal"),
        ({"delta_chi2": math.nan}, "no_signal"),
        ({"chi2": 200.0, "dof": 48}, "poor_fit"),
        ({"chi2": math.nan}, "poor_fit"),
        ({"p_value": 1e-6, "sigma_known": False}, "poor_fit"),
        ({"p_value": math.nan, "sigma_known": False}, "poor_fit"),
        ({"clipped_fraction": 0.2}, "glitches"),
        ({"clipped_fraction": math.nan}, "glitches"),
    ],
)
def test_bad_statistics_fail_and_numbers_that_are_none_never_pass(changes: dict[str, float], name: str) -> None:
    fit = good()
    statistics = dataclasses.replace(fit.statistics, **changes)  # type: ignore[arg-type]
    spoiled = dataclasses.replace(fit, evidence=dataclasses.replace(fit.evidence, statistics=statistics))
    assert failed(decay_checks(spoiled)) == {name}


@pytest.mark.parametrize(
    ("tau", "names"),
    [
        (30.0, set()),
        (747.0, set()),
        (751.0, {"window"}),
        (0.09, {"window_start"}),
        (math.nan, {"window", "window_start"}),
    ],
)
def test_a_decay_has_to_lie_within_one_and_a_half_windows_by_two_sigmas(tau: float, names: set[str]) -> None:
    fit = dataclasses.replace(good(), tau=Measured(tau, 1.0))
    assert failed(decay_checks(fit)) == names


def test_chi2_just_above_one_is_tolerated_however_many_points_prove_it() -> None:
    fit = good()
    statistics = dataclasses.replace(fit.statistics, chi2=14_000.0, dof=10_000)
    spoiled = dataclasses.replace(fit, evidence=dataclasses.replace(fit.evidence, statistics=statistics))
    assert not failed(decay_checks(spoiled))
