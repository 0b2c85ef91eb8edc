"""Every collection with its unique key and the indexes for what people ask.

The unique keys are part of the correctness: an execution id, a session's only execution and a value's only
version are kept single by the server, not by whoever writes.
"""

from __future__ import annotations

from collections.abc import Mapping

from pymongo import ASCENDING, DESCENDING, IndexModel


def _unique(*names: str) -> IndexModel:
    return IndexModel([(name, ASCENDING) for name in names], unique=True)


def _plain(*names: str) -> IndexModel:
    return IndexModel([(name.lstrip("-"), DESCENDING if name.startswith("-") else ASCENDING) for name in names])


HAS_RAW_DATA: Mapping[str, Mapping[str, object]] = {"raw_data_path": {"$gt": ""}, "session_uid": {"$exists": True}}
"""Rows of ours that have raw data; rows that came from elsewhere have no session, and paths of files elsewhere.
A query that repeats this condition can use the index whose filter it is."""

NEWEST_BY: tuple[tuple[str, ...], ...] = ((), ("chip_id",), ("name",), ("tags",))
"""Fields by which executions are looked for, beside their project."""

COLLECTIONS: Mapping[str, tuple[IndexModel, ...]] = {
    "execution_history": (
        _unique("project_id", "execution_id"),
        # Executions that came from elsewhere have no session.
        IndexModel(
            [("session_uid", ASCENDING)], unique=True, partialFilterExpression={"session_uid": {"$exists": True}}
        ),
        _plain("project_id", "chip_id", "-start_at"),
        _plain("driver_id", "status"),
        _plain("tags"),
        # The newest first: of a project, a chip, sessions of a name, with a tag.
        *(_plain("project_id", *by, "-system_info.created_at", "-execution_id") for by in NEWEST_BY),
        # Of whatever project: what a name means on this computer.
        _plain("name"),
        _plain("chip_id"),
    ),
    "task_result_history": (
        _plain("session_uid", "qid", "status"),
        _plain("attempt_id"),
        # Page by page, too: the last field makes the order whole.
        _plain("project_id", "execution_id", "qid", "_id"),
        _plain("project_id", "chip_id", "name", "qid", "-end_at"),
        _plain("project_id", "chip_id", "qid", "-start_at"),
        _plain("tags"),
        # What was analysed anew, and by which results.
        _plain("source_task_id"),
        # What may be pruned, oldest first: only rows that have raw data, so that a year of others is not passed over.
        IndexModel(
            [("raw_data_pruned_at", ASCENDING), ("end_at", ASCENDING), ("_id", ASCENDING)],
            partialFilterExpression=HAS_RAW_DATA,
        ),
        # Who else refers to a file.
        _plain("raw_data_path", "end_at"),
    ),
    "qubit": (_unique("project_id", "chip_id", "qid"),),
    "qubit_history": (_unique("project_id", "chip_id", "qid", "recorded_date"),),
    "coupling": (_unique("project_id", "chip_id", "qid"),),
    "coupling_history": (_unique("project_id", "chip_id", "qid", "recorded_date"),),
    # Its _id is the entity id.
    "parameter_history": (_plain("project_id", "chip_id", "qid", "parameter_name", "-calibrated_at"),),
    "parameter_versions": (
        _unique("entity_id"),
        _plain("project_id", "chip_id", "qid", "parameter_name", "-version"),
        # Which one is current; of the embedded server only an index with all that is asked for is of use.
        _plain("project_id", "chip_id", "qid", "parameter_name", "valid_until"),
        # Which ones were at a moment.
        _plain("project_id", "chip_id", "qid", "valid_until"),
        _plain("project_id", "execution_id"),
    ),
    "provenance_activities": (_unique("activity_id"), _plain("project_id", "execution_id"), _plain("used")),
    "chip": (_unique("project_id", "chip_id"),),
    "chip_history": (_unique("project_id", "chip_id", "recorded_date"),),
    "calibration_note": (_unique("project_id", "execution_id", "task_id", "chip_id"),),
    "execution_counter": (_unique("project_id", "date"),),
    "tag": (_unique("project_id", "name"),),
    "task": (_unique("project_id", "name", "catalogue_hash", "image"),),
    "backend": (_unique("project_id", "name"),),
    "fs.files": (_plain("filename", "uploadDate"),),
    "fs.chunks": (_unique("files_id", "n"),),
    "hardware_claims": (),
}
