"""Programs that calibrate, as a person writes them: real sessions, real processes, real signals."""

from __future__ import annotations

import signal
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.local.laptop import Ended, Laptop

PATIENCE_S = 120.0
"""These run several tasks, one after the other."""
QDASH = Path(__file__).parents[2] / "examples" / "qdash"
QUICKSTART = (QDASH / "quickstart.py").read_text()
FLOW = (QDASH / "my_flow.py").read_text().replace("int(sys.argv[1])", "1_000")
FORGETFUL_FLOW = """
from kubecal.workflow import CalibService, flow, on_flow_cancellation

@flow(on_cancellation=[on_flow_cancellation])
def forgetful(chip_id):
    cal = CalibService("alice", chip_id, qids=["0"])
    print("begun", flush=True)
    while True:
        cal.execute_task("CheckRabi", "0")

forgetful("16Q")
"""
BARE = """
import time
from kubecal import CalibService
cal = CalibService("alice", "16Q", qids=["0"])
print("begun", flush=True)
time.sleep(60)
"""
CONTEXT = """
import time
from kubecal import CalibService
with CalibService("alice", "16Q", qids=["0"]) as cal:
    cal.execute_task("CheckRabi", "0")
    print("begun", flush=True)
    {then}
"""


def ran(laptop: Laptop, program: str) -> Ended:
    with laptop.program(program) as running:
        return running.end(PATIENCE_S)


def stopped(laptop: Laptop, program: str, number: signal.Signals = signal.SIGTERM) -> Ended:
    with laptop.program(program) as running:
        running.line_with("begun")
        running.signal(number)
        return running.end(PATIENCE_S)


def statuses(laptop: Laptop, collection: str) -> list[str]:
    return [one["status"] for one in laptop.records(collection)]


def test_the_quickstart_of_older_engines_runs_with_other_import_lines(laptop: Laptop) -> None:
    ended = ran(laptop, QUICKSTART)
    assert (ended.code, ended.out[:5]) == (0, "rabi "), ended
    assert ended.err == (
        "kubecal: chip '64Qv3' is not known here: simulating one of 64 qubits in 16 MUXes, seed 76310732\n"
    )
    (execution,) = laptop.records("execution_history")
    told = {name: execution[name] for name in ("execution_id", "status", "phase", "username", "chip_id")}
    assert told == {
        "execution_id": "20240101-001",
        "status": "completed",
        "phase": "Completed",
        "username": "alice",
        "chip_id": "64qv3",
    }
    (row,) = laptop.records("task_result_history")
    assert (row["_id"], row["status"]) == (ended.out.split()[-1], "completed")
    # The id is taken now, and its session is over.
    again = ran(laptop, QUICKSTART)
    assert again.code == 1
    assert "execution id 20240101-001 is taken: session alice-" in again.err
    assert "has ended (Completed): leave execution_id out to get the next free one" in again.err


def test_a_new_task_needs_no_more_than_to_be_imported(laptop: Laptop) -> None:
    for name in ("my_new_task.py", "active_protocols.py"):
        (laptop.folder / name).write_text((QDASH / name).read_text())
    ended = ran(laptop, (QDASH / "new_task.py").read_text())
    assert (ended.code, ended.out) == (0, "found ['task_id'] ok\n"), ended


def test_whole_steps_run_on_many_qubits(laptop: Laptop) -> None:
    ended = ran(laptop, (QDASH / "pipeline.py").read_text())
    assert ended.code == 0, ended
    assert [line.split()[0] for line in ended.out.splitlines()] == ["0", "1", "2"]
    assert all(10 < float(line.split()[1]) < 100 for line in ended.out.splitlines())
    assert statuses(laptop, "execution_history") == ["completed"]


@pytest.mark.parametrize("program", [FLOW, FORGETFUL_FLOW, BARE, CONTEXT.format(then="time.sleep(60)")])
def test_sigterm_leaves_everything_cancelled_and_the_chip_free(laptop: Laptop, program: str) -> None:
    ended = stopped(laptop, program)
    assert (ended.code, ended.err.splitlines()[-1]) == (1, "kubecal: stopped: SIGTERM was received")
    assert statuses(laptop, "execution_history") == ["cancelled"]
    assert set(statuses(laptop, "task_result_history")) <= {"cancelled", "completed"}
    # Whoever comes next begins at once.
    assert ran(laptop, QUICKSTART.replace("64Qv3", "16Q")).code == 0


def test_ctrl_c_cancels_too(laptop: Laptop) -> None:
    ended = stopped(laptop, CONTEXT.format(then="time.sleep(60)"), signal.SIGINT)
    assert ended.code == -signal.SIGINT
    assert statuses(laptop, "execution_history") == ["cancelled"]


def test_an_exception_fails_the_session_with_its_words(laptop: Laptop) -> None:
    ended = ran(laptop, CONTEXT.format(then="raise RuntimeError('the fridge is warm')"))
    assert ended.code == 1
    (execution,) = laptop.records("execution_history")
    assert (execution["status"], execution["message"]) == ("failed", "RuntimeError: the fridge is warm")


def test_so_does_one_that_nobody_catches(laptop: Laptop) -> None:
    ran(laptop, BARE.replace("time.sleep(60)", "raise RuntimeError('the fridge is warm')"))
    (execution,) = laptop.records("execution_history")
    assert (execution["status"], execution["message"]) == ("failed", "RuntimeError: the fridge is warm")


def test_a_program_that_forgets_its_session_is_told_so(laptop: Laptop) -> None:
    ended = ran(laptop, BARE.replace("time.sleep(60)", ""))
    assert ended.code == 0
    assert "was left open, and ends when somebody finds out" in ended.err
    assert ran(laptop, QUICKSTART).code == 0
    assert sorted(statuses(laptop, "execution_history")) == ["cancelled", "completed"]


def test_what_a_program_that_was_killed_has_left_is_settled_by_the_next(laptop: Laptop) -> None:
    stopped(laptop, BARE, signal.SIGKILL)
    after = ran(laptop, QUICKSTART.replace("64Qv3", "16Q"))
    assert after.code == 0, after
    assert "kubecal: an earlier run ended in mid-session, settled as cancelled: alice-" in after.err
    assert sorted(statuses(laptop, "execution_history")) == ["cancelled", "completed"]


def test_two_programs_of_one_person_share_an_open_session(laptop: Laptop) -> None:
    first = """
        import time
        from kubecal import CalibService
        with CalibService("alice", "16Q", qids=["0"], execution_id="20240101-001") as cal:
            cal.execute_task("CheckRabi", "0")
            print("begun", flush=True)
            while not cal.status.phase.final:
                time.sleep(0.05)
    """
    second = """
        from kubecal import CalibService
        cal = CalibService("alice", "16Q", qids=["0"], execution_id="20240101-001")
        print(cal.execute_task("CheckQubit", "0").verdict)
        cal.finish_calibration()
    """
    with laptop.program(dedent(first)) as one:
        one.line_with("begun")
        ended = ran(laptop, dedent(second))
        assert one.end(PATIENCE_S).code == 0
    assert (ended.code, ended.out) == (0, "ok\n"), ended
    assert "kubecal: joined the open session alice-" in ended.err
    assert statuses(laptop, "execution_history") == ["completed"]
    rows: list[dict[str, Any]] = laptop.records("task_result_history")
    assert sorted(row["name"] for row in rows) == ["CheckQubit", "CheckRabi"]
