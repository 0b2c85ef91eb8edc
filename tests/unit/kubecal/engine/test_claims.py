"""What tasks hold, and who is in whose way."""

from __future__ import annotations

from itertools import combinations

import pytest

from kubecal.api.chip import Wiring
from kubecal.api.steps import ScheduleMode
from kubecal.api.topology import square_lattice
from kubecal.api.wires import Wire, WireKind, WireMode, conflicts, wires_to_json
from kubecal.engine.claims import HeldWires, Wirings

LATTICE = square_lattice(4, 4, 4)
PLAIN = Wirings(LATTICE, Wiring(), exclusive=False)
# 0 and 1 are neighbours in MUX 0, 0 and 3 are diagonal in it; 4 is in MUX 1, and the neighbour of 1.
ADJACENT, DIAGONAL, APART = ("0", "1"), ("0", "3"), ("0", "15")
PARALLEL, ISOLATED, SERIAL = ScheduleMode.PARALLEL, ScheduleMode.ISOLATED, ScheduleMode.SERIAL


@pytest.mark.parametrize(
    ("mode", "claims"),
    [
        (PARALLEL, '[["S","mux","0"],["X","qubit","0"]]'),
        (ISOLATED, '[["S","mux","0"],["S","qubit","1"],["S","qubit","2"],["X","qubit","0"]]'),
        (SERIAL, '[["S","mux","0"],["X","chip",""],["X","qubit","0"]]'),
    ],
)
def test_a_qubit_task_claims_what_its_mode_says(mode: ScheduleMode, claims: str) -> None:
    assert wires_to_json(PLAIN.qubit("0", mode)) == claims


@pytest.mark.parametrize(
    ("first", "second", "pair", "together"),
    [
        (PARALLEL, PARALLEL, ("0", "0"), False),
        (PARALLEL, PARALLEL, ADJACENT, True),
        (ISOLATED, ISOLATED, ADJACENT, False),
        (ISOLATED, ISOLATED, DIAGONAL, True),
        (ISOLATED, ISOLATED, APART, True),
        (ISOLATED, PARALLEL, ADJACENT, False),
        (PARALLEL, ISOLATED, ADJACENT, False),
        (ISOLATED, PARALLEL, DIAGONAL, True),
        (SERIAL, PARALLEL, APART, False),
        (PARALLEL, SERIAL, APART, False),
        (SERIAL, SERIAL, APART, False),
    ],
)
def test_who_may_run_beside_whom(
    first: ScheduleMode, second: ScheduleMode, pair: tuple[str, str], together: bool
) -> None:
    held = HeldWires()
    held.take("first", PLAIN.qubit(pair[0], first))
    wanted = PLAIN.qubit(pair[1], second)
    found = held.blocking(wanted)
    assert (found.holder if found is not None else None) == (None if together else "first")


@pytest.mark.parametrize(
    "modes", [(PARALLEL, PARALLEL), (ISOLATED, ISOLATED), (PARALLEL, ISOLATED), (SERIAL, PARALLEL)]
)
def test_the_index_says_what_comparing_all_with_all_says(modes: tuple[ScheduleMode, ScheduleMode]) -> None:
    for one, other in combinations((site.id for site in LATTICE.sites), 2):
        first, second = PLAIN.qubit(one, modes[0]), PLAIN.qubit(other, modes[1])
        held = HeldWires()
        held.take("first", first)
        assert (held.blocking(second) is None) is (conflicts(first, second) is None), (one, other)


def test_a_claim_on_the_whole_chip_is_named_as_such_whoever_asks() -> None:
    held = HeldWires()
    held.take("serial", PLAIN.qubit("0", SERIAL))
    found = held.blocking(PLAIN.qubit("15", PARALLEL))
    assert found is not None
    assert (found.wire.kind.spoken(found.wire.id), found.holder) == ("the chip", "serial")


def test_nothing_is_in_the_way_of_a_task_that_only_computes() -> None:
    held = HeldWires()
    held.take("serial", PLAIN.qubit("0", SERIAL))
    assert held.blocking(()) is None


def test_a_task_that_only_computes_is_in_nobodys_way() -> None:
    held = HeldWires()
    held.take("computes", ())
    assert held.blocking((Wire(WireMode.EXCLUSIVE, WireKind.CHIP, ""),)) is None


def test_several_may_share_and_each_of_them_keeps_out_who_wants_it_alone() -> None:
    mux = WireKind.MUX
    held = HeldWires()
    held.take("first", (Wire(WireMode.SHARED, mux, "0"),))
    assert held.blocking((Wire(WireMode.SHARED, mux, "0"),)) is None
    held.take("second", (Wire(WireMode.SHARED, mux, "0"),))
    alone = Wire(WireMode.EXCLUSIVE, mux, "0")
    assert held.blocking((alone,)) == (alone, "first")
    assert held.blocking((Wire(WireMode.EXCLUSIVE, mux, "1"),)) is None
