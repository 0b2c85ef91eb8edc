"""How values become a chip's current ones other than by being measured just now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from kubecal.records.changes.desk import Desk, Origin, Values, Write, owner_of
from kubecal.records.documents import Document
from kubecal.records.publication import Owner


async def made_current(desk: Desk, published: Sequence[tuple[Origin, Values]]) -> list[Write]:
    """The writes that make values current: state, versions, history and day, and for each origin provenance and note.

    Parameters
    ----------
    published
        What comes from where. No parameter of a qubit or coupling comes from two rows.
    """
    qids = sorted({qid for _, values in published for qid in values})
    names = sorted({name for _, values in published for by_name in values.values() for name in by_name})
    data = {qid: dict(known) for qid, known in (await desk.current(qids)).items()}
    numbers = await _numbers(desk, qids, names)
    writes: list[Write] = []
    for origin, values in published:
        for qid, by_name in values.items():
            data.setdefault(qid, {}).update(by_name)
            writer = desk.writer(owner_of(qid, origin.row), origin)
            writes += [writer.state(by_name), *writer.versions(by_name, numbers[qid])]
        writes += _origin_writes(desk, origin, values)
    return writes + [desk.day(qid, data[qid]) for qid in qids]


def _origin_writes(desk: Desk, origin: Origin, values: Values) -> list[Write]:
    """What there is once a row, however many qubits and couplings its values belong to."""
    writers = {qid: desk.writer(owner_of(qid, origin.row), origin) for qid in values}
    generated = [writers[qid].entity(value) for qid, by_name in values.items() for value in by_name.values()]
    owner = owner_of(next(iter(values)), origin.row) if len(values) == 1 else Owner("", "", origin.row)
    writer = desk.writer(owner, origin)
    return [writer.activity(generated, origin.used, origin.started_at, origin.ended_at), writer.note(values)]


async def _numbers(desk: Desk, qids: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, int]]:
    """The highest number of a version of each parameter, by qubit or coupling; one that was taken back counts."""
    pipeline: list[Document] = [
        {"$match": {**desk.place, "qid": {"$in": list(qids)}, "parameter_name": {"$in": list(names)}}},
        {"$group": {"_id": {"qid": "$qid", "name": "$parameter_name"}, "version": {"$max": "$version"}}},
    ]
    found: dict[str, dict[str, int]] = defaultdict(dict)
    async for each in await desk.database.parameter_versions.aggregate(pipeline, session=desk.session):
        found[each["_id"]["qid"]][each["_id"]["name"]] = each["version"]
    return found
