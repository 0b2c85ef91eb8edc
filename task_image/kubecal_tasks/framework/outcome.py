"""What a task hands back: estimates, checks and a suggestion; and what the framework makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubecal.api.request import Verdict


@dataclass(frozen=True)
class Estimate:
    """A measured value and its one-sigma error, in SI."""

    name: str
    """Name of the declared output."""
    value: float
    error: float


@dataclass(frozen=True)
class Check:
    """One named judgement with what was compared, so that a verdict can be followed later."""

    name: str
    value: float
    limit: float
    ok: bool
    verdict: Verdict
    """What the output is if this fails."""
    output: str = ""
    """The output it judges; empty: all of them."""
    message: str = ""
    """What to say and what to do when it fails, one sentence."""


@dataclass(frozen=True)
class Suggestion:
    """Concrete run parameters for a next attempt, as a manifest would write them."""

    parameters: Mapping[str, Any]
    reason: str


@dataclass(frozen=True)
class Judgement:
    """The verdict of one attempt and why."""

    verdict: Verdict
    message: str
    checks: tuple[Check, ...]
    accepted: frozenset[str]
    """Outputs that may be published: their own checks and those of their whole group passed."""


@dataclass(frozen=True)
class NamedFile:
    """A file to be stored with the attempt."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Drawn:
    """The pictures of one figure."""

    svg: NamedFile
    png: NamedFile
    arrays: NamedFile
    """The plotted arrays as JSON."""


@dataclass(frozen=True)
class Refusal(Exception):  # noqa: N818 - it is no error of the program but a verdict reached before measuring
    """A task will not measure what it could not decide afterwards."""

    verdict: Verdict
    message: str
    check: Check | None = None
    suggestion: Suggestion | None = None

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Outputs:
    """Estimates in the units of records: what goes into the row and, where accepted, is published."""

    values: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)
