"""Steps that change records: what is current afterwards, what the row says, and that a repeat changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from kubecal.api.actions import ExcludeResults, PublishResults, RevertExecution, SetParameters
from kubecal.api.catalogue import CatalogueTask, Output, TargetKind
from kubecal.api.chip import ChipSpec
from kubecal.api.steps import Action
from kubecal.engine.intents import CancelIntent, RunAction, SettleRow
from kubecal.engine.model import AttemptRow, PlannedTask, RowStatus, TaskKey
from kubecal.records.actions import ActionRecords
from kubecal.records.changes.setting import MAX_SET
from kubecal.records.reading import ResultReader
from kubecal.records.store import Document, RecordStore
from tests.unit.kubecal.records.builders import (
    CATALOGUE,
    NOON,
    Lab,
    admitted,
    on_coupling,
    on_mux,
    output,
    planned,
    result,
)

COUPLING_TASK = CatalogueTask(
    name="CheckZX90", kind=TargetKind.COUPLING, description="", outputs=(Output(name="zx90_gate_time", unit="ns"),)
)
KNOWN = (CATALOGUE, CATALOGUE.model_copy(update={"tasks": (COUPLING_TASK,)}))
"""The built-in catalogue, and one of an author's image."""
LATER, LATEST = NOON + timedelta(minutes=5), NOON + timedelta(minutes=10)
SET = SetParameters.model_validate(
    {"qubits": {"0": {"t1": {"value": 20.0, "error": 0.5}}}, "couplings": {"0-1": {"zx90_gate_time": {"value": 240.0}}}}
)


def change(action: Action) -> PlannedTask:
    return replace(
        planned("Change", "chip"), key=TaskKey("nudge", "Change", "chip", 0), kind=TargetKind.CHIP, action=action
    )


async def changes(store: RecordStore, action: Action) -> tuple[Lab, RunAction]:
    """A session with this one step, planned."""
    lab = await admitted(store, change(action))
    of = lab.admission
    return lab, RunAction(of.ref, change(action).key, 1, action, of.spec, of.chip, lab.execution_id)


async def carried_out(store: RecordStore, action: Action, at: datetime = LATER) -> tuple[Lab, AttemptRow]:
    lab, intent = await changes(store, action)
    rows = await ActionRecords(store).execute([intent], KNOWN, at)
    (row,) = rows[lab.admission.ref.uid]
    return lab, row


def with_clock(spec: ChipSpec | None, clock: dict[str, str]) -> ChipSpec:
    assert spec is not None
    config = {**spec.backend.config, "clock": clock}
    return spec.model_copy(update={"backend": spec.backend.model_copy(update={"config": config})})


async def measured(store: RecordStore, *tasks: PlannedTask, publish: str = "OnSuccess", **values: float) -> Lab:
    """A session of which every task gave these values."""
    lab = await admitted(store, *(tasks or (planned("CheckT1"),)), publish=publish)
    for task in lab.admission.plan.tasks:
        attempt = lab.attempt(task)
        await attempt.claim(NOON)
        await attempt.ends_with(result(*(output(name, value) for name, value in values.items())))
    return lab


async def value_of(lab: Lab, name: str = "t1", qid: str = "0") -> float | None:
    found = await lab.all("coupling" if "-" in qid else "qubit", qid=qid)
    value = found[0]["data"].get(name) if found else None
    return value["value"] if value else None


async def valid_versions(lab: Lab, name: str = "t1", qid: str = "0") -> list[Document]:
    return await lab.all("parameter_versions", qid=qid, parameter_name=name, valid_until=None)


# ---------------------------------------------------------------- set


async def test_values_by_hand_become_current_of_qubits_and_couplings(store: RecordStore) -> None:
    await measured(store, t1=30.0)
    lab, row = await carried_out(store, SET)

    assert (row.status, row.message) == (RowStatus.COMPLETED, "set 2 parameters of 2 targets")
    assert await value_of(lab) == 20.0
    assert await value_of(lab, "zx90_gate_time", "0-1") == 240.0
    (version,) = await valid_versions(lab)
    assert (version["version"], version["value"], version["execution_id"]) == (2, 20.0, lab.execution_id)
    assert (version["unit"], version["task_id"]) == ("us", (await lab.row())["_id"])
    assert len(await lab.all("parameter_history", qid="0", parameter_name="t1")) == 2
    (day,) = await lab.all("qubit_history", qid="0")
    assert day["data"]["t1"]["value"] == 20.0
    written = await lab.row()
    assert written["run_parameters"]["qubits"] == {"0": {"t1": {"value": 20.0, "error": 0.5}}}
    assert written["output_parameters"]["zx90_gate_time:0-1"]["value"] == 240.0


