"""What a task hands back: estimates, checks and a suggestion; and what the framework makes of them."""

from __future__ import annotations

import math
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
    spread: float = 0.0
    """Part of the error that no number of shots makes smaller: the quantity itself has more than one value."""

    @property
    def random_error(self) -> float:
        """The rest of the error, which more shots do make smaller."""
        return math.sqrt(max(self.error**2 - self.spread**2, 0.0))


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
class Shift:
    """How far a value is from the published one that it replaces, in the declared unit."""

    previous: float
    previous_error: float
    sigmas: float
    """The new value less the previous one, over both errors together."""


@dataclass(frozen=True)
class Judgement:
    """The verdict of one attempt and why."""

    verdict: Verdict
    message: str
    checks: tuple[Check, ...]
    accepted: frozenset[str]
    """Outputs that may be published: their own checks and those of their whole group passed."""
    moved: Mapping[str, float] = field(default_factory=dict)
    """Accepted outputs that are not any more what they were in the same cool-down, by how many sigmas."""
    shift: Mapping[str, Shift] = field(default_factory=dict)
    """Of each accepted output how far it is from the value that it replaces, where there is one of the same thing."""
    disputed: tuple[str, ...] = ()
    """Outputs that are inconsistent with what was known: another attempt has to agree with them."""


def in_words(error: BaseException) -> str:
    """What an exception says, on one line; its type where it says nothing."""
    text = " ".join(str(error).split())
    return text or type(error).__name__


class Refusal(Exception):  # noqa: N818 - no error of the program but a verdict reached before measuring
    """A task will not measure what it could not decide afterwards."""

    def __init__(self, check: Check, suggestion: Suggestion | None = None) -> None:
        super().__init__(check.message)
        self.check = check
        self.suggestion = suggestion
