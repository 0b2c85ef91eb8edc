"""This computer as a lab: what one process runs, another one sees and changes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubecal.api.chip import Chip
from kubecal.api.manifests import load_manifests
from kubecal.api.session import CalibrationSession
from kubecal.lab.lab import Change, NotFoundInLabError, RefusedError, Sight
from kubecal.local.control import asking
from kubecal.local.control.asking import SilentError
from kubecal.local.control.sockets import names
from kubecal.local.lab import LocalLab
from tests.local.laptop import Laptop

HANGS = {"kind": "InstrumentHang", "target": "0"}
CHECK_RABI = {"name": "again", "tasks": ["CheckRabi"]}


@pytest.fixture
async def lab(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalLab]:
    """The same computer, in this process."""
    for name, value in laptop.environment.items():
        monkeypatch.setenv(name, value)
    async with LocalLab() as lab:
        yield lab


def asked(path: Path, **spec: Any) -> tuple[CalibrationSession, Chip]:
    """What a file of one session asks for, with another spec; Any: manifests."""
    documents = list(yaml.safe_load_all(path.read_text()))
    documents[1]["spec"].update(spec)
    path.write_text(yaml.safe_dump_all(documents))
    manifests = load_manifests([path])
    return manifests.sessions[0], manifests.chips[0]


async def seen(lab: LocalLab, name: str, what: Callable[[Sight], object]) -> Sight:
    """The first sight of a session of which something is true."""
    last: Sight | None = None
    async for sight in lab.follow(name):
        if what(sight):
            return sight
        last = sight
    raise AssertionError(f"it was never so: {last}")


def idle(sight: Sight) -> bool:
    return sight.session.status.idle_since is not None


def over(sight: Sight) -> bool:
    phase = sight.session.status.phase
    return phase is not None and phase.final


async def test_another_terminal_sees_a_run_and_cancels_it(laptop: Laptop, lab: LocalLab) -> None:
    with laptop.running(laptop.manifest("CheckRabi", "CreateHPIPulse", faults=[HANGS])) as run:
        run.task()
        (session,) = await lab.sessions()
        assert (session.name, session.status.phase) == ("session-0", "Running")
        sight = await seen(lab, "session-0", lambda sight: any(task.status == "running" for task in sight.tasks))
        assert [(task.task, task.status) for task in sight.tasks] == [
            ("CheckRabi", "running"),
            ("CreateHPIPulse", "scheduled"),
        ]
        assert sight.chip is not None
        assert [holder.session for holder in sight.chip.status.holders] == ["session-0"]
        explained = await lab.explain("session-0")
        assert [(task.task, task.reason) for task in explained.tasks] == [("CreateHPIPulse", "WaitsForTask")]
        with pytest.raises(RefusedError, match="steps can only be appended, and only while open is true"):
            await lab.change("session-0", Change(append_steps=[CHECK_RABI]))

        await lab.change("session-0", Change(cancel=True))

        last = await seen(lab, "session-0", over)
        assert {task.status for task in last.tasks} == {"cancelled"}
        assert run.end().code == 1
    assert (await lab.session("session-0")).status.phase == "Cancelled"
    assert (await lab.explain("session-0")).tasks[0].reason == "Cancelled"
    with pytest.raises(RefusedError, match=r"'session-0' has ended \(Cancelled\): nothing of it changes any more"):
        await lab.change("session-0", Change(suspend=True))
    with pytest.raises(NotFoundInLabError, match="there is no session 'sesion-0' on this computer: did you mean ses"):
        await lab.change("sesion-0", Change(suspend=True))


async def test_what_is_suspended_finishes_what_runs_and_goes_on_when_it_is_resumed(
    laptop: Laptop, lab: LocalLab
) -> None:
    with laptop.running(laptop.manifest("CheckRabi", "CreateHPIPulse")) as run:
        run.task()
        await lab.change("session-0", Change(suspend=True))
        sight = await seen(lab, "session-0", lambda sight: sight.session.status.message == "suspended: nothing starts")
        assert [task.status for task in sight.tasks] == ["completed", "scheduled"]
        assert (await lab.explain("session-0")).tasks[0].reason == "Suspended"

        await lab.change("session-0", Change(suspend=False))

        assert run.end().code == 0


async def test_a_run_that_is_stopped_is_said_to_be_silent_until_it_goes_on(
    laptop: Laptop, lab: LocalLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_SILENT_S", 3.0)
    monkeypatch.setattr(asking, "_ANSWER_S", 1.0)
    with laptop.running(laptop.manifest(faults=[HANGS])) as run:
        run.task()
        following = lab.follow("session-0")
        await anext(following)
        run.signal(signal.SIGSTOP)
        while not (sight := await anext(following)).problem:
            pass
        said = f"(pid {run.pid}) does not answer: if it is stopped, let it go on with kill -CONT {run.pid}"
        assert said in sight.problem
        with pytest.raises(SilentError, match="session 'session-0': the process that runs it"):
            await lab.change("session-0", Change(cancel=True))

        run.signal(signal.SIGCONT)
        while (await anext(following)).problem:
            pass
        await lab.change("session-0", Change(cancel=True))
        assert run.end().code == 1


async def test_an_open_session_takes_steps_until_it_says_how_it_ended(laptop: Laptop, lab: LocalLab) -> None:
    session, chip = asked(laptop.manifest(), open=True)
    await lab.create(session, chip)
    await seen(lab, "session-0", idle)
    with pytest.raises(RefusedError, match="session 'session-0' runs already, since"):
        await lab.create(session, chip)

    await lab.change("session-0", Change(append_steps=[CHECK_RABI]))
    await seen(lab, "session-0", lambda sight: sight.session.status.progress == "2/2" and idle(sight))
    await lab.change("session-0", Change(outcome={"result": "Failed", "message": "the operator went home"}))

    last = await seen(lab, "session-0", over)
    assert (last.session.status.phase, last.session.status.message) == ("Failed", "the operator went home")
    assert [task.status for task in last.tasks] == ["completed", "completed"]
    # The chip is free at once, and what ran on it is known from the records.
    again = await lab.create(asked(laptop.manifest())[0])
    assert (await seen(lab, again.name, over)).session.status.phase == "Completed"


async def test_an_open_session_that_nobody_needs_any_more_ends_by_itself(laptop: Laptop, lab: LocalLab) -> None:
    session, chip = asked(laptop.manifest(), open=True, idleSeconds=1)
    await lab.create(session, chip)

    last = await seen(lab, "session-0", over)

    assert last.session.status.phase == "Completed"
    assert "nothing to do for 1 s (idleSeconds)" in last.session.status.message


async def test_leaving_the_lab_cancels_what_it_began(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in laptop.environment.items():
        monkeypatch.setenv(name, value)
    session, chip = asked(laptop.manifest(faults=[HANGS]))
    async with LocalLab() as lab:
        await lab.create(session, chip)
        await seen(lab, "session-0", lambda sight: any(task.status == "running" for task in sight.tasks))

    (execution,) = laptop.records("execution_history")
    assert (execution["status"], names(laptop.data)) == ("cancelled", [])


PROGRAM = """
import asyncio, sys
from pathlib import Path
from kubecal.api.manifests import load_manifests
from kubecal.local.lab import LocalLab

