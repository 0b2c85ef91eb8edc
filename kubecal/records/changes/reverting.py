"""``revert``: what an execution published is taken back.

What was current before is current again: the newest version that is neither of that execution nor was taken back
itself. Versions that were taken back say so and stay, so that nobody's work is lost and nothing is taken back twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pymongo import UpdateMany, UpdateOne

from kubecal.api.actions import RevertExecution
from kubecal.records.changes.becoming_current import valid_again
from kubecal.records.changes.desk import VALUE_FIELDS, Change, Desk, Impossible, Write, many, owner_of
from kubecal.records.documents import Document

_Parameter = tuple[str, str]
"""A qubit or coupling, and the name of one of its parameters."""
_FIELDS = dict.fromkeys(("qid", "parameter_name", "valid_from", "valid_until", "reverted_at"), 1)


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
    data = {qid: dict(known) for qid, known in (await desk.current({qid for qid, _ in current})).items()}
    change = Change(_message(execution, len(current), replaced, gone))
    values: dict[str, dict[str, Document]] = {}
    for (qid, name), version in current.items():
        data.setdefault(qid, {}).pop(name, None)
        change.writes += _taken_back(desk, execution, (qid, name), version)
        if (earlier := before.get((qid, name))) is not None:
            value = {field: earlier[field] for field in VALUE_FIELDS}
            data[qid][name] = values.setdefault(qid, {})[name] = value
            change.writes.append(valid_again(desk, earlier["entity_id"]))
        change.writes.append(_state(desk, qid, name, values.get(qid, {}).get(name)))
    change.writes += [desk.day(qid, its) for qid, its in data.items()]
    change.values = values
    return change


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
    return {(each["_id"]["qid"], each["_id"]["name"]): each["newest"] async for each in cursor}


def _taken_back(desk: Desk, execution: str, parameter: _Parameter, version: Document) -> list[Write]:
    """End the current version; all of the execution's, earlier ones too, are not to be current again."""
    versions = desk.namespace("parameter_versions")
    qid, name = parameter
    its = {**desk.place, "qid": qid, "parameter_name": name, "execution_id": execution}
    until = max(desk.clock, version["valid_from"])
    return [
        UpdateOne({"_id": version["_id"]}, {"$set": {"valid_until": until}}, namespace=versions),
        UpdateMany(
            its, {"$set": {"reverted_at": desk.now, "reverted_in": desk.intent.execution_id}}, namespace=versions
        ),
    ]


def _state(desk: Desk, qid: str, name: str, value: Document | None) -> UpdateOne:
    """The current value; where there was none before, the parameter is not known any more."""
    touched = {"username": desk.intent.spec.username, "system_info.updated_at": desk.now}
    field = f"data.{name}"
    update: Document = {"$set": {**touched, field: value}}
    if value is None:
        update = {"$set": touched, "$unset": {field: ""}}
    return UpdateOne({**desk.place, "qid": qid}, update, namespace=desk.namespace(owner_of(qid).collection))
