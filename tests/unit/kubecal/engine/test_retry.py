"""What ends count as, and what is tried again, how often, and when."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.api.request import Verdict
from kubecal.api.session import RetriedVerdict, Retry
from kubecal.engine.earlier import Disputed
from kubecal.engine.model import AttemptRow, MemberRow, RowStatus, Trouble
from kubecal.engine.retry import (
    NEVER_STARTED,
    Ending,
    adapted,
    charged,
    classify,
    disputed,
    exhausted,
    measured_again,
    not_before,
)
from tests.unit.kubecal.engine.builders import FIRST, NOON, given_up, later, pod, receipt, row, terminated, trouble

CRASH, DISRUPTION = Trouble.CRASH, Trouble.DISRUPTION


@pytest.mark.parametrize(
    ("seen", "kind", "reason"),
    [
        ({"terminated": terminated(1)}, CRASH, "Error"),
        ({"terminated": terminated(137, signal=9)}, CRASH, "Error"),
        ({"terminated": terminated(137, reason="OOMKilled")}, CRASH, "OOMKilled"),
        ({"terminated": terminated(0)}, CRASH, "ResultMissing"),
        ({"terminated": terminated(1, outcome=trouble("ResultNotStored"))}, CRASH, "ResultNotStored"),
        ({"terminated": terminated(1, outcome=trouble("CatalogueMismatch"))}, CRASH, "CatalogueMismatch"),
        ({"terminated": terminated(137), "deadline_exceeded": True}, CRASH, "TaskTimeout"),
        ({"terminated": terminated(143, outcome=trouble("Interrupted"))}, DISRUPTION, "Interrupted"),
        ({"terminated": terminated(1, outcome=trouble("NotClaimed"))}, DISRUPTION, "NotClaimed"),
        ({"terminated": terminated(143), "deleting_since": NOON}, DISRUPTION, "PodDeleted"),
        ({"terminated": terminated(137), "disruption": "Evicted"}, DISRUPTION, "Evicted"),
        # A receipt of a task that was killed afterwards does not make its end a good one.
        ({"terminated": terminated(1, outcome=receipt())}, CRASH, "Error"),
        ({"phase": "Failed", "started_at": None}, DISRUPTION, "NodeRefused"),
        ({"phase": "Failed", "started_at": None, "disruption": "Evicted"}, DISRUPTION, "Evicted"),
    ],
)
def test_ends_are_classified(seen: dict[str, Any], kind: Trouble, reason: str) -> None:
    ending = classify(pod(**seen))
    assert (ending.trouble, ending.reason) == (kind, reason)
    assert ending.message


def test_the_tasks_own_words_are_kept() -> None:
    assert classify(pod(terminated=terminated(1, outcome=trouble("Broken")))).message == "Broken, it says"


def _rows(*troubles: tuple[Trouble, str]) -> list[AttemptRow]:
    return [given_up(attempt=n, trouble=kind, reason=reason) for n, (kind, reason) in enumerate(troubles, 1)]


CRASHED, DELETED, STUCK = (CRASH, "Error"), (DISRUPTION, "PodDeleted"), (DISRUPTION, NEVER_STARTED)


@pytest.mark.parametrize(
    ("before", "last", "says"),
    [
        ([], CRASHED, ""),
        ([CRASHED], CRASHED, ""),
        ([CRASHED] * 2, CRASHED, "crashed 3 times"),
        ([CRASHED] * 2, DELETED, ""),
        ([DELETED] * 9, CRASHED, ""),
        ([DELETED] * 9, DELETED, ""),
        ([DELETED] * 10, DELETED, "disrupted 11 times"),
        ([DELETED] * 10, CRASHED, ""),
        ([CRASHED, DELETED, CRASHED, DELETED], CRASHED, "crashed 3 times"),
        ([STUCK], STUCK, ""),
        ([STUCK] * 2, STUCK, "did not start 3 times in a row"),
        ([STUCK, DELETED, STUCK], STUCK, ""),
        ([DELETED, STUCK, STUCK], STUCK, "did not start 3 times in a row"),
    ],
)
def test_limits_are_counted_apart(before: list[tuple[Trouble, str]], last: tuple[Trouble, str], says: str) -> None:
    why = exhausted(_rows(*before), Ending(last[0], last[1], "because"))
    assert why.startswith(says)
    assert bool(why) is bool(says)


def test_only_crashes_are_charged() -> None:
    assert charged(_rows(CRASHED, DELETED, STUCK, CRASHED)) == 2


@pytest.mark.parametrize(
    ("before", "delay_s"),
    [
        ([CRASHED], 1),
        ([CRASHED] * 2, 2),
        ([DELETED] * 3, 4),
        ([DELETED] * 6, 32),
        ([DELETED] * 7, 60),
        ([DELETED] * 10, 60),
        ([DELETED] * 5 + [CRASHED], 1),
    ],
)
def test_the_backoff_doubles_up_to_a_minute(before: list[tuple[Trouble, str]], delay_s: float) -> None:
    assert not_before(_rows(*before), Retry(), NOON) == later(delay_s)


def test_a_first_attempt_starts_at_once() -> None:
    assert not_before((), Retry(), NOON) is None


def _judged(verdict: Verdict = Verdict.WINDOW, **changes: Any) -> AttemptRow:
    return row(FIRST, 1, RowStatus.FAILED, trouble=Trouble.VERDICT, verdict=verdict, **changes)


@pytest.mark.parametrize(
    ("verdict", "before", "retry", "again"),
    [
        (Verdict.WINDOW, 0, Retry(), True),
        (Verdict.WINDOW, 1, Retry(), True),
        (Verdict.WINDOW, 2, Retry(), False),
        (Verdict.WINDOW, 0, Retry(limit=0), False),
        (Verdict.WINDOW, 0, Retry(on=(RetriedVerdict.NO_SIGNAL,)), False),
        (Verdict.NO_SIGNAL, 0, Retry(on=(RetriedVerdict.NO_SIGNAL,)), True),
        (Verdict.UNPHYSICAL, 0, Retry(), False),
        (Verdict.POOR_FIT, 0, Retry(), False),
        (Verdict.OK, 0, Retry(), False),
        (None, 0, Retry(), False),
    ],
)
def test_a_verdict_is_measured_again_where_the_session_says_so(
    verdict: Verdict | None, before: int, retry: Retry, again: bool
) -> None:
    assert measured_again(verdict, [_judged()] * before, retry) is again


INCONSISTENT = Verdict.INCONSISTENT
FOUND = Disputed(NOON, {"t1": (15.0, 1.0)})


@pytest.mark.parametrize(
    ("before", "retry", "again"),
    [
        ([], Retry(), True),
        ([], Retry(limit=0), False),
        ([], Retry(on=(RetriedVerdict.WINDOW,)), False),
        ([], Retry(on=(RetriedVerdict.INCONSISTENT,)), True),
        ([_judged(Verdict.WINDOW)], Retry(), True),
        ([_judged(INCONSISTENT)], Retry(limit=5), False),
        ([_judged(INCONSISTENT), _judged(Verdict.IMPRECISE)], Retry(limit=5), False),
        ([_judged(INCONSISTENT), *_rows(CRASHED, DELETED)], Retry(limit=5), False),
        # It was given up before its result came, which counts for nothing.
        ([given_up(verdict=INCONSISTENT)], Retry(), True),
    ],
)
def test_a_contradiction_is_measured_again_once(before: list[AttemptRow], retry: Retry, again: bool) -> None:
    assert measured_again(INCONSISTENT, before, retry) is again


def test_what_comes_out_otherwise_after_a_contradiction_is_measured_again_as_ever() -> None:
    assert measured_again(Verdict.IMPRECISE, [_judged(INCONSISTENT)], Retry())


def test_a_members_contradiction_is_its_own() -> None:
    before = [_of("0", INCONSISTENT, FOUND)]
    assert not measured_again(INCONSISTENT, before, Retry(), "0")
    assert measured_again(INCONSISTENT, before, Retry(), "1")


def _of(qid: str, verdict: Verdict, found: Disputed | None) -> AttemptRow:
    return _judged(members=(MemberRow(qid, RowStatus.FAILED, verdict, disputed=found),))


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ([], {}),
        ([_judged()], {}),
        ([_judged(INCONSISTENT, disputed=FOUND)], {"0": FOUND}),
        ([_judged(INCONSISTENT, disputed=FOUND), *_rows(CRASHED), _judged()], {"0": FOUND}),
        ([given_up(disputed=FOUND)], {}),
        ([_of("1", INCONSISTENT, FOUND), _of("2", Verdict.WINDOW, None)], {"1": FOUND}),
    ],
)
def test_the_attempts_after_a_contradiction_are_told_what_it_found(
    before: list[AttemptRow], told: dict[str, Disputed]
) -> None:
    assert disputed(before) == told


def test_crashes_and_disruptions_do_not_use_up_what_verdicts_may() -> None:
    assert measured_again(Verdict.WINDOW, [*_rows(CRASHED, DELETED, CRASHED), _judged()], Retry())


def test_verdicts_are_charged_beside_crashes() -> None:
    assert charged([*_rows(CRASHED, DELETED), _judged()]) == 2


def test_verdicts_do_not_use_up_what_crashes_may() -> None:
    assert exhausted([_judged(), _judged()], Ending(*CRASHED, "because")) == ""


@pytest.mark.parametrize("reason", ["MissingInput", "BadParameters", "CatalogueMismatch"])
def test_what_would_only_happen_again_is_not_tried_again(reason: str) -> None:
    assert exhausted([], Ending(CRASH, reason, "hpi_amplitude is missing")) == "hpi_amplitude is missing"


def test_suggestions_add_up_word_for_word() -> None:
    before = [_judged(suggestion={"shots": 4096}), *_rows(DELETED), _judged(suggestion={"times": {"stop": 80}})]
    assert adapted({"shots": 1024, "wait": 1}, before, Retry()) == {"shots": 4096, "wait": 1, "times": {"stop": 80}}


def test_without_adapt_the_same_is_measured_again() -> None:
    assert adapted({"shots": 1024}, [_judged(suggestion={"shots": 4096})], Retry(adapt=False)) == {"shots": 1024}


def test_the_next_measurement_waits_from_the_drivers_own_clock() -> None:
    assert not_before([_judged(ended_at=later(3600))], Retry(backoff_seconds=7), NOON) == later(7)
