"""What is published of a chip, and which of the results that it comes from were made with inputs that have moved.

Two round trips for what is published, and one for the inputs of every 500 results: of a chip of 16 qubits three. Who
asks keeps the answer; nothing of it is needed to decide what runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pymongo.asynchronous.database import AsyncDatabase

from kubecal.api.catalogue import Output
from kubecal.api.chip import ParameterCounts
from kubecal.engine.freshness import KnownValue, Place, UsedValue, count, has_moved
from kubecal.records.documents import Document
from kubecal.records.store import RecordStore

_ROWS = 500
"""Results whose inputs are asked for at a time."""


async def count_parameters(
    store: RecordStore,
    project_id: str,
    chip_id: str,
    *,
    outputs: Mapping[str, Output],
    cooldown: str,
    now: datetime,
) -> ParameterCounts:
    """Count what is published of a chip by what it is worth.

    Parameters
    ----------
    outputs
        How parameters age and drift, by name.
    cooldown
        The chip's present one; empty: it names none.
    now
        The chip's time.

    Raises
    ------
    RecordsUnavailable
        If the database cannot be asked.
    """
    place = {"project_id": project_id, "chip_id": chip_id}
    async with store.connected() as database:
        known: dict[Place, KnownValue] = {}
        for collection in ("qubit", "coupling"):
            async for document in database[collection].find(place, {"qid": 1, "data": 1}):
                known |= dict(_known(document))
        moved = await _moved(database, known, outputs)
    return count(known, moved, outputs, cooldown, now)


def _known(document: Document) -> Iterator[tuple[Place, KnownValue]]:
    """What is published of a qubit or coupling; what others wrote there may lack what we need, and is left out."""
    for name, value in document["data"].items():
        measured_at, number = value.get("calibrated_at"), value.get("value")
        if isinstance(measured_at, datetime) and isinstance(number, int | float):
            cooldown, row = value.get("cooldown_id") or "", value.get("task_id") or ""
            yield (document["qid"], name), KnownValue(number, value.get("error") or 0.0, measured_at, cooldown, row)


async def _moved(
    database: AsyncDatabase[Document], known: Mapping[Place, KnownValue], outputs: Mapping[str, Output]
) -> frozenset[str]:
    """The results that were made with an input that is not any more what it was."""
    rows = sorted({value.row for value in known.values() if value.row})
    moved = set()
    for at in range(0, len(rows), _ROWS):
        wanted = {"_id": {"$in": rows[at : at + _ROWS]}}
        async for row in database.task_result_history.find(wanted, {"qid": 1, "input_parameters": 1}):
            used = used_values(row["qid"], row["input_parameters"])
            if any(has_moved(one, known.get(one.place), outputs.get(one.place[1]), row["_id"]) for one in used):
                moved.add(row["_id"])
    return frozenset(moved)


def used_values(qid: str, inputs: Mapping[str, Document]) -> Sequence[UsedValue]:
    """The inputs of a row, each under the id of what it belongs to: of a coupling those of its qubits have roles."""
    control, _, target = qid.partition("-")
    owners = {"control": control, "target": target}
    return [
        UsedValue((owners.get(each.get("role", ""), qid), each["name"]), each["value"], each["error"] or 0.0)
        for each in inputs.values()
    ]
