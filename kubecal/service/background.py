"""An event loop in a thread of its own, so that plain programs, and notebooks whose loop runs, can wait for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
CLEARING_S = 30.0
"""How long work that is interrupted may clear up."""


class Background:
    """Runs coroutines for threads that wait for them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="kubecal service", daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
        """Wait for it; whatever interrupts the waiting thread interrupts the work too.

        Raises
        ------
        TimeoutError
            If it takes longer than it may.
        """
        over = threading.Event()

        async def told() -> T:
            try:
                return await work
            finally:
                over.set()

        future: Future[T] = asyncio.run_coroutine_threadsafe(told(), self._loop)
        try:
            return future.result(timeout_s)
        except BaseException:
            future.cancel()
            # What it has begun it may still have to end.
            over.wait(CLEARING_S)
            raise

    def close(self) -> None:
        """End the thread; nothing may be waited for any more."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
