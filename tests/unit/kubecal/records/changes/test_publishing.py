"""Results that waited for a look."""

from __future__ import annotations

import pytest

from kubecal.api.actions import ExcludeResults, PublishResults
from kubecal.engine.model import RowStatus
from kubecal.records.changes import publishing
from kubecal.records.store import RecordStore
from tests.unit.kubecal.records.builders import (
    NOON,
    admitted,
    on_coupling,
    output,
    planned,
    result,
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


async def test_results_that_waited_for_a_look_become_current_as_their_tasks_would_have_published_them(
    store: RecordStore,
) -> None:
    waits = await measured(store, planned("CheckT1", "0"), planned("CheckT1", "1"), publish="Review", t1=31.5)
    assert await value_of(waits) is None

    _, row = await carried_out(store, PublishResults(execution_id=waits.execution_id))

    assert row.message == f"published 2 parameters of 2 targets of execution {waits.execution_id}"
    assert (await value_of(waits), await value_of(waits, qid="1")) == (31.5, 31.5)
    (version,) = await valid_versions(waits)
    measured_by = await waits.row(planned("CheckT1", "0"))
    assert (version["execution_id"], version["task_id"]) == (waits.execution_id, measured_by["_id"])
    assert version["task_name"] == "CheckT1"


async def test_all_that_a_row_gave_is_told_with_what_it_was_made_of(store: RecordStore) -> None:
    waits = await measured(store, publish="Review", t1=31.5, t2=20.0)

    await carried_out(store, PublishResults(execution_id=waits.execution_id, parameters=("t1",)))
    await carried_out(store, PublishResults(execution_id=waits.execution_id, parameters=("t2",)))

    activity = await waits.one("provenance_activities", execution_id=waits.execution_id)
    versions = await waits.all("parameter_versions", execution_id=waits.execution_id)
    assert sorted(activity["generated"]) == sorted(version["entity_id"] for version in versions)
    assert activity["used"] == ["hpi_amplitude:fridge-a:0:x:y"]
    assert (activity["started_at"], activity["ended_at"]) == (NOON, NOON.replace(second=30))
    note = await waits.one("calibration_note", execution_id=waits.execution_id)
    assert note["note"] == {"0": {"t1": 31.5, "t2": 20.0}}


async def test_of_a_parameter_that_several_tasks_gave_the_newest_is_published(store: RecordStore) -> None:
    lab = await admitted(store, planned("CheckT1"), planned("CheckRamsey"), publish="Review")
    alone, grouped = lab.admission.plan.tasks
    await lab.attempt(grouped).claim(NOON)
    members = (output("t1", 2.0, "pulse"), output("t2", 2.0, "pulse"))
    await lab.attempt(grouped).ends_with(result(*members, measured_at=LATER))
    await lab.attempt(alone).claim(NOON)
    await lab.attempt(alone).ends_with(result(output("t1", 1.0), measured_at=NOON))

    await carried_out(store, PublishResults(execution_id=lab.execution_id), LATEST)

    assert (await value_of(lab), await value_of(lab, "t2")) == (2.0, 2.0)
    assert [version["version"] for version in await lab.all("parameter_versions", parameter_name="t1")] == [1]


async def test_publishing_again_changes_nothing_that_is_current(store: RecordStore) -> None:
    waits = await measured(store, publish="Review", t1=31.5)
    await carried_out(store, PublishResults(execution_id=waits.execution_id))
    before = await waits.all("parameter_versions")

    _, row = await carried_out(store, PublishResults(execution_id=waits.execution_id), LATEST)

    assert row.status is RowStatus.COMPLETED
    for version in (*before, *(after := await waits.all("parameter_versions"))):
        version.pop("system_info")
    assert after == before


async def test_only_what_was_asked_for_is_published(store: RecordStore) -> None:
    waits = await measured(store, planned("CheckT1", "0"), planned("CheckT1", "1"), publish="Never", t1=1.0, t2=2.0)
    action = PublishResults(execution_id=waits.execution_id, targets=("1",), parameters=("t2",))

    await carried_out(store, action)

    assert await value_of(waits) is None
    assert (await value_of(waits, "t1", "1"), await value_of(waits, "t2", "1")) == (None, 2.0)


async def test_a_group_goes_whole_or_not_at_all(store: RecordStore) -> None:
    lab = await admitted(store, planned("CheckT1"), publish="Review")
    await lab.attempt().claim(NOON)
    members = (output("a", 1.0, "pulse"), output("b", 2.0, "pulse"), output("c", 3.0, "other", accepted=False))
    await lab.attempt().ends_with(result(*members, output("d", 4.0, "other")))

    await carried_out(store, PublishResults(execution_id=lab.execution_id, parameters=("a", "d")))

    assert [await value_of(lab, name) for name in "abcd"] == [1.0, 2.0, None, None]


async def test_what_is_newer_is_not_replaced(store: RecordStore) -> None:
    waits = await measured(store, publish="Review", t1=31.5)
    await carried_out(store, SET)

    _, row = await carried_out(store, PublishResults(execution_id=waits.execution_id), LATEST)

    assert row.status is RowStatus.COMPLETED
    assert row.message == (
        f"published nothing of execution {waits.execution_id}; 1 result left aside, because what is current is newer"
    )
    assert await value_of(waits) == 20.0


async def test_more_than_fits_into_a_transaction_is_not_published(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = await measured(store, publish="Review", t1=31.5, t2=20.0)
    monkeypatch.setattr(publishing, "MAX_VALUES", 1)

    _, row = await carried_out(store, PublishResults(execution_id=waits.execution_id))

    assert (row.status, row.message) == (
        RowStatus.FAILED,
        f"execution {waits.execution_id} has 2 results to publish, more than 1: choose some at a time with "
        "publish.targets or publish.parameters",
    )
    assert await value_of(waits) is None


async def test_results_of_couplings_are_published_on_the_coupling(store: RecordStore) -> None:
    waits = await measured(store, on_coupling(), publish="Review", cr_amplitude=0.3)
    await carried_out(store, PublishResults(execution_id=waits.execution_id))
    assert await value_of(waits, "cr_amplitude", "0-1") == 0.3


async def test_excluded_results_are_not_published(store: RecordStore) -> None:
    waits = await measured(store, publish="Review", t1=31.5)
    task = (await waits.row())["_id"]
    await carried_out(store, ExcludeResults(task_ids=(task,), reason="warm"))

    _, row = await carried_out(store, PublishResults(execution_id=waits.execution_id))

    assert (row.status, row.reason) == (RowStatus.FAILED, "Impossible")
    assert f"execution {waits.execution_id} has no accepted results of chip 'fridge-a'" in row.message


async def test_an_execution_that_is_not_there_fails_the_step_with_a_sentence(store: RecordStore) -> None:
    _, row = await carried_out(store, PublishResults(execution_id="20200101-000"))
    assert (row.status, row.message) == (
        RowStatus.FAILED,
        "chip 'fridge-a' has no execution 20200101-000: correct publish.executionId",
    )
