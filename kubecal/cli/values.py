"""What was measured, as people read it: failures with their reasons, values with their errors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kubecal.api.catalogue import Catalogue
from kubecal.api.naming import spoken_target
from kubecal.api.units import readable
from kubecal.cli.screen import printable
from kubecal.reading.answers import OutputValue, Result
from kubecal.reading.quantities import duration, quantity, sigmas

_NOTABLE_SIGMAS = 3.0
_MOVED_SIGMAS = 5.0
"""Nearer to the value that it replaces a result is as good as the same."""


def outcome_parts(
    results: Sequence[Result], catalogue: Catalogue, *, all_values: bool, wide: bool = False
) -> list[RenderableType]:
    """Failures with their reasons, then the values of what is good, each with an empty line behind it."""
    bad = [row for row in results if row.status == "failed"]
    good = [row for row in results if row.outputs and row.verdict == "ok"]
    parts: list[RenderableType] = [failure(row) for row in bad]
    parts += [Text()] if bad else []
    if good:
        parts += [value_table(good, catalogue, all_values=all_values, wide=wide), Text()]
    moved = moved_table(good, catalogue)
    if moved.row_count:
        parts += [Text("moved since the values that these replace", style="bold"), moved, Text()]
    return parts


def failure(row: Result) -> RenderableType:
    """One failed task: where, what, why."""
    line = Text("failed: ", style="bold red")
    line.append(f"{task_label(row)} on {spoken_target(row.qid)}", style="not bold default")
    if row.verdict:
        line.append(f", {row.verdict}")
    if row.attempt > 1:
        line.append(f" (attempt {row.attempt})", style="not bold default")
    if not row.message:
        return line
    return Group(line, Padding(Text(printable(row.message)), (0, 0, 0, 4), expand=False))


def value_table(rows: Sequence[Result], catalogue: Catalogue, *, all_values: bool, wide: bool = False) -> Table:
    """Every calibrated parameter: value, error, unit, verdict, under its qubit.

    Parameters
    ----------
    all_values
        Also what belongs to the fit and the readout rather than to the qubit.
    wide
        Also which attempt it was, how long it took, and its task id.
    """
    shown = [(row, [o for o in row.outputs if all_values or o.name in _headline(row, catalogue)]) for row in rows]
    outputs = [output for _, some in shown for output in some]
    with_change = any(output.previous is not None for output in outputs)
    # With all values names and units are long: single gaps keep the table within 80 columns.
    table = Table(box=None, header_style="bold", pad_edge=False, collapse_padding=all_values)
    titles = ["task", "parameter", "value", "unit", *(["change"] if with_change else []), "verdict"]
    for title in [*titles, *(["attempt", "took", "task id"] if wide else [])]:
        # Names may be folded on a narrow terminal; a number stays with its error.
        names = title in ("task", "parameter")
        table.add_column(title, no_wrap=not names, overflow="fold", justify="right" if title == "change" else "left")
    width = max((len(quantity(o.value, o.error)[0]) for o in outputs), default=0)
    several_steps = len({row.step for row in rows}) > 1
    shown.sort(key=lambda one: (target_order(one[0].qid), one[0].step if several_steps else ""))
    for place, group in groupby(shown, lambda one: (one[0].qid, one[0].step)):
        heading = spoken_target(place[0]) + (f", {place[1]}" if several_steps else "")
        table.add_row(Text(heading, style="bold", no_wrap=True))
        for row, some in group:
            for number, output in enumerate(some):
                cells: list[str | Text] = [
                    f"  {task_label(row)}" if number == 0 else "",
                    output.name,
                    value_text(output.value, output.error, width),
                    output.unit,
                ]
                cells += [_change(output, _ageing(row, catalogue))] if with_change else []
                cells.append(_verdict(row, output, first=number == 0))
                table.add_row(*cells, *(_more(row) if wide and number == 0 else []))
    return table


def moved_table(rows: Sequence[Result], catalogue: Catalogue) -> Table:
    """What is not any more what it was, by how much: properties of the target, not a measurement's settings."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for _ in range(5):
        table.add_column(no_wrap=True)
    for row in sorted(rows, key=lambda one: target_order(one.qid)):
        ageing = _ageing(row, catalogue)
        for output in row.outputs:
            previous, sigma = output.previous, output.sigmas
            if previous is None or sigma is None or abs(sigma) < _MOVED_SIGMAS or output.name not in ageing:
                continue
            by, unit = readable(output.value - previous, output.unit)
            # What a drift explains is told; what it does not was measured twice, and stands out.
            drift = Text("twice measured", style="bold yellow") if output.name in row.moved else Text("")
            amount = Text(f"{by:+.3g} {unit}".rstrip(), style="yellow")
            table.add_row(f"  {spoken_target(row.qid)}", output.name, amount, sigmas(sigma), drift)
    return table


def value_text(value: float, error: float, width: int = 0) -> str:
    """``22.19 ± 0.36``, the value at the right of a width, so that errors stand below each other."""
    number, uncertainty = quantity(value, error)
    return f"{number:>{width}}" + (f" ± {uncertainty}" if uncertainty else "")


def task_label(row: Result) -> str:
    """The task, and which of its occurrences in the step where there are several."""
    return f"{row.task} #{row.ordinal + 1}" if row.ordinal else row.task


def target_order(qid: str) -> tuple[int, int, str]:
    """Qubits by number, couplings by their control behind them, the chip last."""
    if qid.isdigit():
        return (0, int(qid), "")
    first = qid.partition("-")[0]
    return (1, int(first), qid) if first.isdigit() else (2, 0, qid)


def change_text(sigma: float | None) -> Text:
    """``+1.2 σ``, marked where it is more than chance explains; ``first`` where there was nothing before."""
    if sigma is None:
        return Text("first", style="dim")
    return Text(sigmas(sigma), style="bold yellow" if abs(sigma) >= _NOTABLE_SIGMAS else "")


def _headline(row: Result, catalogue: Catalogue) -> frozenset[str]:
    """What a task calibrates: the outputs that age; a check that only compares shows what it found."""
    return _ageing(row, catalogue) or frozenset(output.name for output in row.outputs)


def _ageing(row: Result, catalogue: Catalogue) -> frozenset[str]:
    """The outputs that are properties of the target, which drift; the others belong to the measurement's settings."""
    task = catalogue.task_by_name.get(row.task)
    return frozenset(output.name for output in task.outputs if output.drift is not None) if task else frozenset()


def _change(output: OutputValue, ageing: frozenset[str]) -> Text:
    """Of a setting nothing: that it was chosen anew is no change of the target."""
    return change_text(output.sigmas) if output.name in ageing else Text("")


def _verdict(row: Result, output: OutputValue, *, first: bool) -> Text:
    if not output.accepted:
        return Text("not accepted", style="bold red")
    if output.name in row.moved:
        return Text("moved", style="bold yellow")
    return Text(row.verdict, style="green" if row.verdict == "ok" else "bold red") if first else Text("")


def _more(row: Result) -> list[str]:
    took = (row.ended_at - row.started_at).total_seconds() if row.started_at and row.ended_at else None
    return [str(row.attempt), duration(took) if took is not None else "", row.task_id]
