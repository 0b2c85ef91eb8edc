"""What could not be stored yet, kept in the scratch folder while the database is away.

A task's process may be killed while it waits for MongoDB. The folder outlives it: on a laptop as long as one
likes, in a pod until the pod is deleted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from kubecal.records.results import AttemptResult

_FILES = ("figures", "raw_data")


def spool(results: Mapping[str, AttemptResult], scratch: Path) -> Path:
    """Write results with their files, each that was judged into a folder of its own; returns that of all."""
    folder = scratch / "unstored"
    for judged, result in results.items():
        _write(result, folder / judged)
    return folder


def _write(result: AttemptResult, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for figure in result.figures:
        for file in (figure.svg, figure.png, figure.json):
            (folder / file.name).write_bytes(file.content)
    for file in result.raw_data:
        (folder / file.name).write_bytes(file.content)
    values = {name: value for name, value in asdict(result).items() if name not in _FILES}
    (folder / "result.json").write_text(json.dumps(values, default=str, indent=1))
