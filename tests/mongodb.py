"""A MongoDB for the tests: the one at MONGODB_URI, else one started for the test run and ended with it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests.cluster.process import spawn

START_S = 30.0


@contextmanager
def running_server(folder: Path, *options: str) -> Iterator[str]:
    """A server process of its own; yields its URI.

    Parameters
    ----------
    folder
        Where it keeps its data and its log.
    options
        Further options of ``secantusd-py``.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "server.toml"
    settings.write_text("")
    program = str(Path(sys.executable).parent / "secantusd-py")
    arguments = [program, "--config", str(settings), "--host", "127.0.0.1", "--port", str(port)]
    arguments += ["--storage-path", str(folder / "data"), "--cache-size", "256M", *options]
    process = spawn(arguments, folder / "server.log", on_death=signal.SIGKILL)
    try:
        _wait_for(process, port, folder)
        yield f"mongodb://127.0.0.1:{port}/?directConnection=true"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@contextmanager
def server_for_tests(folder: Path) -> Iterator[str]:
    """The server the tests use."""
    given = os.environ.get("MONGODB_URI")
    if given:
        yield given
        return
    with running_server(folder) as uri:
        yield uri


def with_database(uri: str, name: str) -> str:
    """The URI of one database of a server."""
    return urlunsplit(urlsplit(uri)._replace(path=f"/{name}"))


def _wait_for(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    log = (folder / "server.log").read_text(errors="replace")[-2_000:]
    raise RuntimeError(f"the MongoDB server of the tests did not start: {log or 'it said nothing'}")
