"""The difference of |0> and |1> against readout frequency."""

from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits.separation import SeparationFit, fit_separation, fit_separations, separation_checks, spikes
from tests.unit.kubecal_tasks.fits.reflections import Array, Resonator, sample

F = 7.0e9 + np.linspace(-5e6, 5e6, 21)


def fits(truth: Resonator, shots: int, f: Array = F, seeds: int = 6, glitches: float = 0.0) -> list[SeparationFit]:
    rng = np.random.default_rng([shots, round(-truth.shift)])
    found = []
    for _ in range(seeds):
        states = [sample(truth.reflection(f, excited), shots, rng, glitches / 2) for excited in (0.02, 0.94)]
        difference, covariance = states[1].iq - states[0].iq, states[1].covariance + states[0].covariance
        found.append(fit_separation(f, difference, covariance))
    return found


def rejected(fit: SeparationFit) -> set[str]:
    return {each.verdict for each in separation_checks(fit) if not each.ok}


@pytest.mark.parametrize("shift", [-1.3e6, -2.6e6, -5e6], ids=["half a width", "a width", "two widths"])
@pytest.mark.parametrize("shots", [100, 1000, 10_000])
def test_the_middle_the_width_and_the_distance_are_those_of_the_formula(shift: float, shots: int) -> None:
    truth = Resonator(frequency=7.0e9 - shift / 2 + 0.3e6, shift=shift)
    for fit in fits(truth, shots):
        assert not rejected(fit)
        for found, right in (
            (fit.middle, 7.0003e9),
            (fit.kappa, truth.external + truth.internal),
            (fit.half_distance, -shift / 2),
        ):
            assert abs(found.value - right) < 4.5 * found.error


def test_errors_of_the_middle_are_as_large_as_its_scatter() -> None:
    pulls = [(f.middle.value - 7.0e9 + 1.5e6) / f.middle.error for f in fits(Resonator(), 1000, seeds=30)]
    assert 0.75 < np.std(pulls) < 1.3


def test_the_largest_separation_is_beside_the_middle_where_the_lines_are_far_apart() -> None:
    near, far = (fits(Resonator(frequency=7e9 - s / 2, shift=s), 10_000, seeds=1)[0] for s in (-1.3e6, -5.2e6))
    for fit in (near, far):
        fine = np.linspace(F[0], F[-1], 2001)
        assert fit.largest() == pytest.approx(fit.separation(fine).max(), rel=2e-3)
    at_middle = far.separation(np.asarray([far.middle.value]))[0]
    assert at_middle < 0.9 * far.largest()


def test_glitches_are_left_out() -> None:
    for fit in fits(Resonator(), 1000, f=7e9 + np.linspace(-5e6, 5e6, 51), glitches=0.04):
        assert not rejected(fit)
        assert abs(fit.middle.value - 7.0e9 + 1.5e6) < 4.5 * fit.middle.error


def test_states_that_look_alike_are_no_signal() -> None:
    rng = np.random.default_rng(1)
    drawn = [sample(np.zeros(F.size, dtype=complex), 1000, rng) for _ in range(40)]
    found = fit_separations(F, np.stack([d.iq for d in drawn]), np.stack([d.covariance for d in drawn]))
    assert all("no_signal" in rejected(fit) for fit in found)


def test_a_readout_point_outside_the_sweep_is_a_matter_of_the_window() -> None:
    beside = Resonator(frequency=7.0e9 + 9e6, shift=-2.5e6)
    assert all(rejected(fit) == {"window"} for fit in fits(beside, 3000))


@pytest.mark.parametrize("place", [0, 1, 2, 10, 18, 19, 20])
def test_a_point_that_stands_out_is_found_wherever_it_is_and_no_other(place: int) -> None:
    """At an end it has only one neighbour, which looks bad too."""
    rng = np.random.default_rng(place)
    x = np.linspace(-1, 1, 21)
    points = np.stack([1 / (1 + (3 * x) ** 2), x / (1 + (3 * x) ** 2)], axis=-1) + rng.normal(0, 0.01, (21, 2))
    points[place] = 2.0, -1.5
    assert np.flatnonzero(spikes(points[None])[0]).tolist() == [place]
