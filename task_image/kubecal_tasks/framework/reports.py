"""What the measuring child tells its parent: plain values, so that the parent needs no numeric library.

The other way goes one message only: the attempt is claimed, begin, with the records'
:class:`kubecal.records.results.InputOffers` by qubit and coupling, and the data that are analysed anew, if any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kubecal.api.request import Verdict
from kubecal.records.results import (
    CheckRecord,
    Figure,
    FileContent,
    InputRecord,
    OutputRecord,
    ShiftRecord,
    SuggestionRecord,
)


@dataclass(frozen=True)
class Prepared:
    """What will be measured with; said before the measurement, so that it is known however that ends."""

    inputs: Mapping[str, tuple[InputRecord, ...]]
    """Of each that is judged."""
    run_parameters: Mapping[str, Any]
    """As a manifest would write them, class defaults included; Any: as their declarations allow."""


@dataclass(frozen=True)
class Measured:
    """The raw data, said before anything is judged."""

    raw_data: tuple[FileContent, ...]
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True)
class Judged:
    """What came out for one of those that are judged."""

    judged: str
    """Which: a member of a MUX or batch task, else the target."""
    verdict: Verdict
    message: str
    outputs: tuple[OutputRecord, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    checks: tuple[CheckRecord, ...] = ()
    suggestion: SuggestionRecord | None = None
    moved: Mapping[str, float] = field(default_factory=dict)
    """Accepted outputs that are not any more what they were in the same cool-down, by how many sigmas."""
    shift: Mapping[str, ShiftRecord] = field(default_factory=dict)
    """Of each accepted output how far it is from the value that it replaces."""
    disputed: tuple[str, ...] = ()
    """Outputs that are inconsistent with what was known."""
    stack_trace: str = ""
    """Of the instrument's error that became the verdict."""


@dataclass(frozen=True)
class Drawn:
    """The last thing a child says: the figures."""

    figures: Mapping[str, tuple[Figure, ...]]
    """Of each that was judged."""


@dataclass(frozen=True)
class Failed:
    """The attempt ends without a verdict."""

    reason: str
    """CamelCase, for the termination message."""
    message: str
    stack_trace: str = ""


Report = Prepared | Measured | Judged | Drawn | Failed
