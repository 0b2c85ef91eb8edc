"""Programs that calibrate, as a person writes them: real sessions, real processes, real signals."""

from __future__ import annotations

import signal
from textwrap import dedent
from typing import Any

import pytest

from tests.local.laptop import Ended, Laptop

QUICKSTART = """
from kubecal import CalibConfig, CalibOrchestrator

# Configure the session
config = CalibConfig(
    username="alice",
    chip_id="64Qv3",
    qids=["0", "1"],
    execution_id="20240101-001",
)

# Initialize and run
orchestrator = CalibOrchestrator(config)
orchestrator.initialize()

# Execute a task
result = orchestrator.run_task("CheckRabi", qid="0")

# Complete the session
orchestrator.complete()
print("rabi", result["rabi_frequency"].value, result["task_id"])
"""
FLOW = """
from kubecal.workflow import CalibService, flow, on_flow_cancellation

@flow(on_cancellation=[on_flow_cancellation])
def my_calibration_flow(username, chip_id, project_id=None, flow_name=None):
    cal = CalibService(username, chip_id, qids=["0"], backend_name="fake", project_id=project_id, flow_name=flow_name)
    try:
        print("begun", flush=True)
        while True:
            cal.execute_task("CheckRabi", "0")
        cal.finish_calibration()
    except BaseException as e:
        from kubecal.workflow import _is_cancellation
        if _is_cancellation(e):
            cal.cancel_calibration()
        else:
            cal.fail_calibration(str(e))
        raise

my_calibration_flow("alice", "16Q", project_id="cold", flow_name="rabis")
"""
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
OWN_TASK = """
from kubecal import BaseTask

class MyNewTask(BaseTask):
    name = "MyNewTask"

    def preprocess(self, backend):
        # Extract input parameters
        pass

    def run(self, backend):
        # Execute measurement
        pass

    def postprocess(self, backend, result):
        # Process results, generate figures
        pass
"""
USES_IT = """
import active_protocols
from kubecal import CalibConfig, CalibOrchestrator

orchestrator = CalibOrchestrator(CalibConfig(username="alice", chip_id="16Q", qids=["0"], backend_name="fake"))
orchestrator.initialize()
result = orchestrator.run_task("MyNewTask", qid="0")
orchestrator.complete()
print("found", list(result), result.verdict)
"""


def ran(laptop: Laptop, program: str) -> Ended:
    with laptop.program(program) as running:
        return running.end()


def stopped(laptop: Laptop, program: str, number: signal.Signals = signal.SIGTERM) -> Ended:
    with laptop.program(program) as running:
        running.line_with("begun")
        running.signal(number)
        return running.end()


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
    (laptop.folder / "my_new_task.py").write_text(OWN_TASK)
    (laptop.folder / "active_protocols.py").write_text("from my_new_task import MyNewTask\n")
    ended = ran(laptop, USES_IT)
    assert (ended.code, ended.out) == (0, "found ['task_id'] ok\n"), ended


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
        assert one.end().code == 0
    assert (ended.code, ended.out) == (0, "ok\n"), ended
    assert "kubecal: joined the open session alice-" in ended.err
    assert statuses(laptop, "execution_history") == ["completed"]
    rows: list[dict[str, Any]] = laptop.records("task_result_history")
    assert sorted(row["name"] for row in rows) == ["CheckQubit", "CheckRabi"]