async def test_one_activity_and_one_note_tell_of_all_that_was_set(store: RecordStore) -> None:
    lab, _ = await carried_out(store, SET)

    row = (await lab.row())["_id"]
    activity = await lab.one("provenance_activities", activity_id=f"{lab.execution_id}:{row}")
    versions = await lab.all("parameter_versions", task_id=row)
    assert len(versions) == 2
    assert sorted(activity["generated"]) == sorted(version["entity_id"] for version in versions)
    assert activity["task_name"] == "Change"
    note = await lab.one("calibration_note", task_id=row)
    assert note["note"] == {"0": {"t1": 20.0}, "0-1": {"zx90_gate_time": 240.0}}


@pytest.mark.parametrize(
    ("name", "target", "unit"),
    [
        pytest.param("t1", "qubits", "us", id="given by a task"),
        pytest.param("readout_amplitude", "qubits", "a.u.", id="only read"),
        pytest.param("zx90_gate_time", "couplings", "ns", id="known to an author's image only"),
    ],
)
async def test_the_unit_is_the_catalogues(store: RecordStore, name: str, target: str, unit: str) -> None:
    qid = "0" if target == "qubits" else "0-1"
    lab, _ = await carried_out(store, SetParameters.model_validate({target: {qid: {name: {"value": 0.1}}}}))
    assert (await lab.one(target[:-1], qid=qid))["data"][name]["unit"] == unit


async def test_a_parameter_whose_unit_nobody_knows_is_not_set(store: RecordStore) -> None:
    unknown = {"qubits": {"0": {"t1": {"value": 1.0}, "charm": {"value": 2.0}}}}

    lab, row = await carried_out(store, SetParameters.model_validate(unknown))

    assert (row.status, row.message) == (
        RowStatus.FAILED,
        "no task that is installed gives or reads charm, so that the unit is not known: correct set",
    )
    assert not await lab.all("qubit")


