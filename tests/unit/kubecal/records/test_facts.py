"""What a plan needs besides manifests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kubecal.api.chip import ChipSpec
from kubecal.api.request import Verdict
from kubecal.api.session import SessionSpec
from kubecal.engine.filters import FILTERED
from kubecal.engine.intents import LookUp, SettleExecution, SettleRow
from kubecal.engine.model import PlanFacts, RowStatus, SessionRef
from kubecal.records.facts import look_up
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
