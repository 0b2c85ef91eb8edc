"""The parent of a task's process: claim, clock, end.

It never touches the backend. Whatever the measuring child does (blocks, dies, is killed), the parent knows
how far it came and says so in the record and on the termination message.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM
from typing import TypeVar

from kubecal.api.request import (
    DRIVER_PIPE_VARIABLE,
    MAX_RECEIPT_BYTES,
    REQUEST_VARIABLE,
    TERMINATION_LOG_VARIABLE,
    Receipt,
    TaskRequest,
    TaskTrouble,
    Verdict,
)
from kubecal_tasks.framework.interruption import InterruptedTaskError, Interruption
from kubecal_tasks.framework.outcome import Check, Judgement
from kubecal_tasks.framework.process import Child, ChildDiedError
from kubecal_tasks.framework.reports import AttemptReport, Failed, FiguresDrawn, Judged, Measured, Prepared
from kubecal_tasks.framework.store import (
    AttemptStore,
    NotClaimedError,
    RecordsAwayError,
    SupersededError,
    open_store,
)

EXIT_OK = 0
EXIT_TROUBLE = 1
EXIT_INTERRUPTED = 143

_CLAIM_S = 30.0
"""How long a pod waits for a database that does not answer before it gives up its claim (a disruption)."""
_OVERTIME_S = 20.0
"""How long after its timeout a task may go on storing; the pod's own deadline is 30 s after it."""
_GRACE_S = 20.0
"""How long an interrupted task may go on storing a result it has."""
_PARK_S = 10.0
_RETRY_S = 0.5
_LONGEST_PAUSE_S = 5.0

T = TypeVar("T")


@dataclass
class Progress:
    """What the child has said so far."""

    prepared: Prepared | None = None
    measured: Measured | None = None
    judged: Judged | None = None
    drawn: FiguresDrawn | None = None


