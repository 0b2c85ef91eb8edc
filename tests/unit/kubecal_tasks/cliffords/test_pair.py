"""The two-qubit Clifford group."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from kubecal_tasks.cliffords.actions import PAULIS, action_of, after, identity, rotation, together
from kubecal_tasks.cliffords.pair import ZX90, pair_group
from kubecal_tasks.cliffords.single import single_group

GROUP = pair_group()


def test_there_are_11520_of_them_in_twenty_classes() -> None:
    assert GROUP.size == 11520
    assert len(set(GROUP.keys.tolist())) == 11520
    assert Counter(len(each) for each in GROUP.classes) == {0: 1, 1: 9, 2: 9, 3: 1}
    assert GROUP.average_entangling == 1.5
    assert GROUP.average_pulses == pytest.approx(2.33, abs=0.01)


def test_products_stay_among_them() -> None:
    rng = np.random.default_rng(2)
    for first, second in rng.integers(0, GROUP.size, (50, 2)):
        product = after(GROUP.actions[second], GROUP.actions[first])
        assert np.array_equal(GROUP.actions[GROUP.find(product)], product)


def test_gates_do_what_the_table_says() -> None:
    singles = single_group().actions
    for number in np.random.default_rng(3).integers(0, GROUP.size, 50).tolist():
        element = GROUP.element(number)
        total = identity(2)
        for control, target in element.before:
            total = after(ZX90, after(together(singles[control], singles[target]), total))
        total = after(together(singles[element.last[0]], singles[element.last[1]]), total)
        assert np.array_equal(total, GROUP.actions[number])


def test_actions_on_two_qubits_are_those_of_their_matrices() -> None:
    first, second = rotation(PAULIS[2], np.pi / 2), rotation(PAULIS[3], np.pi / 2)
    assert np.array_equal(
        together(action_of(first), action_of(second)), action_of(np.kron(first, second).astype(np.complex128))
    )
    swap = np.eye(4, dtype=np.complex128)[[0, 2, 1, 3]]
    assert GROUP.element(GROUP.find(action_of(swap))).entangling == 3
    assert GROUP.element(GROUP.find(ZX90)).entangling == 1


@pytest.mark.parametrize("gate", [None, ZX90], ids=["plain", "ZX90"])
@pytest.mark.parametrize("length", [0, 1, 40])
def test_a_sequence_ends_where_it_began(gate: np.ndarray | None, length: int) -> None:
    word = GROUP.sequence(length, np.random.default_rng(length), gate)
    total = identity(2)
    for place, number in enumerate(word):
        total = after(GROUP.actions[number], total)
        if gate is not None and place < length:
            total = after(gate, total)
    assert len(word) == length + 1
    assert np.array_equal(total, identity(2))
