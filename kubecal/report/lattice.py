"""Where a chip's qubits, couplings and MUXes are drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kubecal.api.topology import Site, Topology

PITCH = 104.0
"""From one qubit's middle to the next one's, in units of the drawing: pixels where there is room."""
QUBIT = 60.0
"""Side of a qubit's square."""
COUPLING_WIDTH, COUPLING_HEIGHT = 42.0, 18.0
"""Of the label in the middle of a coupling."""
_MARGIN = 10.0
_MUX_EDGE = 9.0
"""From a MUX's qubits to the line around them."""


@dataclass(frozen=True)
class Box:
    """A rectangle and what it stands for."""

    id: str
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> tuple[float, float]:
        """Where its text goes."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class Link:
    """A coupling: a line from control to target, and the box of its value in the middle."""

    box: Box
    start: tuple[float, float]
    end: tuple[float, float]


@dataclass(frozen=True)
class Lattice:
    """Everything of a map that does not depend on what is shown."""

    width: float
    height: float
    qubits: tuple[Box, ...]
    links: tuple[Link, ...]
    muxes: tuple[Box, ...]
    """Only those that no stranger's qubit lies in: the others are no rectangle."""


def lattice(topology: Topology) -> Lattice:
    """Draw the sites where they are; rows and columns that hold nothing before the first take no room."""
    left = min((site.x for site in topology.sites), default=0)
    top = min((site.y for site in topology.sites), default=0)
    middles = {
        site.id: (_MARGIN + (site.x - left + 0.5) * PITCH, _MARGIN + (site.y - top + 0.5) * PITCH)
        for site in topology.sites
    }
    qubits = tuple(_around(qubit, middle, QUBIT, QUBIT) for qubit, middle in middles.items())
    links = tuple(
        _link(coupling.id, middles[coupling.control], middles[coupling.target]) for coupling in topology.couplings
    )
    return Lattice(
        width=max((box.x + box.width for box in qubits), default=0.0) + (PITCH - QUBIT) / 2 + _MARGIN,
        height=max((box.y + box.height for box in qubits), default=0.0) + (PITCH - QUBIT) / 2 + _MARGIN,
        qubits=qubits,
        links=links,
        muxes=_muxes(topology, middles),
    )


def _link(identity: str, start: tuple[float, float], end: tuple[float, float]) -> Link:
    middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    return Link(_around(identity, middle, COUPLING_WIDTH, COUPLING_HEIGHT), start, end)


def _muxes(topology: Topology, middles: dict[str, tuple[float, float]]) -> tuple[Box, ...]:
    members: dict[int, list[Site]] = {}
    for site in topology.sites:
        members.setdefault(site.mux, []).append(site)
    at = {(site.x, site.y): site.mux for site in topology.sites}
    boxes = []
    for mux, sites in members.items():
        columns = range(min(site.x for site in sites), max(site.x for site in sites) + 1)
        rows = range(min(site.y for site in sites), max(site.y for site in sites) + 1)
        alone = all(at.get((x, y), mux) == mux for x in columns for y in rows)
        if len(sites) > 1 and alone:
            places = [middles[site.id] for site in sites]
            boxes.append(_hull(str(mux), places))
    return tuple(boxes)


def _hull(identity: str, middles: list[tuple[float, float]]) -> Box:
    left, right = min(x for x, _ in middles), max(x for x, _ in middles)
    top, bottom = min(y for _, y in middles), max(y for _, y in middles)
    edge = QUBIT / 2 + _MUX_EDGE
    return Box(identity, left - edge, top - edge, right - left + 2 * edge, bottom - top + 2 * edge)


def _around(identity: str, middle: tuple[float, float], width: float, height: float) -> Box:
    return Box(identity, middle[0] - width / 2, middle[1] - height / 2, width, height)


def places_for(values: list[float], room: int) -> int:
    """Decimals that tell these values apart and leave them no longer than ``room`` characters."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0
    spread = max(finite) - min(finite) or max(abs(value) for value in finite)
    wanted = 2 - math.floor(math.log10(spread)) if spread > 0 else 0
    digits = max(len(f"{value:.0f}") for value in finite)
    return max(0, min(wanted, room - digits - 1))
