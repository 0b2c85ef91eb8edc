"""Envelopes: what area and slope say is what the values do."""

from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.programs.envelopes import Envelope, Flat, FlatTop, Gaussian

T = 32e-9
X = (np.arange(20_000) + 0.5) / 20_000
ALL = [Gaussian(), Flat(), FlatTop(8e-9), FlatTop(40e-9)]


@pytest.mark.parametrize("envelope", ALL, ids=repr)
def test_the_area_is_the_integral(envelope: Envelope) -> None:
    assert envelope.area_s(T) == pytest.approx(T * envelope.values(X, T).mean(), rel=1e-6)


@pytest.mark.parametrize("envelope", ALL, ids=repr)
def test_the_slope_is_the_derivative(envelope: Envelope) -> None:
    slope = np.gradient(envelope.values(X, T), X * T)
    assert np.abs(envelope.slopes(X, T) - slope)[1:-1].max() < 2e-3 * max(1.0, np.abs(slope).max())


@pytest.mark.parametrize("envelope", ALL, ids=repr)
def test_a_pulse_of_no_duration_has_no_area_and_no_slope(envelope: Envelope) -> None:
    assert envelope.area_s(0.0) == 0.0
    assert np.all(envelope.slopes(X, 0.0) == 0.0)


def test_a_gaussian_starts_at_zero_and_reaches_one() -> None:
    assert Gaussian().values(np.asarray([0.0, 0.5, 1.0]), T) == pytest.approx([0.0, 1.0, 0.0], abs=1e-12)
