"""Task processes: what pods are to the operator.

A task runs through the same entry point as in a pod, with the same environment. Two things take the place of
the kubelet: a pipe whose end of file tells the process that its driver is gone (the kernel's parent death
signal covers the driver's crash, the pipe its orderly end), and a file for the termination message.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from kubecal.api.request import (
    DRIVER_PIPE_VARIABLE,
    LOG_VARIABLE,
    MAX_RECEIPT_BYTES,
    MONGODB_URI_FILE_VARIABLE,
    POD_UID_VARIABLE,
    REQUEST_VARIABLE,
    SCRATCH_VARIABLE,
    TERMINATION_LOG_VARIABLE,
    TaskRequest,
    parse_termination_message,
)
from kubecal.engine.intents import CreatePod
from kubecal.engine.model import PodView, Terminated
from kubecal.local.installation import Lifeline
from kubecal.local.task_files import TaskFiles

LOCAL_NODE = "this computer"
_PR_SET_PDEATHSIG = 1
# Loaded here: between fork and exec of a process with threads, loading anything may wait for ever.
_LIBC = ctypes.CDLL(None)
_LOG_LINES = 50
# Numeric libraries start a thread a core in every process; tasks run side by side instead.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def _die_with_parent() -> None:
    """Runs in the child between fork and exec."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class TaskProcess:
    """One attempt's process and what is known of it."""

    view: PodView
    folder: Path
    process: asyncio.subprocess.Process | None = None
    pipe_write_end: int | None = None
    waiter: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def termination_log(self) -> Path:
        """Where the process leaves its receipt."""
        return self.folder / "termination.log"

    @property
    def output(self) -> Path:
        """What the process prints."""
        return self.folder / "output.log"

    def last_lines(self) -> str:
        """The end of what the process printed."""
        with contextlib.suppress(OSError):
            return "\n".join(self.output.read_text(errors="replace").splitlines()[-_LOG_LINES:])
        return ""


