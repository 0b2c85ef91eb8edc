"""What an execution published is taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kubecal.api.actions import PublishResults, RevertExecution, SetParameters
from kubecal.engine.model import RowStatus
from kubecal.records.store import RecordStore
from tests.unit.kubecal.records.builders import (
    planned,
)
from tests.unit.kubecal.records.changes.changed import (
    LATER,
    LATEST,
    SET,
    carried_out,
    measured,
    valid_versions,
    value_of,
)


async def test_what_was_current_before_is_current_again(store: RecordStore) -> None:
    first = await measured(store, t1=30.0)
    nudged, _ = await carried_out(store, SET)

    _, row = await carried_out(store, RevertExecution(execution_id=nudged.execution_id), LATEST)

    assert row.message == f"took back 2 parameters that execution {nudged.execution_id} had published"
    assert await value_of(first) == 30.0
    assert await value_of(first, "zx90_gate_time", "0-1") is None
    (version,) = await valid_versions(first)
    assert (version["value"], version["execution_id"]) == (30.0, first.execution_id)
    assert not await valid_versions(first, "zx90_gate_time", "0-1")


async def test_what_was_replaced_since_is_left(store: RecordStore) -> None:
    first = await measured(store, t1=30.0)
    await carried_out(store, SET)

    _, row = await carried_out(store, RevertExecution(execution_id=first.execution_id), LATEST)

    assert row.message == (
        f"took back nothing that execution {first.execution_id} had published; "
        "1 parameter left, which others have measured or set since"
    )
    assert await value_of(first) == 20.0


async def test_what_was_taken_back_before_does_not_come_back(store: RecordStore) -> None:
    first = await measured(store, t1=30.0)
    wrong, _ = await carried_out(store, SET)
    await carried_out(store, RevertExecution(execution_id=wrong.execution_id), LATER + timedelta(seconds=1))
    wrong_again, _ = await carried_out(store, SET, LATER + timedelta(seconds=2))

    await carried_out(store, RevertExecution(execution_id=wrong_again.execution_id), LATEST)

    (version,) = await valid_versions(first)
    assert (version["value"], version["execution_id"]) == (30.0, first.execution_id)
    assert await value_of(first) == 30.0


async def test_all_that_an_execution_published_of_a_parameter_is_taken_back(store: RecordStore) -> None:
    first = await measured(store, t1=30.0)
    twice = await measured(store, planned("CheckT1"), planned("CheckRamsey"), t1=31.0)

    _, row = await carried_out(store, RevertExecution(execution_id=twice.execution_id))

    assert row.message == f"took back 1 parameter that execution {twice.execution_id} had published"
    assert await value_of(first) == 30.0


async def test_only_what_the_execution_published_of_each_qubit_is_taken_back(store: RecordStore) -> None:
    """It gave t1 of one qubit and t2 of the other; the others' t1 and t2 are none of its business."""
    everything = await measured(store, planned("CheckT1", "0"), planned("CheckT1", "1"), t1=1.0, t2=2.0)
    values = {"0": {"t1": {"value": 10.0}}, "1": {"t2_echo": {"value": 20.0}}}
    await carried_out(store, SetParameters.model_validate({"qubits": {"1": {"t1": {"value": 11.0}}}}))
    wrong, _ = await carried_out(store, SetParameters.model_validate({"qubits": values}), LATER)

    reverting, _ = await carried_out(store, RevertExecution(execution_id=wrong.execution_id), LATEST)

    assert set((await reverting.row())["output_parameters"]) == {"t1:0"}
    assert (await value_of(everything), await value_of(everything, "t2")) == (1.0, 2.0)
    assert (await value_of(everything, "t1", "1"), await value_of(everything, "t2_echo", "1")) == (11.0, None)
    assert len(await valid_versions(everything, "t1", "1")) == 1


async def test_nothing_is_taken_back_twice(store: RecordStore) -> None:
    first = await measured(store, t1=30.0)
    await carried_out(store, RevertExecution(execution_id=first.execution_id))

    _, row = await carried_out(store, RevertExecution(execution_id=first.execution_id), LATEST)

    assert row.message == (
        f"took back nothing that execution {first.execution_id} had published; 1 parameter had been taken back before"
    )


async def test_the_day_and_the_ended_version_tell_of_a_revert(store: RecordStore) -> None:
    await measured(store, t1=30.0)
    nudged, _ = await carried_out(store, SET)

    reverting, _ = await carried_out(store, RevertExecution(execution_id=nudged.execution_id), LATEST)

    day = await nudged.one("qubit_history", qid="0")
    assert day["data"]["t1"]["value"] == 30.0
    ended = await nudged.one("parameter_versions", qid="0", execution_id=nudged.execution_id)
    assert (ended["valid_until"], ended["reverted_at"], ended["reverted_in"]) == (
        LATEST,
        LATEST,
        reverting.execution_id,
    )


@pytest.mark.parametrize("by_hand", [False, True])
async def test_versions_are_numbered_on_after_a_revert(store: RecordStore, by_hand: bool) -> None:
    await measured(store, t1=30.0)
    nudged, _ = await carried_out(store, SET)
    await carried_out(store, RevertExecution(execution_id=nudged.execution_id), LATEST)

    if by_hand:
        await carried_out(store, SET, LATEST)
    else:
        await measured(store, t1=20.0)

    (version,) = await valid_versions(nudged)
    assert (version["value"], version["version"]) == (20.0, 3)


async def test_what_was_taken_back_can_be_published_again(store: RecordStore) -> None:
    first = await measured(store, t1=30.0)
    await carried_out(store, RevertExecution(execution_id=first.execution_id))
    assert await value_of(first) is None

    await carried_out(store, PublishResults(execution_id=first.execution_id), LATEST)

    assert await value_of(first) == 30.0
    assert [version["version"] for version in await valid_versions(first)] == [1]


async def test_an_execution_that_has_published_nothing_cannot_be_taken_back(store: RecordStore) -> None:
    waits = await measured(store, publish="Review", t1=31.5)
    _, row = await carried_out(store, RevertExecution(execution_id=waits.execution_id))
    assert row.status is RowStatus.FAILED
    assert f"execution {waits.execution_id} has published nothing of chip 'fridge-a'" in row.message
