"""One look at a session, kept up to date, for everybody who waits for something to be so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from kubecal.lab.lab import Lab, Sight

T = TypeVar("T")


class Watch:
    """Follows a session; several may wait for something of it at a time."""

    def __init__(self, lab: Lab, name: str, say: Callable[[str], None]) -> None:
        self._lab, self._name, self._say = lab, name, say
        self._news = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._problem = ""
        self.sight: Sight | None = None
        """What was seen last."""

    def begin(self) -> None:
        """Start to follow."""
        self._following = asyncio.create_task(self._follow(), name=f"watch {self._name}")
        self._following.add_done_callback(lambda _: self._news.set())

    async def until(self, met: Callable[[Sight], T | None]) -> T | None:
        """Wait until something is met; None: the session ended, and it was not.

        Raises
        ------
        LabError
            If the session cannot be followed any more.
        """
        assert self._following is not None
        while True:
            news = self._news
            found = met(self.sight) if self.sight is not None else None
            if found is not None:
                return found
            if self._following.done():
                self._following.result()
                return None
            await news.wait()

    async def end(self) -> None:
        """Follow no longer."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

    async def _follow(self) -> None:
        async for sight in self._lab.follow(self._name):
            for notice in sight.notices:
                self._say(notice)
            if sight.problem and sight.problem != self._problem:
                self._say(sight.problem)
            self._problem, self.sight = sight.problem, sight
            told, self._news = self._news, asyncio.Event()
            told.set()
