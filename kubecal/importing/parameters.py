"""Qubex's parameter files: one a parameter, ``{<chip>: {Q00: 4.91, Q01: null}}``, labels padded to the chip's size.

Units are the catalogue's, which are those the files have: GHz for frequencies.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubecal.api.catalogue import Catalogue, TargetKind
from kubecal.api.topology import Topology
from kubecal.engine.problems import did_you_mean
from kubecal.importing.sheet import ImportProblem, Sheet, refuse
from kubecal.importing.wiring import chip_in

_QUBIT = re.compile(r"Q?0*([0-9]+)")
_COUPLING = re.compile(r"Q?0*([0-9]+)-Q?0*([0-9]+)")
_HIGHEST_GHZ = 100.0
"""No frequency of ours is higher: whoever writes more means another unit."""
Values = dict[str, dict[str, dict[str, dict[str, float]]]]
"""``{qubits: {"0": {qubit_frequency: {value: 4.91}}}, couplings: {}}``, as ``set`` has it."""


def import_parameters(
    folder: Path, chip: str, topology: Topology, catalogue: Catalogue
) -> tuple[Values, tuple[str, ...]]:
    """All files of a folder as values for a step ``set``, and what was left out of them.

    Parameters
    ----------
    chip
        The chip's name in the files; empty: they have only one.

    Raises
    ------
    ImportProblem
        If there is no file, or something in them is wrong.
    """
    if not folder.is_dir():
        raise ImportProblem(f"{folder}: is no folder: give the one with a file for each parameter")
    files = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
    if not files:
        raise ImportProblem(f"{folder}: has no YAML file: give the folder with a file for each parameter")
    values: Values = {"qubits": {}, "couplings": {}}
    sheets = [Sheet.read(file) for file in files]
    for sheet in sheets:
        _read(sheet, chip, topology, catalogue, values)
    refuse(*sheets)
    return values, tuple(note for sheet in sheets for note in sheet.notes)


def _read(sheet: Sheet, chip: str, topology: Topology, catalogue: Catalogue, values: Values) -> None:
    name = sheet.path.stem
    units = _units(catalogue)
    if name not in units:
        sheet.note(f"left out: no task has a parameter {name}: {did_you_mean(name, units)}")
        return
    if chip and chip not in map(str, sheet.content):
        sheet.note(f"left out: has no chip {chip}")
        return
    of_chip = chip_in(sheet, chip)
    if not of_chip:
        return
    seen: dict[str, str] = {}
    for label, value in sheet.mapping(sheet.content.get(of_chip), of_chip).items():
        target = _target(sheet, str(label), topology, seen)
        if target and value is not None:
            _take(sheet, str(label), value, units[name], values, target, name)


def _units(catalogue: Catalogue) -> Mapping[str, str]:
    """The unit of every parameter that belongs to a qubit or coupling."""
    return {
        output.name: output.unit
        for task in catalogue.tasks
        if task.kind is not TargetKind.CHIP
        for output in task.outputs
    }


def _target(sheet: Sheet, label: str, topology: Topology, seen: dict[str, str]) -> str:
    """The qubit or coupling of a label; empty, and a problem, where there is none."""
    qubit, pair = _QUBIT.fullmatch(label), _COUPLING.fullmatch(label)
    target = qubit[1] if qubit else f"{pair[1]}-{pair[2]}" if pair else ""
    if target not in topology.site_by_id and target not in topology.coupling_by_id:
        turned = f"{pair[2]}-{pair[1]}" if pair else ""
        ids = topology.describe_ids()
        why = (
            f"its control is qubit {pair[2]}" if pair and turned in topology.coupling_by_id else f"it has qubits {ids}"
        )
        sheet.wrong(f"{label} is no qubit or coupling of the chip ({why}): correct the label")
        return ""
    if target in seen:
        sheet.wrong(f"{label} and {seen[target]} are the same: remove one")
        return ""
    seen[target] = label
    return target


def _take(sheet: Sheet, label: str, value: Any, unit: str, values: Values, target: str, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        sheet.wrong(f"{label} is {value!r}: write a number, or null where there is none")
    elif unit == "GHz" and abs(value) > _HIGHEST_GHZ:
        sheet.wrong(f"{label} is {value!r}, but {name} is in GHz: is the file in MHz or Hz?")
    else:
        kind = "couplings" if "-" in target else "qubits"
        values[kind].setdefault(target, {})[name] = {"value": float(value)}
