"""What a session may ever need of its hardware, and whether two of them can hold it side by side.

With ``lock.scope: Chip`` that is everything. With ``Targets`` it is what its planned tasks claim, all together:
sessions whose wires are disjoint run beside each other. Neighbours that an Isolated step keeps quiet count too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kubecal.api.wires import Wire, WireKind, WireMode

_Place = tuple[WireKind, str]


@dataclass(frozen=True)
class Reach:
    """Wires a session holds or reserves."""

    exclusive: frozenset[_Place] = frozenset()
    shared: frozenset[_Place] = frozenset()
    everything: bool = False
    """The hardware as a whole."""

    def __bool__(self) -> bool:
        """Whether it needs any wire at all: a session that only works on records does not."""
        return self.everything or bool(self.exclusive or self.shared)

    def meets(self, other: Reach) -> str:
        """Where the two exclude each other, in words; empty: they do not, as never with one that needs nothing."""
        if not (self and other):
            return ""
        if self.everything or other.everything:
            return "the chip"
        common = (self.exclusive & (other.exclusive | other.shared)) | (self.shared & other.exclusive)
        if not common:
            return ""
        kind, identity = min(common, key=lambda place: (place[0], len(place[1]), place[1]))
        return kind.spoken(identity)


EVERYTHING = Reach(everything=True)


def reach_of(claims: Iterable[tuple[Wire, ...]]) -> Reach:
    """All these claims together."""
    wires = {wire for claim in claims for wire in claim}
    if any(wire.kind is WireKind.CHIP for wire in wires):
        return EVERYTHING
    exclusive = frozenset((wire.kind, wire.id) for wire in wires if wire.mode is WireMode.EXCLUSIVE)
    return Reach(exclusive, frozenset((wire.kind, wire.id) for wire in wires) - exclusive)
