"""What a task holds while it runs.

============= =====================================================================================
task          wires
============= =====================================================================================
qubit         X(qubit), S(its MUX), S(its MUX's modules)
several       batch: X(every qubit), X(their MUXes), S(their modules)
MUX           X(MUX), X(its qubits), S(its modules)
coupling      X(both qubits), X(both MUXes), S(their modules)
chip          X(chip)
computation   nothing
============= =====================================================================================

A module is held exclusively where the wiring says so, or says nothing and the backend drives instruments. The
step's mode adds: Isolated S(every neighbour), MuxSerial X(its MUX), Serial X(chip). Holding a neighbour shared keeps
it from being driven (that needs it exclusively) while two qubits with a common neighbour may still run side by side.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from kubecal.api.chip import MuxWiring, Wiring
from kubecal.api.steps import ScheduleMode
from kubecal.api.topology import Topology
from kubecal.api.wires import Wire, WireKind, WireMode

_X, _S = WireMode.EXCLUSIVE, WireMode.SHARED
WHOLE_CHIP = (Wire(_X, WireKind.CHIP, ""),)
"""What a task that acts on the chip as a whole holds."""


class Wirings:
    """What qubits of one chip hang on.

    Parameters
    ----------
    exclusive
        Whether modules of which the wiring does not say so are held exclusively.
    """

    def __init__(self, topology: Topology, wiring: Wiring, *, exclusive: bool) -> None:
        self._topology, self._wiring, self._exclusive = topology, wiring, exclusive

    def qubit(self, qubit: str, mode: ScheduleMode) -> tuple[Wire, ...]:
        """The wires of a task that drives one qubit, sorted."""
        return self._claims((qubit,), _S, mode)

    def qubits(self, qubits: Iterable[str], mode: ScheduleMode) -> tuple[Wire, ...]:
        """Of a task that drives several at once: two qubits of a coupling, or those of a batch."""
        return self._claims(tuple(qubits), _X, mode)

    def mux(self, mux: int, mode: ScheduleMode) -> tuple[Wire, ...]:
        """Of a task that acts on a MUX and so on all its qubits."""
        return self._claims(self._topology.members_by_mux[mux], _X, mode)

    def _claims(self, driven: tuple[str, ...], mux_mode: WireMode, mode: ScheduleMode) -> tuple[Wire, ...]:
        topology = self._topology
        muxes = {topology.site_by_id[qubit].mux for qubit in driven}
        if mode is ScheduleMode.MUX_SERIAL:
            mux_mode = _X
        wires = {Wire(_X, WireKind.QUBIT, qubit) for qubit in driven}
        wires |= {Wire(mux_mode, WireKind.MUX, str(mux)) for mux in muxes}
        if mode is ScheduleMode.ISOLATED:
            near = {other for qubit in driven for other in topology.neighbours[qubit]} - set(driven)
            wires |= {Wire(_S, WireKind.QUBIT, other) for other in near}
        if mode is ScheduleMode.SERIAL:
            wires.add(WHOLE_CHIP[0])
        return tuple(sorted(wires | self._modules(muxes)))

    def _modules(self, muxes: Iterable[int]) -> set[Wire]:
        """One that serves two MUXes of a task is held once, exclusively if either says so."""
        modes: dict[str, WireMode] = {}
        for mux in muxes:
            wired = self._by_mux.get(mux)
            if wired is None:
                continue
            alone = self._exclusive if wired.exclusive is None else wired.exclusive
            for module in (*wired.readout, *wired.control):
                modes[module] = _X if alone or modes.get(module) is _X else _S
        return {Wire(mode, WireKind.MODULE, module) for module, mode in modes.items()}

    @cached_property
    def _by_mux(self) -> dict[int, MuxWiring]:
        return {wired.id: wired for wired in self._wiring.muxes}


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

    def take_elsewhere(self, holder: str, modules: tuple[Wire, ...]) -> None:
        """Note which modules a task of another chip holds: this chip as a whole is as free as before."""
        for wire in modules:
            self._modes.setdefault((wire.kind, wire.id), {})[holder] = wire.mode

    def let_go(self, holder: str, wires: tuple[Wire, ...]) -> None:
        """Note that ``holder`` has ended and holds these no more."""
        for wire in wires:
            self._modes[wire.kind, wire.id].pop(holder, None)
        self._holders.pop(holder, None)

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
        holders = self._modes.get((kind, ""))
        if holders is None:
            return None
        return next((holder for holder, mode in holders.items() if mode is WireMode.EXCLUSIVE), None)
