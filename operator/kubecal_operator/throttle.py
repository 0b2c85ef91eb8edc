"""Mere counts are written at most every two seconds a session, and the last ones always."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from kubecal.engine.intents import StatusPatch

_EVERY = timedelta(seconds=2)
_PRESSED = timedelta(seconds=4)
"""While other things of the hardware wait to be decided, counts may wait for longer: they can be wrong, a wire idle."""


class StatusThrottle:
    """Remembers when each session's status was written last."""

    def __init__(self) -> None:
        self._written: dict[str, datetime] = {}

    def due(
        self, patches: Sequence[StatusPatch], now: datetime, *, pressed: bool = False
    ) -> tuple[list[StatusPatch], datetime | None]:
        """The patches to write now, and when the first of those held back is due.

        What is held back needs no memory: the next pass decides it again, with newer counts.

        Parameters
        ----------
        pressed
            Whether another pass over the same hardware is waiting for this one to end.
        """
        every = _PRESSED if pressed else _EVERY
        due: list[StatusPatch] = []
        later: list[datetime] = []
        for patch in patches:
            last = self._written.get(patch.ref.uid)
            if patch.urgent or last is None or now - last >= every:
                due.append(patch)
                self._written[patch.ref.uid] = now
            else:
                later.append(last + every)
        self._written = {uid: at for uid, at in self._written.items() if now - at < timedelta(minutes=1)}
        return due, min(later, default=None)
