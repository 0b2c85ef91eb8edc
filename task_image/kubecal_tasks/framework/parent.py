"""The parent of a task's process: claim, clock, end.

It never touches the backend. Whatever the measuring child does (blocks, dies, is killed), the parent knows
how far it came and says so in the record and on the termination message.
"""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from signal import SIGTERM, pthread_kill
from typing import Any, NoReturn, TypeVar

from kubecal.api.request import (
    DRIVER_PIPE_VARIABLE,
    LOG_VARIABLE,
    MONGODB_URI_FILE_VARIABLE,
    POD_UID_VARIABLE,
    REQUEST_VARIABLE,
    SCRATCH_VARIABLE,
    TERMINATION_LOG_VARIABLE,
    Receipt,
    TaskRequest,
    TaskTrouble,
    Verdict,
)
from kubecal.records.files import MissingFileError
from kubecal.records.results import MAX_LOG_TAIL, AttemptResult, CheckRecord, CrashReport, InputOffers, StoredData
from kubecal.records.store import RecordStore, RecordsUnavailable
from kubecal.records.task import AttemptRecords, LostClaim, NotClaimed
from kubecal_tasks.framework.interruption import InterruptedTaskError, Interruption
from kubecal_tasks.framework.process import Child, ChildDiedError
from kubecal_tasks.framework.reports import Drawn, Failed, Judged, Measured, Prepared
from kubecal_tasks.framework.spool import spool

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
_MESSAGE_BYTES = 1000
"""Of 4096: quoted, a text may be twice as long."""
_METRICS = 20

T = TypeVar("T")


@dataclass
class Progress:
    """What the child has said so far."""

    prepared: Prepared | None = None
    measured: Measured | None = None
    judged: dict[str, Judged] = field(default_factory=dict)
    """What is judged, so far."""
    drawn: Drawn | None = None


