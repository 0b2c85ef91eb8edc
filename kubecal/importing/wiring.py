"""Qubex's wiring file, by chip a list of MUXes with their ports, and the file of boxes beside it.

A port is ``<box>-<number>``. The box is the module: what stands before the last dash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubecal.api.topology import Topology, describe_ids
from kubecal.engine.problems import did_you_mean
from kubecal.importing.sheet import Sheet

_LISTS, _READOUT = ("ctrl",), ("read_out", "read_in", "pump")
_KNOWN = ("mux", *_LISTS, *_READOUT)
_BOX_KEYS = ("name", "type", "address", "adapter")
_PORT = re.compile(r"(?P<box>[A-Za-z0-9][A-Za-z0-9_.-]*)-(?P<number>[0-9]+)")
_CONTROL_ONLY = "B"
"""Last letter of boxes, or of their types, that cannot read out."""


@dataclass(frozen=True)
class ImportedWiring:
    """What the wiring says of a chip."""

    muxes: tuple[dict[str, Any], ...] = ()
    """``Chip.spec.wiring.muxes`` as a manifest writes it."""
    unwired: tuple[str, ...] = ()
    """Qubits without a control port."""


@dataclass(frozen=True)
class Boxes:
    """The boxes a lab has, by id, with the last letter of their types."""

    sheet: Sheet
    letters: Mapping[str, str] = field(default_factory=dict)


def chip_in(sheet: Sheet, wanted: str = "") -> str:
    """Which chip of a file that is sorted by chips is meant: the named one, or the only one."""
    names = [str(name) for name in sheet.content]
    if wanted:
        same = [name for name in names if name.lower() == wanted.lower()]
        if same:
            return same[0]
        sheet.wrong(f"has no chip {wanted!r}: {did_you_mean(wanted, names)}")
    elif len(names) == 1:
        return names[0]
    else:
        sheet.wrong(f"has {len(names)} chips ({', '.join(names[:8])}): say which with --name")
    return ""


def import_boxes(sheet: Sheet) -> Boxes:
    """The file of boxes: ``{X01B: {name, type, address, adapter}}``."""
    letters = {}
    for box, about in sheet.content.items():
        given = sheet.mapping(about, str(box))
        sheet.leave_out(given, _BOX_KEYS, f"{box}: ")
        letters[str(box)] = str(given.get("type", box))[-1:].upper()
    return Boxes(sheet, letters)


def import_wiring(sheet: Sheet, chip: str, topology: Topology, boxes: Boxes | None = None) -> ImportedWiring:
    """The modules of each MUX; what is wrong goes into the sheet's problems."""
    listed = sheet.content.get(chip)
    if not isinstance(listed, list):
        sheet.wrong(f"{chip} is no list of MUXes: write them as - mux: 0")
        return ImportedWiring()
    ports = _Ports(sheet, boxes)
    muxes: dict[int, dict[str, Any]] = {}
    unwired: list[str] = []
    for number, entry in enumerate(listed):
        given = sheet.mapping(entry, f"{chip}[{number}]")
        sheet.leave_out(given, _KNOWN, f"{chip}[{number}]: ")
        mux = sheet.integer(given.get("mux"), f"{chip}[{number}].mux")
        if mux is None:
            continue
        if mux in muxes:
            sheet.wrong(f"MUX {mux} is listed twice: remove one")
            continue
        if mux not in topology.members_by_mux:
            there = describe_ids(map(str, topology.members_by_mux))
            sheet.wrong(f"lists MUX {mux}, which the topology does not have (it has {there}): correct one of them")
            continue
        muxes[mux] = _modules(mux, given, ports, topology.members_by_mux[mux], unwired)
    missing = [str(mux) for mux in topology.members_by_mux if mux not in muxes]
    if missing:
        sheet.note(f"MUX {describe_ids(missing)} is not wired: its tasks hold no module")
    return ImportedWiring(tuple(muxes[mux] for mux in sorted(muxes)), tuple(unwired))


def _modules(
    mux: int, given: Mapping[Any, Any], ports: _Ports, members: Sequence[str], unwired: list[str]
) -> dict[str, Any]:
    control = given.get("ctrl")
    if not isinstance(control, list) or len(control) != len(members):
        said = f"{len(control)} ports" if isinstance(control, list) else "no list"
        ports.sheet.wrong(
            f"MUX {mux}: ctrl is {said}, but it has {len(members)} qubits ({', '.join(members)}): "
            "give one port for each, in order"
        )
        control = []
    unwired += [qubit for qubit, port in zip(members, control, strict=False) if port is None]
    drives = [ports.box(port, f"MUX {mux}: ctrl[{place}]") for place, port in enumerate(control) if port is not None]
    if given.get("read_out") is None:
        ports.sheet.wrong(f"MUX {mux}: read_out is missing: which port reads it out?")
    reads = [
        ports.box(given[name], f"MUX {mux}: {name}", reads_out=name != "pump")
        for name in _READOUT
        if given.get(name) is not None
    ]
    return {
        "id": mux,
        "readout": list(dict.fromkeys(box for box in reads if box)),
        "control": list(dict.fromkeys(box for box in drives if box)),
    }


class _Ports:
    """Ports as they are met: each is wired once."""

    def __init__(self, sheet: Sheet, boxes: Boxes | None) -> None:
        self.sheet, self._boxes = sheet, boxes
        self._places: dict[str, str] = {}
        self._missing: set[str] = set()

    def box(self, port: Any, place: str, *, reads_out: bool = False) -> str:
        """The box of a port; empty, and a problem, where there is none."""
        found = _PORT.fullmatch(port) if isinstance(port, str) else None
        if found is None:
            self.sheet.wrong(f"{place} is {port!r}: write a port as box and number, like X01B-5")
            return ""
        if port in self._places:
            self.sheet.wrong(f"port {port} is wired twice ({self._places[port]} and {place}): correct one")
        self._places.setdefault(port, place)
        box = found["box"]
        if self._boxes is not None and box not in self._boxes.letters and box not in self._missing:
            self._missing.add(box)
            hint = did_you_mean(box, self._boxes.letters)
            self.sheet.wrong(f"{place} is on box {box}, which {self._boxes.sheet.path} does not list: {hint}")
        if reads_out and self._letter(box) == _CONTROL_ONLY:
            self.sheet.wrong(f"{place} is {port}, but box {box} is of type {_CONTROL_ONLY}, which only controls")
        return box

    def _letter(self, box: str) -> str:
        known = self._boxes.letters.get(box) if self._boxes is not None else None
        return known or box[-1].upper()


def check_sizes(sheet: Sheet, chip: str, qubits: int) -> None:
    """The file of chips: ``{64Q: {name, n_qubits}}`` has to agree with the topology on the number of qubits."""
    about = sheet.mapping(sheet.content.get(chip), chip)
    sheet.leave_out(about, ("id", "name", "n_qubits", "num_qubits", "size"), f"{chip}: ")
    for name, size in _sizes(about):
        if size != qubits:
            sheet.wrong(f"{chip}.{name} is {size!r}, but the topology has {qubits} qubits: is it the right topology?")


def _sizes(about: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    yield from ((name, about[name]) for name in ("n_qubits", "num_qubits", "size") if name in about)
