"""Names of sessions and steps, made of words that people gave."""

from __future__ import annotations

import re
import secrets

_ROOM = 50
"""Of the 63 characters that a name may have."""


def step_name(word: str) -> str:
    """``checkrabi-3f9a1c``: unique, also among what others append to the same session."""
    return f"{plain(word) or 'step'}-{secrets.token_hex(3)}"


def session_name(word: str) -> str:
    """``morning-3f9a1c``."""
    return f"{plain(word) or 'session'}-{secrets.token_hex(3)}"


def plain(word: str) -> str:
    """A word as names of objects are written, as far as it goes."""
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")[:_ROOM].strip("-")
