"""Both lines of a resonator fitted together."""

from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits import FitError
from kubecal_tasks.fits.dispersive import DispersiveFit, dispersive_checks, fit_dispersive
from tests.unit.kubecal_tasks.fits.reflections import Resonator, sample

F = 7.0e9 + np.linspace(-5e6, 5e6, 101)


def fits(
    truth: Resonator, shots: int, seeds: int = 5, glitches: float = 0.0, excited: tuple[float, float] = (0.02, 0.94)
) -> list[DispersiveFit]:
    rng = np.random.default_rng([shots, round(abs(truth.shift))])
    found = []
    for _ in range(seeds):
        states = [sample(truth.reflection(F, share), shots, rng, glitches) for share in excited]
        found.append(fit_dispersive(F, np.stack([s.iq for s in states]), np.stack([s.covariance for s in states])))
    return found


def rejected(fit: DispersiveFit) -> set[str]:
    return {each.verdict for each in dispersive_checks(fit) if not each.ok}


@pytest.mark.parametrize("shift", [-1.3e6, -3e6, -5e6, 2e6])
@pytest.mark.parametrize("shots", [200, 2000])
def test_chi_has_its_sign_and_both_lines_their_places_however_they_are_mixed(shift: float, shots: int) -> None:
    truth = Resonator(frequency=7.0e9 - shift / 2, shift=shift)
    for fit in (*fits(truth, shots), *fits(truth, shots, seeds=2, excited=(0.05, 0.8))):
        assert not rejected(fit)
        for found, right in (
            (fit.chi, shift / 2),
            (fit.middle, 7.0e9),
            (fit.ground, truth.frequency),
            (fit.excited, truth.frequency + shift),
            (fit.kappa, truth.external + truth.internal),
        ):
            assert abs(found.value - right) < 4.5 * found.error
        assert fit.chi.error < 0.03 * abs(shift)


def test_glitches_are_left_out() -> None:
    for fit in fits(Resonator(frequency=7.0015e9), 2000, glitches=0.04):
        assert not rejected(fit)
        assert abs(fit.chi.value + 1.5e6) < 4.5 * fit.chi.error


def test_a_qubit_that_is_not_excited_has_no_shift() -> None:
    for fit in fits(Resonator(frequency=7.0015e9), 2000, excited=(0.02, 0.02)):
        assert "no_signal" in rejected(fit)


def test_noise_has_no_shift() -> None:
    rng = np.random.default_rng(1)
    for _ in range(8):
        drawn = sample(np.zeros((2, F.size), dtype=complex), 1000, rng)
        assert "no_signal" in rejected(fit_dispersive(F, drawn.iq, drawn.covariance))


def test_one_sweep_alone_is_refused() -> None:
    with pytest.raises(FitError, match=r"of \|0> and of \|1>"):
        fit_dispersive(F, np.zeros((F.size, 2)))
