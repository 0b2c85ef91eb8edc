"""SIGTERM, remembered from the first instant on and raised only where waiting may end.

A signal that raises anywhere would tear the end transaction apart; one that only sets a flag would wait for
a blocked instrument. So it raises inside a ``with`` block and is remembered outside of it.
"""

from __future__ import annotations

import signal


class InterruptedTaskError(Exception):
    """The pod is being deleted."""


class Interruption:
    """The handler of SIGTERM; standard library only, because it must stand before anything is imported."""

    def __init__(self) -> None:
        self.requested = False
        self._interruptible = False
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, _number: int, _frame: object) -> None:
        self.requested = True
        if self._interruptible:
            self._interruptible = False
            raise InterruptedTaskError

    def __enter__(self) -> Interruption:
        self._interruptible = True
        if self.requested:
            self._interruptible = False
            raise InterruptedTaskError
        return self

    def __exit__(self, *_exception: object) -> None:
        self._interruptible = False
