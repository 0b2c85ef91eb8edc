"""Steps that change records: what is current afterwards, what the row says, and that a repeat changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from kubecal.api.actions import ExcludeResults, PublishResults, RevertExecution, SetParameters
from kubecal.api.catalogue import TargetKind
from kubecal.api.steps import Action
from kubecal.engine.intents import RunAction, SettleRow
from kubecal.engine.model import AttemptRow, PlannedTask, RowStatus, TaskKey
from kubecal.records.actions import ActionRecords
from kubecal.records.store import Document, RecordStore
from tests.unit.kubecal.records.builders import (
    CATALOGUE,
    NOON,
    Lab,
    admitted,
    on_coupling,
    output,
    planned,
    result,
)

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


async def carried_out(store: RecordStore, action: Action, at: Any = LATER) -> tuple[Lab, AttemptRow]:
    lab, intent = await changes(store, action)
    rows = await ActionRecords(store).execute([intent], CATALOGUE, at)
    (row,) = rows[lab.admission.ref.uid]
    return lab, row


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


async def test_a_repeat_changes_nothing(store: RecordStore) -> None:
    lab, intent = await changes(store, SET)
    records = ActionRecords(store)
    await records.execute([intent], CATALOGUE, LATER)
    before = [await lab.all(name) for name in ("qubit", "coupling", "parameter_versions", "task_result_history")]

    rows = await records.execute([intent], CATALOGUE, LATEST)

    assert rows[lab.admission.ref.uid][0].status is RowStatus.COMPLETED
    after = [await lab.all(name) for name in ("qubit", "coupling", "parameter_versions", "task_result_history")]
    assert after == before


async def test_a_step_that_was_cancelled_is_not_carried_out_any_more(store: RecordStore) -> None:
    lab, intent = await changes(store, SET)
    ended = SettleRow(intent.ref, intent.key, 1, RowStatus.CANCELLED, None, "Cancelled", "the session was deleted")
    await lab.control.settle_rows([ended], NOON)

    rows = await ActionRecords(store).execute([intent], CATALOGUE, LATER)

    assert rows[lab.admission.ref.uid][0].status is RowStatus.CANCELLED
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
    assert "1 result left aside, because what is current is newer" in row.message
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
        "chip 'fridge-a' has no execution 20200101-000: correct the execution id",
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

    assert row.message.endswith("1 other left, because they were measured or set again since")
    assert await value_of(first) == 20.0


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


async def test_results_of_another_chip_are_not_found(store: RecordStore) -> None:
    _, row = await carried_out(store, ExcludeResults(task_ids=("0" * 32,), reason="wrong"))
    assert row.status is RowStatus.FAILED
    assert row.message == f"chip 'fridge-a' has no result {'0' * 32}: correct exclude.taskIds"
