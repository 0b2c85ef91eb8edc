"""Moments as people type them, in UTC as everywhere here: a time, how long ago, now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

NOW = "now"
_AGO = re.compile(r"(\d+) ?(min|h|d|w)")
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def moment(text: str, now: datetime) -> datetime | None:
    """``2026-11-24``, ``2026-11-24T09:30``, ``90min``, ``2d`` ago, ``now``; None: it is no moment.

    A time without an offset is UTC.
    """
    if text == NOW:
        return now
    if ago := _AGO.fullmatch(text):
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def shown(at: datetime | None) -> str:
    """``2026-11-25 09:00:33``, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if at is not None else ""
