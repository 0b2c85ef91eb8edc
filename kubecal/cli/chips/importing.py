"""``kubecal chip import``: a Chip manifest from files of QDash and qubex, with a session that sets what they know."""

from __future__ import annotations

from typing import Any

from kubecal.api.model import API_VERSION
from kubecal.api.yaml_text import yaml_text
from kubecal.cli.answering import NotDoneError
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.screen import Screen
from kubecal.importing import ChipFiles, ImportedChip, ImportProblem, import_chip
from kubecal.local.catalogue import installed_catalogue


def import_files(screen: Screen, files: ChipFiles) -> int:
    """Print the manifests; what was left out goes to standard error. The exit code."""
    try:
        found = import_chip(files, installed_catalogue())
    except ImportProblem as problem:
        raise NotDoneError(str(problem)) from problem
    screen.out.file.write(yaml_text(*_manifests(found)))
    for note in found.notes:
        screen.errors.print(note, style="yellow", soft_wrap=True, markup=False)
    return ExitCode.DONE


def _manifests(found: ImportedChip) -> list[Any]:  # Any: manifest values
    """The chip, and a session that sets what was calibrated, where anything was."""
    manifests: list[Any] = [dict(found.manifest)]
    values = {kind: targets for kind, targets in found.values.items() if targets}
    if values:
        chip = found.manifest["metadata"]["name"]
        session = {
            "apiVersion": API_VERSION,
            "kind": "CalibrationSession",
            "metadata": {"name": f"{chip}-imported"[:63]},
            "spec": {"chip": chip, "targets": {"chip": True}, "steps": [{"name": "set", "set": values}]},
        }
        manifests.append(session)
    return manifests
