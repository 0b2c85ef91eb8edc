"""What a plan needs besides manifests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kubecal.api.chip import ChipSpec
from kubecal.api.request import Verdict
from kubecal.api.session import SessionSpec
from kubecal.engine.earlier import StoredAttempt
from kubecal.engine.filters import FILTERED
from kubecal.engine.intents import LookUp, SettleExecution, SettleRow
from kubecal.engine.model import PlanFacts, RowStatus, SessionRef
from kubecal.records.documents import facts_document, facts_of
from kubecal.records.facts import last_attempts, look_up
from kubecal.records.store import RecordStore
from tests.unit.kubecal.records.builders import NOON, Lab, a_chip, admitted, on_mux, output, planned, result

BY_FREQUENCY = {"targets": {"couplings": {"auto": True, "direction": "Frequency"}}}


async def facts(store: RecordStore, spec: dict[str, Any], **chip: Any) -> PlanFacts:
    the_chip = a_chip()
    assert the_chip.spec is not None
    changed = ChipSpec.model_validate({**the_chip.spec.model_dump(by_alias=True), **chip})
    body = {"chip": "fridge-a", "targets": {"all": True}, "steps": [{"name": "a", "tasks": [{"task": "CheckT1"}]}]}
    wanted = LookUp(
        SessionRef("new", "lab", "evening"),
        SessionSpec.model_validate({**body, **spec}),
        replace(the_chip, spec=changed),
    )
    return (await look_up(store, [wanted]))["new"]


async def over(lab: Lab) -> None:
    end = SettleExecution(lab.admission.ref, "completed", "Completed", "", {}, NOON, NOON)
    await lab.control.settle_executions([end], NOON)


async def test_measured_frequencies_come_before_designed_ones(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    await lab.attempt().ends_with(result(output("qubit_frequency", 5.1)))
    design = {"qubits": {"0": {"qubit_frequency": {"value": 4.9}}, "1": {"qubit_frequency": {"value": 5.3}}}}

    found = await facts(store, BY_FREQUENCY, design=design)

    assert dict(found.frequencies_ghz) == {"0": 5.1, "1": 5.3}


async def test_who_does_not_ask_is_told_nothing(store: RecordStore) -> None:
    assert await facts(store, {}) == PlanFacts()


async def test_what_has_not_succeeded_in_every_row_is_left_undone(store: RecordStore) -> None:
    tasks = (planned("CheckT1", "0"), planned("CheckT1", "1"), on_mux())
    lab = await admitted(store, *tasks)
    for task, verdict in zip(tasks, (Verdict.OK, Verdict.WINDOW, Verdict.OK), strict=True):
        await lab.attempt(task).claim(NOON)
        if task.members:
            ok, bad = result(output()), result(verdict=Verdict.NO_SIGNAL)
            await lab.attempt(task).finish({"0": ok, "1": bad, "3": ok})
        else:
            await lab.attempt(task).ends_with(result(output(), verdict=verdict))
    source = {"source": {"executionId": lab.execution_id, "only": "Failed"}}

    assert "has not ended yet" in (await facts(store, source)).problem
    await over(lab)
    found = await facts(store, source)

    assert (found.problem, found.unfinished) == ("", {tasks[1].key, tasks[2].key})


async def test_what_a_filter_left_out_is_not_left_undone(store: RecordStore) -> None:
    lab = await admitted(store, planned("CheckT1", "0"), planned("CheckT1", "1"))
    ends = [
        SettleRow(lab.admission.ref, planned("CheckT1", qubit).key, 1, RowStatus.SKIPPED, None, reason, "")
        for qubit, reason in (("0", FILTERED), ("1", "Skipped"))
    ]
    await lab.control.settle_rows(ends, NOON)
    await over(lab)

    found = await facts(store, {"source": {"executionId": lab.execution_id, "only": "Failed"}})

    assert found.unfinished == {planned("CheckT1", "1").key}


async def test_an_execution_that_is_not_there_cannot_be_repeated(store: RecordStore) -> None:
    found = await facts(store, {"source": {"executionId": "20200101-000"}})
    assert found.problem == "spec.source.executionId: chip 'fridge-a' has no execution 20200101-000: correct it"


def reanalyse(execution_id: str) -> dict[str, Any]:
    return {"steps": [{"name": "again", "reanalyse": {"executionId": execution_id}}]}


async def test_what_has_raw_data_can_be_analysed_anew(store: RecordStore) -> None:
    tasks = (planned("CheckT1", "0"), planned("CheckT1", "1"), planned("CheckT1", "2"), on_mux())
    lab = await admitted(store, *tasks)
    for task, files in zip(tasks, (True, False, True, True), strict=True):
        await lab.attempt(task).claim(NOON)
        await lab.attempt(task).ends_with(result(output(), files=files))
    async with store.connected() as database:
        await database.task_result_history.update_one({"qid": "2", "name": "CheckT1"}, {"$set": {"excluded": True}})

    assert "has not ended yet" in (await facts(store, reanalyse(lab.execution_id))).problem
    await over(lab)
    found = await facts(store, reanalyse(lab.execution_id))

    uid = lab.admission.ref.uid
    assert found.problem == ""
    assert found.stored == {
        lab.execution_id: (
            StoredAttempt(lab.execution_id, uid, *tasks[0].key, 1),
            StoredAttempt(lab.execution_id, uid, *tasks[3].key, 1, ("0", "1", "3")),
        )
    }
    assert facts_of(facts_document(found)) == found


async def test_an_execution_without_raw_data_cannot_be_analysed_anew(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    await lab.attempt().ends_with(result(output()))
    await over(lab)

    assert "has no raw data" in (await facts(store, reanalyse(lab.execution_id))).problem
    assert "has no execution 20261123-999" in (await facts(store, reanalyse("20261123-999"))).problem


def test_of_each_member_the_last_attempt_counts() -> None:
    def row(qid: str, attempt: int, minute: int, **changes: Any) -> dict[str, Any]:
        began = NOON.replace(minute=minute)
        fields = {"step": "check", "name": "Readout", "target": "mux-0", "ordinal": 0, "session_uid": "uid"}
        return {**fields, "qid": qid, "attempt": attempt, "start_at": began, **changes}

    single = row("2", 1, 0, name="CheckT1", target="2")
    rows = [row("1", 2, 9), single, *(row(qid, 1, 5) for qid in ("3", "1", "10")), row("", 1, 1, target="chip")]

    assert [(one.target, one.attempt, one.members) for one in last_attempts("20261123-000", rows)] == [
        ("2", 1, ()),
        ("chip", 1, ()),
        ("mux-0", 1, ("3", "10")),
        ("mux-0", 2, ("1",)),
    ]
