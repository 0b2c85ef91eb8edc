"""One way to carry out a verb: with a lab, a screen, and a sentence and an exit code for whatever goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator

from kubecal.api.manifests import ManifestError
from kubecal.cli.exit_codes import STOPPED, ExitCode
from kubecal.cli.form import Form
from kubecal.cli.labs import open_lab
from kubecal.cli.place import Place
from kubecal.cli.screen import Screen
from kubecal.lab.lab import Lab, LabError, NotFoundInLabError
from kubecal.reading.records import NotRecordedError, RecordsError

Work = Callable[[Lab, Screen], Awaitable[int]]
"""What a verb does; its exit code."""


class NotDoneError(Exception):
    """A verb cannot do what it was asked; the message says what is wrong, where, and what to do."""


class NoSuchThingError(NotDoneError):
    """What it was asked about is not there."""


def carry_out(place: Place, form: Form, work: Work) -> int:
    """Do the work of a verb in its lab; the exit code.

    Ctrl-C, SIGTERM and an output that nobody reads end it: what it opened is closed, and nothing is left running.
    """
    return asyncio.run(_Answering(place, form, work).run())


def answer(form: Form, work: Callable[[Screen], int]) -> int:
    """Do the work of a verb that needs no lab; the exit code. Output that is lost is no success."""
    lost: list[OSError] = []
    screen = Screen(sys.stdout, sys.stderr, form, on_lost=lost.append)
    try:
        code = work(screen)
    except (LabError, RecordsError, ManifestError, NotDoneError) as error:
        code = failed(screen, error)
    except KeyboardInterrupt:
        return STOPPED + signal.SIGINT
    screen.out.file.flush()
    if not lost:
        return code
    if isinstance(lost[0], BrokenPipeError):
        return STOPPED + signal.SIGPIPE
    screen.complain(f"standard output cannot be written ({lost[0].strerror or lost[0]})")
    return ExitCode.NOT_DONE


def failed(screen: Screen, error: Exception) -> int:
    """Say what went wrong; the exit code that belongs to it."""
    screen.complain(str(error))
    missing = isinstance(error, NoSuchThingError | NotFoundInLabError | NotRecordedError)
    return ExitCode.FAILED if missing else ExitCode.NOT_DONE


class _Answering:
    """One verb that is being carried out."""

    def __init__(self, place: Place, form: Form, work: Work) -> None:
        self._place = place
        self._work = work
        self._screen = Screen(sys.stdout, sys.stderr, form, on_lost=self._lost)
        self._stopped_by: signal.Signals | None = None
        self._unwritable = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[int] | None = None

    async def run(self) -> int:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._in_lab())
        with self._interruptible(self._loop):
            try:
                code = await self._task
            except asyncio.CancelledError:
                code = ExitCode.NOT_DONE
            except (LabError, RecordsError, ManifestError, NotDoneError) as error:
                code = failed(self._screen, error)
        self._screen.out.file.flush()
        if self._unwritable:
            self._screen.complain(f"standard output cannot be written ({self._unwritable})")
            return ExitCode.NOT_DONE
        return code if self._stopped_by is None else STOPPED + self._stopped_by

    async def _in_lab(self) -> int:
        async with open_lab(self._place, self._screen.remark) as lab:
            return await self._work(lab, self._screen)

    def _lost(self, error: OSError) -> None:
        """Whoever reads the output has left, or the disk it goes to is full."""
        if isinstance(error, BrokenPipeError):
            self._stopped_by = signal.SIGPIPE
        else:
            self._unwritable = error.strerror or str(error)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._cancel)

    def _stop(self, number: signal.Signals) -> None:
        self._stopped_by = self._stopped_by or number
        self._cancel()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    @contextlib.contextmanager
    def _interruptible(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        numbers = (signal.SIGINT, signal.SIGTERM)
        for number in numbers:
            loop.add_signal_handler(number, self._stop, number)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)
