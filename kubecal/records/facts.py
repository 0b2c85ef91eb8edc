"""What a plan needs besides manifests: measured frequencies, and what an earlier execution left undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pymongo.asynchronous.database import AsyncDatabase

from kubecal.api.chip import ChipSpec
from kubecal.engine.admission import directs_by_frequency
from kubecal.engine.filters import FILTERED
from kubecal.engine.intents import LookUp
from kubecal.engine.model import PlanFacts, RowStatus, TaskKey
from kubecal.records.documents import ENDED, Document
from kubecal.records.store import RecordStore

_FREQUENCY = "qubit_frequency"


async def look_up(store: RecordStore, wanted: Sequence[LookUp]) -> dict[str, PlanFacts]:
    """What was asked for, by session uid, as a majority has it."""
    found = {}
    for one in wanted:
        async with store.majority() as database:
            found[one.ref.uid] = await _facts(database, one)
    return found


async def _facts(database: AsyncDatabase[Document], wanted: LookUp) -> PlanFacts:
    chip = wanted.chip.spec
    if chip is None:
        return PlanFacts()
    place = {"project_id": chip.project_id, "chip_id": wanted.chip.name}
    frequencies = await _frequencies(database, place, chip) if directs_by_frequency(wanted.spec) else {}
    source = wanted.spec.source.execution_id
    unfinished, problem = await _left_undone(database, place, source) if source else (frozenset[TaskKey](), "")
    return PlanFacts(frequencies, unfinished, problem)


async def _frequencies(database: AsyncDatabase[Document], place: Document, chip: ChipSpec) -> dict[str, float]:
    """The published frequency of each qubit (GHz), else what the design says."""
    designed = chip.design.qubits if chip.design is not None else {}
    found = {qubit: values[_FREQUENCY].value for qubit, values in designed.items() if _FREQUENCY in values}
    async for qubit in database.qubit.find(place, {"qid": 1, f"data.{_FREQUENCY}.value": 1}):
        measured = qubit["data"].get(_FREQUENCY)
        if measured is not None:
            found[qubit["qid"]] = float(measured["value"])
    return found


async def _left_undone(
    database: AsyncDatabase[Document], place: Document, execution_id: str
) -> tuple[frozenset[TaskKey], str]:
    """Tasks of which not every row of the last attempts is completed; or why the execution cannot be repeated."""
    field = "spec.source.executionId"
    key = {**place, "execution_id": execution_id}
    execution = await database.execution_history.find_one(key, {"status": 1})
    if execution is None:
        return frozenset(), f"{field}: chip {place['chip_id']!r} has no execution {execution_id}: correct it"
    if execution["status"] not in ENDED:
        return frozenset(), f"{field}: execution {execution_id} has not ended yet: wait for its end, or cancel it"
    fields = dict.fromkeys(("step", "name", "target", "ordinal", "qid", "attempt", "status", "reason"), 1)
    last: dict[TaskKey, dict[str, tuple[int, bool]]] = defaultdict(dict)
    async for row in database.task_result_history.find(key, fields):
        task = TaskKey(row["step"], row["name"], row["target"], row["ordinal"])
        known = last[task].get(row["qid"], (0, False))
        # What a filter left out was not to be measured, and is not now.
        ok = row["status"] == RowStatus.COMPLETED.value or row["reason"] == FILTERED
        last[task][row["qid"]] = max(known, (row["attempt"], ok))
    return frozenset(task for task, rows in last.items() if not all(ok for _, ok in rows.values())), ""
