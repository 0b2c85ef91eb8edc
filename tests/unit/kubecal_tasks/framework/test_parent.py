"""The parent of a task's process where the moment counts: its records are scripted, so that no race decides."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import pytest

from kubecal.api.request import (
    MONGODB_URI_FILE_VARIABLE,
    POD_UID_VARIABLE,
    REQUEST_VARIABLE,
    TERMINATION_LOG_VARIABLE,
    TaskTrouble,
    parse_termination_message,
)
from kubecal.records.results import InputOffers
from kubecal_tasks.framework import parent
from kubecal_tasks.framework.interruption import Interruption
from kubecal_tasks.framework.process import fork
from tests.unit.kubecal_tasks.framework.test_main import a_request


class Signalled(Interruption):
    """SIGTERM at a moment of the test's choosing."""

    def __init__(self) -> None:
        self.requested = False
        self._interruptible = False

    def arrive(self) -> None:
        self._on_signal(15, None)


class Records:
    """Of one attempt, with SIGTERM arriving right after one of its calls has been made."""

    def __init__(self, interruption: Signalled, arrives_after: str) -> None:
        self.calls: list[str] = []
        self._interruption = interruption
        self._arrives_after = arrives_after

    async def claim(self, now: datetime) -> None:
        self._made("claim")

    async def inputs(self) -> dict[str, InputOffers]:
        self._made("inputs")
        return {}

    async def interrupted(self, now: datetime) -> None:
        self._made("interrupted")

    def _made(self, call: str) -> None:
        self.calls.append(call)
        if call == self._arrives_after:
            self._interruption.arrive()


@pytest.mark.parametrize(
    ("arrives_after", "calls", "message"),
    [
        ("", [], "stopped before it measured"),
        ("claim", ["claim", "interrupted"], "stopped before it measured"),
        ("inputs", ["claim", "inputs", "interrupted"], "stopped while it was measuring"),
    ],
    ids=["before the claim", "after the claim", "after the inputs"],
)
def test_whenever_sigterm_arrives_what_was_claimed_is_recorded_as_interrupted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arrives_after: str, calls: list[str], message: str
) -> None:
    (tmp_path / "uri").write_text("mongodb://127.0.0.1:1/kubecal")
    monkeypatch.setenv(REQUEST_VARIABLE, a_request("Noop", {}).to_json())
    monkeypatch.setenv(POD_UID_VARIABLE, "pod-1")
    monkeypatch.setenv(MONGODB_URI_FILE_VARIABLE, str(tmp_path / "uri"))
    monkeypatch.setenv(TERMINATION_LOG_VARIABLE, str(tmp_path / "termination.log"))
    interruption = Signalled()
    records = Records(interruption, arrives_after)
    monkeypatch.setattr(parent, "AttemptRecords", lambda *_: records)
    if not arrives_after:
        interruption.arrive()
    child = fork(lambda connection: connection.poll(60))  # hears the offers, says nothing until it is stopped

    code = parent.run_attempt(child, interruption, time.monotonic())

    ended = parse_termination_message((tmp_path / "termination.log").read_text())
    assert code == 143
    assert isinstance(ended, TaskTrouble)
    assert (ended.reason, ended.message) == ("Interrupted", message)
    assert records.calls == calls
