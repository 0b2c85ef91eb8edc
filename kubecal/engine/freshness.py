"""What published parameters are still worth: too old, made with an input that has moved since, or neither.

A value is **stale** where it was measured in another cool-down than the present one, or longer ago than the catalogue's
``maxAge`` of it. It has **moved** where it is not stale itself, but an input that its task used is not any more what it
was then: current and used value differ by more than the input's drift allowance, and by more than five sigmas of both,
so that noise is no alarm. What nobody declares an age or a drift for does not age or drift.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kubecal.api.catalogue import Catalogue, Output
from kubecal.api.chip import ParameterCounts

_SIGMAS = 5.0
"""As much as two measurements of the same thing may differ (physics.md, section 5)."""

Place = tuple[str, str]
"""A qubit or coupling, and the name of one of its parameters."""


class Freshness(StrEnum):
    """What a published value is worth."""

    CALIBRATED = "calibrated"
    STALE = "stale"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class KnownValue:
    """A published value, in the catalogue's unit."""

    value: float
    error: float
    measured_at: datetime
    cooldown: str
    """In which it was measured; empty: not known."""
    row: str
    """The result that it comes from."""


@dataclass(frozen=True, slots=True)
class UsedValue:
    """An input as a task used it."""

    place: Place
    value: float
    error: float


def ageing(catalogues: Iterable[Catalogue]) -> Mapping[str, Output]:
    """How each parameter ages and drifts: as the first task says that gives it and says so."""
    found: dict[str, Output] = {}
    for catalogue in catalogues:
        for task in catalogue.tasks:
            for output in task.outputs:
                known = found.get(output.name)
                if known is None or (known.max_age_s is None and output.max_age_s is not None):
                    found[output.name] = output
    return found


def is_stale(known: KnownValue, output: Output | None, cooldown: str, now: datetime) -> bool:
    """Whether a value says nothing about the present any more.

    Parameters
    ----------
    output
        What the catalogue says of the parameter; None: it does not know it.
    cooldown
        The chip's present one; empty: it names none, and nothing can be said to come from another.
    now
        The chip's time: a simulated one may have a clock of its own.
    """
    if cooldown and known.cooldown != cooldown:
        return True
    limit = output.max_age_s if output is not None else None
    return limit is not None and (now - known.measured_at).total_seconds() > limit


def has_moved(used: UsedValue, current: KnownValue | None, output: Output | None, row: str) -> bool:
    """Whether an input is not any more what a result was made with.

    Parameters
    ----------
    current
        What is published of it now; None: nothing, and nothing can be said.
    output
        What the catalogue says of the input.
    row
        The result: an input that it replaced itself did not move since.
    """
    if current is None or current.row == row or output is None or output.drift is None:
        return False
    allowed = output.drift * (abs(used.value) if output.drift_relative else 1.0)
    noise = _SIGMAS * math.hypot(used.error, current.error)
    return abs(current.value - used.value) > max(allowed, noise)


def count(
    known: Mapping[Place, KnownValue],
    moved: frozenset[str],
    outputs: Mapping[str, Output],
    cooldown: str,
    now: datetime,
) -> ParameterCounts:
    """Count what is published by what it is worth.

    Parameters
    ----------
    known
        Everything that is published of the chip.
    moved
        The results that were made with an input that has moved since.
    outputs
        How parameters age, by name: see :func:`ageing`.
    """
    counts = Counter(freshness(name, value, moved, outputs, cooldown, now) for (_, name), value in known.items())
    return ParameterCounts(
        calibrated=counts[Freshness.CALIBRATED], stale=counts[Freshness.STALE], moved=counts[Freshness.MOVED]
    )


def freshness(
    name: str, value: KnownValue, moved: frozenset[str], outputs: Mapping[str, Output], cooldown: str, now: datetime
) -> Freshness:
    """What one published value is worth; the parameters are those of :func:`count`."""
    if is_stale(value, outputs.get(name), cooldown, now):
        return Freshness.STALE
    return Freshness.MOVED if value.row in moved else Freshness.CALIBRATED
