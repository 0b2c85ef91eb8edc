"""Results that do not count."""

from __future__ import annotations

from kubecal.api.actions import ExcludeResults
from kubecal.engine.model import RowStatus
from kubecal.records.actions import ActionRecords
from kubecal.records.store import RecordStore
from tests.unit.kubecal.records.builders import (
    NOON,
    admitted,
    on_mux,
    output,
    result,
)
from tests.unit.kubecal.records.changes.changed import KNOWN, LATER, carried_out, changes, measured


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
