"""The live view: a line per result, each once, and on a terminal the picture below them."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from kubecal.api.session_status import TaskCounts
from kubecal.cli.lattice import Room
from kubecal.cli.live import LiveView, pictures
from kubecal.lab.lab import Sight
from kubecal.reading.answers import TaskState
from tests.unit.kubecal.cli.in_memory import a_session
from tests.unit.kubecal.cli.test_picture import NOW, a_sight, a_task

GOOD = a_task("CheckRabi", "0", "completed", verdict="ok")
BAD = a_task("CheckT1", "0", "failed", verdict="no_signal", message="flat: raise control_amplitude", attempt=2)
RUNS = a_task("CheckT1", "1", "running")
COUNTS = TaskCounts(planned=3)


def told(*sights: Sight, from_start: bool = True, terminal: bool = False) -> str:
    text = StringIO()
    console = Console(file=text, width=200, height=24, force_terminal=terminal, color_system=None)
    with LiveView(console, from_start=from_start) as live:
        for sight in sights:
            live.update(sight)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def test_every_result_has_one_line_and_a_bad_one_its_reason() -> None:
    assert told(a_sight(RUNS, tasks=COUNTS), a_sight(GOOD, RUNS, tasks=COUNTS), a_sight(GOOD, BAD, tasks=COUNTS)) == (
        "morning running, execution 20261125-000, 3 tasks\n"
        "  CheckRabi        qubit 0    ok              10.0 s\n"
        "  CheckT1          qubit 0    no_signal       10.0 s  attempt 2\n"
        "      flat: raise control_amplitude"
    )


def test_whoever_comes_later_is_not_told_all_that_was_before() -> None:
    text = told(a_sight(GOOD, RUNS, tasks=COUNTS), a_sight(GOOD, BAD, tasks=COUNTS), from_start=False)
    assert "1 result has come out before" in text
    assert "CheckRabi" not in text
    assert "no_signal" in text


@pytest.mark.parametrize(
    ("task", "shown"),
    [
        (a_task("CheckT1", "0", "scheduled"), False),
        (a_task("CheckT1", "0", "skipped", message="CheckRabi failed"), False),
        (a_task("CheckT1", "0", "cancelled", started_at=None, message="the session was cancelled"), False),
        (a_task("CheckT1", "0", "cancelled", message="its node was lost: it is measured again"), True),
    ],
)
def test_only_what_was_begun_has_a_line(task: TaskState, shown: bool) -> None:
    assert ("CheckT1" in told(a_sight(task))) is shown


@pytest.mark.parametrize(
    ("status", "line"),
    [
        ({"phase": "Queued", "message": "evening holds the chip"}, "morning queued: evening holds the chip"),
        ({"phase": "Queued", "message": "waits for its turn"}, ""),
        ({"phase": "Suspended", "message": "alice suspended it"}, "morning suspended: alice suspended it"),
    ],
)
def test_what_a_session_waits_for_is_said_once(status: dict[str, Any], line: str) -> None:
    assert told(a_sight(**status), a_sight(**status)) == line


def test_a_lost_connection_is_said_once_and_so_is_what_happens_besides() -> None:
    lost = a_sight(problem="the API server does not answer")
    text = told(lost, lost, replace(a_sight(), notices=("the embedded database died: starting it again",)))
    assert text == ("morning the API server does not answer\nthe embedded database died: starting it again")


def test_on_a_terminal_the_chip_stands_below_the_lines() -> None:
    text = told(a_sight(GOOD, RUNS, tasks=COUNTS), terminal=True)
    assert "CheckRabi        qubit 0    ok" in text
    assert "\x1b" in text, "the picture is taken back at the end"


def test_of_several_sessions_the_chip_of_the_one_that_runs_is_shown() -> None:
    queued = Sight(a_session("evening", phase="Queued", message="morning holds the chip"), None, (), NOW)
    text = StringIO()
    Console(file=text, width=80).print(pictures([(queued, NOW), (a_sight(RUNS), NOW)], Room(80, 20)))
    lines = [line.rstrip() for line in text.getvalue().splitlines() if line.strip()]
    assert lines[0].startswith("evening queued on fridge-a")
    assert lines[3].startswith("morning running on fridge-a")
    assert "  0  1●   running" in lines
