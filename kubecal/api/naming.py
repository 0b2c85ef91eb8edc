"""Names that are computed, never chosen: task ids and pod names.

Both are functions of what identifies an attempt, so a controller that lost its memory computes the same
ones again, and creating twice is an AlreadyExists instead of a second pod on a qubit.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode
from functools import lru_cache

_SEPARATOR = "\x1f"
_MAX_NAME = 63
_REMEMBERED = 65_536
"""A controller asks for the same names in every pass, and hashing them all takes longer than deciding does."""


def _digest(*parts: str) -> bytes:
    return hashlib.sha256(_SEPARATOR.join(parts).encode()).digest()


@lru_cache(maxsize=_REMEMBERED)
def task_id(session_uid: str, step: str, task: str, target: str, ordinal: int, attempt: int, qid: str) -> str:
    """The ``_id`` of one row of task_result_history: 32 hexadecimal digits.

    ``qid`` equals ``target`` but for MUX and batch tasks, which have one row per qubit.
    """
    return _digest(session_uid, step, task, target, str(ordinal), str(attempt), qid).hex()[:32]


@lru_cache(maxsize=_REMEMBERED)
def pod_name(session: str, session_uid: str, step: str, task: str, target: str, ordinal: int, attempt: int) -> str:
    """The name of the attempt's pod, at most 63 characters: ``morning-checkt1-3-1-x7f2k9abcd``."""
    digest = b32encode(_digest(session_uid, step, task, target, str(ordinal), str(attempt))).decode().lower()[:10]
    tail = f"{_clean(target)}-{attempt}-{digest}"
    room = _MAX_NAME - len(tail) - 2
    task_part = _clean(task)[: max(8, room // 2)].strip("-")
    session_part = _clean(session)[: room - len(task_part)].strip("-")
    # A pod's name starts with a letter or digit; a cleaned session name may be empty only if it was all dots.
    return "-".join(part for part in (session_part, task_part, tail) if part)


def spoken_target(target: str) -> str:
    """A task's target as people call it: ``qubit 3``, ``coupling 0-1``, ``MUX 0``, ``the chip``."""
    if target in ("", "chip"):
        return "the chip"
    if target.startswith("mux-"):
        return f"MUX {target.removeprefix('mux-')}"
    return f"coupling {target}" if "-" in target else f"qubit {target}"


def _clean(text: str) -> str:
    return re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")