class TaskEnded(Exception):  # noqa: N818 - how an attempt ends without a result; carries what is said of it
    """The attempt ends here, without a result."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.trouble = TaskTrouble(reason=reason, message=message[:2000])


def run_attempt(child: Child, interruption: Interruption, started: float) -> int:
    """Run the attempt of the environment's request and say how it ended.

    Parameters
    ----------
    child
        The measuring process, already importing.
    interruption
        The handler of SIGTERM.
    started
        When the process began, on ``time.monotonic``.

    Returns
    -------
    int
        The exit code.
    """
    _watch_driver()
    try:
        try:
            request = TaskRequest.model_validate_json(os.environ[REQUEST_VARIABLE])
        except (KeyError, ValueError) as error:
            raise TaskEnded(EXIT_TROUBLE, "BadRequest", f"the request cannot be read: {error}") from error
        receipt = _Attempt(request, child, interruption, started).run()
    except TaskEnded as end:
        child.stop()
        print(f"{end.trouble.reason}: {end.trouble.message}", file=sys.stderr)
        _say(end.trouble.to_json())
        return end.code
    _say(receipt.to_json())
    return EXIT_OK


class _Attempt:
    def __init__(self, request: TaskRequest, child: Child, interruption: Interruption, started: float) -> None:
        self._request = request
        self._child = child
        self._interruption = interruption
        self._started = started
        self._timeout_at = started + request.timeout_s
        self._progress = Progress()

    def run(self) -> Receipt:
        """Claim, let the child measure, store."""
        store = open_store(self._request)
        go = self._claim(store)
        try:
            self._child.send(go)
            judged = self._listen()
        except InterruptedTaskError:
            self._park()
            self._interrupted(store)
        except ChildDiedError as error:
            self._failed(store, Failed("MeasurementDied", str(error)))
        if isinstance(judged, Failed):
            self._failed(store, judged)
        return self._finish(store, judged)

    def _claim(self, store: AttemptStore) -> object:
        deadline = self._started + min(_CLAIM_S, self._request.timeout_s)
        try:
            return self._persist(store.claim, deadline)
        except InterruptedTaskError as error:
            raise TaskEnded(EXIT_INTERRUPTED, "Interrupted", "stopped before the attempt was claimed") from error
        except NotClaimedError as error:
            raise TaskEnded(EXIT_TROUBLE, "NotClaimed", str(error)) from error
        except RecordsAwayError as error:
            raise TaskEnded(EXIT_TROUBLE, "NotClaimed", f"the attempt could not be claimed: {error}") from error

    def _listen(self) -> Judged | Failed:
        """Take in what the child says until it has said everything or its time is over."""
        progress = self._progress
        with self._interruption:
            while progress.drawn is None:
                try:
                    message = self._child.receive(self._timeout_at)
                except TimeoutError:
                    break
                except ChildDiedError:
                    if progress.judged is None:
                        raise
                    break  # only the figures are missing: the result counts
                match message:
                    case Prepared():
                        progress.prepared = message
                    case Measured():
                        progress.measured = message
                    case Judged():
                        progress.judged = message
                    case FiguresDrawn():
                        progress.drawn = message
                    case Failed():
                        return message
        if progress.judged is not None:
            return progress.judged
        self._park()
        return _no_result(self._request.timeout_s)

    def _finish(self, store: AttemptStore, judged: Judged) -> Receipt:
        deadline = self._timeout_at + _OVERTIME_S
        report = self._report(judged)
        try:
            checksum = self._persist(lambda: store.finish(report), deadline, raises=False)
        except SupersededError as error:
            raise TaskEnded(EXIT_TROUBLE, "Superseded", str(error)) from error
        except RecordsAwayError as error:
            text = f"the result of {judged.judgement.verdict} could not be stored before the deadline: {error}"
            raise TaskEnded(EXIT_TROUBLE, "ResultNotStored", text) from error
        metrics = {name: value for name, value in judged.metrics.items() if value == value}
        message = judged.judgement.message[:1000]
        return Receipt(
            attempt=self._request.task_id,
            checksum=checksum,
            verdict=judged.judgement.verdict,
            metrics=metrics,
            message=message,
        )

    def _report(self, judged: Judged) -> AttemptReport:
        progress = self._progress
        figures = progress.drawn.figures if progress.drawn else ()
        return AttemptReport(self._request, progress.prepared, progress.measured, judged, figures)

    def _failed(self, store: AttemptStore, failed: Failed) -> None:
        """A crash keeps what was measured; the controller decides whether it is run again."""
        try:
            self._persist(
                lambda: store.crashed(failed, self._progress.prepared, self._progress.measured),
                min(self._timeout_at + _OVERTIME_S, time.monotonic() + _CLAIM_S),
                raises=False,
            )
        except (RecordsAwayError, SupersededError) as error:
            print(f"the crash could not be recorded: {error}", file=sys.stderr)
        raise TaskEnded(EXIT_TROUBLE, failed.reason, failed.message)

    def _interrupted(self, store: AttemptStore) -> None:
        try:
            self._persist(store.interrupted, time.monotonic() + _GRACE_S / 2, raises=False)
        except (RecordsAwayError, SupersededError) as error:
            print(f"the interruption could not be recorded: {error}", file=sys.stderr)
        raise TaskEnded(EXIT_INTERRUPTED, "Interrupted", "stopped while it was measuring")

    def _park(self) -> None:
        """Leave the instrument safe: the child does it itself, or a fresh process after it was killed."""
        if self._child.stop():
            return
        try:
            subprocess.run(  # noqa: S603 - our own module
                [sys.executable, "-m", "kubecal_tasks.framework.park"], timeout=_PARK_S, check=True
            )
        except (OSError, subprocess.SubprocessError) as error:
            print(f"the instrument could not be parked: {error}", file=sys.stderr)

    def _persist(self, write: Callable[[], T], deadline: float, raises: bool = True) -> T:
        """Repeat a write of the records until it succeeds or its time is over; every write is idempotent."""
        pause = _RETRY_S
        while True:
            try:
                return write()
            except RecordsAwayError as error:
                if raises and self._interruption.requested:
                    raise InterruptedTaskError from error
                if self._interruption.requested:
                    deadline = min(deadline, time.monotonic() + _GRACE_S)
                if time.monotonic() + pause > deadline:
                    raise
                print(f"{error}; trying again in {pause:g} s", file=sys.stderr)
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)


def _no_result(timeout_s: float) -> Judged:
    text = f"no result after {timeout_s:g} s"
    check = Check("timeout", timeout_s, timeout_s, False, Verdict.HARDWARE_ERROR, message=text)
    return Judged(Judgement(Verdict.HARDWARE_ERROR, text, (check,), frozenset()))


def _say(text: str) -> None:
    """Leave the termination message. Never longer than the kubelet keeps: a cut one could not be read."""
    path = os.environ.get(TERMINATION_LOG_VARIABLE, "")
    if not path:
        print(text)
        return
    if len(text.encode()) > MAX_RECEIPT_BYTES:
        raise ValueError(f"the termination message has {len(text.encode())} bytes")
    Path(path).write_text(text)


def _watch_driver() -> None:
    """On a laptop: end as on SIGTERM when the driver's end of the pipe closes."""
    descriptor = os.environ.get(DRIVER_PIPE_VARIABLE)
    if not descriptor:
        return

    def wait() -> None:
        while os.read(int(descriptor), 64):
            pass
        os.kill(os.getpid(), SIGTERM)

    threading.Thread(target=wait, daemon=True, name="driver").start()
