"""The chip in signs: every qubit where it is, in as much detail as there is room for."""

from __future__ import annotations

import pytest

from kubecal.api.topology import Coupling, Site, Topology, square_lattice
from kubecal.cli.lattice import Mark, Room, lattice

RUNNING, FAILED = Mark("●", rank=2), Mark("✗", rank=3)


def drawn(topology: Topology, room: Room, **marks: Mark) -> list[str] | None:
    def fits(size: Room) -> bool:
        return size.width <= room.width and size.height <= room.height

    lines = lattice(topology, {name.removeprefix("q"): mark for name, mark in marks.items()}, fits)
    return [line.plain.rstrip() for line in lines] if lines is not None else None


def test_qubits_stand_at_their_places_with_their_ids_and_muxes_apart() -> None:
    assert drawn(square_lattice(4, 4, 4), Room(80, 24), q0=RUNNING, q15=FAILED) == [
        " 0●  1    4   5",
        " 2   3    6   7",
        "",
        " 8   9   12  13",
        "10  11   14  15✗",
    ]


def test_with_a_qubit_a_mux_nothing_is_set_apart() -> None:
    assert drawn(square_lattice(2, 3, 1), Room(80, 24), q4=FAILED) == ["0  1  2", "3  4✗ 5"]


def test_a_place_without_a_qubit_stays_empty() -> None:
    sites = (Site("0", 0, 0, 0), Site("1", 2, 0, 1), Site("2", 1, 1, 2))
    chip = Topology(sites, (Coupling("0", "2"), Coupling("1", "2")))
    assert drawn(chip, Room(80, 24), q0=RUNNING, q1=RUNNING, q2=RUNNING) == ["0●    1●", "   2●"]


@pytest.mark.parametrize(
    ("room", "lines"),
    [
        (Room(80, 24), [" 0●  1   4   5   8   9  12  13 ", 8]),
        (Room(20, 24), [" 0 ●· ·· ·· ··", 8]),
        (Room(20, 7), ["MUX  0  ●", 4]),
        (Room(20, 3), None),
        (Room(25, 1), ["MUX  0  ●        ", 1]),
    ],
)
def test_it_is_shown_in_as_much_detail_as_there_is_room_for(room: Room, lines: list[object] | None) -> None:
    shown = drawn(square_lattice(8, 8, 4), room, q0=RUNNING)
    if lines is None or shown is None:
        assert shown == lines
    else:
        assert [shown[0].split(), len(shown)] == [str(lines[0]).split(), lines[1]]


def test_a_mux_shows_its_most_remarkable_qubit() -> None:
    shown = drawn(square_lattice(4, 4, 4), Room(10, 2), q4=RUNNING, q6=FAILED, q12=RUNNING)
    assert shown == ["MUX 0    ✗", "MUX 2    ●"]


@pytest.mark.parametrize("rows", [2, 4, 8, 16, 32])
def test_the_largest_chips_have_a_form_for_a_terminal(rows: int) -> None:
    assert drawn(square_lattice(rows, rows, 4), Room(76, 14)) is not None


@pytest.mark.parametrize("room", [Room(80, 24), Room(20, 24), Room(20, 7), Room(50, 2)])
def test_a_mark_has_its_own_style_in_every_form(room: Room) -> None:
    def fits(size: Room) -> bool:
        return size.width <= room.width and size.height <= room.height

    lines = lattice(square_lattice(8, 8, 4), {"0": Mark("●", "bold cyan")}, fits)
    assert lines is not None
    first = lines[0]
    (marked,) = [span for span in first.spans if first.plain[span.start : span.end].endswith("●")][-1:]
    assert (marked.style, first.style) == ("bold cyan", "")
