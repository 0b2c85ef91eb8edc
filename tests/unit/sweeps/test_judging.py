"""What is legal of a session that was cancelled, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.sweeps.judging import Expected, Seen, as_cancelled, as_with_a_stranger
from tests.sweeps.scenario import Attempt, Json, Row
from tests.sweeps.scenarios import SCENARIOS, TROUBLE
from tests.sweeps.sweeps import SWEEPS, Case

EXPECTED = Expected(TROUBLE, {})
BEFORE, AFTER, EITHER = frozenset({"cancelled"}), frozenset({"completed"}), frozenset({"cancelled", "completed"})
LAST: Attempt = ("CheckT1", "3", 2)


def _seen(rows: dict[Attempt, Row], execution: str) -> Seen:
    counts = {"succeeded": 6, "failed": 1, "skipped": 1, "cancelled": 0}
    documents: dict[str, list[Json]] = {
        "task_result_history": [
            {"name": task, "qid": qid, "attempt": attempt, "status": status, "verdict": verdict, "trouble": trouble}
            for (task, qid, attempt), (status, verdict, trouble) in rows.items()
        ],
        "execution_history": [{"status": execution, "counts": counts}],
        "parameter_versions": [
            {"task_name": task, "qid": qid}
            for (task, qid, _), row in rows.items()
            if task == "CheckT1" and row[0] == "completed"
        ],
    }
    return Seen(None, documents, [], 0.0)


WHOLE = dict(TROUBLE.rows)
CUT = {**WHOLE, LAST: ("cancelled", None, None)}


@pytest.mark.parametrize(
    ("rows", "execution", "allowed", "legal"),
    [
        (CUT, "cancelled", BEFORE, True),
        (CUT, "completed", EITHER, False),
        (WHOLE, "cancelled", BEFORE, True),
        (WHOLE, "completed", BEFORE, False),
        (WHOLE, "cancelled", AFTER, False),
        (WHOLE, "completed", AFTER, True),
        (WHOLE, "cancelled", EITHER, True),
        (WHOLE, "completed", EITHER, True),
    ],
)
def test_how_a_cancelled_session_may_end(
    rows: dict[Attempt, Row], execution: str, allowed: frozenset[str], *, legal: bool
) -> None:
    assert (as_cancelled(EXPECTED, _seen(rows, execution), allowed) == []) is legal


def test_a_row_that_came_out_otherwise_is_found() -> None:
    rows = {**CUT, ("CheckT1", "0", 1): ("failed", None, "Crash")}
    assert any("('CheckT1', '0', 1)" in one for one in as_cancelled(EXPECTED, _seen(rows, "cancelled"), BEFORE))


def test_what_is_published_of_a_cancelled_row_is_found() -> None:
    seen = _seen(CUT, "cancelled")
    versions = [*seen.documents["parameter_versions"], {"task_name": "CheckT1", "qid": "3"}]
    seen = replace(seen, documents={**seen.documents, "parameter_versions": versions})
    assert any("published" in one for one in as_cancelled(EXPECTED, seen, BEFORE))


def test_counts_that_do_not_add_up_are_found() -> None:
    seen = _seen(CUT, "cancelled")
    short = [{"status": "cancelled", "counts": {"succeeded": 6}}]
    seen = replace(seen, documents={**seen.documents, "execution_history": short})
    assert any("add up" in one for one in as_cancelled(EXPECTED, seen, BEFORE))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_case_is_found_by_its_name(scenario: str) -> None:
    for sweep, about in SWEEPS.items():
        case = Case(scenario, sweep, about.variants[0], 7)
        assert Case.named(case.name) == case


@pytest.mark.parametrize(
    "name", ["crash/heard/1", "trouble/crash/heard/x", "trouble/crash/loudly/1", "no/crash/heard/1"]
)
def test_a_name_of_no_case_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="SCENARIO/SWEEP/VARIANT/K"):
        Case.named(name)


@pytest.mark.parametrize(
    ("status", "legal"),
    [
        pytest.param("skipped", True, id="a skipped one repeats why the session failed"),
        pytest.param("failed", False, id="a second one was refused"),
    ],
)
def test_a_stranger_takes_the_name_of_one_attempt_only(status: str, *, legal: bool) -> None:
    taken = "NameTaken: there is a pod 'x' that is not this session's: delete it"
    common = {"verdict": None, "trouble": None, "attempt": 1, "message": taken}
    rows: list[Json] = [
        {"name": "CheckRabi", "target": "0", "qid": "0", "status": "failed", **common},
        {"name": "Configure", "target": "0", "qid": "0", "status": status, **common},
    ]
    seen = Seen({"phase": "Failed"}, {"task_result_history": rows}, [], 0.0)
    assert (as_with_a_stranger(EXPECTED, seen) == []) is legal
