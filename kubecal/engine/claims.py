"""What a task holds while it runs.

=========== =========================================================
mode        wires of a qubit task
=========== =========================================================
Parallel    X(qubit), S(its MUX)
Isolated    as Parallel, and S(every neighbour)
MuxSerial   X(qubit), X(its MUX)
Serial      as Parallel, and X(chip)
=========== =========================================================

Holding a neighbour shared keeps it from being driven (that needs it exclusively) while two qubits with a common
neighbour may still run side by side. A task that only computes holds nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from kubecal.api.steps import ScheduleMode
from kubecal.api.topology import Topology
from kubecal.api.wires import Wire, WireKind, WireMode


def qubit_claims(qubit: str, mode: ScheduleMode, topology: Topology) -> tuple[Wire, ...]:
    """The wires of a task that drives one qubit, sorted."""
    mux_mode = WireMode.EXCLUSIVE if mode is ScheduleMode.MUX_SERIAL else WireMode.SHARED
    wires = [
        Wire(WireMode.EXCLUSIVE, WireKind.QUBIT, qubit),
        Wire(mux_mode, WireKind.MUX, str(topology.site_by_id[qubit].mux)),
    ]
    if mode is ScheduleMode.ISOLATED:
        wires += [Wire(WireMode.SHARED, WireKind.QUBIT, other) for other in topology.neighbours[qubit]]
    if mode is ScheduleMode.SERIAL:
        wires.append(Wire(WireMode.EXCLUSIVE, WireKind.CHIP, ""))
    return tuple(sorted(wires))


class Obstruction(NamedTuple):
    """Why wires cannot be taken."""

    wire: Wire
    """The first of them that is not free."""
    holder: str
    """Who holds what excludes it: a pod's name."""


class HeldWires:
    """What is taken now, indexed so that a question costs as much as the claim has wires, not as the chip has."""

    def __init__(self) -> None:
        self._modes: dict[tuple[WireKind, str], dict[str, WireMode]] = {}
        self._holders: dict[str, None] = {}
        """A set that keeps its order: what is in the way is called the same in every pass."""

    def take(self, holder: str, wires: tuple[Wire, ...]) -> None:
        """Note that ``holder`` (a pod's name) holds these."""
        for wire in wires:
            self._modes.setdefault((wire.kind, wire.id), {})[holder] = wire.mode
        if wires:
            self._holders[holder] = None

    def blocking(self, wires: tuple[Wire, ...]) -> Obstruction | None:
        """What is in the way of these wires; None: they are free."""
        if not wires:
            return None
        chip = self._exclusive_holder(WireKind.CHIP)
        if chip is not None:
            return Obstruction(Wire(WireMode.EXCLUSIVE, WireKind.CHIP, ""), chip)
        for wire in wires:
            if wire.kind is WireKind.CHIP and wire.mode is WireMode.EXCLUSIVE and self._holders:
                return Obstruction(wire, next(iter(self._holders)))
            for holder, mode in self._modes.get((wire.kind, wire.id), {}).items():
                if WireMode.EXCLUSIVE in (mode, wire.mode):
                    return Obstruction(wire, holder)
        return None

    def _exclusive_holder(self, kind: WireKind) -> str | None:
        """Who holds the chip as a whole; its id is the same wherever it is claimed."""
        holders = self._modes.get((kind, ""), {})
        return next((holder for holder, mode in holders.items() if mode is WireMode.EXCLUSIVE), None)
