"""What a result makes of its row: pure, so that a repeat writes the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from math import isfinite

from kubecal.api.request import TaskRequest, Verdict
from kubecal.engine.model import RowStatus, Trouble
from kubecal.records.documents import Document, elapsed_s
from kubecal.records.publication import Owner, value_document
from kubecal.records.results import (
    MAX_LOG_TAIL,
    MAX_STACK_TRACE,
    AttemptResult,
    CrashReport,
    FileContent,
    InputRecord,
    OutputRecord,
)

_MAX_MESSAGE = 4_000


def ended_row(request: TaskRequest, owner: Owner, result: AttemptResult, upstream_id: str) -> Document:
    """The row's fields that a result sets.

    Parameters
    ----------
    owner
        Whose values the result's are.
    upstream_id
        The row whose results this attempt built on.
    """
    measured_at = milliseconds(result.measured_at)
    figures = result.figures
    return {
        "status": (RowStatus.COMPLETED if result.ok else RowStatus.FAILED).value,
        "trouble": None if result.ok else Trouble.VERDICT.value,
        "message": result.message[:_MAX_MESSAGE],
        "verdict": result.verdict.value,
        "checksum": checksum(result),
        "interrupted_at": None,
        "start_at": result.started_at,
        "end_at": result.ended_at,
        "elapsed_time": elapsed_s(result.started_at, result.ended_at),
        "measured_at": measured_at,
        # That of the data: what is analysed anew may come from an earlier one than the session's.
        "cooldown_id": request.chip.cooldown,
        "upstream_id": upstream_id,
        "stack_trace": result.stack_trace[-MAX_STACK_TRACE:],
        "log_tail": result.log_tail[-MAX_LOG_TAIL:],
        "input_parameters": inputs_document(result.inputs),
        "run_parameters": dict(result.run_parameters),
        "output_parameters": {each.name: _output(each, request, owner, measured_at) for each in result.outputs},
        "output_parameter_names": [output.name for output in result.outputs if output.accepted],
        "quality_metrics": dict(result.metrics),
        "numbers": _numbers(result),
        "checks": [asdict(check) for check in result.checks],
        "moved": dict(result.moved),
        "shift": {name: asdict(shift) for name, shift in result.shift.items()},
        "disputed": _disputed(result, measured_at),
        "suggestion": _suggestion_document(result),
        "figure_path": [file.file_id for figure in figures for file in (figure.svg, figure.png)],
        "json_figure_path": [figure.json.file_id for figure in figures],
        "raw_data_path": [file.file_id for file in result.raw_data],
    }


JUDGED = frozenset({"status", "trouble", "message", "checksum", "interrupted_at"})
"""What a late result leaves as it was when the attempt was given up."""


def crashed_row(report: CrashReport, judged: str) -> Document:
    """The row's fields that an end without a verdict sets."""
    return {
        "stack_trace": report.stack_trace[-MAX_STACK_TRACE:],
        "log_tail": report.log_tail[-MAX_LOG_TAIL:],
        "message": f"{report.reason}: {report.message}"[:_MAX_MESSAGE],
        "input_parameters": inputs_document(report.inputs.get(judged, ())),
        "run_parameters": dict(report.run_parameters),
        "raw_data_path": [file.file_id for file in report.raw_data],
    }


def inputs_document(inputs: Sequence[InputRecord]) -> Document:
    """``input_parameters`` of a row."""
    return {each.key: {**asdict(each), "value_type": "float"} for each in inputs}


def inputs_of(row: Document) -> tuple[InputRecord, ...]:
    """The inputs that a row says were used."""
    used = row["input_parameters"].values()
    return tuple(InputRecord(**{name: one for name, one in each.items() if name != "value_type"}) for each in used)


def _output(output: OutputRecord, request: TaskRequest, owner: Owner, measured_at: datetime) -> Document:
    value = value_document(output, request, owner, measured_at)
    return {**value, "accepted": output.accepted, "group": output.group}


def files_of(results: Iterable[AttemptResult]) -> list[FileContent]:
    """The files of several results; those that they share only once."""
    return list({file.file_id: file for result in results for file in _files(result)}.values())


def attempt_checksum(results: Mapping[str, AttemptResult]) -> str:
    """What the receipt says was stored: the checksum of the only row, or one over those of several.

    Each row repeats the checksum of its own result, so that of several rows can be computed again from them.
    """
    rows = [checksum(result) for _, result in sorted(results.items())]
    return rows[0] if len(rows) == 1 else hashlib.sha256("".join(rows).encode()).hexdigest()


def checksum(result: AttemptResult) -> str:
    """SHA-256 of what is stored of a result, 64 hexadecimal digits."""
    fileless = replace(result, figures=(), raw_data=(), log_tail="")
    text = json.dumps(
        [asdict(fileless), [file.file_id for file in _files(result)]],
        sort_keys=True,
        default=_plain,
        separators=(",", ":"),
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return milliseconds(value).astimezone(UTC).isoformat()
    raise TypeError(f"a result holds numbers, texts and times, not {type(value).__name__}: {value!r}")


def milliseconds(moment: datetime) -> datetime:
    """A time as BSON keeps it, so that comparing with what was stored compares equals."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _files(result: AttemptResult) -> list[FileContent]:
    drawn = [file for figure in result.figures for file in (figure.svg, figure.png, figure.json)]
    return [*drawn, *result.raw_data]


def _numbers(result: AttemptResult) -> dict[str, float]:
    """What filters ask for, without the rest of a document: accepted values, and quality metrics."""
    values = {output.name: float(output.value) for output in result.outputs if output.accepted}
    return {name: value for name, value in {**result.metrics, **values}.items() if isfinite(value)}


def _disputed(result: AttemptResult, measured_at: datetime) -> Document | None:
    """What the next attempt has to agree with; nothing where another verdict has something else measured again."""
    if result.verdict is not Verdict.INCONSISTENT:
        return None
    values = {each.name: [each.value, each.error] for each in result.outputs if each.name in result.disputed}
    return {"measured_at": measured_at, "values": values}


def _suggestion_document(result: AttemptResult) -> Document | None:
    if result.suggestion is None:
        return None
    return {"parameters": dict(result.suggestion.parameters), "reason": result.suggestion.reason}
