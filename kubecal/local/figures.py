"""Figures as files in a folder, so that a person finds them without a database client."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kubecal.reading.answers import Result
from kubecal.reading.figures import figure_names
from kubecal.reading.records import Records


async def save_figures(records: Records, results: Sequence[Result], folder: Path) -> Path | None:
    """Write every figure of the results below ``folder``, as SVG and PNG; None when there are none."""
    files = {**figure_names(results, "svg"), **figure_names(results, "png")}
    for file_id, names in files.items():
        content = await records.file(file_id)
        for name in names:
            _write(folder / name, content)
    return folder if files else None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
