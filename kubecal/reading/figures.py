"""What figures are called as files: for a folder that a person looks through, and for pages that link to them."""

from __future__ import annotations

from collections.abc import Sequence

from kubecal.reading.answers import Result
from kubecal.reading.records import FigureForm


def figure_names(results: Sequence[Result], form: FigureForm) -> dict[str, list[str]]:
    """File names of the results' figures in one form, by file id.

    They are called ``<qubit or coupling>-<step>-<task>[-<ordinal>][-attempt<n>][-<n>]`` with the form's ending. Ids are
    hashes of content: equal figures of several results have one id, and a name each.
    """
    names: dict[str, list[str]] = {}
    for row in results:
        for number, file_id in enumerate(_of_form(row, form)):
            # Of several figures of one result the first has no number.
            stem = "-".join([_stem(row), *([str(number + 1)] if number else [])])
            names.setdefault(file_id, []).append(f"{stem}.{form}")
    return names


def _of_form(row: Result, form: FigureForm) -> list[str]:
    files = row.json_figure_ids if form == "json" else row.figure_ids
    return [file_id for file_id in files if file_id.rpartition(".")[2] == form]


def _stem(row: Result) -> str:
    parts = [row.qid or "chip", row.step, row.task]
    parts += [str(row.ordinal)] if row.ordinal else []
    parts += [f"attempt{row.attempt}"] if row.attempt > 1 else []
    return "-".join(parts)
