"""A Chip from a lab's files: where the qubits are, which boxes serve them, and what was calibrated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kubecal.api.catalogue import Catalogue
from kubecal.api.chip import Chip
from kubecal.api.model import API_VERSION
from kubecal.api.sentences import sentences
from kubecal.importing.parameters import Values, import_parameters
from kubecal.importing.sheet import ImportProblem, Sheet, refuse
from kubecal.importing.topology import import_topology
from kubecal.importing.wiring import ImportedWiring, check_sizes, chip_in, import_boxes, import_wiring

_BACKEND = "fake"


@dataclass(frozen=True)
class ChipFiles:
    """Which files there are."""

    topology: Path
    wiring: Path | None = None
    boxes: Path | None = None
    chips: Path | None = None
    """Says of each chip how many qubits it has."""
    parameters: Path | None = None
    """A folder with a file for each parameter."""
    name: str = ""
    """The chip's name in the files; empty: they have only one."""
    backend: str = ""
    """Empty: the simulator."""


@dataclass(frozen=True)
class ImportedChip:
    """What came out."""

    manifest: Mapping[str, Any]
    """A Chip; Any: manifest values."""
    values: Values
    """What was calibrated; empty: nothing was given."""
    notes: tuple[str, ...]
    """What was left out, and what to look at."""


def import_chip(files: ChipFiles, catalogue: Catalogue) -> ImportedChip:
    """The Chip that these files describe.

    Raises
    ------
    ImportProblem
        If something in them is wrong; a line for every reason.
    """
    topology_sheet = Sheet.read(files.topology)
    topology = import_topology(topology_sheet)
    refuse(topology_sheet)
    spec: dict[str, Any] = {"topology": topology, "backend": {"name": files.backend or _BACKEND}}
    sites = _checked("chip", spec).spec.topology.resolve()
    notes = list(topology_sheet.notes)
    name, wired = files.name, ImportedWiring()
    if files.wiring is not None:
        sheet = Sheet.read(files.wiring)
        boxes = import_boxes(Sheet.read(files.boxes)) if files.boxes is not None else None
        name = chip_in(sheet, files.name)
        refuse(sheet)
        wired = import_wiring(sheet, name, sites, boxes)
        refuse(sheet, boxes.sheet if boxes is not None else None)
        notes += [*sheet.notes, *(boxes.sheet.notes if boxes is not None else ())]
    if wired.muxes:
        spec["wiring"] = {"muxes": list(wired.muxes)}
    if wired.unwired:
        spec["disabled"] = {"qubits": list(wired.unwired), "reason": "no control port in the wiring"}
        notes.append(f"{files.wiring}: without a control port, so disabled: qubit {', '.join(wired.unwired)}")
    if files.chips is not None:
        sizes = Sheet.read(files.chips)
        known = chip_in(sizes, name)
        if known:
            check_sizes(sizes, known, len(sites.sites))
        refuse(sizes)
        name = name or known
        notes += sizes.notes
    values: Values = {}
    if files.parameters is not None:
        values, left_out = import_parameters(files.parameters, name, sites, catalogue)
        notes += left_out
    if not files.backend:
        notes.append(f"spec.backend.name is {_BACKEND}, the simulator: write the name of your instruments' backend")
    called = _object_name(name or str(topology_sheet.content.get("id") or files.topology.stem))
    _checked(called, spec)
    manifest = {"apiVersion": API_VERSION, "kind": "Chip", "metadata": {"name": called}, "spec": spec}
    return ImportedChip(manifest, values, tuple(notes))


def _checked(name: str, spec: Mapping[str, Any]) -> Chip:
    """What a cluster would say to it."""
    manifest = {"apiVersion": API_VERSION, "kind": "Chip", "metadata": {"name": name}, "spec": dict(spec)}
    try:
        return Chip.model_validate(manifest)
    except ValidationError as error:
        raise ImportProblem("\n".join(f"the chip of these files: {one}" for one in sentences(error, Chip))) from error


def _object_name(name: str) -> str:
    """A name that Kubernetes takes: ``64Qv3`` becomes ``64qv3``."""
    return re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-") or "chip"
