"""Conditions that keep their transition time for as long as they do not change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kubecal.api.conditions import Condition, ConditionStatus, ConditionType

_MESSAGE = 2048


@dataclass(frozen=True)
class Claimed:
    """A condition as it should be now."""

    type: ConditionType
    holds: bool
    reason: str
    message: str = ""


def merged(
    old: Iterable[Condition], wanted: Iterable[Claimed], now: datetime, generation: int
) -> tuple[Condition, ...]:
    """The new list: times are kept where the status stays, types that nobody claims are dropped."""
    before = {condition.type: condition for condition in old}
    result = []
    for claim in wanted:
        status = ConditionStatus.TRUE if claim.holds else ConditionStatus.FALSE
        known = before.get(claim.type)
        since = known.last_transition_time if known is not None and known.status is status else now
        result.append(
            Condition(
                type=claim.type.value,
                status=status,
                reason=claim.reason,
                message=claim.message[:_MESSAGE],
                last_transition_time=since,
                observed_generation=generation,
            )
        )
    return tuple(result)
