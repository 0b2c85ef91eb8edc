"""The chip's history: once per session what its parameters look like, by day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from statistics import median
from zoneinfo import ZoneInfo

from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

from kubecal.records.documents import Document, day_of


async def chip_day_writes(
    database: AsyncDatabase[Document], executions: Sequence[Document], now: datetime
) -> list[UpdateOne]:
    """Upserts of today's state of the chips of executions that end now.

    Parameters
    ----------
    executions
        Their documents with project_id, chip_id, time_zone, execution_id and username.
    """
    writes = []
    for execution in executions:
        chip = {"project_id": execution["project_id"], "chip_id": execution["chip_id"]}
        qubits = await database.qubit.find(chip, {"qid": 1, "data": 1}).to_list()
        known = await database.chip.find_one(chip, {"size": 1})
        size = known["size"] if known else len(qubits)
        writes.append(
            UpdateOne(
                {**chip, "recorded_date": day_of(now, ZoneInfo(execution["time_zone"]))},
                {
                    "$set": {
                        "size": size,
                        "counts": {"qubits": size, "calibrated": sum(1 for qubit in qubits if qubit["data"])},
                        "summary": _summary(qubits),
                        "execution_id": execution["execution_id"],
                        "username": execution["username"],
                        "system_info.updated_at": now,
                    },
                    "$setOnInsert": {"system_info.created_at": now},
                },
                upsert=True,
                namespace=f"{database.name}.chip_history",
            )
        )
    return writes


def _summary(qubits: Sequence[Document]) -> Document:
    """How many qubits have each parameter, and its median."""
    values: dict[str, list[float]] = defaultdict(list)
    units: dict[str, str] = {}
    for qubit in qubits:
        for name, value in qubit["data"].items():
            values[name].append(value["value"])
            units[name] = value["unit"]
    return {name: {"count": len(found), "median": median(found), "unit": units[name]} for name, found in values.items()}
