"""Two blobs of single shots, and the classifier between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import ndtr

from kubecal_tasks.fits import FitError
from kubecal_tasks.fits.mixture import MixtureFit, fit_mixture, mixture_checks
from kubecal_tasks.fits.values import Array
from tests.unit.kubecal_tasks.fits.judged import failed, verdicts


@dataclass(frozen=True)
class Chip:
    """A readout, and how well its states are prepared."""

    ground: complex = 0.2 - 0.1j
    excited: complex = -0.1 + 0.25j
    snr: float = 5.0
    wrong: tuple[float, float] = (0.02, 0.04)
    rate: float = 0.02

    @property
    def sigma(self) -> float:
        return abs(self.excited - self.ground) / self.snr

    @property
    def angle(self) -> float:
        return float(np.angle(self.excited - self.ground))

    def shots(self, number: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """physics.md, IQ blobs: a shot of |1> decays at a random time while it is read."""
        drawn = []
        for state in (0, 1):
            is_one = rng.random(number) < (self.wrong[0] if state == 0 else 1 - self.wrong[1])
            lasted = np.minimum(rng.exponential(1 / self.rate, number), 1.0) if self.rate else np.ones(number)
            centre = self.ground + (self.excited - self.ground) * np.where(is_one, lasted, 0.0)
            noise = self.sigma * rng.normal(size=(number, 2))
            drawn.append(np.stack([centre.real, centre.imag], axis=-1) + noise)
        return drawn[0], drawn[1]

    def correct(self, fit: MixtureFit) -> tuple[float, float]:
        """P(assigned | prepared) with the fit's classifier, by an integral over the time of decay."""
        turn = np.exp(-1j * fit.angle.value)
        times = (np.arange(2000) + 0.5) / 2000
        decayed = self.rate * np.exp(-self.rate * times) / 2000

        def above(centre: complex | Array) -> Array:
            return np.asarray(ndtr(((np.asarray(centre) * turn).real - fit.threshold.value) / self.sigma))

        zero = float(above(self.ground))
        tail = float(decayed @ above(self.ground + (self.excited - self.ground) * times))
        one = float(np.exp(-self.rate) * above(self.excited)) + tail
        a, b = self.wrong
        return 1 - ((1 - a) * zero + a * one), (1 - b) * one + b * zero


def found(fit: MixtureFit, chip: Chip) -> dict[str, tuple[float, float, float]]:
    """Value, error and truth."""
    zero, one = chip.correct(fit)
    values = {
        "ground_i": (fit.ground[0], chip.ground.real),
        "ground_q": (fit.ground[1], chip.ground.imag),
        "excited_i": (fit.excited[0], chip.excited.real),
        "excited_q": (fit.excited[1], chip.excited.imag),
        "sigma": (fit.sigma, chip.sigma),
        "angle": (fit.angle, chip.angle),
        "separation": (fit.separation, chip.snr),
        "fidelity_0": (fit.states[0].correct, zero),
        "fidelity_1": (fit.states[1].correct, one),
    }
    return {name: (measured.value, measured.error, truth) for name, (measured, truth) in values.items()}


@pytest.mark.parametrize("chip", [Chip(), Chip(snr=3.0), Chip(snr=8.0, rate=0.05), Chip(wrong=(0.0, 0.0), rate=0.0)])
def test_everything_is_found_with_honest_errors(chip: Chip) -> None:
    pulls: dict[str, list[float]] = {}
    for seed in range(16):
        fit = fit_mixture(*chip.shots(2048, np.random.default_rng(seed)))
        assert not failed(mixture_checks(fit))
        for name, (value, error, truth) in found(fit, chip).items():
            pulls.setdefault(name, []).append((value - truth) / error)
    widths = {name: float(np.sqrt(np.mean(np.square(each)))) for name, each in pulls.items()}
    assert all(0.4 < width < 1.6 for width in widths.values()), widths
    assert all(np.max(np.abs(each)) < 4.5 for each in pulls.values())


def test_the_threshold_is_where_the_mean_fidelity_is_largest() -> None:
    chip = Chip(snr=3.0, rate=0.1)
    fit = fit_mixture(*chip.shots(20_000, np.random.default_rng(1)))
    zero, one = (state.along for state in fit.states)
    there = fit.fidelity.value
    for off in (-0.3, 0.3):
        moved = fit.threshold.value + off * fit.sigma.value
        assert (np.mean(zero <= moved) + np.mean(one > moved)) / 2 < there


def test_what_was_not_prepared_is_told_from_what_is_read_wrong() -> None:
    fit = fit_mixture(*Chip(wrong=(0.03, 0.10)).shots(8192, np.random.default_rng(2)))
    assert fit.wrong == pytest.approx((0.03, 0.10), abs=0.012)
    assert fit.separation.value == pytest.approx(5.0, abs=0.15)


def test_the_densities_are_those_of_the_shots() -> None:
    fit = fit_mixture(*Chip(rate=0.3).shots(4096, np.random.default_rng(3)))
    fine = np.linspace(fit.levels[0] - 1.0, fit.levels[1] + 1.0, 4001)
    for state in (0, 1):
        assert np.trapezoid(fit.density(state, fine), fine) == pytest.approx(1.0, abs=1e-4)
        assert np.trapezoid(fit.density(state, fine) * fine, fine) == pytest.approx(
            float(np.mean(fit.states[state].along)), abs=0.01
        )


@pytest.mark.parametrize("shots", [30, 2048])
def test_one_blob_alone_is_no_signal(shots: int) -> None:
    for seed in range(10):
        fit = fit_mixture(*Chip(excited=Chip.ground + 1e-9, snr=1e-8).shots(shots, np.random.default_rng(seed)))
        assert "no_signal" in verdicts(mixture_checks(fit))


def test_blobs_that_lie_on_each_other_are_refused() -> None:
    fit = fit_mixture(*Chip(snr=0.5).shots(4096, np.random.default_rng(4)))
    assert "separation" in failed(mixture_checks(fit))


def with_garbage(share: float) -> tuple[Array, Array]:
    rng = np.random.default_rng(5)
    found = []
    for each in Chip().shots(2048, rng):
        hit = rng.random(len(each)) < share
        found.append(np.where(hit[:, None], rng.uniform(-1, 1, each.shape), each))
    return found[0], found[1]


def test_a_few_shots_of_garbage_move_nothing_far() -> None:
    fit = fit_mixture(*with_garbage(0.04))
    assert fit.ground[0].value == pytest.approx(Chip.ground.real, abs=0.01)
    assert fit.angle.value == pytest.approx(Chip().angle, abs=0.05)
    assert "glitches" not in failed(mixture_checks(fit))


def test_mostly_garbage_is_a_poor_fit() -> None:
    assert "poor_fit" in verdicts(mixture_checks(fit_mixture(*with_garbage(0.4))))


def test_too_few_shots_are_no_data() -> None:
    with pytest.raises(FitError, match="at least 20 of each"):
        fit_mixture(np.zeros((3, 2)), np.zeros((3, 2)))


def test_shots_that_do_not_scatter_are_no_shots() -> None:
    with pytest.raises(FitError, match="do not scatter"):
        fit_mixture(np.zeros((30, 2)), np.ones((30, 2)))
