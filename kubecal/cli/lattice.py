"""The chip as a lattice in signs: every qubit at its place, its state in a sign that needs no colour.

Small chips show every qubit with its id, larger ones a sign a qubit, the largest a sign a MUX.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.text import Text

from kubecal.api.topology import Site, Topology

_LABEL_STYLE = "dim"
_ROWS_SET_APART = 6
"""Up to so many rows MUXes are set apart by empty lines too; more would not fit into a terminal of 24 lines."""
_MUXES_A_LINE, _MUXES_A_GROUP = 32, 8


@dataclass(frozen=True)
class Mark:
    """How a qubit is shown."""

    sign: str
    """One character; a space where there is nothing to say."""
    style: str = ""
    rank: int = 0
    """Of several qubits on one MUX the highest stands for all."""


NOTHING = Mark(" ", "dim", -1)


@dataclass(frozen=True)
class Room:
    """A piece of a terminal, in characters and lines."""

    width: int
    height: int


def lattice(topology: Topology, marks: Mapping[str, Mark], fits: Callable[[Room], bool]) -> list[Text] | None:
    """The lattice, a text a line, in the most detailed form that fits; None: none does.

    Parameters
    ----------
    marks
        By qubit; of those that have none only the place is shown.
    fits
        Whether something of this size has a place.
    """
    for form in (_with_ids, _by_qubit, _by_mux, _muxes_in_lines):
        lines = form(topology, marks)
        if fits(Room(max(line.cell_len for line in lines), len(lines))):
            return lines
    return None


def _with_ids(topology: Topology, marks: Mapping[str, Mark]) -> list[Text]:
    """``12✓ 13●``: ids with signs, MUXes set apart."""
    digits = max(len(site.id) for site in topology.sites)
    columns, rows = _axes(topology.sites)
    at = {(site.x, site.y): site for site in topology.sites}
    between = {"x": _borders(topology.sites, columns, "x"), "y": _borders(topology.sites, rows, "y")}
    lines: list[Text] = []
    for y in rows:
        if y in between["y"] and len(rows) <= _ROWS_SET_APART:
            lines.append(Text())
        line = Text()
        for x in columns:
            line.append(("  " if x in between["x"] else " ") if x != columns[0] else "")
            site = at.get((x, y))
            if site is None:
                line.append(" " * (digits + 1))
                continue
            mark = marks.get(site.id, NOTHING)
            line.append(f"{site.id:>{digits}}", style=mark.style)
            line.append(mark.sign, style=mark.style)
        lines.append(line)
    return lines


def _by_qubit(topology: Topology, marks: Mapping[str, Mark]) -> list[Text]:
    """A sign a qubit, MUXes set apart by a space; at the left the id of the first qubit of each line."""
    columns, rows = _axes(topology.sites)
    at = {(site.x, site.y): site for site in topology.sites}
    borders = _borders(topology.sites, columns, "x")
    firsts = [next((at[x, y].id for x in columns if (x, y) in at), "") for y in rows]
    digits = max(map(len, firsts))
    lines = []
    for y, first in zip(rows, firsts, strict=True):
        line = Text.assemble((f"{first:>{digits}} ", _LABEL_STYLE))
        for x in columns:
            site = at.get((x, y))
            mark = marks.get(site.id, NOTHING) if site is not None else NOTHING
            line.append(" " if x in borders else "")
            line.append(mark.sign if mark.sign != " " or site is None else "·", style=mark.style)
        lines.append(line)
    return lines


def _by_mux(topology: Topology, marks: Mapping[str, Mark]) -> list[Text]:
    """A sign a MUX at its place; at the left the number of each line's first MUX."""
    sites = topology.site_by_id
    corner = {
        mux: (min(sites[one].x for one in members), min(sites[one].y for one in members))
        for mux, members in topology.members_by_mux.items()
    }
    columns, rows = sorted({x for x, _ in corner.values()}), sorted({y for _, y in corner.values()})
    at = {place: mux for mux, place in corner.items()}
    digits = len(str(max(corner)))
    lines = []
    for y in rows:
        first = next(at[x, y] for x in columns if (x, y) in at)
        line = Text.assemble((f"MUX {first:>{digits}}  ", _LABEL_STYLE))
        for x in columns:
            mux = at.get((x, y))
            mark = _of_mux(topology, marks, mux) if mux is not None else NOTHING
            line.append(f"{mark.sign} ", style=mark.style)
        line.rstrip()
        lines.append(line)
    return lines


def _muxes_in_lines(topology: Topology, marks: Mapping[str, Mark]) -> list[Text]:
    """A sign a MUX, one after another; for chips whose lattice no terminal holds."""
    muxes = sorted(topology.members_by_mux)
    digits = len(str(muxes[-1]))
    lines = []
    for begin in range(0, len(muxes), _MUXES_A_LINE):
        line = Text.assemble((f"MUX {muxes[begin]:>{digits}} ", _LABEL_STYLE))
        for number, mux in enumerate(muxes[begin : begin + _MUXES_A_LINE]):
            mark = _of_mux(topology, marks, mux)
            line.append(" " if number % _MUXES_A_GROUP == 0 else "")
            line.append(mark.sign, style=mark.style)
        lines.append(line)
    return lines


def _of_mux(topology: Topology, marks: Mapping[str, Mark], mux: int) -> Mark:
    """The mark of the MUX's most remarkable qubit."""
    return max((marks.get(one, NOTHING) for one in topology.members_by_mux[mux]), key=lambda one: one.rank)


def _axes(sites: Iterable[Site]) -> tuple[list[int], list[int]]:
    """All columns and rows from the first to the last."""
    xs, ys = zip(*((site.x, site.y) for site in sites), strict=True)
    return list(range(min(xs), max(xs) + 1)), list(range(min(ys), max(ys) + 1))


def _borders(sites: Sequence[Site], places: Sequence[int], axis: str) -> frozenset[int]:
    """Columns (or rows) before which every line crosses from one MUX into another."""
    across = "y" if axis == "x" else "x"
    mux_at = {(getattr(site, axis), getattr(site, across)): site.mux for site in sites}
    if len(set(mux_at.values())) == len(mux_at):
        # A qubit a MUX: nothing to set apart.
        return frozenset()
    others = {getattr(site, across) for site in sites}
    return frozenset(
        after
        for before, after in pairwise(places)
        if all(mux_at.get((before, other)) != mux_at.get((after, other)) for other in others)
    )
