"""Deleted sessions whose end MongoDB does not take."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubecal.engine.decide import decide
from kubecal.engine.intents import Decision
from kubecal.engine.model import PodView, RecordsHealth, Reservation, SessionView
from tests.unit.kubecal.engine.builders import NOON, held, later, one, pod, terminated

AWAY = RecordsHealth(False, "Unreachable", "MongoDB does not answer", NOON)
WELL = RecordsHealth(True, since=NOON)


def deleted(**changes: Any) -> SessionView:
    view = replace(one(status="running", held_at=NOON), deleted_at=NOON)
    return replace(view, **changes)


def after(seconds: float, view: SessionView, *pods: PodView, records: RecordsHealth = AWAY, **seen: Any) -> Decision:
    return decide(replace(held(view, pods=pods, records=records, **seen), now=later(seconds)))


def events(decision: Decision) -> list[str]:
    return [event.reason for event in decision.announcements]


@pytest.mark.parametrize(
    ("what", "view", "pods", "let_go"),
    [
        ("without pods", deleted(), (), True),
        ("with pods that ended", deleted(), (pod(one(), terminated=terminated(), phase="Failed"),), True),
        ("whose record was never read", deleted(record=None, record_known=False), (), True),
        ("with a pod that lives", deleted(), (pod(one(), deleting_since=NOON),), False),
        ("that is not deleted", deleted(deleted_at=None), (), False),
        ("that has no finalizer of ours", deleted(finalized=False), (), False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_session_is_let_go_when_mongodb_was_away_for_120_s(
    what: str, view: SessionView, pods: tuple[PodView, ...], let_go: bool
) -> None:
    assert not after(119.9, view, *pods).remove_finalizer
    decision = after(120, view, *pods)
    assert decision.remove_finalizer == (view.ref,) * let_go
    assert events(decision) == ["Unrecorded"] * let_go


def test_it_is_looked_at_again_when_the_time_is_over() -> None:
    assert after(1, deleted()).wake_at == later(120)


def test_while_mongodb_answers_the_end_is_recorded_first() -> None:
    decision = after(500, deleted(), records=WELL)
    assert not decision.remove_finalizer
    assert decision.cancels
    assert not events(decision)


def test_pods_of_a_session_whose_record_was_never_read_are_stopped_then() -> None:
    view = deleted(record=None, record_known=False)
    assert not after(119, view, pod(view)).deletes
    decision = after(120, view, pod(view))
    assert [each.pod for each in decision.deletes] == [pod(view)]
    assert not decision.remove_finalizer


def test_a_create_without_an_answer_may_still_become_a_pod() -> None:
    view = deleted()
    unanswered = Reservation(view.ref.uid, "morning-rabi", (), later(130))
    assert not after(120, view, reservations=(unanswered,)).remove_finalizer


def test_an_execution_of_another_installation_is_not_ours_to_give_up() -> None:
    view = deleted()
    assert view.record is not None
    assert not after(500, replace(view, record=replace(view.record, ours=False))).remove_finalizer
