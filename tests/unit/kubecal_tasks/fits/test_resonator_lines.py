"""Lines in wide sweeps: found where they are, nowhere else, and given to whom they belong."""

from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits import FitError
from kubecal_tasks.fits.resonator_lines import assigned, fit_lines, glitched_share, line_gains
from tests.unit.kubecal_tasks.fits.reflections import Array, Complex, Resonator, sample

BAND = np.arange(6.5e9, 7.5e9, 2e6)
LINES = (6.7011e9, 6.7703e9, 6.8358e9, 6.9002e9)


def cable(lines: tuple[float, ...] = LINES, width: float = 2e6) -> Complex:
    found = Resonator(frequency=7e9).background(BAND)
    for line in lines:
        found = found * (1 - 2 * width / (1.02 * width + 2j * (BAND - line)))
    return found


def found(signal: Complex, shots: int = 300, glitches: float = 0.0, seed: int = 1) -> Array:
    drawn = sample(signal, shots, np.random.default_rng(seed), glitches)
    iq, covariance = drawn.iq[None], drawn.covariance[None]
    gains = line_gains(BAND, iq, covariance)
    where = [(0, float(gains.places[peak])) for peak in gains.peaks(gains.gain[0], gains.limit())]
    fits = fit_lines(BAND, iq, covariance, where, gains.half_points)
    return np.asarray([fit.frequency.value for fit in fits if fit is not None])


@pytest.mark.parametrize("width", [1e6, 2e6, 4e6])
def test_every_line_is_found_to_a_part_of_its_width(width: float) -> None:
    assert found(cable(width=width)) == pytest.approx(np.asarray(LINES), abs=0.1 * width)


def test_lines_near_the_ends_of_the_band_are_found() -> None:
    lines = (float(BAND[3]), float(BAND[-4]))
    assert found(cable(lines)) == pytest.approx(np.asarray(lines), abs=0.3e6)


def test_glitches_are_no_lines_and_hide_none() -> None:
    hidden = 0
    for seed in range(8):
        seen = found(cable(), glitches=0.04, seed=seed)
        assert np.all(np.abs(seen[:, None] - np.asarray(LINES)).min(axis=1) < 1e6)
        hidden += len(LINES) - seen.size
    assert hidden <= 2, "a glitch right on a line may cost it, and the task then says that a line is missing"


def test_a_band_without_lines_has_none() -> None:
    for seed in range(20):
        assert not found(cable(()), seed=seed).size
        assert not found(0 * cable(()), seed=seed).size


def test_the_share_of_garbage_is_told() -> None:
    drawn = sample(cable(), 300, np.random.default_rng(2), glitches=0.3)
    assert 0.15 < glitched_share(drawn.iq[None]) < 0.31
    assert glitched_share(sample(cable(), 300, np.random.default_rng(2)).iq[None]) == 0.0


@pytest.mark.parametrize(
    ("lines", "expected", "right"),
    [
        ([1.0, 2.0, 3.0], [1.1, 2.1, 2.9], (0, 1, 2)),
        ([3.0, 1.0, 2.0], [2.1, 0.9, 3.2], (2, 1, 0)),
        ([1.4, 2.4, 3.4], [1.0, 2.0, 3.0], (0, 1, 2)),
        ([2.1, 3.1], [1.0, 2.0, 3.0], (None, 0, 1)),
        ([1.0, 2.0, 3.0, 4.0], [3.1, 1.9], (2, 1)),
        ([], [1.0, 2.0], (None, None)),
    ],
    ids=["in order", "unordered", "all shifted", "one missing", "one too many", "none"],
)
def test_lines_are_given_in_the_order_of_the_design(
    lines: list[float], expected: list[float], right: tuple[int | None, ...]
) -> None:
    assert assigned(np.asarray(lines), np.asarray(expected)) == right


def test_uneven_frequencies_are_refused() -> None:
    iq = np.zeros((1, 40, 2))
    with pytest.raises(FitError, match="evenly spaced"):
        line_gains(np.geomspace(6e9, 8e9, 40), iq, np.ones((1, 40, 2, 2)))
    with pytest.raises(FitError, match="too few to look for lines"):
        line_gains(np.linspace(6e9, 8e9, 9), iq[:, :9], np.ones((1, 9, 2, 2)))
