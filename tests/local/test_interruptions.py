import os
import signal
from pathlib import Path

import pytest

from kubecal.local import embedded
from tests.local.laptop import Laptop, Running, children, wait_until

HANGS = {"kind": "InstrumentHang", "target": "0"}


def statuses(laptop: Laptop) -> list[tuple[str, list[str]]]:
    """Of every execution its status and those of its tasks."""
    rows = laptop.records("task_result_history")
    return [
        (one["status"], sorted(row["status"] for row in rows if row["execution_id"] == one["execution_id"]))
        for one in sorted(laptop.records("execution_history"), key=lambda one: one["execution_id"])
    ]


def asleep(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"


def freeze(run: Running) -> int:
    """Keep the running task, with its instrument, from hearing anything."""
    task = run.task()
    for pid in (*children(task), task):
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda pid=pid: asleep(pid), "a stopped process")
    return task


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_being_asked_to_stop_cancels_in_the_records_and_leaves_nothing_running(
    laptop: Laptop, number: signal.Signals
) -> None:
    with laptop.running(laptop.manifest("CheckRabi", "CreateHPIPulse", faults=[HANGS])) as run:
        run.task()
        run.signal(number)
        ended = run.end()

    assert (ended.code, ended.err) == (128 + number, "")
    assert f"cancelling ({number.name}): waiting for the running tasks to stop" in ended.out
    assert "session-0 cancelled: 0 of 2 tasks ok, 2 cancelled" in ended.out
    assert statuses(laptop) == [("cancelled", ["cancelled", "cancelled"])]


def test_a_second_ctrl_c_kills_a_task_that_does_not_stop(laptop: Laptop) -> None:
    with laptop.running(laptop.manifest(faults=[HANGS])) as run:
        freeze(run)
        run.signal(signal.SIGINT)
        run.line_with("cancelling (SIGINT): waiting for the running tasks to stop; Ctrl-C again kills them")
        run.signal(signal.SIGINT)
        ended = run.end()

    assert (ended.code, ended.err) == (130, "")
    assert "killing the running tasks" in ended.out
    assert statuses(laptop) == [("cancelled", ["cancelled"])]


def test_after_a_killed_driver_the_next_run_waits_for_its_last_task_and_then_has_the_chip(laptop: Laptop) -> None:
    with laptop.running(laptop.manifest(faults=[HANGS])) as first:
        task = freeze(first)
        first.signal(signal.SIGKILL)
        first.process.wait()
        with laptop.running(laptop.manifest()) as second:
            assert f"(pid {first.pid} on " in second.line_with("the instruments are held by kubecal run of session-0")
            for pid in (task, *children(task)):
                os.kill(pid, signal.SIGCONT)
            ended = second.end()

    assert (ended.code, ended.err) == (0, "")
    assert "an earlier run ended in mid-session, settled as cancelled: session-0" in ended.out
    assert statuses(laptop) == [("cancelled", ["cancelled"]), ("completed", ["completed"])]


def test_a_second_run_on_the_same_chip_says_for_whom_it_waits_and_then_runs(laptop: Laptop) -> None:
    with laptop.running(laptop.manifest(faults=[HANGS])) as first:
        first.task()
        with laptop.running(laptop.manifest()) as second:
            said = second.line_with("queued: the instruments are held by")
            assert f"kubecal run of session-0 (pid {first.pid} on " in said
            first.signal(signal.SIGINT)
            assert first.end().code == 130
            assert second.end().code == 0


def test_a_killed_task_is_run_again(laptop: Laptop) -> None:
    with laptop.running(laptop.manifest(faults=[{**HANGS, "attempts": 1}])) as run:
        os.kill(run.task(), signal.SIGKILL)
        ended = run.end()

    assert (ended.code, ended.err) == (0, "")
    assert "the task's process was ended by SIGKILL" in ended.out
    assert "attempt 2" in ended.out


def test_a_task_that_is_killed_every_time_fails_at_the_limit(laptop: Laptop) -> None:
    with laptop.running(laptop.manifest(faults=[HANGS])) as run:
        for _ in range(3):
            os.kill(run.task(), signal.SIGKILL)
            run.line_with("SIGKILL")
        ended = run.end()

    assert (ended.code, ended.err) == (1, "")
    assert "failed: CheckRabi on qubit 0 (attempt 3)" in ended.out
    assert sorted(row["attempt"] for row in laptop.records("task_result_history")) == [1, 2, 3]


def test_a_database_that_is_killed_is_started_again_and_the_session_completes(laptop: Laptop) -> None:
    with laptop.running(laptop.manifest(timeScale=0.1)) as run:
        run.task()
        place = embedded._Place(laptop.data / "mongodb")
        server = place.running()
        assert server is not None
        os.kill(server.pid, signal.SIGKILL)
        ended = run.end()

    assert (ended.code, ended.err) == (0, "")
    assert "the embedded database died: starting it again" in ended.out
    assert statuses(laptop) == [("completed", ["completed"])]


def test_output_that_nobody_reads_cancels(laptop: Laptop) -> None:
    with laptop.running(laptop.manifest("CheckRabi", "CreateHPIPulse")) as run:
        run.line_with("running, execution")
        assert run.process.stdout is not None
        run.process.stdout.close()
        assert run.process.stderr is not None
        said = run.process.stderr.read()
        code = run.process.wait()

    assert code == 128 + signal.SIGPIPE
    assert said == (
        "nobody reads the output any more: cancelling. To let a session run on, write to a file: "
        "kubecal run FILE > run.log\n"
    )
    assert statuses(laptop)[0][0] == "cancelled"
