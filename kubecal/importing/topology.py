"""QDash's topology file: ``qubits: {0: {row, col}}``, ``couplings: [[control, target]]``, ``mux: {enabled, size}``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubecal.api.chip import MAX_QUBITS
from kubecal.api.topology import Topology, square_lattice
from kubecal.importing.sheet import Sheet

CHECKERBOARD = "checkerboard_cr"
"""The one convention there is: the control is the qubit on an even row + column."""
_KNOWN = (
    *("id", "name", "description", "grid_size", "num_qubits", "direction_convention"),
    *("mux", "qubits", "couplings", "visualization"),
)


@dataclass(frozen=True)
class _Place:
    row: int
    column: int


def import_topology(sheet: Sheet) -> dict[str, Any]:
    """``Chip.spec.topology`` as a manifest writes it; a generator where it makes the same qubits and couplings.

    What is wrong goes into the sheet's problems; the answer is of use only where there are none.
    """
    content = sheet.content
    sheet.leave_out(content, _KNOWN)
    places = _qubits(sheet, content)
    block = _block(sheet, content)
    couplings = _couplings(sheet, content, places)
    _check_size(sheet, content, places)
    if sheet.problems:
        return {}
    return _generated(places, couplings, block) or _listed(sheet, places, couplings, block)


def _qubits(sheet: Sheet, content: Mapping[str, Any]) -> dict[int, _Place]:
    places: dict[int, _Place] = {}
    for key, where in sheet.mapping(content.get("qubits"), "qubits").items():
        identity = sheet.integer(key, "a key of qubits")
        if identity is None:
            continue
        at = sheet.mapping(where, f"qubits.{key}")
        sheet.leave_out(at, ("row", "col"), f"qubits.{key}: ")
        row, column = (
            sheet.integer(at.get("row"), f"qubits.{key}.row"),
            sheet.integer(at.get("col"), f"qubits.{key}.col"),
        )
        if row is not None and column is not None:
            places[identity] = _Place(row, column)
    for place, number in Counter(places.values()).items():
        if number > 1:
            there = " and ".join(str(one) for one, at in places.items() if at == place)
            sheet.wrong(f"qubits {there} are in the same place (row {place.row}, col {place.column}): correct one")
    if len(places) > MAX_QUBITS:
        sheet.wrong(f"has {len(places)} qubits, more than {MAX_QUBITS}: split the chip")
    return dict(sorted(places.items()))


def _block(sheet: Sheet, content: Mapping[str, Any]) -> int:
    """Qubits along an edge of a MUX; 0: every qubit has a readout line of its own."""
    mux = content.get("mux")
    if mux is None:
        return 0
    given = sheet.mapping(mux, "mux")
    sheet.leave_out(given, ("enabled", "size"), "mux: ")
    enabled = given.get("enabled", True)
    if not isinstance(enabled, bool):
        sheet.wrong(f"mux.enabled is {enabled!r}: write true or false")
        return 0
    return (sheet.integer(given.get("size"), "mux.size", 1) or 0) if enabled else 0


def _couplings(sheet: Sheet, content: Mapping[str, Any], places: Mapping[int, _Place]) -> list[tuple[int, int]]:
    listed = content.get("couplings", [])
    if not isinstance(listed, list):
        sheet.wrong("couplings is no list: write pairs of qubits, control first, like [[0, 1]]")
        return []
    convention = content.get("direction_convention")
    if convention not in (None, CHECKERBOARD):
        sheet.wrong(
            f"direction_convention is {convention!r}, known is {CHECKERBOARD}: "
            "remove it to take the couplings as they are listed, control first"
        )
    found: list[tuple[int, int]] = []
    for number, pair in enumerate(listed):
        one = _coupling(sheet, pair, number, places, checkerboard=convention == CHECKERBOARD)
        if one is not None:
            found.append(one)
    for (first, second), times in Counter(tuple(sorted(pair)) for pair in found).items():
        if times > 1:
            sheet.wrong(f"qubits {first} and {second} are coupled {times} times: remove all but one")
    return found


def _coupling(
    sheet: Sheet, pair: Any, number: int, places: Mapping[int, _Place], *, checkerboard: bool
) -> tuple[int, int] | None:
    place = f"couplings[{number}]"
    if not (isinstance(pair, list) and len(pair) == 2 and all(type(one) is int for one in pair)):
        sheet.wrong(f"{place} is {pair!r}: write two qubits, control first, like [0, 1]")
        return None
    control, target = pair
    unknown = [one for one in pair if one not in places]
    if unknown:
        sheet.wrong(f"{place} names qubit {unknown[0]}, which is not listed under qubits: correct it")
        return None
    if control == target:
        sheet.wrong(f"{place} couples qubit {control} to itself: correct it")
        return None
    at, other = places[control], places[target]
    if checkerboard and (at.row + at.column) % 2:
        even = (other.row + other.column) % 2 == 0
        what = f"write [{target}, {control}]" if even else "neither of the two is, so remove direction_convention"
        sheet.wrong(
            f"{place} has qubit {control} as its control, which is not on an even row + column "
            f"as {CHECKERBOARD} says: {what}"
        )
        return None
    return control, target


def _check_size(sheet: Sheet, content: Mapping[str, Any], places: Mapping[int, _Place]) -> None:
    """The numbers that say again what the lists say."""
    size = content.get("num_qubits")
    if size is not None and size != len(places):
        sheet.wrong(f"num_qubits is {size!r}, but {len(places)} are listed under qubits: correct one")
    columns = 1 + max((at.column for at in places.values()), default=-1)
    grid = content.get("grid_size")
    if grid is not None and (not isinstance(grid, int) or grid < columns):
        sheet.wrong(f"grid_size is {grid!r}, but there are {columns} columns of qubits: correct one")


# ---------------------------------------------------------------- as a manifest


def _generated(places: Mapping[int, _Place], couplings: list[tuple[int, int]], block: int) -> dict[str, Any] | None:
    """A generator that makes exactly these; None: there is none."""
    rows = 1 + max(at.row for at in places.values()) if places else 0
    columns = 1 + max(at.column for at in places.values()) if places else 0
    size = {0: 1, 1: 1, 2: 4}.get(block)
    if not places or size is None or rows * columns != len(places) or (size == 4 and (rows % 2 or columns % 2)):
        return None
    made = square_lattice(rows, columns, size)
    same_places = {int(site.id): _Place(site.y, site.x) for site in made.sites} == places
    same_couplings = sorted(_pairs(made)) == sorted(couplings)
    if not (same_places and same_couplings):
        return None
    return {"squareLattice": {"rows": rows, "columns": columns, "muxSize": size}}


def _pairs(topology: Topology) -> list[tuple[int, int]]:
    return [(int(one.control), int(one.target)) for one in topology.couplings]


def _listed(sheet: Sheet, places: Mapping[int, _Place], couplings: list[tuple[int, int]], block: int) -> dict[str, Any]:
    muxes = {identity: identity // block**2 if block else identity for identity in places}
    _check_blocks(sheet, places, muxes, block)
    return {
        "qubits": [
            {"id": str(identity), "x": at.column, "y": at.row, "mux": muxes[identity]}
            for identity, at in places.items()
        ],
        "couplings": [{"control": str(control), "target": str(target)} for control, target in couplings],
    }


def _check_blocks(sheet: Sheet, places: Mapping[int, _Place], muxes: Mapping[int, int], block: int) -> None:
    """Numbers go MUX by MUX; where the places say otherwise somebody counted another way."""
    if block < 2:
        return
    blocks: dict[int, set[tuple[int, int]]] = {}
    for identity, at in places.items():
        blocks.setdefault(muxes[identity], set()).add((at.row // block, at.column // block))
    for mux, found in blocks.items():
        if len(found) > 1:
            members = ", ".join(str(one) for one, of in muxes.items() if of == mux)
            sheet.wrong(
                f"qubits {members} should be MUX {mux}, but are not one block of {block} x {block}: "
                "number them MUX by MUX, or set mux.enabled to false"
            )