async def test_more_than_a_row_can_tell_of_is_not_set(store: RecordStore) -> None:
    names = sorted(output.name for task in CATALOGUE.tasks for output in task.outputs)[:10]
    values = {name: {"value": 1.0} for name in names}
    too_many = {"qubits": {str(qubit): values for qubit in range(MAX_SET // len(values) + 1)}}

    _, row = await carried_out(store, SetParameters.model_validate(too_many))

    assert row.status is RowStatus.FAILED
    assert row.message.endswith(f"more than {MAX_SET}: split it into several steps")


async def test_on_a_simulated_chip_values_by_hand_are_of_its_clock(store: RecordStore) -> None:
    lab, intent = await changes(store, SET)
    fixed = "2026-11-23T12:00:00Z"
    simulated = replace(lab.admission.chip, spec=with_clock(lab.admission.chip.spec, {"mode": "Fixed", "at": fixed}))

    await ActionRecords(store).execute([replace(intent, chip=simulated)], KNOWN, NOON + timedelta(days=90))
    again = await measured(store, t1=33.0)

    # Measured at the same time, but later: a value by hand does not stand in the way of all that is measured.
    assert await value_of(again) == 33.0


async def test_a_value_by_hand_counts_where_a_clock_was_turned_back(store: RecordStore) -> None:
    first = await measured(store, t1=30.0)

    await carried_out(store, SET, NOON - timedelta(days=1))

    assert await value_of(first) == 20.0
    (version,) = await valid_versions(first)
    assert version["calibrated_at"] == NOON


async def test_what_is_published_for_the_first_time_meanwhile_is_no_hindrance(store: RecordStore) -> None:
    intents = []
    attempts = []
    for _ in range(4):
        lab, intent = await changes(store, SET)
        measuring = await admitted(store)
        await measuring.attempt().claim(NOON)
        intents.append(intent)
        attempts.append(measuring.attempt())

    records = ActionRecords(store)
    await asyncio.gather(
        *(records.execute([intent], KNOWN, LATER) for intent in intents),
        *(attempt.ends_with(result(output("t1", 31.0))) for attempt in attempts),
    )

    assert await value_of(lab) == 20.0
    assert len(await valid_versions(lab)) == 1
    numbers = [version["version"] for version in await lab.all("parameter_versions", qid="0", parameter_name="t1")]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


async def test_results_of_an_execution_with_a_change_can_be_read(store: RecordStore) -> None:
    lab, _ = await carried_out(store, SET)

    (row,) = await ResultReader(store).results(lab.execution_id)

    assert {(each.name, each.value, each.unit) for each in row.outputs} == {
        ("t1", 20.0, "us"),
        ("zx90_gate_time", 240.0, "ns"),
    }


async def test_a_repeat_changes_nothing(store: RecordStore) -> None:
    lab, intent = await changes(store, SET)
    records = ActionRecords(store)
    await records.execute([intent], KNOWN, LATER)
    before = [await lab.all(name) for name in ("qubit", "coupling", "parameter_versions", "task_result_history")]

    rows = await records.execute([intent], KNOWN, LATEST)

    assert rows[lab.admission.ref.uid][0].status is RowStatus.COMPLETED
    after = [await lab.all(name) for name in ("qubit", "coupling", "parameter_versions", "task_result_history")]
    assert after == before


async def test_a_step_that_was_cancelled_is_not_carried_out_any_more(store: RecordStore) -> None:
    lab, intent = await changes(store, SET)
    ended = SettleRow(intent.ref, intent.key, 1, RowStatus.CANCELLED, None, "Cancelled", "the session was deleted")
    await lab.control.settle_rows([ended], NOON)

    rows = await ActionRecords(store).execute([intent], KNOWN, LATER)

    assert rows[lab.admission.ref.uid][0].status is RowStatus.CANCELLED
    assert not await lab.all("qubit")


async def test_an_execution_that_is_being_cancelled_changes_nothing_any_more(store: RecordStore) -> None:
    lab, intent = await changes(store, SET)
    await lab.control.request_cancel([CancelIntent(intent.ref, "asked for")], NOON)

    rows = await ActionRecords(store).execute([intent], KNOWN, LATER)

    assert rows[lab.admission.ref.uid][0].status is RowStatus.SCHEDULED
    assert not await lab.all("qubit")


# ---------------------------------------------------------------- publish


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


# ---------------------------------------------------------------- revert


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


# ---------------------------------------------------------------- exclude


async def test_a_result_is_taken_out_and_in_again(store: RecordStore) -> None:
    lab = await measured(store, t1=30.0)
    task = (await lab.row())["_id"]

    _, out = await carried_out(store, ExcludeResults(task_ids=(task,), reason="the fridge warmed up"))
    row = await lab.row()
    assert out.message == "1 result taken out of statistics and filters"
    assert (row["excluded"], row["excluded_reason"], row["excluded_by"]) == (True, "the fridge warmed up", "alice")
    (seen,) = (await lab.control.load([lab.admission.ref.uid], LATER))[lab.admission.ref.uid].rows
    assert (seen.excluded, dict(seen.numbers)) == (True, {})

    await carried_out(store, ExcludeResults(task_ids=(task,), undo=True))
    assert (await lab.row())["excluded"] is False


async def test_whoever_drives_the_results_learns_that_they_do_not_count(store: RecordStore) -> None:
    lab = await admitted(store, on_mux())
    await lab.attempt().claim(NOON)
    await lab.attempt().ends_with(result(output("t1", 30.0)))
    task = (await lab.rows())["1"]["_id"]
    of, intent = await changes(store, ExcludeResults(task_ids=(task,), reason="warm"))

    rows = await ActionRecords(store).execute([intent], KNOWN, LATER)

    (changed,) = rows[lab.admission.ref.uid]
    assert {member.qid: dict(member.numbers).get("t1") for member in changed.members} == {"0": 30.0, "1": None, "3": 30}
    assert [row.status for row in rows[of.admission.ref.uid]] == [RowStatus.COMPLETED]


async def test_results_of_another_chip_are_not_found(store: RecordStore) -> None:
    _, row = await carried_out(store, ExcludeResults(task_ids=("0" * 32,), reason="wrong"))
    assert row.status is RowStatus.FAILED
    assert row.message == f"chip 'fridge-a' has no result {'0' * 32}: correct exclude.taskIds"
