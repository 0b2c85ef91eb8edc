"""Conditions keep their transition time for as long as they do not change."""

from __future__ import annotations

import pytest

from kubecal.api.conditions import ConditionType
from kubecal.engine.conditions import Claimed, merged
from tests.unit.kubecal.engine.builders import NOON, later

VALID, HELD = ConditionType.VALID, ConditionType.CHIP_HELD
BEFORE = merged((), [Claimed(VALID, True, "Valid", "")], NOON, 1)


@pytest.mark.parametrize(
    ("claim", "since_s"),
    [
        (Claimed(VALID, True, "Valid"), 0),
        (Claimed(VALID, True, "Valid", "other words"), 0),
        (Claimed(VALID, True, "OtherReason"), 0),
        (Claimed(VALID, False, "Invalid"), 9),
        (Claimed(HELD, True, "Held"), 9),
    ],
)
def test_the_time_changes_with_the_status_only(claim: Claimed, since_s: float) -> None:
    (found,) = merged(BEFORE, [claim], later(9), 2)
    assert found.last_transition_time == later(since_s)
    assert (found.type, found.reason, found.message) == (claim.type.value, claim.reason, claim.message)
    assert found.observed_generation == 2


def test_what_nobody_claims_any_more_is_dropped() -> None:
    assert [one.type for one in merged(BEFORE, [Claimed(HELD, False, "Waiting")], NOON, 1)] == ["ChipHeld"]


def test_a_message_fits_into_the_status() -> None:
    (found,) = merged((), [Claimed(VALID, False, "Invalid", "x" * 5000)], NOON, 1)
    assert len(found.message) == 2048
