"""What people are told agrees with what is decided: asked of whatever a test observes."""

from __future__ import annotations

from collections import Counter

from kubecal.api.explanation import Reason
from kubecal.engine.attempts import State
from kubecal.engine.decide import look
from kubecal.engine.explaining import explain
from kubecal.engine.intents import Decision
from kubecal.engine.model import Observed, SessionView
from kubecal.engine.status import count_tasks
from kubecal.engine.why import Why, brief, explanations


def check_told(observed: Observed, decision: Decision) -> None:
    """Every task is accounted for once, and "its pod is being made" is said of exactly those that are made."""
    standings = look(observed).standings
    for session in observed.sessions:
        standing = standings.get(session.ref.uid)
        if standing is None or standing.why is None:
            continue
        _check_session(observed, session, standing.why, decision)
        if not standing.phase.final:
            _check_brief(standing.why)


def _check_session(observed: Observed, session: SessionView, why: Why, decision: Decision) -> None:
    told = explain(observed, session)
    counts = count_tasks(why.run.states)
    assert told.running + told.succeeded + len(told.tasks) == counts.planned
    assert 0 <= told.running <= counts.running
    assert all(one.message for one in told.tasks), "a reason without words"
    made = {one.planned.key for one in decision.creates if one.ref == session.ref} - why.run.parking.keys()
    said = {one.key for one in explanations(why) if one.message == "its pod is being made"}
    assert said == made
    changed = {one.key for one in decision.actions if one.ref == session.ref}
    assert {one.key for one in explanations(why) if one.message == "the records are being changed"} == changed


def _check_brief(why: Why) -> None:
    full = Counter(
        one.reason.value
        for one in explanations(why)
        # Between two states, or on their way, they are not worth a write of the status.
        if why.run.states[one.key].state in (State.READY, State.RUNNING)
        if one.key not in why.skipped and one.reason is not Reason.POD_STARTING
    )
    assert full == Counter({one.reason: one.tasks for one in brief(why)})
