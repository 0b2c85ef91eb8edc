"""Captured readouts: a level with its error, and every way in which a capture is not one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from kubecal_tasks.fits.values import FitError
from kubecal_tasks.fits.waveform import Waveform, fit_waveform, waveform_checks

Array = NDArray[np.float64]
LENGTH_S, SAMPLE_S, MARGIN_S = 384e-9, 8e-9, 80e-9
LEVEL = np.asarray([0.12, -0.16])
SIGMA = 0.01
TIMES = np.arange(-MARGIN_S + SAMPLE_S / 2, LENGTH_S + MARGIN_S, SAMPLE_S)
ON = ((TIMES > 0) & (TIMES < LENGTH_S)).astype(np.float64)


def capture(seed: int, shape: Array = ON, sigma: float = SIGMA, glitches: int = 0) -> Waveform:
    """A tone whose level follows a shape."""
    rng = np.random.default_rng(seed)
    iq = shape[:, None] * LEVEL + sigma * rng.standard_normal((len(TIMES), 2))
    iq[rng.permutation(len(iq))[:glitches]] = rng.uniform(-1, 1, size=(glitches, 2))
    return fit_waveform(TIMES, iq, np.broadcast_to(sigma**2 * np.eye(2), (len(TIMES), 2, 2)), LENGTH_S)


def verdicts(seen: Waveform) -> set[str]:
    return {each.verdict for each in waveform_checks(seen) if not each.ok}


@pytest.mark.parametrize("glitches", [0, 3])
def test_the_magnitude_is_found_with_an_honest_error(glitches: int) -> None:
    seen = [capture(seed, glitches=glitches) for seed in range(60)]
    assert not any(verdicts(each) for each in seen)
    pulls = np.asarray([(each.magnitude.value - 0.2) / each.magnitude.error for each in seen])
    assert abs(pulls.mean()) < 3.3 / np.sqrt(60)
    assert 0.7 < pulls.std() < 1.35


def test_noise_alone_is_no_signal() -> None:
    assert all(verdicts(capture(seed, 0.0 * TIMES)) == {"no_signal"} for seed in range(50))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (ON * (1 - np.exp(-TIMES.clip(0) / 15e-9)), {"window"}),
        (ON * (1 + 0.3 * np.sin(TIMES / 10e-9)), {"poor_fit"}),
        (((TIMES > 48e-9) & (TIMES < LENGTH_S + 48e-9)).astype(float), {"window"}),
        (np.ones_like(TIMES), {"window"}),
    ],
    ids=["rises slowly", "ripples", "comes late", "never ends"],
)
def test_a_tone_that_is_not_level_or_at_another_time_is_seen(shape: Array, expected: set[str]) -> None:
    assert verdicts(capture(2, shape)) == expected


def test_much_garbage_is_a_poor_fit() -> None:
    assert all(verdicts(capture(seed, glitches=22)) == {"poor_fit"} for seed in range(10))


def test_a_sample_across_an_edge_says_nothing_of_either_side() -> None:
    times = TIMES + SAMPLE_S / 2
    iq = np.where(((times > SAMPLE_S / 4) & (times < LENGTH_S - SAMPLE_S / 4))[:, None], LEVEL, 0.0)
    iq[np.argmin(np.abs(times))] = iq[np.argmin(np.abs(times - LENGTH_S))] = LEVEL / 2
    seen = fit_waveform(times, iq, np.broadcast_to(1e-6 * np.eye(2), (len(times), 2, 2)), LENGTH_S)
    assert not verdicts(seen)
    assert seen.kept.all()


def test_a_capture_of_hardly_any_samples_cannot_be_judged() -> None:
    with pytest.raises(FitError, match="3 samples of the readout"):
        fit_waveform(np.asarray([4e-9, 12e-9, 20e-9]), np.ones((3, 2)), np.ones((3, 1, 1)) * np.eye(2), LENGTH_S)
