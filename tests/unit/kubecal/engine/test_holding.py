"""Who gets the hardware, and what chips say of it."""

from __future__ import annotations

from dataclasses import replace

from kubecal.api.chip import ParameterCounts
from kubecal.api.conditions import ConditionType
from kubecal.engine.decide import decide
from kubecal.engine.model import RowStatus
from tests.unit.kubecal.engine.builders import (
    FIRST,
    ONE,
    SECOND,
    chip,
    decided,
    later,
    observed,
    one,
    reason_of,
    recorded,
    row,
    session,
)

OK, FAILED = RowStatus.COMPLETED, RowStatus.FAILED


def test_the_second_chip_with_the_same_records_is_not_valid() -> None:
    annex = replace(chip(namespace="annex"), created_at=later(1))
    first, second = (
        decide(observed(chips=[mine], chips_elsewhere=(other,))).holders[0].status
        for mine, other in ((chip(), annex), (annex, chip()))
    )
    assert reason_of(first, ConditionType.VALID)[0] == "True"
    assert reason_of(second, ConditionType.VALID)[0] == "False"
    assert "belong to the Chip in namespace 'lab'" in second.conditions[0].message


def test_the_head_of_the_line_gets_the_free_chip_and_starts_in_the_next_pass() -> None:
    first, second = one(), recorded(session("evening", priority=5, **ONE))
    decision = decide(observed(first, second))
    (update,) = decision.holders
    assert [holder.session for holder in update.status.holders] == ["evening"]
    assert [(waits.session, waits.waits_for) for waits in update.status.queue] == [("morning", "evening")]
    assert not decision.creates


def test_a_session_that_only_changes_records_waits_for_nobody() -> None:
    holds = recorded(session(**ONE), status="running")
    nudge = {"steps": [{"name": "nudge", "set": {"qubits": {"0": {"qubit_frequency": {"value": 4.9}}}}}]}
    second = recorded(session("nudge", targets={"chip": True}, **nudge))
    for hindrance in ({}, {"local_holder": "kubecal run of another"}):
        decision = decide(observed(holds, second, chips=[chip(held_by=[holds])], **hindrance))
        (update,) = decision.holders
        assert [holder.session for holder in update.status.holders] == ["morning", "nudge"]
        assert update.status.queue == ()


def test_hardware_is_not_handed_on_in_the_pass_that_lets_it_go() -> None:
    done = one(row(FIRST, 1, OK), row(SECOND, 1, OK), status="running")
    decision = decided(done, recorded(session("evening", **ONE)))
    (update,) = decision.holders
    assert update.status.holders == ()


def test_a_session_of_another_namespace_is_called_by_both_its_names() -> None:
    """It may have the name of the one that waits for it."""
    holds = recorded(session(**ONE), status="running")
    other = recorded(session(chip="fridge-z", **ONE), on=chip("fridge-z"))
    waits = replace(other, ref=replace(other.ref, uid="of-annex", namespace="annex"))
    chips = [chip(held_by=[holds]), chip("fridge-z", namespace="annex")]
    decision = decide(observed(holds, waits, chips=chips))
    (told,) = [patch.status for patch in decision.status_patches if patch.ref == waits.ref]
    assert told.message == "waits for session lab/morning, which holds the chip"
    assert told.waiting_for is not None
    assert told.waiting_for.session == "lab/morning"
    (queue,) = [update.status.queue for update in decision.holders if update.chip.namespace == "annex"]
    assert [(one.session, one.position, one.waits_for) for one in queue] == [("morning", 1, "lab/morning")]


def test_a_chip_shows_what_its_parameters_were_counted_to_be_worth() -> None:
    the_chip, counts = chip(), ParameterCounts(calibrated=14, stale=2)
    (update,) = decide(observed(chips=[the_chip], parameters={the_chip.uid: counts})).holders
    assert update.status.parameters == counts


def test_what_was_counted_before_stands_until_it_is_counted_again() -> None:
    counts = ParameterCounts(calibrated=14, stale=2)
    the_chip = chip()
    the_chip = replace(the_chip, status=the_chip.status.model_copy(update={"parameters": counts}))
    (update,) = decide(observed(chips=[the_chip])).holders
    assert update.status.parameters == counts
