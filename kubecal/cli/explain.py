"""``kubecal explain``: why tasks of a session do not run, by reason, those that a person can mend first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kubecal.api.explanation import Reason, SessionExplanation, TaskExplanation
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.screen import Screen, printable
from kubecal.cli.spans import spans
from kubecal.lab.lab import Lab

_ORDER = {reason.value: number for number, reason in enumerate(Reason)}
_MENDABLE = (Reason.PODS_BLOCKED, Reason.POD_STUCK, Reason.RECORDS_UNAVAILABLE, Reason.CATALOGUE_CHANGED)
_TARGETS_WIDTH = 20


async def explain_session(lab: Lab, screen: Screen, session: str) -> int:
    """Ask the lab and print."""
    explained = await lab.explain(session)
    screen.show(explained, lambda: explanation(explained))
    return ExitCode.DONE


def explanation(explained: SessionExplanation) -> RenderableType:
    """A headline, and a table for every reason."""
    parts: list[RenderableType] = [_headline(explained)]
    if explained.message:
        parts.append(Padding(Text(printable(explained.message)), (0, 0, 0, 2), expand=False))
    by_reason = sorted(explained.tasks, key=lambda one: _ORDER.get(one.reason, len(_ORDER)))
    for reason, group in groupby(by_reason, lambda one: one.reason):
        parts += [Text(), _section(reason, list(group))]
    return Group(*parts)


def _headline(explained: SessionExplanation) -> Text:
    text = Text.assemble((explained.session, "bold"), f" {explained.phase} on {explained.chip}")
    if explained.execution_id:
        text.append(f", execution {explained.execution_id}")
    waiting = len(explained.tasks)
    if not waiting + explained.running + explained.succeeded:
        return text.append(": no tasks are planned yet")
    kept = f"{waiting} not, for these reasons" if waiting else "nothing else"
    return text.append(f": {explained.running} run, {explained.succeeded} ok, {kept}")


def _section(reason: str, tasks: list[TaskExplanation]) -> RenderableType:
    style = "bold red" if reason == Reason.FAILED else "bold yellow" if reason in _MENDABLE else "bold"
    title = Text.assemble((printable(reason), style), f": {len(tasks)} {'task' if len(tasks) == 1 else 'tasks'}")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(max_width=_TARGETS_WIDTH)
    table.add_column(ratio=1)
    several_steps = len({one.step for one in tasks}) > 1
    for label, targets, why in _rows(tasks, several_steps=several_steps):
        table.add_row(Text(label), Text(targets), Text(why))
    return Group(title, Padding(table, (0, 0, 0, 2), expand=False))


def _rows(tasks: Iterable[TaskExplanation], *, several_steps: bool) -> Iterator[tuple[str, str, str]]:
    """Task, targets and why; targets of one task that wait for the same share a row."""
    rows: dict[tuple[str, str], list[str]] = {}
    for one in tasks:
        label = f"{one.step}/{one.task}" if several_steps else one.task
        label += f" #{one.ordinal + 1}" if one.ordinal else ""
        until = f", until {one.until:%H:%M:%S} UTC" if one.until is not None and one.reason != Reason.RETRY_AT else ""
        rows.setdefault((printable(label), printable(one.message + until)), []).append(one.target)
    for (label, why), targets in rows.items():
        yield label, spans(targets), why
