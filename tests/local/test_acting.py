"""The verbs that act, on a real computer: each change is a session, is on record, and leaves nothing running."""

from __future__ import annotations

import json
import signal

from tests.local.laptop import Laptop

HANGS = {"kind": "InstrumentHang", "target": "0"}


def _t1(laptop: Laptop) -> float:
    values = json.loads(laptop.typed("params", "chip", "0", "t1", "-o", "json").out)["items"]
    return float(values[0]["value"])


def test_parameters_are_set_taken_back_exported_and_imported(laptop: Laptop) -> None:
    assert laptop.run(laptop.manifest("CheckRabi")).code == 0
    assert laptop.typed("params", "set", "chip", "0", "t1=30±1").out == "set 1 parameter of 1 target\n"
    exported = laptop.folder / "values.yaml"
    exported.write_text(laptop.typed("params", "export", "chip", "0", "t1").out)
    laptop.typed("params", "set", "chip", "0", "t1=99us")
    assert _t1(laptop) == 99.0
    assert laptop.typed("params", "revert", "latest").code == 0
    assert _t1(laptop) == 30.0
    laptop.typed("params", "set", "chip", "0", "t1=99us")
    imported = laptop.typed("params", "import", "chip", exported)
    assert (imported.code, imported.out) == (0, "set 1 parameter of 1 target\n")
    assert _t1(laptop) == 30.0


def test_a_task_is_run_again_with_more_shots_looked_at_and_published(laptop: Laptop) -> None:
    assert laptop.run(laptop.manifest("CheckRabi", "CreateHPIPulse")).code == 0
    again = laptop.typed("rerun", "latest", "--task", "CheckRabi", "--set", "shots=4096", "--publish", "Review")
    assert (again.code, again.err) == (0, "")
    assert "session-0-1 completed: 1 task ok" in again.out
    published = laptop.typed("publish", "latest", "--yes")
    assert (published.code, published.err) == (0, "")
    assert "control_amplitude" in published.out
    assert published.out.splitlines()[-1].startswith("published ")
    analysed = laptop.typed("reanalyse", "session-0", "--task", "CheckRabi")
    assert "reanalyse-1 completed: 1 task ok" in analysed.out
    rows = [row for row in laptop.records("task_result_history") if row["name"] == "CheckRabi"]
    task_id = min(rows, key=lambda row: row["execution_id"])["_id"]
    laptop.typed("exclude", task_id, "--reason", "too few shots")
    kept = {row["_id"]: row["excluded_reason"] for row in laptop.records("task_result_history") if row.get("excluded")}
    assert kept == {task_id: "too few shots"}


def test_ctrl_c_cancels_what_was_run_again(laptop: Laptop) -> None:
    with laptop.running(laptop.manifest("CheckRabi", faults=[HANGS])) as run:
        run.task()
        run.signal(signal.SIGINT)
        run.end()
    with laptop.typing("rerun", "latest") as again:
        again.task()
        again.signal(signal.SIGINT)
        ended = again.end()
    assert (ended.code, ended.err) == (130, "")
    assert "cancelling session session-0-1: waiting for running tasks to stop" in ended.out
    assert "session-0-1 cancelled: 0 of 1 task ok, 1 cancelled" in ended.out


def test_a_session_is_suspended_resumed_and_cancelled_from_another_terminal(laptop: Laptop) -> None:
    with laptop.running(laptop.manifest("CheckRabi", faults=[HANGS])) as run:
        run.task()
        told = [laptop.typed(verb, "session-0") for verb in ("suspend", "resume", "cancel")]
        ended = run.end()
    assert [one.code for one in told] == [0, 0, 0]
    assert [one.out.removeprefix("session session-0 ") for one in told] == [
        "is being suspended: its running tasks finish, nothing new starts\n",
        "goes on\n",
        "is being cancelled: its running tasks stop first\n",
    ]
    assert "session-0 cancelled" in ended.out
