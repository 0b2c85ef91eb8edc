"""A person's computer: a home of its own, the command, and a look at what runs and what is on record."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

import yaml
from pymongo import MongoClient

from kubecal.local.embedded import embedded_server
from kubecal.local.workplace import KEPT_VARIABLE

PATIENCE_S = 120.0
_COMMAND = [sys.executable, "-c", "from kubecal.cli.main import main; main()"]


@dataclass(frozen=True)
class Ended:
    """What a person sees of a command that ended."""

    code: int
    out: str
    err: str


class Running:
    """A command that runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: list[str] = []

    @property
    def pid(self) -> int:
        return self.process.pid

    def line_with(self, words: str) -> str:
        """Read on until a line has these words."""
        assert self.process.stdout is not None
        # A pipe cannot be read with a limit of time: what says nothing for too long is killed, and its output ends.
        watchdog = Timer(PATIENCE_S, self.process.kill)
        watchdog.start()
        try:
            for line in self.process.stdout:
                self._lines.append(line)
                if words in line:
                    return line
        finally:
            watchdog.cancel()
        raise AssertionError(f"{words!r} was never said: {''.join(self._lines)}{self.end().err}")

    def task(self) -> int:
        """The pid of the task process that runs, once there is one."""
        found: list[int] = []

        def measuring() -> bool:
            assert self.process.poll() is None, f"it ended: {self.end()}"
            # With a child of its own: it has begun its attempt.
            found[:] = [pid for pid in children(self.pid) if "kubecal_tasks" in _arguments(pid) and children(pid)]
            return bool(found)

        wait_until(measuring, "a task process")
        return found[0]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, patience_s: float = PATIENCE_S) -> Ended:
        """Wait for its end."""
        out, err = self.process.communicate(timeout=patience_s)
        return Ended(self.process.returncode, "".join(self._lines) + out, err)


class Laptop:
    """Where it all happens."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.data = folder / "data" / "kubecal"

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process one of this computer's; its database is not kept, so that what is left is a mistake."""
        return {
            "HOME": str(self.folder),
            "XDG_DATA_HOME": str(self.folder / "data"),
            KEPT_VARIABLE: "0",
        }

    def manifest(
        self,
        *tasks: str,
        faults: list[dict[str, Any]] | None = None,
        step: dict[str, Any] | None = None,
        **config: Any,
    ) -> Path:
        """A session of qubit 0 in a file of its own, of these tasks or of another step; Any: manifests."""
        chip = {
            "apiVersion": "kubecal.io/v1alpha1",
            "kind": "Chip",
            "metadata": {"name": "chip"},
            "spec": {
                "topology": {"squareLattice": {"rows": 1, "columns": 2, "muxSize": 1}},
                "backend": {"name": "fake", "config": {"seed": 7, "faults": faults or [], **config}},
            },
        }
        measures = {"tasks": [{"task": task} for task in tasks or ("CheckRabi",)]}
        name = f"session-{len(list(self.folder.glob('*.yaml')))}"
        session = {
            "apiVersion": "kubecal.io/v1alpha1",
            "kind": "CalibrationSession",
            "metadata": {"name": name},
            "spec": {
                "chip": "chip",
                "targets": {"qubits": ["0"]},
                "steps": [{"name": "check", **(step or measures)}],
            },
        }
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump_all([chip, session]))
        return path

    @contextmanager
    def running(self, *arguments: str | Path) -> Iterator[Running]:
        """``kubecal run`` with these arguments; killed if the test leaves it running."""
        with self.typing("run", *arguments) as command:
            yield command

    @contextmanager
    def typing(self, *words: str | Path) -> Iterator[Running]:
        """``kubecal`` with these words; killed if the test leaves it running."""
        with self._started([*_COMMAND, *map(str, words)]) as command:
            yield command

    @contextmanager
    def program(self, text: str) -> Iterator[Running]:
        """A program of the person's own; killed if the test leaves it running."""
        path = self.folder / f"program-{len(list(self.folder.glob('program-*.py')))}.py"
        path.write_text(text)
        with self._started([sys.executable, str(path)]) as program:
            yield program

    @contextmanager
    def _started(self, command: Sequence[str]) -> Iterator[Running]:
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # What was started in the background of a shell, or with nohup, ignores signals, and its children with it.
            preexec_fn=_hears_signals,
        ) as process:
            try:
                yield Running(process)
            finally:
                process.kill()

    def run(self, *arguments: str | Path) -> Ended:
        """``kubecal run`` to its end."""
        return self.typed("run", *arguments)

    def typed(self, *words: str | Path) -> Ended:
        """``kubecal`` with these words to its end."""
        with self.typing(*words) as command:
            return command.end()

    def ask(self, *words: str | Path) -> Ended:
        """Another verb to its end."""
        with self._started([*_COMMAND, *map(str, words)]) as command:
            return command.end()

    def records(self, collection: str) -> list[dict[str, Any]]:
        """Documents of the embedded database, oldest first; Any: documents."""
        with (
            embedded_server(self.data / "mongodb") as server,
            MongoClient[dict[str, Any]](server.uri) as client,
        ):
            return list(client.kubecal[collection].find().sort("_id"))

    def processes(self) -> Mapping[int, str]:
        """Whatever runs on account of this computer, by pid."""
        mine = str(self.folder).encode()
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if mine in (path / "environ").read_bytes() + (path / "cmdline").read_bytes():
                    found[int(path.name)] = _arguments(int(path.name))
            except OSError:
                continue
        return {pid: arguments for pid, arguments in found.items() if arguments}


def _hears_signals() -> None:
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def children(pid: int) -> list[int]:
    """The processes that a process started, in whichever of its threads, and that live."""
    found = []
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(OSError):
            found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Poll a condition that no event tells of."""
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, f"not within {PATIENCE_S:g} s: {what}"
        time.sleep(0.02)


def _arguments(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
