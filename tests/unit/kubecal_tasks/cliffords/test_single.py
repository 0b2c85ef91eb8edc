"""The one-qubit Clifford group."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kubecal_tasks.cliffords.actions import PAULIS, action_of, after, identity, inverse, rotation
from kubecal_tasks.cliffords.single import X90, X180, single_group

GROUP = single_group()


def test_there_are_24_of_them_and_products_stay_among_them() -> None:
    assert len(GROUP.elements) == 24
    assert len({tuple(row) for row in GROUP.actions.tolist()}) == 24
    assert all(sorted(row) == list(range(24)) for row in GROUP.product.tolist())


def test_one_pulse_is_enough_on_average() -> None:
    assert sorted(each.pulses for each in GROUP.elements) == [0] * 4 + [1] * 16 + [2] * 4
    assert GROUP.average_pulses == 1.0


def test_gates_do_what_the_table_says() -> None:
    """Multiplied out as matrices, which the table does not use."""
    for number, element in enumerate(GROUP.elements):
        matrix = rotation(PAULIS[3], element.quarters[0] * math.pi / 2)
        for quarters in element.quarters[1:]:
            matrix = rotation(PAULIS[3], quarters * math.pi / 2) @ rotation(PAULIS[1], math.pi / 2) @ matrix
        assert GROUP.find(action_of(matrix)) == number


def test_inverses_undo() -> None:
    for number, action in enumerate(GROUP.actions):
        assert np.array_equal(after(GROUP.actions[GROUP.inverse[number]], action), identity(1))
        assert np.array_equal(after(inverse(action), action), identity(1))


@pytest.mark.parametrize("gate", [None, X90, X180], ids=["plain", "X90", "X180"])
@pytest.mark.parametrize("length", [0, 1, 57])
def test_a_sequence_ends_where_it_began(gate: np.ndarray | None, length: int) -> None:
    word = GROUP.sequence(length, np.random.default_rng(length), gate)
    assert len(word) == length + 1
    total = identity(1)
    for place, number in enumerate(word):
        total = after(GROUP.actions[number], total)
        if gate is not None and place < length:
            total = after(gate, total)
    assert np.array_equal(total, identity(1))


def test_what_is_no_clifford_is_refused() -> None:
    with pytest.raises(ValueError, match="no Clifford"):
        action_of(rotation(PAULIS[1], math.pi / 4))
