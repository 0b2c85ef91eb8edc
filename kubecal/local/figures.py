"""Figures as files in a folder, so that a person finds them without a database client."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kubecal.reading.answers import Result
from kubecal.reading.records import Records


async def save_figures(records: Records, results: Sequence[Result], folder: Path) -> Path | None:
    """Write every figure of the results below ``folder``; None when there are none.

    Files are called ``<qubit or coupling>-<step>-<task>[-<ordinal>][-attempt<n>]`` with the figure's own ending.
    """
    files = [
        (f"{_stem(row, number)}.{file_id.rpartition('.')[2]}", file_id)
        for row in results
        for number, file_id in enumerate(row.figure_ids)
    ]
    for name, file_id in files:
        _write(folder / name, await records.file(file_id))
    return folder if files else None


def _stem(row: Result, number: int) -> str:
    parts = [row.qid or "chip", row.step, row.task]
    parts += [str(row.ordinal)] if row.ordinal else []
    parts += [f"attempt{row.attempt}"] if row.attempt > 1 else []
    # Each figure is stored as an SVG and a PNG in turn.
    parts += [str(number // 2 + 1)] if number >= 2 else []
    return "-".join(parts)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
