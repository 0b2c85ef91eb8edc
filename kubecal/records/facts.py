"""What a plan needs besides manifests: measured frequencies, what an earlier execution left undone or has stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pymongo.asynchronous.database import AsyncDatabase

from kubecal.api.chip import ChipSpec
from kubecal.engine.admission import directs_by_frequency
from kubecal.engine.earlier import StoredAttempt
from kubecal.engine.filters import FILTERED
from kubecal.engine.intents import LookUp
from kubecal.engine.model import PlanFacts, RowStatus, TaskKey
from kubecal.records.documents import ENDED, Document
from kubecal.records.indexes import HAS_RAW_DATA
from kubecal.records.store import RecordStore

_FREQUENCY = "qubit_frequency"
MAX_STORED = 4_000
"""Attempts that one session analyses anew: its execution's document, which lists them, stays below 1 MiB."""
_STORED_FIELDS = ("session_uid", "step", "name", "target", "ordinal", "qid", "attempt", "start_at")


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
    stored: dict[str, tuple[StoredAttempt, ...]] = {}
    for number, step in enumerate(wanted.spec.steps):
        execution = step.reanalyse.execution_id if step.reanalyse is not None else ""
        if execution and execution not in stored:
            field = f"spec.steps[{number}].reanalyse.executionId"
            stored[execution], refused = await _stored(database, place, execution, field)
            problem = problem or refused
    return PlanFacts(frequencies, unfinished, problem, stored)


async def _frequencies(database: AsyncDatabase[Document], place: Document, chip: ChipSpec) -> dict[str, float]:
    """The published frequency of each qubit (GHz), else what the design says."""
    designed = chip.design.qubits if chip.design is not None else {}
    found = {qubit: values[_FREQUENCY].value for qubit, values in designed.items() if _FREQUENCY in values}
    async for qubit in database.qubit.find(place, {"qid": 1, f"data.{_FREQUENCY}.value": 1}):
        measured = qubit["data"].get(_FREQUENCY)
        if measured is not None:
            found[qubit["qid"]] = float(measured["value"])
    return found


async def _not_ended(database: AsyncDatabase[Document], key: Document, field: str) -> str:
    """Why an execution cannot be referred to; empty: it can."""
    execution = await database.execution_history.find_one(key, {"status": 1})
    if execution is None:
        return f"{field}: chip {key['chip_id']!r} has no execution {key['execution_id']}: correct it"
    if execution["status"] not in ENDED:
        return f"{field}: execution {key['execution_id']} has not ended yet: wait for its end, or cancel it"
    return ""


async def _stored(
    database: AsyncDatabase[Document], place: Document, execution_id: str, field: str
) -> tuple[tuple[StoredAttempt, ...], str]:
    """The attempts that an execution's results come from and that have raw data, or why there is nothing of use.

    Raw data that was pruned meanwhile counts as if it were there: the task says which it was, and when it went.
    """
    key = {**place, "execution_id": execution_id}
    problem = await _not_ended(database, key, field)
    if problem:
        return (), problem
    wanted = {**key, **HAS_RAW_DATA, "verdict": {"$ne": None}, "superseded": False, "excluded": {"$ne": True}}
    rows = await database.task_result_history.find(wanted, dict.fromkeys(_STORED_FIELDS, 1)).to_list()
    if not rows:
        return (), f"{field}: execution {execution_id} has no raw data that could be analysed anew: choose another"
    attempts = last_attempts(execution_id, rows)
    if len(attempts) > MAX_STORED:
        return (), (
            f"{field}: execution {execution_id} has {len(attempts)} attempts with raw data, more than {MAX_STORED} can "
            "be analysed anew in one session: choose a smaller execution"
        )
    return attempts, ""


def last_attempts(execution_id: str, rows: Sequence[Document]) -> tuple[StoredAttempt, ...]:
    """Of each task the last attempt, of a MUX or batch task that of each member, in the order in which they began."""
    last: dict[tuple[TaskKey, str], Document] = {}
    for row in sorted(rows, key=lambda each: each["attempt"]):
        last[TaskKey(row["step"], row["name"], row["target"], row["ordinal"]), row["qid"]] = row
    members: dict[tuple[TaskKey, int], list[str]] = defaultdict(list)
    began: dict[tuple[TaskKey, int], Document] = {}
    for (key, qid), row in last.items():
        several = qid not in ("", key.target)
        members[key, row["attempt"]] += [qid] if several else []
        began.setdefault((key, row["attempt"]), row)
    return tuple(
        StoredAttempt(execution_id, row["session_uid"], *key, attempt, tuple(sorted(members[key, attempt], key=int)))
        for (key, attempt), row in sorted(began.items(), key=lambda each: (str(each[1]["start_at"]), each[0]))
    )


async def _left_undone(
    database: AsyncDatabase[Document], place: Document, execution_id: str
) -> tuple[frozenset[TaskKey], str]:
    """Tasks of which not every row of the last attempts is completed; or why the execution cannot be repeated."""
    key = {**place, "execution_id": execution_id}
    problem = await _not_ended(database, key, "spec.source.executionId")
    if problem:
        return frozenset(), problem
    fields = dict.fromkeys(("step", "name", "target", "ordinal", "qid", "attempt", "status", "reason"), 1)
    last: dict[TaskKey, dict[str, tuple[int, bool]]] = defaultdict(dict)
    async for row in database.task_result_history.find(key, fields):
        task = TaskKey(row["step"], row["name"], row["target"], row["ordinal"])
        known = last[task].get(row["qid"], (0, False))
        # What a filter left out was not to be measured, and is not now.
        ok = row["status"] == RowStatus.COMPLETED.value or row["reason"] == FILTERED
        last[task][row["qid"]] = max(known, (row["attempt"], ok))
    return frozenset(task for task, rows in last.items() if not all(ok for _, ok in rows.values())), ""
