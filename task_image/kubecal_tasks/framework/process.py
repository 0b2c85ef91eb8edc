"""The measuring child process and what its parent hears of it.

The child is forked first of all, before anything heavy is imported and before any thread exists, so that it
imports the numeric libraries while the parent claims the attempt. A driver that blocks in native code can
then swallow no signal meant for the pod: the parent keeps the clock and can always kill.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1
PATIENCE_S = 5.0
"""How long a child may take to park its instrument by itself before it is killed."""


class ChildDiedError(RuntimeError):
    """The child ended without saying what came out."""

    def __init__(self, code: int) -> None:
        self.exit_code = code if code >= 0 else 128 - code
        """As a shell counts it, 137 for SIGKILL, so that a pod's exit code tells what its child's did."""
        ended = f"with exit code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
        if code == -signal.SIGKILL:
            ended += " (out of memory?)"
        super().__init__(f"the measuring process ended {ended}")


class ParkRequested(BaseException):
    """Raised in the child's main thread when it is asked to stop."""


@dataclass(frozen=True)
class Child:
    """A forked process and the pipe to it."""

    pid: int
    connection: Connection[Any, Any]

    def send(self, message: object) -> None:
        """Tell the child something; a dead child is noticed when it is listened to."""
        with contextlib.suppress(BrokenPipeError):
            self.connection.send(message)

    def receive(self, deadline: float) -> object:
        """The next thing the child says.

        Parameters
        ----------
        deadline
            On ``time.monotonic``.

        Raises
        ------
        TimeoutError
            If it said nothing until the deadline.
        ChildDiedError
            If it is dead.
        """
        if not self.connection.poll(max(0.0, deadline - time.monotonic())):
            raise TimeoutError
        try:
            return self.connection.recv()
        except (EOFError, ConnectionResetError):
            _, status = os.waitpid(self.pid, 0)
            raise ChildDiedError(os.waitstatus_to_exitcode(status)) from None

    def stop(self, patience_s: float = PATIENCE_S) -> bool:
        """Ask it to park and end, kill it if it does not; whether it ended by itself."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid:
                return os.waitstatus_to_exitcode(status) == 0
            time.sleep(0.02)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        return False


def fork(work: Callable[[Connection[Any, Any]], None]) -> Child:
    """Run ``work`` in a child that dies with this process; call it while there are no threads."""
    ours, theirs = Pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if not pid:
        _run_child(work, ours, theirs, parent)
    theirs.close()
    return Child(pid, ours)


def _run_child(
    work: Callable[[Connection[Any, Any]], None], ours: Connection[Any, Any], theirs: Connection[Any, Any], parent: int
) -> NoReturn:
    ours.close()
    code = 70
    try:
        signal.signal(signal.SIGTERM, _on_sigterm)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C goes to the driver, which tells us
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel was told
            os._exit(code)
        work(theirs)
        code = 0
    except ParkRequested:
        code = 0
    except SystemExit as leaving:  # a task's own wish, as in any program
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:  # the child's end of the world: said on standard error, seen as its exit code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _on_sigterm(_number: int, _frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise ParkRequested
