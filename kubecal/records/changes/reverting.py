"""``revert``: what an execution published is taken back.

What was current before is current again: the newest version that is neither of that execution nor was taken back
itself. Versions that were taken back say so and stay, so that nobody's work is lost and nothing is taken back twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pymongo import UpdateMany, UpdateOne

from kubecal.api.actions import RevertExecution
from kubecal.records.changes.desk import BY_HAND, VALUE_FIELDS, Change, Desk, Impossible, Write, many, owner_of
from kubecal.records.documents import Document
from kubecal.records.publication import NOT_REVERTED

_Parameter = tuple[str, str]
"""A qubit or coupling, and the name of one of its parameters."""
_BATCH = 1_000
_FIELDS = dict.fromkeys(("entity_id", "qid", "parameter_name", "valid_from", "valid_until", "reverted_at"), 1)


async def revert_execution(desk: Desk, action: RevertExecution) -> Change:
    """Versions that others replaced meanwhile are left, and counted."""
    execution = action.execution_id
    mine = await _published_by(desk, execution)
    if not mine:
        raise Impossible(
            f"execution {execution} has published nothing of chip {desk.intent.chip.name!r}: correct revert.executionId"
        )
    current = {
        parameter: its[-1]
        for parameter, versions in mine.items()
        if (its := [one for one in versions if one["valid_until"] is None])
    }
    gone = sum(all("reverted_at" in one for one in versions) for versions in mine.values())
    replaced = len(mine) - len(current) - gone
    before = await _before(desk, execution, list(current))
    values: dict[str, dict[str, Document]] = {qid: {} for qid, _ in current}
    for (qid, name), earlier in before.items():
        values[qid][name] = {field: earlier[field] for field in (*VALUE_FIELDS, BY_HAND) if field in earlier}
    writes = [*_ended(desk, mine, current), *_valid_again(desk, [one["entity_id"] for one in before.values()])]
    there = await desk.current(values)
    for qid, restored in values.items():
        unknown = [name for of, name in current if of == qid and name not in restored]
        kept = {name: value for name, value in there.get(qid, {}).items() if name not in unknown}
        writes += [_state(desk, qid, restored, unknown), desk.day(qid, kept | restored)]
    return Change(_message(execution, len(current), replaced, gone), writes, values)


def _message(execution: str, taken: int, replaced: int, gone: int) -> str:
    what = many(taken, "parameter") if taken else "nothing"
    message = f"took back {what} that execution {execution} had published"
    if replaced:
        message += f"; {many(replaced, 'parameter')} left, which others have measured or set since"
    if gone:
        message += f"; {many(gone, 'parameter')} had been taken back before"
    return message


async def _published_by(desk: Desk, execution: str) -> dict[_Parameter, list[Document]]:
    """The execution's versions, by what they are of."""
    found: dict[_Parameter, list[Document]] = {}
    key = {**desk.place, "execution_id": execution}
    async for one in desk.database.parameter_versions.find(key, _FIELDS, session=desk.session):
        found.setdefault((one["qid"], one["parameter_name"]), []).append(one)
    return found


async def _before(desk: Desk, execution: str, parameters: Sequence[_Parameter]) -> Mapping[_Parameter, Document]:
    """What was current before the execution's versions, where anything was."""
    if not parameters:
        return {}
    pipeline: list[Document] = [
        {
            "$match": {
                **desk.place,
                "qid": {"$in": sorted({qid for qid, _ in parameters})},
                "parameter_name": {"$in": sorted({name for _, name in parameters})},
                "execution_id": {"$ne": execution},
                "reverted_at": None,
            }
        },
        {"$sort": {"version": -1}},
        {"$group": {"_id": {"qid": "$qid", "name": "$parameter_name"}, "newest": {"$first": "$$ROOT"}}},
    ]
    cursor = await desk.database.parameter_versions.aggregate(pipeline, session=desk.session)
    found = {(each["_id"]["qid"], each["_id"]["name"]): each["newest"] async for each in cursor}
    # Asked for was every name of every qubit, which is more than the execution published.
    return {parameter: found[parameter] for parameter in parameters if parameter in found}


def _ended(
    desk: Desk, mine: Mapping[_Parameter, Sequence[Document]], current: Mapping[_Parameter, Document]
) -> list[Write]:
    """End the current versions; all of the execution's, earlier ones too, are not to be current again."""
    by_end: dict[datetime, list[str]] = {}
    for version in current.values():
        by_end.setdefault(max(desk.clock, version["valid_from"]), []).append(version["entity_id"])
    taken_back = [one["entity_id"] for parameter in current for one in mine[parameter]]
    told = {"reverted_at": desk.now, "reverted_in": desk.intent.execution_id}
    ends = [write for end, ids in by_end.items() for write in _of_all(desk, ids, {"$set": {"valid_until": end}})]
    return ends + _of_all(desk, taken_back, {"$set": told})


def _valid_again(desk: Desk, entities: Sequence[str]) -> list[Write]:
    return _of_all(desk, entities, {"$set": {"valid_until": None}, "$unset": NOT_REVERTED})


def _of_all(desk: Desk, entities: Sequence[str], update: Document) -> list[Write]:
    """The same update of many versions."""
    namespace = desk.namespace("parameter_versions")
    batches = (entities[at : at + _BATCH] for at in range(0, len(entities), _BATCH))
    return [UpdateMany({"entity_id": {"$in": list(batch)}}, update, namespace=namespace) for batch in batches]


def _state(desk: Desk, qid: str, values: Mapping[str, Document], gone: Sequence[str]) -> UpdateOne:
    """The current values; a parameter that had none before is not known any more."""
    touched = {"username": desk.intent.spec.username, "system_info.updated_at": desk.now}
    update: Document = {"$set": {**touched, **{f"data.{name}": value for name, value in values.items()}}}
    if gone:
        update["$unset"] = {f"data.{name}": "" for name in gone}
    return UpdateOne({**desk.place, "qid": qid}, update, namespace=desk.namespace(owner_of(qid).collection))