class TaskProcesses:
    """Starts, watches and ends the task processes of one driver."""

    def __init__(
        self,
        folder: Path,
        uri_file: Path,
        on_change: Callable[[], None],
        lifeline: Lifeline,
        task_files: TaskFiles,
    ) -> None:
        self._task_files = task_files
        self._lifeline = lifeline
        self._folder = folder
        self._uri_file = uri_file
        self._on_change = on_change
        self._by_name: dict[str, TaskProcess] = {}

    @property
    def views(self) -> tuple[PodView, ...]:
        """All processes the engine has not been told to forget, as it sees pods."""
        return tuple(task.view for task in self._by_name.values())

    def last_lines(self, name: str) -> str:
        """The end of what the process of that name printed; empty when it is unknown."""
        task = self._by_name.get(name)
        return task.last_lines() if task else ""

    async def create(self, create: CreatePod, request: TaskRequest, now: datetime) -> None:
        """Start the attempt's process.

        Raises
        ------
        OSError
            If the process cannot be started.
        """
        if create.pod_name in self._by_name:
            return
        folder = self._folder / create.pod_name
        folder.mkdir(parents=True, exist_ok=True)
        uid = str(uuid.uuid4())
        view = PodView(
            uid=uid,
            name=create.pod_name,
            namespace=create.ref.namespace,
            session_uid=create.ref.uid,
            key=create.planned.key,
            attempt=create.attempt,
            wires=create.planned.wires,
            created_at=now,
            phase="Running",
            node=LOCAL_NODE,
            started_at=now,
            grace_s=create.chip_spec.pods.termination_grace_period_seconds,
        )
        task = TaskProcess(view=view, folder=folder)
        self._by_name[create.pod_name] = task
        try:
            await self._start(task, request)
        except OSError:
            del self._by_name[create.pod_name]
            raise
        task.waiter = asyncio.create_task(self._wait(task))

    async def _start(self, task: TaskProcess, request: TaskRequest) -> None:
        read_end, write_end = os.pipe()
        os.set_inheritable(read_end, True)
        environment = (
            os.environ
            | _ONE_THREAD
            | self._task_files.environment
            | {
                REQUEST_VARIABLE: request.to_json(),
                POD_UID_VARIABLE: task.view.uid,
                MONGODB_URI_FILE_VARIABLE: str(self._uri_file),
                TERMINATION_LOG_VARIABLE: str(task.termination_log),
                SCRATCH_VARIABLE: str(task.folder),
                LOG_VARIABLE: str(task.output),
                # What is printed can be read at once.
                "PYTHONUNBUFFERED": "1",
                DRIVER_PIPE_VARIABLE: str(read_end),
            }
        )
        try:
            with task.output.open("wb") as output:
                task.process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "kubecal_tasks.framework.main",
                    stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
                    env=environment, pass_fds=(read_end, *self._lifeline.descriptors),
                    preexec_fn=_die_with_parent, start_new_session=True,
                )  # fmt: skip
        except OSError:
            os.close(write_end)
            raise
        finally:
            os.close(read_end)
        task.pipe_write_end = write_end

    async def _wait(self, task: TaskProcess) -> None:
        assert task.process is not None
        code = await task.process.wait()
        self._close_pipe(task)
        message = ""
        with contextlib.suppress(OSError):
            message = task.termination_log.read_bytes()[: MAX_RECEIPT_BYTES + 1].decode(errors="replace")
        now = datetime.now(UTC)
        ended = Terminated(
            exit_code=code if code >= 0 else 128 - code,
            signal=-code if code < 0 else 0,
            reason="Completed" if code == 0 else "Error",
            outcome=parse_termination_message(message),
            finished_at=now,
            seen_at=now,
        )
        task.view = replace(task.view, phase="Succeeded" if code == 0 else "Failed", terminated=ended)
        self._on_change()

    def delete(self, pod: PodView, now: datetime) -> None:
        """What deleting a pod is: SIGTERM, and SIGKILL after the grace period; a dead one is forgotten."""
        task = self._by_name.get(pod.name)
        if task is None or task.view.uid != pod.uid:
            return
        if task.view.terminated is not None:
            del self._by_name[pod.name]
            # What it printed is on record; a notebook that stays open for days would fill the disk.
            shutil.rmtree(task.folder, ignore_errors=True)
            self._on_change()
            return
        if task.view.deleting_since is None:
            task.view = replace(task.view, deleting_since=now)
            self._signal(task, signal.SIGTERM)
            asyncio.get_running_loop().call_later(task.view.grace_s, self._signal, task, signal.SIGKILL)

    def output_of(self, name: str) -> Path | None:
        """Where the process of that name writes what it prints; None when it is unknown."""
        task = self._by_name.get(name)
        return task.output if task else None

    def kill(self, session_uid: str) -> None:
        """A second Ctrl-C: no grace for the tasks of a session."""
        for task in self._by_name.values():
            if task.view.session_uid == session_uid:
                self._signal(task, signal.SIGKILL)

    async def close(self) -> None:
        """End what still runs and wait for it."""
        for task in self._by_name.values():
            self._signal(task, signal.SIGTERM)
        waiters = [task.waiter for task in self._by_name.values() if task.waiter is not None]
        if waiters:
            _, late = await asyncio.wait(waiters, timeout=10)
            if late:
                for task in self._by_name.values():
                    self._signal(task, signal.SIGKILL)
                await asyncio.wait(late)

    def _signal(self, task: TaskProcess, number: signal.Signals) -> None:
        if task.process is None or task.process.returncode is not None:
            return
        # Not by the process object: before it sends it looks whether the process has ended, and takes its exit code
        # from under the watcher that waits for it.
        send = os.killpg if number is signal.SIGKILL else os.kill
        with contextlib.suppress(ProcessLookupError):
            # Killed with all that it started; asked to stop it is alone, since it tells its own.
            send(task.process.pid, number)

    def _close_pipe(self, task: TaskProcess) -> None:
        if task.pipe_write_end is not None:
            os.close(task.pipe_write_end)
            task.pipe_write_end = None
