"""What ends a program while its session is open: SIGTERM, an error that nobody caught, or simply its end.

Python's default for SIGTERM ends a program without a word: no ``finally`` is run, and the session would keep its chip
until it has idled too long. So while a session is open SIGTERM raises :class:`Cancelled` in the main thread.
"""

from __future__ import annotations

import atexit
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Protocol

from kubecal.service.errors import Cancelled

Handler = Callable[[int, FrameType | None], object] | int | None


class Leaving(Protocol):
    """What has to be ended before the program may go."""

    def leave(self, error: BaseException | None) -> None:
        """End it as an error says. Raises nothing but another interruption, and takes a limited time."""

    def forgotten(self) -> None:
        """The program has ended without ending it: it is too late for anything but a word."""


_open: list[Leaving] = []
_listeners = 0
_former: Handler = None
_former_hook: Callable[[type[BaseException], BaseException, TracebackType | None], object] | None = None


def begun(what: Leaving) -> None:
    """It must not be forgotten when the program ends."""
    global _former_hook
    if not _open and _former_hook is None:
        _former_hook, sys.excepthook = sys.excepthook, _uncaught
        atexit.register(_at_exit)
    _open.append(what)
    listen()


def ended(what: Leaving) -> None:
    """It has ended by itself."""
    if what in _open:
        _open.remove(what)
        listen_no_longer()


def open_sessions() -> tuple[Leaving, ...]:
    """What has begun and not ended, the oldest first."""
    return tuple(_open)


def listen() -> None:
    """From now on SIGTERM raises Cancelled in the main thread; to be undone as often as it is done.

    In another thread than the main one nothing can be done about signals: whoever started the thread decides.
    """
    global _listeners, _former
    _listeners += 1
    if _former is None and threading.current_thread() is threading.main_thread():
        _former = signal.signal(signal.SIGTERM, _raise)


def listen_no_longer() -> None:
    """The former handler of SIGTERM is back."""
    global _listeners
    _listeners -= 1
    if _listeners == 0 and threading.current_thread() is threading.main_thread():
        _restore()


def _restore() -> None:
    global _former
    if _former is not None:
        signal.signal(signal.SIGTERM, _former)
        _former = None


def _raise(number: int, frame: FrameType | None) -> None:
    if not _listeners:
        # The last session ended in another thread, which could not put the former handler back.
        _restore()
        signal.raise_signal(number)
        return
    raise Cancelled(f"{signal.Signals(number).name} was received")


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The program ends because of an error: its sessions say so, before it is said itself."""
    for what in [*_open]:
        # Interrupted once more, nobody waits any longer; the next is told all the same.
        with suppress(Cancelled, KeyboardInterrupt):
            what.leave(error)
        ended(what)
    if isinstance(error, Cancelled):
        # Somebody wanted it so: where in the program it was is of no use to them.
        print(f"kubecal: stopped: {error}", file=sys.stderr)
        return
    assert _former_hook is not None
    _former_hook(kind, error, trace)


def _at_exit() -> None:
    """By now no thread can be started any more, so nothing that takes a while can be done."""
    for what in _open:
        what.forgotten()
