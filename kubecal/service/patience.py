"""Saying what is waited for, but not what passes at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

WAIT_S = 1.0
"""What has passed by then is not worth a word."""


class Patience:
    """Hears what is waited for, and says it when it has been so for a moment; the same only once."""

    def __init__(self, say: Callable[[str], None], wait_s: float = WAIT_S) -> None:
        self._say, self._wait_s = say, wait_s
        self._heard = self._said = ""
        self._timer: asyncio.TimerHandle | None = None

    def hear(self, message: str) -> None:
        """It is so from now on; empty: nothing is waited for any more."""
        if message == self._heard:
            return
        self._heard = message
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if message not in ("", self._said):
            self._timer = asyncio.get_running_loop().call_later(self._wait_s, self._tell)

    def _tell(self) -> None:
        self._said = self._heard
        self._say(self._said)
