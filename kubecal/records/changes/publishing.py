"""``publish``: accepted results of an execution that were not published when they were measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from kubecal.api.actions import PublishResults
from kubecal.engine.model import RowStatus
from kubecal.records.changes.becoming_current import made_current
from kubecal.records.changes.desk import MAX_VALUES, VALUE_FIELDS, Change, Desk, Impossible, Origin, Values, count, many
from kubecal.records.documents import Document
from kubecal.records.publication import calibrated_at

_ROW_FIELDS = (
    *("name", "qid", "execution_id", "start_at", "end_at", "measured_at", "excluded"),
    *("input_parameters", "output_parameters"),
)
_Group = tuple[Document, Mapping[str, Document]]
"""A row, and values of it that belong together."""


async def publish_results(desk: Desk, action: PublishResults) -> Change:
    """As their own tasks would have published them: with their time, their row, their execution."""
    chosen = newest_accepted(await _results(desk, action), action.parameters)
    if not chosen:
        wanted = " that were asked for" if action.targets or action.parameters else ""
        raise Impossible(
            f"execution {action.execution_id} has no accepted results of chip {desk.intent.chip.name!r}{wanted}: "
            "correct publish"
        )
    current = await desk.current({row["qid"] for row, _ in chosen})
    newer = [group for group in chosen if _is_newer(group, current)]
    older = sum(len(values) for _, values in chosen) - sum(len(values) for _, values in newer)
    published = _by_row(newer)
    values = _by_qid(published)
    if count(values) > MAX_VALUES:
        raise Impossible(
            f"execution {action.execution_id} has {count(values)} results to publish, more than {MAX_VALUES}: choose "
            "some at a time with publish.targets or publish.parameters"
        )
    what = f"{many(count(values), 'parameter')} of {many(len(values), 'target')}" if values else "nothing"
    message = f"published {what} of execution {action.execution_id}"
    if older:
        message += f"; {many(older, 'result')} left aside, because what is current is newer"
    return Change(message, await made_current(desk, published), values)


async def _results(desk: Desk, action: PublishResults) -> list[Document]:
    """The execution's rows with results that count, the newest first."""
    execution = {**desk.place, "execution_id": action.execution_id}
    if await desk.database.execution_history.find_one(execution, {"_id": 1}, session=desk.session) is None:
        raise Impossible(
            f"chip {desk.intent.chip.name!r} has no execution {action.execution_id}: correct publish.executionId"
        )
    # Rows that came from elsewhere have no attempt: what they say of values was never judged.
    key: Document = {**execution, "status": RowStatus.COMPLETED.value, "attempt_id": {"$exists": True}}
    key["qid"] = {"$in": list(action.targets)} if action.targets else {"$ne": ""}
    rows = await desk.database.task_result_history.find(
        key, dict.fromkeys(_ROW_FIELDS, 1), session=desk.session
    ).to_list()
    counted = [row for row in rows if not row.get("excluded")]
    return sorted(counted, key=lambda row: (row["measured_at"], row["end_at"], row["_id"]), reverse=True)


def newest_accepted(rows: Sequence[Document], parameters: Sequence[str]) -> list[_Group]:
    """The newest accepted value of each parameter, where what belongs to one group is newest as a whole.

    Parameters
    ----------
    rows
        The newest first.
    parameters
        Only groups with one of these; empty: all.
    """
    taken: dict[str, set[str]] = defaultdict(set)
    chosen: list[_Group] = []
    for row in rows:
        for values in _groups(row):
            wanted = not parameters or not values.keys().isdisjoint(parameters)
            accepted = all(value["accepted"] for value in values.values())
            if wanted and accepted and taken[row["qid"]].isdisjoint(values):
                taken[row["qid"]] |= values.keys()
                chosen.append((row, values))
    return chosen


def _groups(row: Document) -> Iterator[dict[str, Document]]:
    groups: dict[str, dict[str, Document]] = defaultdict(dict)
    for name, value in row["output_parameters"].items():
        groups[value["group"] or f"\x1f{name}"][name] = value
    yield from groups.values()


def _is_newer(group: _Group, current: Mapping[str, Mapping[str, Document]]) -> bool:
    """Whether no member of the group is newer where it is to go."""
    row, values = group
    there = current.get(row["qid"], {})
    return all(calibrated_at(there.get(name)) <= value["calibrated_at"] for name, value in values.items())


def _by_row(groups: Sequence[_Group]) -> list[tuple[Origin, Values]]:
    values: dict[str, dict[str, Document]] = defaultdict(dict)
    for row, its in groups:
        values[row["_id"]] |= {name: {field: value[field] for field in VALUE_FIELDS} for name, value in its.items()}
    rows = {row["_id"]: row for row, _ in groups}
    return [(_origin(rows[identity]), {rows[identity]["qid"]: its}) for identity, its in values.items()]


def _origin(row: Document) -> Origin:
    used = sorted(each["entity_id"] for each in row["input_parameters"].values() if each["entity_id"])
    return Origin(row["execution_id"], row["name"], row["_id"], row["start_at"], row["end_at"], tuple(used))


def _by_qid(published: Sequence[tuple[Origin, Values]]) -> Values:
    found: dict[str, dict[str, Document]] = defaultdict(dict)
    for _, values in published:
        for qid, by_name in values.items():
            found[qid] |= by_name
    return found
