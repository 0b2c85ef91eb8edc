"""The live view's picture: fits the terminal, says what runs, failed and waits, and is read without colour."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from kubecal.api.session_status import Wait
from kubecal.cli.lattice import Room
from kubecal.cli.marks import QubitState, qubit_states
from kubecal.cli.picture import picture
from kubecal.lab.lab import Sight
from kubecal.reading.answers import TaskState
from kubecal.reading.attempts import last_attempts
from tests.unit.kubecal.cli.in_memory import MORNING, a_chip, a_session

NOW = MORNING + timedelta(seconds=95)


def a_task(task: str, qid: str, status: str, **changes: Any) -> TaskState:  # Any: whatever the model takes
    body: dict[str, Any] = {"step": "check", "task": task, "target": qid, "qid": qid, "ordinal": 0, "attempt": 1}
    body |= {"task_id": f"{task}-{qid}-{changes.get('attempt', 1)}", "status": status}
    if status != "scheduled":
        body["started_at"] = MORNING + timedelta(seconds=60)
    if status in ("completed", "failed"):
        body["ended_at"] = MORNING + timedelta(seconds=70)
    return TaskState(**{**body, **changes})


def a_sight(
    *tasks: TaskState, rows: int = 2, problem: str = "", disabled: tuple[str, ...] = (), **status: Any
) -> Sight:
    lattice = {"squareLattice": {"rows": rows, "columns": rows, "muxSize": 4}}
    chip = a_chip(spec={"topology": lattice, "disabled": {"qubits": list(disabled)}})
    session = a_session(**{"phase": "Running", "started_at": MORNING, **status})
    return Sight(session, chip.chip, tasks, NOW - timedelta(seconds=5), problem)


def shown(sight: Sight, width: int = 80, height: int = 20) -> list[str]:
    text = StringIO()
    console = Console(file=text, width=width, height=height)
    console.print(picture(sight, NOW, Room(width, height)))
    return [line.rstrip() for line in text.getvalue().splitlines()]


SMALL = a_sight(
    a_task("CheckRabi", "0", "completed", verdict="ok"),
    a_task("CheckT1", "0", "running"),
    a_task("CheckRabi", "1", "failed", verdict="no_signal", message="flat: raise control_amplitude"),
    a_task("CheckT1", "1", "skipped"),
    a_task("CheckRabi", "2", "completed", verdict="ok"),
    a_task("CheckT1", "2", "scheduled"),
    disabled=("3",),
    waits=(Wait(reason="WaitsForWire", tasks=2, task="CheckT1", target="2", message="qubit 2 is held"),),
)


def test_it_says_how_it_stands_what_runs_what_failed_and_what_waits() -> None:
    assert shown(SMALL) == [
        "",
        "morning running on fridge-a, execution 20261125-000, 1 min 35 s",
        "━━━━━━━━━━━━━━━━━━╸          4/6 done, 1 running, 1 failed",
        "",
        "  0● 1✗   running",
        "  2○ 3#     CheckT1 on qubit 0 (35 s)",
        "",
        "          failed",
        "            CheckRabi on qubit 1, no_signal: flat: raise control_amplitude",
        "",
        "          waiting",
        "            CheckT1 on qubit 2 and 1 more: qubit 2 is held",
        "",
        "  ● running 1  ✗ failed 1  ○ partly done 1  # off 1",
    ]


@pytest.mark.parametrize(
    ("tasks", "state"),
    [
        ([("completed", 1)], QubitState.DONE),
        ([("scheduled", 1)], QubitState.WAITING),
        ([("completed", 1), ("scheduled", 1)], QubitState.PARTLY),
        ([("failed", 1), ("running", 1)], QubitState.RUNNING),
        ([("failed", 1), ("skipped", 1)], QubitState.FAILED),
        ([("completed", 1), ("skipped", 1)], QubitState.STOPPED),
        ([("cancelled", 1)], QubitState.STOPPED),
    ],
)
def test_a_qubit_shows_what_asks_for_a_look_first(tasks: list[tuple[str, int]], state: QubitState) -> None:
    rows = [a_task(f"Task{number}", "0", status, attempt=attempt) for number, (status, attempt) in enumerate(tasks)]
    assert qubit_states(rows, None) == {"0": state}


def test_only_the_last_attempt_counts() -> None:
    rows = [a_task("CheckT1", "0", "failed"), a_task("CheckT1", "0", "completed", attempt=2)]
    assert qubit_states(last_attempts(rows), None) == {"0": QubitState.DONE}


def test_a_coupling_is_shown_at_both_its_qubits() -> None:
    assert qubit_states([a_task("CheckCrossResonance", "0-1", "running")], None) == {
        "0": QubitState.RUNNING,
        "1": QubitState.RUNNING,
    }


def test_signs_alone_tell_the_states_apart() -> None:
    assert len({state.value.sign for state in QubitState}) == len(QubitState)


def test_a_lost_connection_is_said_with_how_old_the_view_is() -> None:
    text = shown(a_sight(a_task("CheckT1", "0", "running"), problem="the API server does not answer"))
    assert "the API server does not answer (seen 5 s ago)" in text


def test_what_a_queued_session_waits_for_stands_at_its_head() -> None:
    text = shown(a_sight(phase="Queued", message="evening holds the chip", started_at=None))
    assert text[1:4] == [
        "morning queued on fridge-a, execution 20261125-000, 1 min 35 s",
        "                             nothing is planned yet",
        "evening holds the chip",
    ]


def _large(rows: int) -> Sight:
    tasks = []
    for qubit in range(rows * rows):
        failed = qubit % 9 == 0
        tasks.append(a_task("CheckRabi", str(qubit), "failed" if failed else "running", message="flat " * 30))
        tasks += [a_task(f"Task{qubit % 7}", str(qubit), "running"), a_task("CheckT1", str(qubit), "scheduled")]
    waits = tuple(
        Wait(reason=f"Reason{n}", tasks=9, task="CheckT1", target="0", message="long " * 40) for n in range(8)
    )
    return a_sight(*tasks, rows=rows, waits=waits)


@pytest.mark.parametrize("rows", [2, 4, 8, 12, 16, 32])
@pytest.mark.parametrize(("width", "height"), [(80, 20), (120, 40), (200, 50), (60, 16)])
def test_it_fits_into_the_terminal(rows: int, width: int, height: int) -> None:
    lines = shown(_large(rows), width, height)
    assert max(map(len, lines)) <= width
    assert len(lines) <= height
    text = "\n".join(lines)
    assert all(heading in text for heading in ("running", "failed", "waiting"))


def test_up_to_64_qubits_have_their_ids_in_80_columns_and_24_lines() -> None:
    text = "\n".join(shown(_large(8)))
    assert "63●" in text
    assert "and 7 more" in text


def test_nothing_that_a_task_says_steers_the_terminal() -> None:
    bad = a_task("CheckRabi", "0", "failed", message="flat\x1b[2J\nmorning completed")
    text = "\n".join(shown(a_sight(bad)))
    assert "\x1b" not in text
    assert "flat [2J morning completed" in text
