"""Steps that change records: made once or not at all, and told as any other row."""

from __future__ import annotations

import asyncio

from kubecal.engine.intents import CancelIntent, SettleRow
from kubecal.engine.model import RowStatus
from kubecal.reading.stored import StoredRecords
from kubecal.records.actions import ActionRecords
from kubecal.records.store import RecordStore
from tests.unit.kubecal.records.builders import (
    NOON,
    admitted,
    output,
    result,
)
from tests.unit.kubecal.records.changes.changed import (
    KNOWN,
    LATER,
    LATEST,
    SET,
    carried_out,
    changes,
    valid_versions,
    value_of,
)


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

    (row,) = await StoredRecords(store).results(lab.execution_id)

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
