from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kubecal_tasks.fits import FitError
from kubecal_tasks.fits.hamiltonian import HamiltonianFit, fit_hamiltonian, hamiltonian_checks
from tests.unit.kubecal_tasks.fits.judged import failed, pulls, verdicts
from tests.unit.kubecal_tasks.fits.synthetic import Array, sample

TIMES = np.linspace(0, 1e-6, 51)
IX, IY, IZ = 0.4e6, -0.2e6, 0.07e6
ZX, ZY, ZZ = 0.9e6, 0.5e6, -0.06e6
TRUTH = {"IX": IX, "IY": IY, "IZ": IZ, "ZX": ZX, "ZY": ZY, "ZZ": ZZ}


def turned(w_hz: Array, damping: float = 1 / 20e-6, start: tuple[float, float, float] = (0, 0, 1)) -> Array:
    """(3, N) P(1) along X, Y, Z of a vector that turns about w."""
    turns = Rotation.from_rotvec(2 * np.pi * TIMES[:, None] * w_hz)
    vector = turns.apply(np.asarray(start)) * np.exp(-damping * TIMES)[:, None]
    return np.asarray((1 - vector.T) / 2)


@dataclass(frozen=True)
class Drawn:
    y: Array
    variance: Array
    references: Array
    reference_variance: Array

    def fit(self) -> HamiltonianFit:
        return fit_hamiltonian(TIMES, self.y, self.variance, self.references, self.reference_variance)


def draw(terms: dict[str, float], shots: int, rng: np.random.Generator, glitches: float = 0.0) -> Drawn:
    local = np.asarray([terms[f"I{axis}"] for axis in "XYZ"])
    coupled = np.asarray([terms[f"Z{axis}"] for axis in "XYZ"])
    signals = sample(np.stack([turned(local + coupled), turned(local - coupled)]), shots, rng, glitches)
    references = sample(np.tile([0.0, 1.0], (3, 1)), shots, rng)
    return Drawn(signals.y, signals.variance, references.y, references.variance)


@pytest.mark.parametrize("shots", [500, 2048])
def test_all_six_terms_are_found_with_honest_errors(shots: int) -> None:
    rng = np.random.default_rng(shots)
    fits = [draw(TRUTH, shots, rng).fit() for _ in range(8)]
    found = np.concatenate(
        [pulls([fit.term(name) for fit in fits], np.asarray(value)) for name, value in TRUTH.items()]
    )
    assert np.abs(found).max() < 4.5
    assert 0.75 < np.std(found) < 1.25
    assert max(fit.term("ZX").error for fit in fits) < 10e3
    assert not any(failed(hamiltonian_checks(fit)) for fit in fits)


@pytest.mark.parametrize("ix", [-3e6, -0.9e6, 0.0, 0.9e6, 6e6])
def test_whatever_crosstalk_adds_there_is_no_guess_that_could_be_wrong(ix: float) -> None:
    """Where IX equals ZX the target stands still for one state of the control."""
    terms = {"IX": ix, "IY": 0.0, "IZ": 0.0, "ZX": 0.9e6, "ZY": 0.0, "ZZ": 0.0}
    fit = draw(terms, 2048, np.random.default_rng(4)).fit()
    for name in ("IX", "IY", "ZX", "ZY"):
        assert abs(fit.term(name).value - terms[name]) < max(4.5 * fit.term(name).error, 1e3), name
    assert fit.term("ZX").error < 20e3


def test_glitches_are_left_out() -> None:
    rng = np.random.default_rng(5)
    fits = [draw(TRUTH, 2048, rng, glitches=0.04).fit() for _ in range(8)]
    assert max(abs(fit.term("ZX").value - ZX) / ZX for fit in fits) < 0.05
    assert not any(failed(hamiltonian_checks(fit)) for fit in fits)


def test_a_target_that_does_not_turn_is_no_signal() -> None:
    rng = np.random.default_rng(6)
    still = draw(dict.fromkeys(TRUTH, 0.0), 2048, rng).fit()
    assert "no_signal" in verdicts(hamiltonian_checks(still))


def test_pure_noise_is_no_signal_every_time() -> None:
    rng = np.random.default_rng(7)
    for _ in range(10):
        y = rng.normal(0, 0.01, (2, 3, TIMES.size))
        variance, own = np.full_like(y, 1e-4), np.full((3, 2), 1e-4)
        fit = fit_hamiltonian(TIMES, y, variance, rng.normal(0, 0.01, (3, 2)), own)
        assert {"no_signal"} <= verdicts(hamiltonian_checks(fit))


def test_a_start_beside_the_pole_is_seen_as_its_tilt() -> None:
    start = (0.1, -0.05, np.sqrt(1 - 0.1**2 - 0.05**2))
    y = np.stack([turned(np.asarray([sign * 1e6, 0, 0]), start=start) for sign in (1, -1)])
    references = np.tile([0.0, 1.0], (3, 1))
    fit = fit_hamiltonian(TIMES, y, np.full_like(y, 1e-4), references, np.full((3, 2), 1e-4))
    for rotation in fit.rotations:
        assert rotation.tilt[0].value == pytest.approx(0.1 / start[2], abs=1e-4)
        assert rotation.tilt[1].value == pytest.approx(-0.05 / start[2], abs=1e-4)


def test_turning_faster_than_the_spacing_resolves_is_a_wrong_window() -> None:
    terms = TRUTH | {"IX": 23e6}
    assert "aliased |0>" in failed(hamiltonian_checks(draw(terms, 2048, np.random.default_rng(8)).fit()))


def test_shapes_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(FitError, match="for 51 times"):
        fit_hamiltonian(TIMES, np.zeros((2, 2, 51)), np.zeros((2, 2, 51)), np.zeros((3, 2)), np.zeros((3, 2)))
