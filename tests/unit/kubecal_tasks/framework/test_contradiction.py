"""An attempt on a simulated chip, and what the records say was measured before: compared, disputed, confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kubecal.api.request import DisputedValues, GivenInput, Verdict
from kubecal.api.topology import square_lattice
from kubecal.records.results import InputOffers, Offer
from kubecal_tasks.framework.attempt import prepare_attempt
from kubecal_tasks.framework.reports import Judged, Report
from tests.bench.closed_loop import MEASURED_AT, ClosedLoop

QUBIT = "0"
COOLDOWN = "2026-11"


@pytest.fixture(scope="module")
def loop() -> ClosedLoop:
    found = ClosedLoop(square_lattice(2, 2, 4), {"seed": 3, "drift": False})
    for task in ("CheckRabi", "CreateHPIPulse", "CheckT1"):
        assert found.run(task, QUBIT).verdict is Verdict.OK
    return found


def t1_of(
    loop: ClosedLoop, published: Offer | None, disputed: Mapping[str, float] | None = None, attempt: int = 2
) -> Judged:
    """CheckT1 with what is published, and with what an attempt before it found."""
    request = loop.request("CheckT1", QUBIT, {}, 0)
    values = {name: GivenInput(value=value, error=0.5) for name, value in (disputed or {}).items()}
    request = request.model_copy(
        update={
            "attempt": attempt,
            "chip": request.chip.model_copy(update={"cooldown": COOLDOWN}),
            "disputed": {QUBIT: DisputedValues(measured_at=MEASURED_AT, values=values)} if values else {},
        }
    )
    offers = InputOffers(session=loop.found[QUBIT], published={"t1": published} if published else {})
    reports: list[Report] = []
    prepare_attempt(request, reports.append, figures=False).run({QUBIT: offers})
    (judged,) = [report for report in reports if isinstance(report, Judged)]
    return judged


def offer(loop: ClosedLoop, factor: float, **changes: Any) -> Offer:
    """What is published: so many times the T1 that was found, in the present cool-down."""
    found = loop.found[QUBIT]["t1"]
    return replace(found, value=factor * found.value, cooldown_id=COOLDOWN, **changes)


def test_the_same_value_as_before_contradicts_nothing(loop: ClosedLoop) -> None:
    judged = t1_of(loop, offer(loop, 1.0))
    assert (judged.verdict, judged.moved, judged.disputed) == (Verdict.OK, {}, ())


def test_a_value_that_has_halved_is_disputed_and_not_accepted(loop: ClosedLoop) -> None:
    judged = t1_of(loop, offer(loop, 2.0))
    assert (judged.verdict, judged.disputed) == (Verdict.INCONSISTENT, ("t1",))
    assert [each.accepted for each in judged.outputs if each.name == "t1"] == [False]
    assert "in this cool-down" in judged.message


def test_confirmed_it_has_moved(loop: ClosedLoop) -> None:
    found = loop.found[QUBIT]["t1"].value
    judged = t1_of(loop, offer(loop, 2.0), {"t1": found})
    assert judged.verdict is Verdict.OK
    assert judged.moved["t1"] > 5.0
    assert all(each.accepted for each in judged.outputs)


def test_not_confirmed_it_fails_although_it_is_what_is_published(loop: ClosedLoop) -> None:
    judged = t1_of(loop, offer(loop, 1.0), {"t1": 2.0 * loop.found[QUBIT]["t1"].value})
    assert (judged.verdict, judged.moved) == (Verdict.INCONSISTENT, {})


@pytest.mark.parametrize(
    "changes",
    [
        {"cooldown_id": "2026-10"},
        {"by_hand": True},
        {"calibrated_at": None},
        {"unit": "ns", "value": 1e3},
        # Ten days allow a drift of 63 %, of which five are allowed.
        {"calibrated_at": MEASURED_AT - timedelta(days=10)},
    ],
)
def test_a_value_of_another_cool_down_by_hand_or_long_ago_is_not_contradicted(
    loop: ClosedLoop, changes: dict[str, Any]
) -> None:
    published = offer(loop, 2.0)
    if "unit" in changes:
        changes = {"unit": "ns", "value": 1e3 * loop.found[QUBIT]["t1"].value, "error": 1e3 * published.error}
    assert t1_of(loop, replace(published, **changes)).verdict is Verdict.OK


def test_without_anything_published_nothing_is_compared(loop: ClosedLoop) -> None:
    judged = t1_of(loop, None)
    assert judged.verdict is Verdict.OK
    assert not any("inconsistent" in check.name for check in judged.checks)
