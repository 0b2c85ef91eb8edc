"""Mere counts are written at most every two seconds a session, and the last ones always."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from kubecal.engine.intents import StatusPatch

_EVERY = timedelta(seconds=2)


class StatusThrottle:
    """Remembers when each session's status was written last."""

    def __init__(self) -> None:
        self._written: dict[str, datetime] = {}

    def due(self, patches: Sequence[StatusPatch], now: datetime) -> tuple[list[StatusPatch], datetime | None]:
        """The patches to write now, and when the first of those held back is due.

        What is held back needs no memory: the next pass decides it again, with newer counts.
        """
        due: list[StatusPatch] = []
        later: list[datetime] = []
        for patch in patches:
            last = self._written.get(patch.ref.uid)
            if patch.urgent or last is None or now - last >= _EVERY:
                due.append(patch)
                self._written[patch.ref.uid] = now
            else:
                later.append(last + _EVERY)
        self._written = {uid: at for uid, at in self._written.items() if now - at < timedelta(minutes=1)}
        return due, min(later, default=None)
