"""What an attempt is told of one before it: what that found and was not believed, or what it measured and stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Disputed:
    """What an inconsistent attempt found: the next one has to agree with it."""

    measured_at: datetime
    values: Mapping[str, tuple[float, float]]
    """Value and error of each output that was inconsistent, by name, in the catalogue's units."""


@dataclass(frozen=True, slots=True)
class StoredAttempt:
    """An attempt of an earlier execution whose raw data are kept."""

    execution_id: str
    session_uid: str
    step: str
    task: str
    target: str
    ordinal: int
    attempt: int
    members: tuple[str, ...] = ()
    """Of a MUX or batch task those of which this was the last attempt."""
