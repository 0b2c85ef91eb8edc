"""Dressed states: the truth's frequencies, and the shift that an exchange cannot help."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kubecal_tasks.physics.pair.levels import PairLevels
from tests.unit.kubecal_tasks.physics.builders import MHZ
from tests.unit.kubecal_tasks.physics.pair.pairs import CONTROL_HZ, TARGET_HZ, pair

TURN = 2 * math.pi


@pytest.mark.parametrize("exchange_mhz", [0.0, 2.5, 4.0])
@pytest.mark.parametrize("apart_mhz", [-160.0, -110.0, -60.0, 90.0])
def test_dressed_frequencies_and_anharmonicities_are_the_truths(exchange_mhz: float, apart_mhz: float) -> None:
    truth = pair({"frequency_hz": TARGET_HZ + apart_mhz * MHZ}, exchange_hz=exchange_mhz * MHZ)
    energies = PairLevels.of(truth).energies / TURN
    assert energies[3] == pytest.approx(truth.control.frequency_hz, abs=1.0)
    assert energies[1] == pytest.approx(truth.target.frequency_hz, abs=1.0)
    assert energies[6] - 2 * energies[3] == pytest.approx(truth.control.anharmonicity_hz, abs=10.0)
    assert energies[2] - 2 * energies[1] == pytest.approx(truth.target.anharmonicity_hz, abs=10.0)


@pytest.mark.parametrize("apart_mhz", [-160.0, -110.0, -60.0, 90.0])
def test_the_static_zz_is_that_of_the_formula(apart_mhz: float) -> None:
    """zeta = 2 J^2 [1 / (Delta - alpha_t) - 1 / (Delta + alpha_c)], to second order in J."""
    truth = pair({"frequency_hz": TARGET_HZ + apart_mhz * MHZ}, exchange_hz=1 * MHZ)
    alpha_c, alpha_t = truth.control.anharmonicity_hz, truth.target.anharmonicity_hz
    delta = apart_mhz * MHZ
    expected = 2 * (1 * MHZ) ** 2 * (1 / (delta - alpha_t) - 1 / (delta + alpha_c))
    assert PairLevels.of(truth).static_zz / TURN == pytest.approx(expected, rel=2e-3)


def test_a_line_drives_its_own_qubit_and_a_little_the_other() -> None:
    levels = PairLevels.of(pair(onto_target=0.05j))
    own, other = levels.control_line[0, 3], levels.control_line[0, 1]
    assert abs(own) == pytest.approx(TURN * 80 * MHZ, rel=2e-3)
    mixed = 3.2 / (TARGET_HZ - CONTROL_HZ) * MHZ
    assert other / own == pytest.approx(mixed + 0.05j, abs=2e-3)


def test_qubits_that_are_closer_than_their_exchange_allows_are_refused() -> None:
    with pytest.raises(ValueError, match="qubits 0 and 1"):
        PairLevels.of(pair({"frequency_hz": TARGET_HZ - 5 * MHZ}))


def test_states_are_named_after_what_they_mostly_are() -> None:
    energies = PairLevels.of(pair()).energies / TURN
    bare = [i * CONTROL_HZ + j * TARGET_HZ - 310e6 * (i > 1) - 300e6 * (j > 1) for i in range(3) for j in range(3)]
    assert np.abs(energies - bare).max() < 1 * MHZ
