"""Saying a thing once: what repeats itself every second while something is broken is one line in the log."""

from __future__ import annotations

import logging
import time

_SAY_AGAIN_S = 300.0
_KEPT = 200


class SayOnce:
    """A logger that leaves out what it has said within the last minutes."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._said: dict[str, float] = {}

    def warning(self, sentence: str) -> None:
        """Warn, unless that was said just before."""
        now = time.monotonic()
        if now - self._said.get(sentence, -_SAY_AGAIN_S) < _SAY_AGAIN_S:
            return
        self._said[sentence] = now
        while len(self._said) > _KEPT:
            del self._said[next(iter(self._said))]
        self._logger.warning("%s", sentence)
