"""What tasks hold, and who is in whose way."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product
from typing import Any

import pytest

from kubecal.api.chip import Wiring
from kubecal.api.steps import ScheduleMode
from kubecal.api.topology import square_lattice
from kubecal.api.wires import Wire, WireKind, WireMode, conflicts, wires_to_json
from kubecal.engine.claims import WHOLE_CHIP, HeldWires, Wirings

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


# ---------------------------------------------------------------- all kinds

# 4 x 4 in four MUXes: 0 1 / 2 3 is MUX 0, 4 5 / 6 7 is MUX 1, 8 9 / 10 11 is MUX 2. Modules: R1 and C1 of MUX 0, R2 and
# C1 of MUX 1 (one control module serves both), R3 of MUX 2, none of MUX 3.
MUX_SERIAL = ScheduleMode.MUX_SERIAL
KINDS: dict[str, Callable[[Wirings, ScheduleMode], tuple[Wire, ...]]] = {
    **{f"qubit {one}": (lambda wirings, mode, one=one: wirings.qubit(one, mode)) for one in ("0", "1", "3", "4", "15")},
    **{f"coupling {a}-{b}": (lambda w, mode, a=a, b=b: w.qubits((a, b), mode)) for a, b in (("0", "1"), ("4", "1"))},
    "coupling 9-8": lambda wirings, mode: wirings.qubits(("9", "8"), mode),
    **{f"mux {one}": (lambda wirings, mode, one=one: wirings.mux(one, mode)) for one in (0, 1, 3)},
    "batch 0,3": lambda wirings, mode: wirings.qubits(("0", "3"), mode),
    "batch all": lambda wirings, mode: wirings.qubits([site.id for site in LATTICE.sites], mode),
    "chip": lambda wirings, mode: WHOLE_CHIP,
    "computation": lambda wirings, mode: (),
}


def _wirings(first: bool | None, second: bool | None = None, *, instruments: bool = False) -> Wirings:
    """What MUX 0 and the others say of their modules; the backend drives instruments, or none."""

    def mux(number: int, exclusive: bool | None, **modules: list[str]) -> dict[str, Any]:
        said = {} if exclusive is None else {"exclusive": exclusive}
        return {"id": number, **modules, **said}

    muxes = [
        mux(0, first, readout=["R1"], control=["C1"]),
        mux(1, second, readout=["R2"], control=["C1"]),
        mux(2, second, readout=["R3"]),
    ]
    return Wirings(LATTICE, Wiring.model_validate({"muxes": muxes}), exclusive=instruments)


SHARED, ALONE = _wirings(False, False), _wirings(True, True)


@pytest.mark.parametrize(
    ("wirings", "modules"),
    [
        (_wirings(False), [("S", "C1"), ("S", "R1")]),
        (_wirings(True), [("X", "C1"), ("X", "R1")]),
        (_wirings(None), [("S", "C1"), ("S", "R1")]),
        # Nothing is said, and there are instruments: nobody else may use them meanwhile.
        (_wirings(None, instruments=True), [("X", "C1"), ("X", "R1")]),
        (_wirings(False, instruments=True), [("S", "C1"), ("S", "R1")]),
        (_wirings(True, False), [("X", "C1"), ("X", "R1")]),
    ],
)
def test_modules_are_held_alone_where_the_wiring_says_so_or_says_nothing_of_instruments(
    wirings: Wirings, modules: list[tuple[str, str]]
) -> None:
    wires = wirings.qubit("0", PARALLEL)
    assert [(wire.mode.value, wire.id) for wire in wires if wire.kind is WireKind.MODULE] == sorted(modules)


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True)])
def test_a_module_that_serves_two_muxes_is_held_once_and_alone_if_either_says_so(first: bool, second: bool) -> None:
    wires = _wirings(first, second).qubits(("4", "1"), PARALLEL)
    modules = {wire.id: wire.mode.value for wire in wires if wire.kind is WireKind.MODULE}
    assert modules == {"C1": "X", "R1": "X" if first else "S", "R2": "X" if second else "S"}
    assert len([wire for wire in wires if wire.id == "C1"]) == 1


@pytest.mark.parametrize(
    ("kind", "mode", "claims"),
    [
        ("mux 3", PARALLEL, "X mux 3, X qubit 12, X qubit 13, X qubit 14, X qubit 15"),
        ("mux 0", PARALLEL, "S module C1, S module R1, X mux 0, X qubit 0, X qubit 1, X qubit 2, X qubit 3"),
        ("coupling 4-1", PARALLEL, "S module C1, S module R1, S module R2, X mux 0, X mux 1, X qubit 1, X qubit 4"),
        (
            "coupling 0-1",
            ISOLATED,
            "S module C1, S module R1, S qubit 2, S qubit 3, S qubit 4, X mux 0, X qubit 0, X qubit 1",
        ),
        ("batch 0,3", PARALLEL, "S module C1, S module R1, X mux 0, X qubit 0, X qubit 3"),
        ("qubit 15", MUX_SERIAL, "X mux 3, X qubit 15"),
        ("mux 3", SERIAL, "X chip , X mux 3, X qubit 12, X qubit 13, X qubit 14, X qubit 15"),
        ("chip", PARALLEL, "X chip "),
        ("computation", SERIAL, ""),
    ],
)
def test_every_kind_claims_what_it_drives(kind: str, mode: ScheduleMode, claims: str) -> None:
    wires = KINDS[kind](SHARED, mode)
    assert ", ".join(f"{wire.mode} {wire.kind} {wire.id}" for wire in wires) == claims


@pytest.mark.parametrize(
    ("wirings", "first", "second", "modes", "together"),
    [
        (SHARED, "qubit 0", "mux 0", PARALLEL, False),
        (SHARED, "qubit 4", "mux 0", PARALLEL, True),
        (SHARED, "qubit 4", "mux 0", ISOLATED, False),
        (SHARED, "mux 0", "mux 1", PARALLEL, True),
        (SHARED, "mux 0", "mux 1", ISOLATED, False),
        (SHARED, "mux 0", "mux 3", ISOLATED, True),
        (SHARED, "coupling 0-1", "qubit 3", PARALLEL, False),
        (SHARED, "coupling 0-1", "qubit 4", PARALLEL, True),
        (SHARED, "coupling 0-1", "coupling 4-1", PARALLEL, False),
        (SHARED, "coupling 0-1", "coupling 9-8", PARALLEL, True),
        (SHARED, "coupling 4-1", "mux 0", PARALLEL, False),
        (SHARED, "batch 0,3", "qubit 1", PARALLEL, False),
        (SHARED, "batch 0,3", "qubit 4", PARALLEL, True),
        (SHARED, "batch all", "qubit 15", PARALLEL, False),
        (SHARED, "qubit 0", "qubit 3", MUX_SERIAL, False),
        (SHARED, "qubit 0", "qubit 4", MUX_SERIAL, True),
        (SHARED, "chip", "qubit 15", PARALLEL, False),
        (SHARED, "chip", "chip", PARALLEL, False),
        (SHARED, "chip", "computation", PARALLEL, True),
        (SHARED, "batch all", "computation", SERIAL, True),
        # The same, but that a control module is held alone.
        (ALONE, "mux 0", "mux 1", PARALLEL, False),
        (ALONE, "qubit 0", "qubit 1", PARALLEL, False),
        (ALONE, "qubit 0", "qubit 4", PARALLEL, False),
        (ALONE, "qubit 0", "qubit 15", PARALLEL, True),
        (ALONE, "coupling 0-1", "coupling 9-8", PARALLEL, True),
    ],
)
def test_who_of_all_kinds_may_run_beside_whom(
    wirings: Wirings, first: str, second: str, modes: ScheduleMode, together: bool
) -> None:
    held = HeldWires()
    held.take("first", KINDS[first](wirings, modes))
    assert (held.blocking(KINDS[second](wirings, modes)) is None) is together
    held = HeldWires()
    held.take("second", KINDS[second](wirings, modes))
    assert (held.blocking(KINDS[first](wirings, modes)) is None) is together


@pytest.mark.parametrize("wirings", [SHARED, ALONE, _wirings(True, False), _wirings(None, True, instruments=True)])
def test_the_index_says_the_same_for_all_kinds_in_all_modes(wirings: Wirings) -> None:
    claims = {(kind, mode): make(wirings, mode) for (kind, make), mode in product(KINDS.items(), ScheduleMode)}
    for (one, first), (other, second) in product(claims.items(), repeat=2):
        held = HeldWires()
        held.take("first", first)
        found = held.blocking(second)
        assert (found is None) is (conflicts(first, second) is None), (one, other)
        assert found is None or any(found.wire.excludes(wire) for wire in first), (one, other, found)
