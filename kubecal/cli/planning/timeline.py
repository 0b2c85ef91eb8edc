"""A plan as people read it: steps and MUXes over time, what it takes so long for, what excludes each other.

Nothing is said by colour alone: a step is a letter, how much of it runs at a time is the height of a bar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from string import ascii_letters

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kubecal.api.naming import spoken_target
from kubecal.api.topology import Topology
from kubecal.cli.planning.answer import (
    LegAnswer,
    PlanAnswer,
    PlannedTaskAnswer,
    busy_share,
    mux_rows,
)
from kubecal.reading.quantities import duration

_BARS = " ▁▂▃▄▅▆▇█"
_WIDTH = 46
"""Columns of the time axis: with names before and numbers behind it a line has less than 80."""
_NAME = 14
_TICKS = 2
_MUXES, _TARGETS = 16, 3
_IDLE, _OTHER = "·", "?"


def timeline(answer: PlanAnswer, topology: Topology, *, everything: bool = False) -> RenderableType:
    """All of it; ``everything``: every MUX and every stretch of the critical path."""
    parts: list[RenderableType] = [_headline(answer), Text()]
    if answer.total_seconds:
        letters = {step.name: _letter(number) for number, step in enumerate(answer.steps)}
        parts += [_axis(answer.total_seconds), *_steps(answer, letters), Text()]
        parts += [*_muxes(answer, topology, letters, everything), Text()]
        parts += [*_critical(answer, everything), Text(), *_busy(answer)]
    parts += _conflicts(answer)
    parts.append(Text("Durations are estimates on instruments, at the tasks' default sweeps.", style="dim"))
    parts += [Text(f"Not counted: {note}.", style="dim") for note in answer.notes]
    return Group(*parts)


def _headline(answer: PlanAnswer) -> Text:
    tasks = "1 task" if answer.tasks == 1 else f"{answer.tasks:,} tasks"
    text = Text.assemble((answer.session, "bold"), f" on {answer.chip}: {tasks} in ")
    text.append(duration(answer.total_seconds), "bold")
    return text.append(", if every task succeeds at once")


def _letter(number: int) -> str:
    return ascii_letters[26:][number] if number < 26 else ascii_letters[number - 26] if number < 52 else _OTHER


# ---------------------------------------------------------------- over time


def _axis(total_s: float) -> Text:
    """Begin, middle and end, each beginning above its column; the last one ends with the axis."""
    line = [" "] * (_NAME + _WIDTH)
    for tick in range(_TICKS + 1):
        label = duration(total_s * tick / _TICKS) if tick else "0"
        at = _NAME + (_WIDTH * tick) // _TICKS
        if tick == _TICKS:
            at -= len(label)
        line[at : at + len(label)] = label
    return Text("".join(line).rstrip(), style="dim")


def _steps(answer: PlanAnswer, letters: dict[str, str]) -> Iterable[Text]:
    by_step: dict[str, list[PlannedTaskAnswer]] = {step.name: [] for step in answer.steps}
    for task in answer.schedule:
        by_step[task.step].append(task)
    for step in answer.steps:
        row = Text(f"{letters[step.name]} {_cut(step.name, _NAME - 3)} ")
        row.append(_profile(by_step[step.name], answer.total_seconds, step.most_at_once), "cyan")
        row.append(f" {step.tasks}, {step.most_at_once} at once" if step.most_at_once > 1 else f" {step.tasks}")
        yield row


def _profile(tasks: Sequence[PlannedTaskAnswer], total_s: float, most: int) -> str:
    """How many run on the average, in each column, of as many as run at most."""
    running = _over_columns(tasks, total_s)
    return "".join(_BARS[_height(sum(column.values()), most)] for column in running)


def _height(running: float, most: int) -> int:
    full = len(_BARS) - 1
    return 0 if running <= 0 else max(1, min(full, round(full * running / most)))


def _over_columns(tasks: Iterable[PlannedTaskAnswer], total_s: float) -> list[Counter[str]]:
    """How many tasks run in each column on the average, by step."""
    columns: list[Counter[str]] = [Counter() for _ in range(_WIDTH)]
    per_column = total_s / _WIDTH
    for task in tasks:
        first = min(_WIDTH - 1, int(task.begin_seconds / per_column))
        last = min(_WIDTH - 1, int(task.end_seconds / per_column))
        for column in range(first, last + 1):
            inside = min(task.end_seconds, (column + 1) * per_column) - max(task.begin_seconds, column * per_column)
            if inside > 0:
                columns[column][task.step] += inside / per_column  # type: ignore[assignment]
    return columns


def _muxes(answer: PlanAnswer, topology: Topology, letters: dict[str, str], everything: bool) -> Iterable[Text]:
    rows = {mux: tasks for mux, tasks in mux_rows(answer, topology).items() if tasks}
    shown = list(rows) if everything or len(rows) <= _MUXES else list(rows)[:_MUXES]
    for mux in shown:
        row = Text(f"{_cut(f'MUX {mux}', _NAME - 1)} ")
        for column in _over_columns(rows[mux], answer.total_seconds):
            row.append(letters[max(column, key=column.__getitem__)] if column else _IDLE)
        row.append(f" {busy_share(rows[mux], answer.total_seconds):4.0%} of the time")
        yield row
    if len(shown) < len(rows):
        yield Text(f"and {len(rows) - len(shown)} more MUXes: --all shows them", style="dim")


def _cut(text: str, width: int) -> str:
    return f"{text:<{width}}" if len(text) <= width else text[: width - 1] + "…"


# ---------------------------------------------------------------- why it takes so long


def _critical(answer: PlanAnswer, everything: bool) -> Iterable[RenderableType]:
    """The critical path, each stretch by itself or those of one step taken together."""
    if not answer.critical_path:
        return
    yield Text("What its end waits for", style="bold")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    if everything:
        for leg in answer.critical_path:
            table.add_row(duration(leg.end_seconds - leg.begin_seconds), _leg(leg))
    else:
        for _, legs in groupby(answer.critical_path, lambda leg: leg.step):
            stretch = list(legs)
            table.add_row(duration(stretch[-1].end_seconds - stretch[0].begin_seconds), _stretch(stretch))
    yield Padding(table, (0, 0, 0, 2), expand=False)


def _leg(leg: LegAnswer) -> Text:
    what = leg.tasks[0] if len(leg.tasks) == 1 else f"{len(leg.tasks)} tasks"
    text = Text(f"{leg.step}: {what} on {spoken_target(leg.target)}")
    return text.append(f", when {leg.waits_for} is free") if leg.waits_for else text


def _stretch(legs: Sequence[LegAnswer]) -> Text:
    """``check: 20 tasks on qubit 12, qubit 13 in turn``."""
    targets = list(dict.fromkeys(spoken_target(leg.target) for leg in legs))
    tasks = sum(len(leg.tasks) for leg in legs)
    what = legs[0].tasks[0] if tasks == 1 else f"{tasks} tasks"
    more = f" and {len(targets) - _TARGETS} more" if len(targets) > _TARGETS else ""
    turns = ", one after another" if len(targets) > 1 else ""
    return Text(f"{legs[0].step}: {what} on {', '.join(targets[:_TARGETS])}{more}{turns}")


def _busy(answer: PlanAnswer) -> Iterable[RenderableType]:
    """The busiest of each kind: of sixty qubits that are all busy one is enough."""
    best: dict[str, str] = {}
    for one in answer.busiest:
        line = f"  {one.wire} is held {one.share:.0%} of the time, {one.exclusive_share:.0%} exclusively"
        best.setdefault(one.wire.split()[0], line)
    if best:
        yield Text("Busiest", style="bold")
        yield from (Text(line) for line in best.values())
        yield Text()


def _conflicts(answer: PlanAnswer) -> Iterable[RenderableType]:
    rows = [(step.name, conflict) for step in answer.steps for conflict in step.conflicts]
    rows += [("", sentence) for sentence in answer.conflicts]
    if rows:
        yield Text("Never side by side", style="bold")
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(no_wrap=True)
        table.add_column()
        for name, sentence in rows:
            table.add_row(Text(name), Text(sentence))
        yield Padding(table, (0, 0, 0, 2), expand=False)
        yield Text()
