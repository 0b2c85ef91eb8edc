"""Which sessions can hold their hardware side by side."""

from __future__ import annotations

import pytest

from kubecal.api.wires import Wire, WireKind, WireMode
from kubecal.engine.reach import EVERYTHING, Reach, reach_of

ZERO = reach_of([(Wire(WireMode.EXCLUSIVE, WireKind.QUBIT, "0"), Wire(WireMode.SHARED, WireKind.MUX, "0"))])
ONE = reach_of([(Wire(WireMode.EXCLUSIVE, WireKind.QUBIT, "1"), Wire(WireMode.SHARED, WireKind.MUX, "0"))])


@pytest.mark.parametrize(
    ("first", "second", "where"),
    [
        (EVERYTHING, EVERYTHING, "the chip"),
        (EVERYTHING, ZERO, "the chip"),
        (ZERO, ZERO, "qubit 0"),
        (ZERO, ONE, ""),
        # One that only works on records needs nothing, whoever has the chip.
        (Reach(), EVERYTHING, ""),
        (Reach(), Reach(), ""),
    ],
)
def test_two_exclude_each_other_where_both_need_a_wire(first: Reach, second: Reach, where: str) -> None:
    assert first.meets(second) == second.meets(first) == where
