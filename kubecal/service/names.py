"""Names of sessions and steps, made of words that people gave."""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Collection

_ROOM = 50
"""Of the 63 characters that a name may have."""


def step_name(word: str) -> str:
    """``checkrabi``: unique only when it is appended (:func:`free_name`)."""
    return plain(word) or "step"


def free_name(word: str, taken: Collection[str]) -> str:
    """``checkrabi``, or ``checkrabi-2``, ``checkrabi-3`` where that is taken."""
    if word not in taken:
        return word
    return next(name for number in itertools.count(2) if (name := f"{word}-{number}") not in taken)


def session_name(word: str) -> str:
    """``morning-3f9a1c``."""
    return f"{plain(word) or 'session'}-{secrets.token_hex(3)}"


def plain(word: str) -> str:
    """A word as names of objects are written, as far as it goes."""
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")[:_ROOM].strip("-")
