"""Answers as the records give them, each with what its test is about and the rest as usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from kubecal.reading.answers import Check, ExecutionDetail, InputValue, OutputValue, ParameterValue, Result
from kubecal.report.figures import Packed
from kubecal.report.material import Material

BEGAN = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
LATER = BEGAN + timedelta(hours=1)
SQUARE = {"squareLattice": {"rows": 2, "columns": 2, "muxSize": 4}}


def moment(seconds: float) -> datetime:
    """So long after the session began."""
    return BEGAN + timedelta(seconds=seconds)


def an_output(name: str = "t1", value: float = 20.0, error: float = 0.5, **more: Any) -> OutputValue:
    """One output; Any: its other fields."""
    return OutputValue(**{"name": name, "value": value, "error": error, "unit": "us", **more})


def a_result(task: str = "CheckT1", qid: str = "0", **more: Any) -> Result:
    """An attempt that ended well, ten seconds after the session began; Any: its other fields."""
    usual = {"step": "check", "ordinal": 0, "attempt": 1}
    step, ordinal, attempt = (more.get(name, value) for name, value in usual.items())
    fields = {
        "task_id": f"{step}/{task}/{qid}/{ordinal}/{attempt}",
        "execution_id": "20261125-000",
        "chip": "fridge-a",
        "step": step,
        "task": task,
        "target": qid or "chip",
        "qid": qid,
        "ordinal": ordinal,
        "attempt": attempt,
        "status": "completed",
        "verdict": "ok",
        "started_at": moment(10),
        "ended_at": moment(20),
        "wires": (("X", "qubit", qid), ("S", "mux", "0")) if qid.isdigit() else (),
    }
    return Result(**{**fields, **more})


def a_failure(task: str = "CheckRabi", qid: str = "0", **more: Any) -> Result:
    """An attempt that saw no signal; Any: its other fields."""
    seen = Check(name="signal", value=0.4, limit=5.0, ok=False, message="the points scatter as much as they vary")
    fields = {"status": "failed", "verdict": "no_signal", "message": "no oscillation is seen", "checks": (seen,)}
    return a_result(task, qid, **{**fields, **more})


def an_input(name: str = "qubit_frequency", value: float = 5.05, **more: Any) -> InputValue:
    """One input; Any: its other fields."""
    return InputValue(**{"name": name, "value": value, "error": 0.001, "unit": "GHz", "origin": "published", **more})


def a_known(name: str = "t1", target: str = "0", value: float = 19.0, **more: Any) -> ParameterValue:
    """A published value; Any: its other fields."""
    fields = {"target": target, "name": name, "value": value, "error": 0.4, "unit": "us", "measured_at": BEGAN}
    return ParameterValue(**{**fields, **more})


def an_execution(**more: Any) -> ExecutionDetail:
    """A completed session on four qubits; Any: its other fields."""
    fields: dict[str, Any] = {
        "execution_id": "20261125-000",
        "project_id": "default",
        "chip": "fridge-a",
        "session": "morning",
        "namespace": "",
        "session_uid": "6b2c",
        "flow_name": "morning",
        "username": "alice",
        "status": "completed",
        "phase": "Completed",
        "created_at": BEGAN,
        "started_at": BEGAN,
        "ended_at": moment(104),
        "chip_spec": {"topology": SQUARE, "backend": {"name": "fake"}},
        "session_spec": {"chip": "fridge-a", "targets": {"all": True}, "steps": []},
        "hardware_id": "lab/fridge-a",
        "time_zone": "UTC",
        "image": "",
        "catalogue_hash": "",
    }
    return ExecutionDetail(**{**fields, **more})


def material(
    results: Sequence[Result] = (),
    known: Sequence[ParameterValue] = (),
    figures: Mapping[str, Packed] | None = None,
    **execution: Any,
) -> Material:
    """What a report is made of; Any: fields of the execution."""
    return Material(an_execution(**execution), tuple(results), tuple(known), figures or {}, LATER)
