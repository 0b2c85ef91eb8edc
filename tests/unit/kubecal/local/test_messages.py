"""What is said over a run's socket arrives as it was said."""

from __future__ import annotations

import pytest

from kubecal.api.chip import Chip
from kubecal.api.model import Metadata
from kubecal.lab.lab import Change, LabError, NotFoundInLabError, RefusedError, StandingChip
from kubecal.local.control.messages import (
    Failed,
    Line,
    Question,
    Reply,
    Update,
    question_line,
    read_question,
    read_reply,
    reply_line,
)
from kubecal.local.seen import Seen
from kubecal.local.views import standing_session
from kubecal.reading.answers import TaskState
from tests.unit.kubecal.engine.builders import NOON, chip_spec, later, session

STANDING = standing_session(session())
CHIP = Chip(metadata=Metadata(name="fridge-a"), spec=chip_spec())


def task(number: int, status: str = "scheduled") -> TaskState:
    place = {"step": "check", "task": "Rabi", "target": str(number), "qid": str(number), "ordinal": 0, "attempt": 1}
    return TaskState(task_id=f"id-{number}", status=status, **place)


@pytest.mark.parametrize(
    "question",
    [
        Question("sessions"),
        Question("logs", "morning", task="CheckT1", target="3", follow=True),
        Question("change", "morning", Change(suspend=False, tags=["a"], append_steps=[{"name": "b", "set": {}}])),
        Question("change", "morning", Change(cancel=True), reason="interrupted by SIGINT"),
    ],
)
def test_questions(question: Question) -> None:
    line = question_line(question)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert read_question(line) == question


@pytest.mark.parametrize(
    "reply",
    [
        Reply(sessions=(STANDING,)),
        Reply(chips=(StandingChip("fridge-a", "", CHIP),)),
        Reply(update=Update(NOON, STANDING, None, CHIP, (task(0),), "away", ("a notice",), last=True)),
        Reply(line=Line("a line\nthat is two")),
        Reply(failed=Failed("Refused", "no")),
    ],
)
def test_replies(reply: Reply) -> None:
    line = reply_line(reply)

    assert line.count(b"\n") == 1
    assert read_reply(line) == reply


@pytest.mark.parametrize("error", [NotFoundInLabError("none"), RefusedError("no"), LabError("away")])
def test_an_error_arrives_as_what_it_was(error: LabError) -> None:
    arrived = Failed.of(error).error()

    assert (type(arrived), str(arrived)) == (type(error), str(error))


def test_a_newer_version_may_say_more() -> None:
    assert read_reply(b'{"line": {"text": "hello", "colour": "red"}, "mood": "good"}\n') == Reply(line=Line("hello"))


def test_updates_add_up_to_what_there_is_to_see() -> None:
    seen = Seen()
    first = seen.after(Update(NOON, STANDING, None, CHIP, (task(0), task(1)), notices=("hello",)))
    status = STANDING.status.model_copy(update={"progress": "1/2"})

    second = seen.after(Update(later(1), status=status, tasks=(task(0, "completed"),), problem="away"))

    assert (first.session, first.chip, first.notices) == (STANDING, CHIP, ("hello",))
    assert second.session.status.progress == second.session.session.status.progress == "1/2"
    assert [one.status for one in second.tasks] == ["completed", "scheduled"]
    assert (second.chip, second.problem, second.notices, second.seen_at) == (CHIP, "away", (), later(1))
