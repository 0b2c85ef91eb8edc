"""Counts are written at most every two seconds a session, changes at once."""

from __future__ import annotations

from datetime import timedelta

from kubecal.api.session_status import SessionStatus
from kubecal.engine.intents import StatusPatch
from kubecal.engine.model import SessionRef
from kubecal_operator.throttle import StatusThrottle
from tests.unit.kubecal_operator.builders import NOON


def patch(uid: str = "s", *, urgent: bool = False) -> StatusPatch:
    return StatusPatch(SessionRef(uid, "lab", uid), SessionStatus(), early=False, urgent=urgent)


def test_counts_wait_for_two_seconds() -> None:
    throttle = StatusThrottle()
    assert throttle.due([patch()], NOON) == ([patch()], None)
    assert throttle.due([patch()], NOON + timedelta(seconds=0.5)) == ([], NOON + timedelta(seconds=2))
    assert throttle.due([patch()], NOON + timedelta(seconds=2)) == ([patch()], None)


def test_counts_wait_longer_while_another_pass_waits_for_them() -> None:
    throttle = StatusThrottle()
    assert throttle.due([patch()], NOON, pressed=True) == ([patch()], None)
    two, four = NOON + timedelta(seconds=2), NOON + timedelta(seconds=4)
    assert throttle.due([patch()], two, pressed=True) == ([], four)
    assert throttle.due([patch()], four, pressed=True) == ([patch()], None)


def test_changes_are_written_at_once() -> None:
    throttle = StatusThrottle()
    throttle.due([patch()], NOON)
    assert throttle.due([patch(urgent=True)], NOON + timedelta(seconds=0.1)) == ([patch(urgent=True)], None)


def test_sessions_do_not_wait_for_each_other() -> None:
    throttle = StatusThrottle()
    throttle.due([patch("one")], NOON)
    assert throttle.due([patch("one"), patch("two")], NOON)[0] == [patch("two")]
