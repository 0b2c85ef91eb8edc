"""Where the qubits of a chip are: sites, MUXes, couplings and neighbours.

Ids follow the numbering labs know: MUX by MUX in 2 x 2 blocks, row-major inside a block and between
blocks, so in a 4 x 4 lattice qubit 4 sits at row 0, column 2. The control of a coupling is the qubit on
an even row + column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache


@dataclass(frozen=True)
class Site:
    """One qubit of a chip."""

    id: str
    """The qubit's id, a decimal number as text."""
    x: int
    """Column of the lattice, from 0."""
    y: int
    """Row of the lattice, from 0."""
    mux: int
    """The MUX (shared readout line) the qubit belongs to."""


@dataclass(frozen=True)
class Coupling:
    """Two coupled qubits, in the direction in which the chip was designed."""

    control: str
    target: str

    @property
    def id(self) -> str:
        """The coupling's id, ``control-target``."""
        return f"{self.control}-{self.target}"


@dataclass(frozen=True)
class Topology:
    """All sites and couplings of a chip, in the chip's own order."""

    sites: tuple[Site, ...]
    couplings: tuple[Coupling, ...]

    @cached_property
    def site_by_id(self) -> Mapping[str, Site]:
        """Every site under its qubit's id."""
        return {site.id: site for site in self.sites}

    @cached_property
    def coupling_by_id(self) -> Mapping[str, Coupling]:
        """Every coupling under its id, control first."""
        return {coupling.id: coupling for coupling in self.couplings}

    @cached_property
    def members_by_mux(self) -> Mapping[int, tuple[str, ...]]:
        """The qubits of each MUX, in the chip's order."""
        members: dict[int, list[str]] = {}
        for site in self.sites:
            members.setdefault(site.mux, []).append(site.id)
        return {mux: tuple(ids) for mux, ids in members.items()}

    @cached_property
    def neighbours(self) -> Mapping[str, frozenset[str]]:
        """The qubits coupled to each qubit; every qubit has an entry."""
        found: dict[str, set[str]] = {site.id: set() for site in self.sites}
        for coupling in self.couplings:
            found[coupling.control].add(coupling.target)
            found[coupling.target].add(coupling.control)
        return {qubit: frozenset(others) for qubit, others in found.items()}

    def describe_ids(self) -> str:
        """The ids in words for a message: ``0...15`` when they are consecutive, else a short list."""
        return describe_ids(site.id for site in self.sites)


def describe_ids(ids: Iterable[str]) -> str:
    """Say which ids there are: ``0...15`` when they are consecutive, else the first few and how many."""
    ordered = sorted(ids, key=int)
    numbers = [int(i) for i in ordered]
    if not ordered:
        return "none"
    if len(ordered) > 2 and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return f"{ordered[0]}...{ordered[-1]}"
    if len(ordered) > 8:
        return ", ".join(ordered[:8]) + f", ... ({len(ordered)} in all)"
    return ", ".join(ordered)


@lru_cache(maxsize=64)
def square_lattice(rows: int, columns: int, mux_size: int) -> Topology:
    """A square lattice with nearest-neighbour couplings.

    Parameters
    ----------
    rows, columns:
        Size of the lattice, in qubits.
    mux_size:
        Qubits per readout line: 1, or 4 for 2 x 2 blocks (rows and columns must then be even).
    """
    block = {1: 1, 4: 2}[mux_size]
    if rows % block or columns % block:
        raise ValueError(f"muxSize 4 needs even rows and columns, not {rows} x {columns}: use muxSize 1 or change them")
    sites: list[Site] = []
    for block_row in range(rows // block):
        for block_column in range(columns // block):
            mux = block_row * (columns // block) + block_column
            for inner in range(block * block):
                y, x = block_row * block + inner // block, block_column * block + inner % block
                sites.append(Site(id=str(len(sites)), x=x, y=y, mux=mux))
    at = {(site.x, site.y): site for site in sites}
    couplings = [
        _directed(site, at[neighbour])
        for site in sites
        for neighbour in ((site.x + 1, site.y), (site.x, site.y + 1))
        if neighbour in at
    ]
    couplings.sort(key=lambda c: (int(c.control), int(c.target)))
    return Topology(sites=tuple(sites), couplings=tuple(couplings))


def _directed(first: Site, second: Site) -> Coupling:
    """The coupling of two neighbours; the qubit on an even row + column is the control."""
    if (first.x + first.y) % 2 == 0:
        return Coupling(control=first.id, target=second.id)
    return Coupling(control=second.id, target=first.id)
