"""What the live view shows at one moment: a pure function of the sight, the time, and the terminal's size."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from kubecal.api.naming import spoken_target
from kubecal.cli.lattice import Room, lattice
from kubecal.cli.marks import SPOKEN, QubitState, legend, qubit_states
from kubecal.cli.screen import printable
from kubecal.cli.spans import spans
from kubecal.lab.lab import Sight
from kubecal.reading.answers import TaskState
from kubecal.reading.attempts import last_attempts
from kubecal.reading.quantities import duration, spoken

_LEAST = Room(30, 7)
"""The lists stand beside the lattice where that leaves them such a width, else below it where such a height is left."""
_INDENT, _GAP = 2, 3
_APART = 4
"""Lines besides head and body: the legend, and the empty ones between the parts."""
_ITEM_LINES = 2
"""Of an item of a list; the rest of it is cut off."""
_BAR = 28
_IDS_WIDTH = 16
"""Of the ids of those on which a task runs; more are counted."""
_PHASE_STYLES = {"Running": "bold cyan", "Completed": "bold green", "Cancelled": "bold yellow"}


@dataclass(frozen=True)
class Lists:
    """What stands beside the lattice, each with its heading."""

    running: Sequence[Text]
    failures: Sequence[Text]
    waits: Sequence[Text]


def picture(sight: Sight, now: datetime, room: Room) -> RenderableType:
    """Head, lattice, and beside it what runs, what failed and what waits.

    Parameters
    ----------
    now
        By the clock of whoever saw it.
    """
    last = last_attempts(sight.tasks)
    states = qubit_states(last, sight.chip)
    above = head(sight, last, now, room)
    inner = Room(room.width - _INDENT, room.height - len(above) - _APART)
    drawn = _lattice(sight, states, inner)
    lists = Lists(_running(last, now), _failures(last), _waits(sight))
    body: RenderableType
    if drawn is None:
        body = _listed(lists, inner)
    elif (beside := inner.width - _size(drawn).width - _GAP) >= _LEAST.width:
        body = Table.grid(padding=(0, _GAP, 0, 0))
        body.add_row(Text("\n").join(drawn), _listed(lists, Room(beside, inner.height)))
    else:
        body = Group(*drawn, Text(), _listed(lists, Room(inner.width, inner.height - len(drawn) - 1)))
    parts: list[RenderableType] = [Text(), *above, Text(), _indented(body)]
    if drawn is not None:
        parts += [Text(), _indented(_legend(states, inner.width))]
    return Group(*parts)


def _lattice(sight: Sight, states: Mapping[str, QubitState], room: Room) -> list[Text] | None:
    """The chip where it leaves room for the lists."""
    if sight.chip is None or not states:
        return None

    def fits(size: Room) -> bool:
        beside = size.height <= room.height and room.width - size.width - _GAP >= _LEAST.width
        return beside or (size.width <= room.width and room.height - size.height - 1 >= _LEAST.height)

    return lattice(sight.chip.spec.topology.resolve(), {qubit: one.value for qubit, one in states.items()}, fits)


def head(sight: Sight, last: Sequence[TaskState], now: datetime, room: Room) -> list[RenderableType]:
    """Who, on what, since when; how far; what is amiss.

    Parameters
    ----------
    last
        The last attempts of the sight's tasks.
    """
    standing, status = sight.session, sight.session.status
    phase = str(status.phase or "Pending")
    line = Text.assemble((standing.name, "bold"), " ", (spoken(phase), _PHASE_STYLES.get(phase, "bold")))
    line.append(f" on {standing.session.spec.chip}")
    line.append(f", execution {status.execution_id}" if status.execution_id else "")
    line.append(f", {duration((now - (status.started_at or standing.created_at)).total_seconds())}", style="dim")
    line.truncate(room.width - 1, overflow="ellipsis")
    parts: list[RenderableType] = [line, _progress(last, room.width)]
    if sight.problem:
        ago = duration((now - sight.seen_at).total_seconds())
        parts.append(Text(f"{printable(sight.problem)} (seen {ago} ago)", style="bold yellow"))
    elif status.message and phase != "Running":
        parts.append(Text(printable(status.message), style="yellow"))
    return parts


def _progress(last: Sequence[TaskState], width: int) -> RenderableType:
    ended = sum(one.status not in ("scheduled", "running") for one in last)
    running = sum(one.status == "running" for one in last)
    failed = sum(one.status == "failed" for one in last)
    counts = Text(f"{ended}/{len(last)} done, {running} running" if last else "nothing is planned yet")
    if failed:
        counts.append(f", {failed} failed", style="bold red")
    line = Table.grid(padding=(0, 1))
    bar = ProgressBar(
        total=max(1, len(last)),
        completed=ended,
        width=min(_BAR, max(1, width - counts.cell_len - 2)),
        complete_style="green",
    )
    line.add_row(bar, counts)
    return line


def _legend(states: Mapping[str, QubitState], width: int) -> Text:
    """What the signs mean, and how many qubits have each."""
    entries = [
        Text.assemble((state.value.sign, state.value.style), f" {SPOKEN[state]} {count}")
        for state, count in legend(states)
    ]
    line = Text("  ").join(entries)
    return line if line.cell_len <= width else Text(" ").join(entries)


def _running(tasks: Sequence[TaskState], now: datetime) -> list[Text]:
    """An item a task that runs: on what, and for how long the longest of them."""
    by_task: dict[str, list[TaskState]] = {}
    for one in tasks:
        if one.status == "running":
            by_task.setdefault(one.task, []).append(one)
    items = []
    for task, some in sorted(by_task.items()):
        targets = list(dict.fromkeys(one.target for one in some))
        longest = max(((now - one.started_at).total_seconds() for one in some if one.started_at), default=0.0)
        again = max(one.attempt for one in some)
        attempt = f", attempt {again}" if again > 1 else ""
        items.append(Text(f"{task} on {_spoken(targets)}{attempt} ({duration(longest)})"))
    return items


def _spoken(targets: Sequence[str]) -> str:
    """One by its name, a few by their ids, many by their number."""
    if len(targets) == 1:
        return spoken_target(targets[0])
    ids = spans(targets)
    return ids if len(ids) <= _IDS_WIDTH else f"{len(targets)} targets"


def _failures(last: Sequence[TaskState]) -> list[Text]:
    """What failed for good, the last first."""
    failed = [one for one in last if one.status == "failed"]
    failed.sort(key=lambda one: (one.ended_at is not None, str(one.ended_at)), reverse=True)
    items = []
    for one in failed:
        verdict = f", {one.verdict}" if one.verdict else ""
        message = f": {printable(one.message)}" if one.message else ""
        items.append(Text(f"{one.task} on {spoken_target(one.qid)}{verdict}{message}"))
    return items


def _waits(sight: Sight) -> list[Text]:
    """How many wait for one reason, with an example."""
    return [
        Text(
            f"{wait.task} on {spoken_target(wait.target)}"
            + (f" and {wait.tasks - 1} more" if wait.tasks > 1 else "")
            + (f": {printable(wait.message)}" if wait.message else "")
        )
        for wait in sight.session.status.waits
    ]


def _listed(lists: Lists, room: Room) -> RenderableType:
    """The lists in so many lines: each gets a share, and what one does not need the others have."""
    named = [("running", lists.running), ("failed", lists.failures), ("waiting", lists.waits)]
    left = [(title, items) for title, items in named if items]
    parts: list[RenderableType] = []
    height = room.height
    while left:
        title, items = left.pop(0)
        # A heading, and an empty line before all but the first.
        between = 1 if parts else 0
        share = (height - between) // (len(left) + 1) - 1
        lines = _within(items, Room(room.width - _INDENT, max(1, share)))
        parts += [Text()] * between
        parts += [Text(title, style="bold red" if title == "failed" else "bold"), *map(_indented, lines)]
        height -= between + 1 + len(lines)
    return Group(*parts)


def _within(items: Sequence[Text], room: Room) -> list[Text]:
    """The first items, each in a few lines; the last line says how many there are besides."""
    shown: list[Text] = []
    for number, item in enumerate(items):
        more = len(items) - number
        lines = _folded(item, Room(room.width, _ITEM_LINES))
        # The last line is kept for the number of those that have no place.
        left = room.height - len(shown) - (1 if more > 1 else 0)
        if left < 1:
            return [*shown, Text(f"and {more} more" if shown else f"{more} in all", style="dim")]
        shown += lines if len(lines) <= left else _folded(item, Room(room.width, left))
    return shown


def _folded(item: Text, room: Room) -> list[Text]:
    """A text in at most so many lines, cut off at the end of the last."""
    lines = textwrap.wrap(item.plain, room.width)
    if len(lines) > room.height:
        rest = " ".join(lines[room.height - 1 :])
        lines = [*lines[: room.height - 1], rest[: room.width - 1].rstrip() + "…"]
    return [Text(line) for line in lines]


def _size(lines: Sequence[Text]) -> Room:
    return Room(max(line.cell_len for line in lines), len(lines))


def _indented(what: RenderableType) -> RenderableType:
    return Padding(what, (0, 0, 0, _INDENT), expand=False)
