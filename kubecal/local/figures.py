"""Figures as files in a folder, so that a person finds them without a database client."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kubecal.records.reading import ResultReader, ResultRow


async def save_figures(reader: ResultReader, results: Sequence[ResultRow], folder: Path) -> Path | None:
    """Write every figure of the results below ``folder``; None when there are none.

    Files are called ``<qubit>-<step>-<task>[-<ordinal>][-attempt<n>]`` with the figure's own ending.
    """
    written = False
    for row in results:
        for number, file_id in enumerate(row.figure_ids):
            folder.mkdir(parents=True, exist_ok=True)
            ending = file_id.rpartition(".")[2]
            parts = [row.qid, row.step, row.task]
            parts += [str(row.ordinal)] if row.ordinal else []
            parts += [f"attempt{row.attempt}"] if row.attempt > 1 else []
            # Each figure is stored as an SVG and a PNG in turn.
            parts += [str(number // 2 + 1)] if number >= 2 else []
            (folder / f"{'-'.join(parts)}.{ending}").write_bytes(await reader.file(file_id))
            written = True
    return folder if written else None
