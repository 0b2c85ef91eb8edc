"""``kubecal explain``: shown on 80 columns, in a pipe, and for programs."""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from kubecal.api.explanation import SessionExplanation
from kubecal.cli.explain import explain_session, explanation
from kubecal.cli.form import Form
from tests.unit.kubecal.cli.in_memory import Answered, MemoryLab, a_session
from tests.unit.kubecal.cli.in_memory import answer as asked


def task(name: str, target: str, reason: str, message: str, **changes: Any) -> dict[str, Any]:
    body = {"step": "check", "task": name, "target": target, "ordinal": 0, "attempt": 1}
    return {**body, "reason": reason, "message": message, **changes}


def answer(*tasks: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {"namespace": "lab", "session": "morning", "chip": "fridge-a", "executionId": "20261123-004"}
    counts = {"phase": "Running", "progress": "2/9", "message": "", "running": 1, "succeeded": 2}
    return {**body, **counts, "tasks": list(tasks), **changes}


def shown(*tasks: dict[str, Any], **changes: Any) -> str:
    text = StringIO()
    explained = SessionExplanation.model_validate(answer(*tasks, **changes))
    Console(file=text, width=80).print(explanation(explained))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def test_reasons_are_headings_and_what_a_person_can_mend_comes_first() -> None:
    text = shown(
        task("CheckT1", "0", "WaitsForTask", "comes after CheckRabi, which runs"),
        task("CheckRabi", "3", "Failed", "no_signal: flat"),
        task("CheckRabi", "1", "SomethingNewer", "for a reason of tomorrow"),
        task("CheckRabi", "2", "PodsBlocked", "no node takes pod x: 0/3 nodes are available"),
    )
    assert re.findall(r"^(\w+): 1 task$", text, re.MULTILINE) == [
        "PodsBlocked",
        "WaitsForTask",
        "Failed",
        "SomethingNewer",
    ]
    assert text.startswith("morning Running on fridge-a, execution 20261123-004: 1 run, 2 ok, 4 not, for")


def test_targets_that_wait_for_the_same_share_a_line() -> None:
    targets = ["0", "1", "2", "3", "5", "7", "8", "0-1", "mux-2"]
    text = shown(*(task("CheckT1", one, "WaitsForTask", "comes after CheckRabi, which runs") for one in targets))
    assert "WaitsForTask: 9 tasks" in text
    assert "  CheckT1  0...3, 5, 7, 8, 0-1,  comes after CheckRabi, which runs" in text


def test_steps_and_repeats_are_named_where_they_differ() -> None:
    text = shown(
        task("CheckT1", "0", "Barrier", "waits"),
        task("CheckT1", "0", "Barrier", "waits", step="fine", ordinal=1),
    )
    assert "  check/CheckT1    0  waits" in text
    assert "  fine/CheckT1 #2  0  waits" in text


def test_when_it_goes_on_is_said_once() -> None:
    when = "2026-11-23T12:00:30Z"
    text = shown(
        task("CheckT1", "0", "WaitsForWire", "qubit 0 is held", until=when),
        task("CheckT1", "1", "RetryAt", "the next one may start at 12:00:30 UTC", until=when),
    )
    assert "qubit 0 is held, until 12:00:30 UTC" in text
    assert text.count("12:00:30") == 2


def lab(*tasks: dict[str, Any]) -> MemoryLab:
    return MemoryLab(standing=[a_session()], explanation=SessionExplanation.model_validate(answer(*tasks)))


async def test_programs_get_every_task_with_its_reason() -> None:
    waits = task("CheckT1", "0", "WaitsForTask", "comes after CheckRabi")
    said = await asked(lab(waits), lambda at, screen: explain_session(at, screen, "morning"), form=Form.JSON)
    (one,) = json.loads(said.out)["tasks"]
    assert (one["task"], one["reason"], one["message"]) == ("CheckT1", "WaitsForTask", "comes after CheckRabi")


async def test_a_session_that_is_not_there_is_named() -> None:
    said = await asked(lab(), lambda at, screen: explain_session(at, screen, "evening"))
    assert said == Answered(1, "", "there is no session 'evening' on this computer")


async def test_long_sentences_are_wrapped_on_a_terminal_and_not_in_a_pipe() -> None:
    sentence = "no node takes pod morning-checkrabi-15-1-abcdef: " + "0/3 nodes are available, " * 5 + "make room"
    blocked = task("CheckRabi", "15", "PodsBlocked", sentence)
    text = shown(blocked)
    assert max(map(len, text.splitlines())) <= 80
    assert sentence not in text
    piped = (await asked(lab(blocked), lambda at, screen: explain_session(at, screen, "morning"))).out
    assert f"  CheckRabi  15  {sentence}" in piped.splitlines()
    assert "\x1b" not in piped


def test_nothing_that_a_pod_says_steers_the_terminal_or_the_layout() -> None:
    text = shown(task("CheckRabi", "1", "Failed", "flat\x1b]0;title\x07\nFailed: [bold]9 tasks"))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    assert "[bold]9 tasks" in text
    assert len(re.findall(r"^Failed", text, re.MULTILINE)) == 1


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "1 run, 2 ok, nothing else"),
        (
            {"running": 0, "succeeded": 0, "executionId": "", "phase": "Pending", "message": "there is no Chip"},
            "morning Pending on fridge-a: no tasks are planned yet\n  there is no Chip",
        ),
    ],
)
def test_a_session_without_anything_to_explain_says_how_it_stands(changes: dict[str, Any], line: str) -> None:
    assert line in shown(**changes)
