"""Shifts by the third level, against a diagonalisation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from kubecal_tasks.fits.values import Measured
from kubecal_tasks.tasks.dressing import line_shift_hz, pair_rate_hz, pair_shift_hz, undressed_rate

ANHARMONICITY = -310e6


def splitting(detuning: float, rate: float, pair: tuple[int, int]) -> float:
    """Distance of the two dressed states that are made of two given levels, in a frame of the drive."""
    a, b = rate / 2, np.sqrt(2) * rate / 2
    levels = np.asarray([[0, a, 0], [a, -detuning, b], [0, b, ANHARMONICITY - 2 * detuning]])
    energies, states = np.linalg.eigh(levels)
    share = (states[list(pair)] ** 2).sum(axis=0)
    two = np.argsort(-share)[:2]
    return float(abs(energies[two[0]] - energies[two[1]]))


@pytest.mark.parametrize("rate", [5e6, 12.5e6, 20e6])
def test_the_line_of_a_driven_qubit_lies_higher_and_is_slower(rate: float) -> None:
    closest = minimize_scalar(
        splitting, bounds=(-rate / 2, rate / 2), args=(rate, (0, 1)), method="bounded", options={"xatol": 1.0}
    )
    assert closest.x == pytest.approx(line_shift_hz(rate, ANHARMONICITY), rel=0.05)
    found = undressed_rate(Measured(float(closest.fun), 0.0), ANHARMONICITY, 1.5)
    assert found.value == pytest.approx(rate, abs=found.error)
    assert found.value - closest.fun > 0.5 * found.error / 1.5


def test_the_two_photon_line_has_the_rate_and_the_shift_of_second_order() -> None:
    rate = 30e6
    half = ANHARMONICITY / 2
    closest = minimize_scalar(
        splitting, bounds=(half - 5e6, half + 5e6), args=(rate, (0, 2)), method="bounded", options={"xatol": 1.0}
    )
    assert closest.fun == pytest.approx(pair_rate_hz(rate, ANHARMONICITY), rel=0.05)
    assert ANHARMONICITY - 2 * closest.x == pytest.approx(pair_shift_hz(rate, ANHARMONICITY), rel=0.1)