async def main():
    manifests = load_manifests([Path(sys.argv[1])])
    async with LocalLab() as lab:
        await lab.create(manifests.sessions[0], manifests.chips[0])
        async for sight in lab.follow(manifests.sessions[0].metadata.name):
            if sight.session.status.idle_since is not None:
                print("idle", flush=True)

asyncio.run(main())
"""


async def test_a_program_that_is_killed_leaves_no_open_session_and_no_socket_and_the_chip_free(
    laptop: Laptop, lab: LocalLab
) -> None:
    path = laptop.manifest()
    asked(path, open=True)
    environment = {**os.environ, **laptop.environment}
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(path), env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert program.stdout is not None
        assert await program.stdout.readline() == b"idle\n"
        following = lab.follow("session-0")
        assert idle(await anext(following))
        program.kill()
        last = [sight async for sight in following][-1]
    finally:
        with contextlib.suppress(ProcessLookupError):
            program.kill()
        await program.wait()

    assert last.session.status.phase == "Cancelled"
    assert last.session.status.message == "the kubecal run that drove this session was killed"
    # Whoever looks removes what the killed one could not.
    await lab.sessions()
    assert names(laptop.data) == []
    session, chip = asked(laptop.manifest())
    began = await lab.create(session, chip)
    sight = await seen(lab, began.name, over)
    assert sight.session.status.phase == "Completed"


MINE = '''"""A task of mine."""
from kubecal.api.request import Verdict
from kubecal_tasks.framework.outcome import Check
from kubecal_tasks.framework.task import BaseTask, PostProcessResult


class Mine(BaseTask):
    """Only speaks."""

    name = "Mine"
    drives = False

    def preprocess(self, backend):
        print("preparing", self.target)

    def run(self, backend):
        return ()

    def postprocess(self, backend, result):
        return PostProcessResult(checks=(Check("spoke", 1.0, 0.0, True, Verdict.POOR_FIT),))

    @classmethod
    def estimated_duration_s(cls):
        return 1.0
'''


async def test_a_task_of_a_loose_file_runs_and_its_record_says_which_version(laptop: Laptop, lab: LocalLab) -> None:
    (laptop.folder / "mine.py").write_text(MINE)
    ended = laptop.run(laptop.manifest("Mine"), "--tasks", "mine.py")

    assert (ended.code, ended.err) == (0, "")
    (task,) = laptop.records("task")
    assert task["name"] == "Mine"
    assert task["source"].startswith("mine.py sha256:")
    assert [line async for line in lab.logs("session-0")] == ["Mine on qubit 0 | preparing 0"]
    refused = laptop.run(laptop.manifest("Mine"))
    assert refused.code == 2
    assert "there is no task 'Mine'" in refused.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "mine.py: there is no such file: check the path\n"),
        ("class Mine(:\n", "mine.py, line 1: is not Python (invalid syntax): correct it\n"),
    ],
)
def test_a_loose_file_that_cannot_be_used_is_one_sentence(laptop: Laptop, content: str | None, said: str) -> None:
    if content is not None:
        (laptop.folder / "mine.py").write_text(content)

    ended = laptop.run(laptop.manifest("Mine"), "--tasks", "mine.py")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.endswith(said)
    assert ended.err.count("\n") == 1
