"""From documents to answers: what :mod:`kubecal.records` wrote, as people read it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from kubecal.reading.answers import (
    Check,
    Execution,
    ExecutionDetail,
    InputValue,
    OutputValue,
    ParameterValue,
    Result,
    Suggestion,
    TaskState,
)
from kubecal.records.documents import Document, unpack

BRIEF = dict.fromkeys(
    (
        *("step", "name", "target", "qid", "ordinal", "attempt"),
        *("status", "verdict", "message", "superseded", "start_at", "end_at"),
    ),
    1,
)
"""What of a row :func:`task_state` needs."""
WITHOUT_SPECS = {"chip_spec": 0, "note.spec": 0, "facts": 0, "images": 0}
"""What of an execution :func:`execution` does not need: all that is large."""


def execution(document: Document) -> Execution:
    """One execution in brief."""
    return Execution(**_execution_fields(document))


def execution_detail(document: Document) -> ExecutionDetail:
    """One execution with its copies of chip and session."""
    return ExecutionDetail(
        **_execution_fields(document),
        chip_spec=unpack(document["chip_spec"]),
        session_spec=unpack(document["note"]["spec"]),
        hardware_id=document["hardware_id"],
        time_zone=document["time_zone"],
        image=document["image"],
        catalogue_hash=document["catalogue_hash"],
    )


def _execution_fields(document: Document) -> Document:
    note = document["note"]
    return {
        "execution_id": document["execution_id"],
        "project_id": document["project_id"],
        "chip": document["chip_id"],
        "session": document["name"],
        "namespace": note["session"]["namespace"],
        "session_uid": document["session_uid"],
        "flow_name": document["flow_name"],
        "username": document["username"],
        "status": document["status"],
        "phase": document["phase"],
        "message": document["message"],
        "tags": tuple(document["tags"]),
        "note": note["text"],
        "counts": document["counts"],
        # Not of executions from before it was recorded.
        "cooldown_id": document.get("cooldown_id", ""),
        "created_at": document["system_info"]["created_at"],
        "started_at": document["start_at"],
        "ended_at": document["end_at"],
    }


def task_state(row: Document) -> TaskState:
    """One attempt in brief."""
    return TaskState(**_task_fields(row))


def _task_fields(row: Document) -> Document:
    return {
        "task_id": row["_id"],
        "step": row["step"],
        "task": row["name"],
        "target": row["target"],
        "qid": row["qid"],
        "ordinal": row["ordinal"],
        "attempt": row["attempt"],
        "status": row["status"],
        "verdict": row["verdict"] or "",
        "message": row["message"],
        "superseded": row["superseded"],
        "started_at": row["start_at"],
        "ended_at": row["end_at"],
    }


def result(row: Document) -> Result:
    """One attempt whole."""
    shifts = row.get("shift") or {}
    return Result(
        **_task_fields(row),
        execution_id=row["execution_id"],
        chip=row["chip_id"],
        inputs=tuple(InputValue(**each) for each in row["input_parameters"].values()),
        run_parameters=row["run_parameters"],
        adapted=row["adapted"],
        outputs=tuple(_output(each, shifts.get(name)) for name, each in row["output_parameters"].items()),
        metrics=row["quality_metrics"],
        checks=tuple(Check(**each) for each in row["checks"]),
        suggestion=Suggestion(**row["suggestion"]) if row["suggestion"] else None,
        moved=row.get("moved") or {},
        measured_at=row["measured_at"],
        wires=tuple((mode, kind, identity) for mode, kind, identity in row["wires"]),
        figure_ids=tuple(row["figure_path"]),
        json_figure_ids=tuple(row["json_figure_path"]),
        raw_data_ids=tuple(row["raw_data_path"]),
        source_task_id=row.get("source_task_id", ""),
        excluded=bool(row.get("excluded")),
        excluded_reason=row.get("excluded_reason", ""),
        stack_trace=row["stack_trace"],
        log_tail=row["log_tail"],
    )


def _output(value: Document, shift: Document | None) -> OutputValue:
    return OutputValue(
        name=value["parameter_name"],
        value=value["value"],
        error=value["error"],
        unit=value["unit"],
        description=value["description"],
        # What a change of records made current has no checks of its own.
        group=value.get("group", ""),
        accepted=value.get("accepted", True),
        **(shift or {}),
    )


def parameter_value(target: str, value: Document, entity_id: str, version: Mapping[str, object]) -> ParameterValue:
    """One value.

    Parameters
    ----------
    value
        A value document, as ``qubit.data`` and ``parameter_history`` hold it.
    version
        What ``parameter_versions`` says of it; empty where it has none.
    """
    return ParameterValue(
        target=target,
        name=value["parameter_name"],
        value=value["value"],
        error=value["error"],
        unit=value["unit"],
        description=value["description"],
        measured_at=value["calibrated_at"],
        cooldown_id=value.get("cooldown_id", ""),
        execution_id=value["execution_id"],
        task_id=value["task_id"],
        task=str(version.get("task_name", "")),
        by_hand=bool(value.get("by_hand")),
        entity_id=entity_id,
        reverted="reverted_at" in version,
    )