class TaskEnded(Exception):  # noqa: N818 - how an attempt ends without a result; carries what is said of it
    """The attempt ends here, without a result."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.trouble = TaskTrouble(reason=reason, message=_cut(message, _MESSAGE_BYTES))


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
        with asyncio.Runner() as runner:
            request = _read_request()
            store = RecordStore.from_file(Path(_required(MONGODB_URI_FILE_VARIABLE)))
            records = AttemptRecords(store, request, _required(POD_UID_VARIABLE))
            receipt = _Attempt(request, records, runner, child, interruption, started).run()
            text, code = receipt.to_json(), EXIT_OK
    except TaskEnded as end:
        child.stop()
        print(f"{end.trouble.reason}: {end.trouble.message}", file=sys.stderr)
        text, code = end.trouble.to_json(), end.code
    _say(text)
    return code


class _Attempt:
    def __init__(
        self,
        request: TaskRequest,
        records: AttemptRecords,
        runner: asyncio.Runner,
        child: Child,
        interruption: Interruption,
        started: float,
    ) -> None:
        self._request = request
        self._records = records
        self._runner = runner
        self._child = child
        self._interruption = interruption
        self._claim_until = started + min(_CLAIM_S, request.timeout_s)
        self._timeout_at = started + request.timeout_s
        self._store_until = self._timeout_at + _OVERTIME_S
        self._began = datetime.now(UTC)
        self._progress = Progress()
        self._kept = ""

    def run(self) -> Receipt:
        """Claim, let the child measure, store."""
        offers = self._claim()
        stored = self._stored()
        try:
            self._child.send((offers, stored))
            judged = self._listen()
        except InterruptedTaskError:
            self._park()
            self._interrupted()
        except ChildDiedError as error:
            self._crashed(Failed("MeasurementDied", str(error)), error.exit_code or EXIT_TROUBLE)
        if isinstance(judged, Failed):
            self._crashed(judged)
        return self._finish(judged)

    def _claim(self) -> Mapping[str, InputOffers]:
        """Make the attempt ours, and only then read its inputs: whoever held it before can publish no more."""
        claimed = False
        try:
            self._persist(lambda: self._records.claim(datetime.now(UTC)), self._claim_until, before_measuring=True)
            claimed = True
            return self._persist(self._records.inputs, self._claim_until, before_measuring=True)
        except InterruptedTaskError as error:
            if claimed:  # the row says that we run: without this it would say so of a pod that ended in good order
                self._record_interruption()
            raise TaskEnded(EXIT_INTERRUPTED, "Interrupted", "stopped before it measured") from error
        except NotClaimed as error:
            raise TaskEnded(EXIT_TROUBLE, "NotClaimed", str(error)) from error
        except RecordsUnavailable as error:
            raise TaskEnded(EXIT_TROUBLE, "NotClaimed", f"the attempt could not be claimed: {error}") from error

    def _stored(self) -> StoredData | None:
        """What is analysed anew instead of measuring; all that is said of it is as old as these data."""
        if self._request.reanalyses is None:
            return None
        try:
            stored = self._persist(self._records.stored, self._claim_until, before_measuring=True)
        except InterruptedTaskError:
            self._interrupted()
        except RecordsUnavailable as error:
            raise TaskEnded(EXIT_TROUBLE, "NotClaimed", f"the stored data could not be read: {error}") from error
        except MissingFileError as error:
            self._crashed(Failed("RawDataMissing", str(error)))
        self._request, self._records = stored.of_then(self._request), self._records.of(stored)
        return stored

    def _listen(self) -> Mapping[str, Judged] | Failed:
        """Take in what the child says until it has said everything or its time is over."""
        wanted = self._request.judged
        progress = self._progress
        with self._interruption:
            while progress.drawn is None:
                try:
                    message = self._child.receive(self._timeout_at)
                except TimeoutError:
                    break
                except ChildDiedError:
                    if len(progress.judged) < len(wanted):
                        raise
                    break  # only the figures are missing: the result counts
                match message:
                    case Prepared():
                        progress.prepared = message
                    case Measured():
                        progress.measured = message
                    case Judged():
                        progress.judged[message.judged] = message
                    case Drawn():
                        progress.drawn = message
                    case Failed():
                        return message
        if len(progress.judged) == len(wanted):
            return progress.judged
        self._park()
        return {one: no_result(one, self._request.timeout_s) for one in wanted}

    def _finish(self, judged: Mapping[str, Judged]) -> Receipt:
        results = {one: self._result(each) for one, each in judged.items()}
        keep = partial(self._keep, results)
        try:
            checksum = self._persist(lambda: self._records.finish(results), self._store_until, on_first_failure=keep)
        except LostClaim as error:
            raise TaskEnded(EXIT_TROUBLE, "Superseded", str(error)) from error
        except RecordsUnavailable as error:
            verdicts = ", ".join(sorted({each.verdict.value for each in judged.values()}))
            text = f"the result ({verdicts}) could not be stored before the deadline{self._kept}: {error}"
            raise TaskEnded(EXIT_TROUBLE, "ResultNotStored", text) from error
        return self._receipt(checksum, judged)

    def _receipt(self, checksum: str, judged: Mapping[str, Judged]) -> Receipt:
        """What is said of the end; where several were judged, the record tells what of each."""
        request = self._request
        if request.members:
            return Receipt(attempt=request.task_id, checksum=checksum)
        only = judged[request.target]
        metrics = {name: value for name, value in only.metrics.items() if math.isfinite(value)}
        return Receipt(
            attempt=request.task_id,
            checksum=checksum,
            verdict=only.verdict,
            metrics=dict(list(metrics.items())[:_METRICS]),
            message=_cut(only.message, _MESSAGE_BYTES),
        )

    def _keep(self, results: Mapping[str, AttemptResult]) -> None:
        try:
            self._kept = f", its data is in {spool(results, Path(os.environ.get(SCRATCH_VARIABLE, '.')))}"
        except OSError as error:
            print(f"the result could not be kept in the scratch folder either: {error}", file=sys.stderr)

    def _result(self, judged: Judged) -> AttemptResult:
        progress = self._progress
        measured, prepared = progress.measured, progress.prepared
        return AttemptResult(
            verdict=judged.verdict,
            message=judged.message,
            started_at=self._began,
            ended_at=datetime.now(UTC),
            measured_at=self._request.measure_at,
            inputs=prepared.inputs.get(judged.judged, ()) if prepared else (),
            run_parameters=prepared.run_parameters if prepared else dict(self._request.parameters),
            outputs=judged.outputs,
            metrics=judged.metrics,
            checks=judged.checks,
            suggestion=judged.suggestion,
            moved=judged.moved,
            shift=judged.shift,
            disputed=judged.disputed,
            figures=progress.drawn.figures.get(judged.judged, ()) if progress.drawn else (),
            raw_data=measured.raw_data if measured else (),
            stack_trace=judged.stack_trace,
            log_tail=_printed(),
        )

    def _crashed(self, failed: Failed, code: int = EXIT_TROUBLE) -> NoReturn:
        """A crash keeps what was measured; the controller decides whether it is run again."""
        progress = self._progress
        report = CrashReport(
            reason=failed.reason,
            message=failed.message,
            stack_trace=failed.stack_trace,
            inputs=progress.prepared.inputs if progress.prepared else {},
            run_parameters=progress.prepared.run_parameters if progress.prepared else dict(self._request.parameters),
            raw_data=progress.measured.raw_data if progress.measured else (),
            log_tail=_printed(),
        )
        until = min(self._store_until, time.monotonic() + _CLAIM_S)
        self._try_to_say(lambda: self._records.crashed(report, datetime.now(UTC)), until)
        raise TaskEnded(code, failed.reason, failed.message)

    def _interrupted(self) -> NoReturn:
        self._record_interruption()
        raise TaskEnded(EXIT_INTERRUPTED, "Interrupted", "stopped while it was measuring")

    def _record_interruption(self) -> None:
        self._try_to_say(lambda: self._records.interrupted(datetime.now(UTC)), time.monotonic() + _GRACE_S / 2)

    def _try_to_say(self, write: Callable[[], Coroutine[Any, Any, None]], until: float) -> None:
        """What is only good to know must not change how the task ends."""
        try:
            self._persist(write, until)
        except (RecordsUnavailable, LostClaim, NotClaimed) as error:
            print(f"this end could not be recorded: {error}", file=sys.stderr)

    def _park(self) -> None:
        """Leave the instrument safe: the child does it itself, or a fresh process after it was killed."""
        if self._child.stop() or self._request.reanalyses is not None:
            return
        try:
            subprocess.run([sys.executable, "-m", "kubecal_tasks.framework.park"], timeout=_PARK_S, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"the instrument could not be parked: {error}", file=sys.stderr)

    def _persist(
        self,
        write: Callable[[], Coroutine[Any, Any, T]],
        until: float,
        before_measuring: bool = False,
        on_first_failure: Callable[[], None] | None = None,
    ) -> T:
        """Repeat an idempotent call of the records until it succeeds or its time is over.

        A signal ends the waiting at once where nothing was measured yet, and shortens it where there is
        something to lose.
        """
        pause = _RETRY_S
        while True:
            if before_measuring and self._interruption.requested:
                raise InterruptedTaskError
            try:
                return self._runner.run(write())
            except RecordsUnavailable as error:
                if on_first_failure is not None:
                    on_first_failure()
                    on_first_failure = None
                if self._interruption.requested:
                    until = min(until, time.monotonic() + _GRACE_S)
                if time.monotonic() + pause > until:
                    raise
                print(f"{error}; trying again in {pause:g} s", file=sys.stderr)
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)


def _printed() -> str:
    """The end of what the task has printed, where that goes to a file; a pod's log is the cluster's."""
    path = os.environ.get(LOG_VARIABLE)
    if not path:
        return ""
    try:
        with Path(path).open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - MAX_LOG_TAIL))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def no_result(judged: str, timeout_s: float) -> Judged:
    """The verdict of a measurement that did not end in its time."""
    text = f"no result after {timeout_s:g} s"
    check = CheckRecord("timeout", timeout_s, timeout_s, False, text)
    return Judged(judged, Verdict.HARDWARE_ERROR, text, checks=(check,))


def _read_request() -> TaskRequest:
    try:
        return TaskRequest.model_validate_json(_required(REQUEST_VARIABLE))
    except ValueError as error:
        raise TaskEnded(EXIT_TROUBLE, "BadRequest", f"the request cannot be read: {error}") from error


def _required(variable: str) -> str:
    value = os.environ.get(variable, "")
    if not value:
        raise TaskEnded(EXIT_TROUBLE, "BadRequest", f"the environment lacks {variable}: start tasks by a driver")
    return value


def _say(text: str) -> None:
    """Leave the termination message."""
    path = os.environ.get(TERMINATION_LOG_VARIABLE, "")
    if path:
        Path(path).write_text(text)
    else:
        print(text)


def _cut(text: str, size: int) -> str:
    """At most ``size`` bytes of a text on one line: the kubelet cuts what is longer, and that cannot be read."""
    return " ".join(text.split()).encode()[:size].decode(errors="ignore")


def _watch_driver() -> None:
    """On a laptop: end as on SIGTERM when the driver's end of the pipe closes."""
    descriptor = os.environ.get(DRIVER_PIPE_VARIABLE)
    if not descriptor:
        return

    def wait() -> None:
        while os.read(int(descriptor), 64):
            pass
        # To the main thread by name: only there does a waiting call end early and the handler run.
        pthread_kill(threading.main_thread().ident or 0, SIGTERM)

    threading.Thread(target=wait, daemon=True, name="driver").start()
