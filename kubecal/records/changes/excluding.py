"""``exclude``: results are taken out of statistics and filters, or back in. They are never removed."""

from __future__ import annotations

from pymongo import UpdateOne

from kubecal.api.actions import ExcludeResults
from kubecal.records.changes.desk import Change, Desk, Impossible, many
from kubecal.records.documents import Document

_NAMED = 8
"""Unknown ids that a message names."""


async def exclude_results(desk: Desk, action: ExcludeResults) -> Change:
    """All of them or none: an id that is not known is a mistake, and nobody can tell of which."""
    ids = list(action.task_ids)
    key = {**desk.place, "_id": {"$in": ids}}
    rows = await desk.database.task_result_history.find(key, {"attempt_id": 1}, session=desk.session).to_list()
    strange = sorted(set(ids) - {row["_id"] for row in rows})
    if strange:
        more = f" and {len(strange) - _NAMED} more" if len(strange) > _NAMED else ""
        raise Impossible(
            f"chip {desk.intent.chip.name!r} has no result {', '.join(strange[:_NAMED])}{more}: correct exclude.taskIds"
        )
    fields = _counted(desk) if action.undo else _not_counted(desk, action.reason)
    namespace = desk.namespace("task_result_history")
    writes = [UpdateOne({**desk.place, "_id": identity}, {"$set": fields}, namespace=namespace) for identity in ids]
    done = "counted again" if action.undo else "taken out of statistics and filters"
    attempts = sorted({row["attempt_id"] for row in rows if "attempt_id" in row})
    return Change(f"{many(len(ids), 'result')} {done}", list(writes), attempts=attempts)


def _not_counted(desk: Desk, reason: str) -> Document:
    who = desk.intent.spec.username
    told = {"excluded_reason": reason, "excluded_by": who, "excluded_at": desk.now}
    return {"excluded": True, **told, "system_info.updated_at": desk.now}


def _counted(desk: Desk) -> Document:
    told = {"excluded_reason": "", "excluded_by": "", "excluded_at": None}
    return {"excluded": False, **told, "system_info.updated_at": desk.now}
