"""Running other programs: with errors that say what they printed, and without leaving any behind."""

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.cluster.errors import ClusterError

Command = Sequence[str | Path]

PR_SET_PDEATHSIG = 1
_TAIL_LINES = 25

# Loaded here and not in the child: between fork and exec nothing may take a lock that another thread held.
_libc = ctypes.CDLL(None, use_errno=True)


def run(
    command: Command,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    given: bytes | None = None,
    timeout_s: float | None = None,
) -> str:
    """Run a program to its end and return what it printed.

    Raises:
        ClusterError: it ended with another code than 0 or took too long; the message has the end of its output.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise ClusterError(f"cannot run {words[0]!r}: {error.strerror}: install it or add it to PATH") from error
    except subprocess.TimeoutExpired as error:
        raise ClusterError(f"{shlex.join(words)} did not end within {timeout_s} s") from error
    if done.returncode != 0:
        output = (done.stderr + done.stdout).decode(errors="replace")
        raise ClusterError(f"{shlex.join(words)} ended with code {done.returncode}:\n{tail(output)}")
    return done.stdout.decode(errors="replace")


def succeeds(command: Command, *, environment: Mapping[str, str] | None = None, timeout_s: float = 30) -> bool:
    """Whether a program ends with code 0 in time."""
    try:
        run(command, environment=environment, timeout_s=timeout_s)
    except ClusterError:
        return False
    return True


def spawn(
    command: Command,
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    on_death: signal.Signals = signal.SIGTERM,
) -> "subprocess.Popen[bytes]":
    """Start a server that ends with us, however we end; its output goes to the log.

    It gets the signal `on_death` when the *thread* that started it ends, so start servers from the main thread. It has
    a session of its own: Ctrl-C must reach only us, who end the servers in their order.
    """
    parent = os.getpid()

    def end_with_parent() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, on_death)
        if os.getppid() != parent:
            os._exit(1)

    with log.open("ab") as output:
        return subprocess.Popen(
            [str(word) for word in command],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )


def end(process: "subprocess.Popen[bytes]", *, patience_s: float = 10) -> None:
    """End a server that we started: ask first, kill after the patience."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], bool], what: str, *, timeout_s: float, every_s: float = 0.05) -> None:
    """Wait for a condition, and say what was waited for when it does not come."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise ClusterError(f"{what} did not happen within {timeout_s:.0f} s")
        time.sleep(every_s)


def tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-_TAIL_LINES:])


def say(message: str) -> None:
    """Tell the person in front of the terminal what takes the time."""
    print(message, file=sys.stderr, flush=True)
