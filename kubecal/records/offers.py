"""What the records offer a task as inputs: how it is asked for in one round trip, and how the answer is read.

Offers are told by the id of what they belong to, since a coupling task reads parameters of both its qubits and of
the coupling, and a MUX or batch task those of each member.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import TaskRequest
from kubecal.engine.model import RowStatus
from kubecal.records.documents import Document, entity_id
from kubecal.records.results import InputOffers, Offer

_SESSION_ROWS = 200
"""Newest ok results of a session that are looked through for inputs, for each qubit or coupling."""
Stages = list[Mapping[str, Any]]
"""A pipeline; Any: its stages."""


def offers_pipeline(request: TaskRequest) -> Stages:
    """What to ask ``task_result_history`` for.

    The collection that grows stands first and the small ones are joined to it: any server finds the rows by their
    index, and not every server does so for a collection that is joined. Only a session that repeats an earlier
    execution joins rows.
    """
    ids = request.parameter_ids
    stages: Stages = [
        {
            "$match": {
                "session_uid": request.session_uid,
                "qid": among(ids),
                "status": RowStatus.COMPLETED.value,
            }
        },
        {"$sort": {"end_at": -1}},
        {"$limit": _SESSION_ROWS * len(ids)},
        {"$project": {"qid": 1, "output_parameters": 1, "output_parameter_names": 1, "end_at": 1}},
        _published("qubit", request, request.qubits),
    ]
    if request.kind is TargetKind.COUPLING:
        stages.append(_published("coupling", request, (request.target,)))
    if request.snapshot:
        stages.append(_repeated(request))
    return stages


def among(ids: Sequence[str]) -> str | Document:
    """A condition on an id; a single one as it is, which any server finds by an index."""
    return ids[0] if len(ids) == 1 else {"$in": list(ids)}


def _published(collection: str, request: TaskRequest, ids: Sequence[str]) -> Document:
    chip = request.chip
    key = {"project_id": chip.project_id, "chip_id": chip.chip_id, "qid": among(ids)}
    pipeline = [{"$match": key}, {"$project": {"qid": 1, "data": 1}}]
    return {"$unionWith": {"coll": collection, "pipeline": pipeline}}


def _repeated(request: TaskRequest) -> Document:
    key = {
        "project_id": request.chip.project_id,
        "execution_id": request.snapshot,
        "qid": among(request.parameter_ids),
    }
    fields = ("qid", "step", "name", "target", "ordinal", "start_at", "input_parameters")
    pipeline = [{"$match": key}, {"$project": dict.fromkeys(fields, 1)}]
    return {"$unionWith": {"coll": "task_result_history", "pipeline": pipeline}}


def offers_of(documents: Sequence[Document], request: TaskRequest) -> dict[str, InputOffers]:
    """The answer, by the ids of qubits and coupling."""
    published = {each["qid"]: each["data"] for each in documents if "data" in each}
    session = _newest_outputs(session_rows(documents), request)
    snapshot = _used_inputs([each for each in documents if "input_parameters" in each], request)
    return {
        one: InputOffers(
            snapshot=snapshot.get(one, {}),
            session=session.get(one, {}),
            published={name: _offer(value, one, request) for name, value in published.get(one, {}).items()},
        )
        for one in request.parameter_ids
    }


def session_rows(documents: Sequence[Document]) -> list[Document]:
    """The session's own ok results among what was answered, the newest first."""
    rows = [each for each in documents if "output_parameters" in each]
    return sorted(rows, key=lambda each: each["end_at"], reverse=True)


def _newest_outputs(rows: Sequence[Document], request: TaskRequest) -> dict[str, dict[str, Offer]]:
    found: dict[str, dict[str, Offer]] = {}
    for row in rows:
        known = found.setdefault(row["qid"], {})
        for name in row["output_parameter_names"]:
            known.setdefault(name, _offer(row["output_parameters"][name], row["qid"], request))
    return found


def _used_inputs(rows: Sequence[Document], request: TaskRequest) -> dict[str, dict[str, Offer]]:
    """What the same task used in the execution that is repeated; what it did not use, as it was used there last."""
    same = (request.step, request.task, request.target, request.ordinal)

    def preference(row: Document) -> tuple[bool, bool, float]:
        began = row["start_at"]
        is_same = (row["step"], row["name"], row["target"], row["ordinal"]) == same
        return is_same, began is not None, began.timestamp() if began else 0.0

    found: dict[str, dict[str, Offer]] = {}
    for row in sorted(rows, key=preference, reverse=True):
        for value in row["input_parameters"].values():
            known = found.setdefault(_whose(row["qid"], value.get("role", "")), {})
            known.setdefault(
                value["name"],
                Offer(value["name"], value["value"], value["error"], value["unit"], None, value["entity_id"]),
            )
    return found


def _whose(qid: str, role: str) -> str:
    """Whose parameter an input of a row is."""
    control, _, target = qid.partition("-")
    return {"control": control, "target": target}.get(role, qid)


def _offer(value: Document, qid: str, request: TaskRequest) -> Offer:
    name = value["parameter_name"]
    return Offer(
        name=name,
        value=value["value"],
        error=value["error"],
        unit=value["unit"],
        calibrated_at=value["calibrated_at"],
        entity_id=entity_id(name, request.chip.chip_id, qid, value["execution_id"], value["task_id"]),
        cooldown_id=value.get("cooldown_id", ""),
        by_hand=value.get("by_hand", False),
    )
