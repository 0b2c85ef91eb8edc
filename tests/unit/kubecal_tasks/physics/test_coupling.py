"""What two neighbours share: drawn from the seed, each coupling and each direction for itself."""

from __future__ import annotations

import numpy as np

from kubecal_tasks.physics.coupling import draw_crosstalk, draw_exchange_hz, draw_pair
from tests.unit.kubecal_tasks.physics.builders import qubit

NEIGHBOURS = [(str(q), str(q + 1)) for q in range(60)]


def test_a_pair_is_the_same_whenever_it_is_drawn() -> None:
    first, second = qubit(id="4"), qubit(id="5", frequency_hz=5e9)
    assert draw_pair(3, first, second) == draw_pair(3, first, second)
    assert draw_pair(4, first, second).exchange_hz != draw_pair(3, first, second).exchange_hz


def test_exchange_and_crosstalk_lie_where_the_design_says() -> None:
    exchange = [draw_exchange_hz(1, *each) for each in NEIGHBOURS]
    assert 2.5e6 <= min(exchange) < 2.7e6
    assert 3.8e6 < max(exchange) <= 4e6
    leaked = np.asarray([draw_crosstalk(1, *each) for each in NEIGHBOURS])
    decibels = 20 * np.log10(np.abs(leaked))
    assert -40 <= decibels.min() < -37
    assert -23 < decibels.max() <= -20
    assert np.abs((leaked / np.abs(leaked)).mean()) < 0.3


def test_each_line_leaks_in_its_own_way() -> None:
    pair = draw_pair(1, qubit(id="4"), qubit(id="5"))
    assert pair.onto_target == draw_crosstalk(1, "4", "5")
    assert pair.onto_control == draw_crosstalk(1, "5", "4")
    assert pair.onto_target != pair.onto_control
