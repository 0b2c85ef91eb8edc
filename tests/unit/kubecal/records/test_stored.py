"""Stored data that are analysed anew: read with what they were measured with, and told apart from measurements."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from kubecal.api.request import StoredSource, TaskRequest
from kubecal.engine.earlier import StoredAttempt
from kubecal.engine.model import PlannedTask, TaskKey
from kubecal.records.files import MissingFileError
from kubecal.records.results import RAW_DATA
from kubecal.records.store import RecordStore
from kubecal.records.task import AttemptRecords
from tests.unit.kubecal.records.builders import NOON, Lab, admitted, on_mux, output, planned, request, result

LATER = NOON + timedelta(days=1)


async def measured(store: RecordStore, task: PlannedTask | None = None, **values: float) -> Lab:
    """A session of one task that ended at noon, with raw data, in the cool-down 2026-11."""
    lab = await admitted(store, task or planned("CheckT1"))
    await lab.attempt().claim(NOON)
    outputs = (output(name, value) for name, value in values.items())
    await lab.attempt().ends_with(result(*outputs, files=True))
    return lab


async def again(store: RecordStore, then: Lab, publish: bool = False) -> tuple[Lab, AttemptRecords, TaskRequest]:
    """A session that analyses those data anew in another cool-down, its attempt claimed."""
    (before,) = then.admission.plan.tasks
    stored = StoredAttempt(then.execution_id, then.admission.ref.uid, *before.key, 1, before.members)
    task = replace(before, key=TaskKey("again", *before.key[1:]), wires=(), parameters={}, stored=stored)
    lab = await admitted(store, task)
    asked = request(lab.admission, lab.execution_id, task)
    source = StoredSource(
        execution_id=then.execution_id, session_uid=then.admission.ref.uid, step="check", ordinal=0, attempt=1
    )
    chip = asked.chip.model_copy(update={"cooldown": "2026-12"})
    changes = {"reanalyses": source, "publish": publish, "chip": chip, "measure_at": LATER}
    asked = asked.model_copy(update=changes)
    records = AttemptRecords(store, asked, "pod-2")
    await records.claim(LATER)
    return lab, records, asked


async def test_the_data_come_with_what_they_were_measured_with(store: RecordStore) -> None:
    then = await measured(store, t1=30.0)
    _, records, asked = await again(store, then)

    stored = await records.stored()

    known = result(files=True)
    assert (stored.measured_at, stored.cooldown_id) == (NOON, "2026-11")
    assert stored.run_parameters == known.run_parameters
    assert stored.inputs == {"0": known.inputs}
    assert [(one.name, one.content_type, one.content) for one in stored.raw_data] == [
        ("raw.npz", RAW_DATA, known.raw_data[0].content)
    ]
    of_then = stored.of_then(asked)
    assert (of_then.measure_at, of_then.parameters, of_then.chip.cooldown) == (NOON, known.run_parameters, "2026-11")


async def test_every_member_has_its_own_inputs(store: RecordStore) -> None:
    then = await measured(store, on_mux(), t1=30.0)
    _, records, _ = await again(store, then)
    assert set((await records.stored()).inputs) == {"0", "1", "3"}


async def test_the_new_row_names_the_one_whose_data_it_is_made_of(store: RecordStore) -> None:
    then = await measured(store, t1=30.0)
    lab, records, _ = await again(store, then)
    stored = await records.stored()

    outcome = replace(result(output("t1", 31.0), measured_at=NOON), raw_data=stored.raw_data)
    await records.of(stored).finish({"0": outcome})

    row, before = await lab.row(), await then.row()
    assert row["source_task_id"] == before["_id"]
    assert before["source_task_id"] == ""
    assert (row["cooldown_id"], row["measured_at"], row["execution_id"]) == ("2026-11", NOON, lab.execution_id)
    assert row["raw_data_path"] == before["raw_data_path"]
    assert (await lab.one("qubit", qid="0"))["data"]["t1"]["value"] == 30.0, "the step does not publish"


@pytest.mark.parametrize(("later_s", "value"), [(0.0, 31.0), (60.0, 29.0)])
async def test_a_step_that_publishes_replaces_what_is_not_newer_than_its_data(
    store: RecordStore, later_s: float, value: float
) -> None:
    then = await measured(store, t1=30.0)
    if later_s:
        newer = await admitted(store)
        await newer.attempt().claim(NOON)
        await newer.attempt().ends_with(result(output("t1", 29.0), measured_at=NOON + timedelta(seconds=later_s)))
    lab, records, _ = await again(store, then, publish=True)
    stored = await records.stored()

    await records.of(stored).finish({"0": result(output("t1", 31.0), measured_at=NOON)})

    published = (await lab.one("qubit", qid="0"))["data"]["t1"]
    assert (published["value"], published["cooldown_id"]) == (value, "2026-11")


async def test_data_that_were_pruned_are_named_with_what_they_were(store: RecordStore) -> None:
    then = await measured(store, t1=30.0)
    _, records, _ = await again(store, then)
    (path,) = (await then.row())["raw_data_path"]
    async with store.connected() as database:
        await database["fs.files"].delete_one({"_id": path})

    with pytest.raises(MissingFileError, match=f"raw data raw.npz of CheckT1 on 0 in execution {then.execution_id}"):
        await records.stored()


async def test_a_record_that_is_gone_is_said(store: RecordStore) -> None:
    then = await measured(store, t1=30.0)
    _, records, _ = await again(store, then)
    async with store.connected() as database:
        await database.task_result_history.delete_one({"_id": (await then.row())["_id"]})

    with pytest.raises(MissingFileError, match=f"no record in execution {then.execution_id} any more"):
        await records.stored()
