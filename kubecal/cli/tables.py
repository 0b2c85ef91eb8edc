"""Tables without frames: as wide as what they hold in a pipe, folded to 80 columns on a terminal, never cut off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from kubecal.cli.form import Form

Cell = str | Text


class Column(NamedTuple):
    """One column of a table."""

    title: str
    right: bool = False
    """Whether it stands at its right edge, as numbers do."""
    folds: bool = False
    """Whether a narrow terminal may fold it; numbers with their errors stay whole."""
    wide: bool = False
    """Whether only a wide table has it."""


def plain_table(columns: Sequence[Column], rows: Iterable[Sequence[Cell]], form: Form = Form.TABLE) -> Table:
    """A table of rows with a cell for each column, those of the wide form included, or of one cell: a heading."""
    kept = [number for number, column in enumerate(columns) if form is Form.WIDE or not column.wide]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in (columns[number] for number in kept):
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            overflow="fold" if column.folds else "ellipsis",
            no_wrap=not column.folds,
        )
    for row in rows:
        if len(row) == 1:
            table.add_row(heading(row[0]))
        else:
            table.add_row(*(row[number] for number in kept))
    return table


def heading(cell: Cell) -> Text:
    """What the rows below it are about."""
    return Text(str(cell), style="bold", no_wrap=True)
