"""What a plan needs besides manifests, asked of the records as people see them: for plans that nobody carries out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from kubecal.api.chip import ChipSpec
from kubecal.api.session import SessionSpec
from kubecal.engine.admission import directs_by_frequency
from kubecal.engine.earlier import StoredAttempt
from kubecal.engine.model import PlanFacts, TaskKey
from kubecal.reading.answers import Result, TaskState
from kubecal.reading.records import NotRecordedError, Records

_FREQUENCY = "qubit_frequency"
_FILTERED = "filter "
"""How the message of a task begins that a filter left out."""


async def facts_for(records: Records, spec: SessionSpec, chip_name: str, chip: ChipSpec) -> PlanFacts:
    """The facts that the operator would look up at admission.

    Raises
    ------
    RecordsError
        If the records cannot be asked.
    """
    project = chip.project_id
    frequencies = await _frequencies(records, chip_name, chip) if directs_by_frequency(spec) else {}
    unfinished: frozenset[TaskKey] = frozenset()
    stored: dict[str, tuple[StoredAttempt, ...]] = {}
    try:
        if spec.source.execution_id:
            unfinished = left_undone(await records.tasks(spec.source.execution_id, project=project))
        for step in spec.steps:
            if step.reanalyse is not None and step.reanalyse.execution_id not in stored:
                identity = step.reanalyse.execution_id
                stored[identity] = await _stored(records, identity, project)
    except NotRecordedError as error:
        return PlanFacts(frequencies, unfinished, str(error), stored)
    return PlanFacts(frequencies, unfinished, "", stored)


async def _frequencies(records: Records, chip_name: str, chip: ChipSpec) -> Mapping[str, float]:
    designed = chip.design.qubits if chip.design is not None else {}
    found = {qubit: values[_FREQUENCY].value for qubit, values in designed.items() if _FREQUENCY in values}
    measured = await records.parameters(chip_name, project=chip.project_id)
    found.update({one.target: one.value for one in measured if one.name == _FREQUENCY and "-" not in one.target})
    return found


def left_undone(tasks: Sequence[TaskState]) -> frozenset[TaskKey]:
    """Tasks of which not everything that is judged has succeeded; what a filter left out was not to be measured."""
    last: dict[TaskKey, dict[str, tuple[int, bool]]] = defaultdict(dict)
    for row in tasks:
        ok = row.status == "completed" or (row.status == "skipped" and row.message.startswith(_FILTERED))
        known = last[_key(row)].get(row.qid, (0, False))
        last[_key(row)][row.qid] = max(known, (row.attempt, ok))
    return frozenset(key for key, judged in last.items() if not all(ok for _, ok in judged.values()))


async def _stored(records: Records, execution_id: str, project: str) -> tuple[StoredAttempt, ...]:
    """Of each task the last attempt that has raw data, of a MUX or batch task that of each member."""
    uid = (await records.execution(execution_id, project=project)).session_uid
    last: dict[tuple[TaskKey, str], Result] = {}
    for row in await records.results(execution_id, project=project):
        usable = row.raw_data_ids and row.verdict and not row.superseded and not row.excluded
        known = last.get((_key(row), row.qid))
        if usable and (known is None or row.attempt > known.attempt):
            last[_key(row), row.qid] = row
    members: dict[tuple[TaskKey, int], list[str]] = defaultdict(list)
    for (key, qid), row in last.items():
        members[key, row.attempt] += [qid] if qid not in ("", key.target) else []
    return tuple(
        StoredAttempt(execution_id, uid, *key, attempt, tuple(sorted(judged, key=int)))
        for (key, attempt), judged in members.items()
    )


def _key(row: TaskState) -> TaskKey:
    return TaskKey(row.step, row.task, row.target, row.ordinal)
