"""Where things are drawn: in the chip's own places, nothing over anything else."""

import math
from itertools import combinations

import pytest

from kubecal.api.topology import Coupling, Site, Topology, square_lattice
from kubecal.report.lattice import PITCH, Box, lattice, places_for


def _apart(one: Box, other: Box) -> bool:
    return (
        one.x + one.width <= other.x
        or other.x + other.width <= one.x
        or one.y + one.height <= other.y
        or other.y + other.height <= one.y
    )


def _at(x: int, y: int, mux: int, identity: str) -> Site:
    return Site(id=identity, x=x, y=y, mux=mux)


def test_qubits_lie_where_the_topology_says() -> None:
    drawn = {box.id: box for box in lattice(square_lattice(4, 4, 4)).qubits}
    # Qubit 4 is the first of the second MUX: row 0, column 2.
    assert (drawn["4"].x - drawn["0"].x, drawn["4"].y - drawn["0"].y) == (2 * PITCH, 0.0)


def test_qubits_and_couplings_do_not_overlap_and_lie_inside() -> None:
    drawn = lattice(square_lattice(4, 4, 4))
    boxes = [*drawn.qubits, *(link.box for link in drawn.links)]
    assert all(_apart(one, other) for one, other in combinations(boxes, 2))
    assert all(box.x >= 0 and box.x + box.width <= drawn.width for box in [*boxes, *drawn.muxes])
    assert all(box.y >= 0 and box.y + box.height <= drawn.height for box in [*boxes, *drawn.muxes])


def test_a_coupling_is_drawn_from_its_control_to_its_target() -> None:
    drawn = lattice(square_lattice(2, 2, 4))
    middles = {box.id: box.middle for box in drawn.qubits}
    for link in drawn.links:
        control, target = link.box.id.split("-")
        assert (link.start, link.end) == (middles[control], middles[target])


def test_empty_rows_and_columns_before_the_first_qubit_take_no_room() -> None:
    far = Topology(sites=(_at(7, 5, 0, "0"), _at(8, 5, 0, "1")), couplings=(Coupling("0", "1"),))
    near = Topology(sites=(_at(0, 0, 0, "0"), _at(1, 0, 0, "1")), couplings=(Coupling("0", "1"),))
    assert lattice(far) == lattice(near)


def test_a_mux_with_a_stranger_in_its_midst_has_no_line_around_it() -> None:
    row = Topology(sites=(_at(0, 0, 0, "0"), _at(1, 0, 1, "1"), _at(2, 0, 0, "2")), couplings=())
    assert lattice(row).muxes == ()


def test_every_block_of_a_square_lattice_has_a_line_around_it() -> None:
    assert [box.id for box in lattice(square_lattice(4, 4, 4)).muxes] == ["0", "1", "2", "3"]


def test_a_chip_without_qubits_is_an_empty_drawing() -> None:
    assert lattice(Topology(sites=(), couplings=())).qubits == ()


@pytest.mark.parametrize(
    ("values", "room", "places"),
    [
        pytest.param([19.3, 49.1], 7, 1, id="as many as tell a hundredth of their spread"),
        pytest.param([5.049, 5.155], 7, 3, id="more where they are close"),
        pytest.param([0.99912, 0.99915], 7, 5, id="no more than there is room for"),
        pytest.param([12000.0, 19000.0], 7, 0, id="none for large ones"),
        pytest.param([32.0, 32.0], 7, 1, id="equal ones by their size"),
        pytest.param([0.0], 7, 0, id="nothing is nothing"),
        pytest.param([math.nan], 7, 0, id="no number"),
    ],
)
def test_numbers_have_as_many_decimals_as_are_of_use(values: list[float], room: int, places: int) -> None:
    assert places_for(values, room) == places
