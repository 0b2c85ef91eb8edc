"""``kubecal explain``: why tasks of a session do not run, by reason, those that a person can mend first."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby

from pydantic import ValidationError
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kubecal.api.explanation import Reason, SessionExplanation, TaskExplanation
from kubecal.cli.kubectl import NoSuchSessionError, NotAskedError, Operator, ask, own_namespace
from kubecal.cli.output import Output, console_on

NO_SUCH_SESSION = 1
NOT_ASKED = 2
_ORDER = {reason.value: number for number, reason in enumerate(Reason)}
_MENDABLE = (Reason.PODS_BLOCKED, Reason.POD_STUCK, Reason.RECORDS_UNAVAILABLE, Reason.CATALOGUE_CHANGED)
_TARGETS_WIDTH = 20


def explain_session(name: str, namespace: str, operator: Operator, *, as_json: bool) -> int:
    """Ask and print; the exit code, as ``kubecal explain --help`` lists them."""
    errors = console_on(Output(sys.stderr))
    try:
        answer = ask(operator, namespace or own_namespace(operator.context), name)
        explained = SessionExplanation.model_validate_json(answer)
    except NoSuchSessionError as error:
        errors.print(Text(_printable(str(error)), style="red"))
        return NO_SUCH_SESSION
    except NotAskedError as error:
        errors.print(Text(_printable(str(error)), style="red"))
        return NOT_ASKED
    except ValidationError:
        errors.print(Text("the operator's answer is not understood: use its version of kubecal", style="red"))
        return NOT_ASKED
    output = Output(sys.stdout)
    if as_json:
        # All that it said: fields that this version does not know, too.
        output.write(json.dumps(json.loads(answer), indent=2) + "\n")
        output.flush()
    else:
        print_explanation(console_on(output), explained)
    return 0


def print_explanation(console: Console, explained: SessionExplanation) -> None:
    """A headline, and a table for every reason."""
    console.print(_headline(explained))
    if explained.message:
        console.print(Padding(Text(_printable(explained.message)), (0, 0, 0, 2), expand=False))
    by_reason = sorted(explained.tasks, key=lambda one: _ORDER.get(one.reason, len(_ORDER)))
    for reason, group in groupby(by_reason, lambda one: one.reason):
        console.print()
        console.print(_section(reason, list(group)))


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
    title = Text.assemble((_printable(reason), style), f": {len(tasks)} {'task' if len(tasks) == 1 else 'tasks'}")
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
        rows.setdefault((_printable(label), _printable(one.message + until)), []).append(one.target)
    for (label, why), targets in rows.items():
        yield label, _spans(targets), why


def _spans(targets: list[str]) -> str:
    """``0...3, 5``: numbers that follow each other as a span, whatever else as it is."""
    numbers = sorted(int(one) for one in targets if one.isdigit())
    spans: list[tuple[int, int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    texts = [_span(first, last) for first, last in spans]
    return ", ".join(texts + [_printable(one) for one in targets if not one.isdigit()])


def _span(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first}, {last}" if last == first + 1 else f"{first}...{last}"


def _printable(text: str) -> str:
    """What pods say is anybody's text: nothing in it may steer the terminal."""
    return "".join(one if one.isprintable() else " " for one in text)
