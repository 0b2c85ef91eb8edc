"""Those who watch a run: woken when something may have changed, and told what happens besides its sessions."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Watcher:
    """One who watches; two wakings before a look are one."""

    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _notices: list[str] = field(default_factory=list)

    def notices(self) -> tuple[str, ...]:
        """What was said since the last time, each sentence once."""
        said = tuple(self._notices)
        self._notices.clear()
        return said

    def hear(self, sentence: str) -> None:
        """One more."""
        self._notices.append(sentence)
        self.changed.set()


class Watchers:
    """All who watch a run."""

    def __init__(self) -> None:
        self._watching: list[Watcher] = []
        self._unheard: list[str] = []
        """What was said before anybody watched."""

    def tell(self) -> None:
        """Something may have changed."""
        for watcher in self._watching:
            watcher.changed.set()

    def notice(self, sentence: str) -> None:
        """Something happened besides the sessions."""
        if not self._watching:
            self._unheard.append(sentence)
        for watcher in self._watching:
            watcher.hear(sentence)

    @contextlib.contextmanager
    def watching(self) -> Iterator[Watcher]:
        """Watch until the context ends; the first look is due at once."""
        watcher = Watcher()
        for sentence in self._unheard:
            watcher.hear(sentence)
        self._unheard.clear()
        watcher.changed.set()
        self._watching.append(watcher)
        try:
            yield watcher
        finally:
            self._watching.remove(watcher)
