"""What people ask of the records: the results of an execution, its figures, its raw data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubecal.records.documents import Document
from kubecal.records.files import MissingFileError, read_file
from kubecal.records.results import CheckRecord, InputRecord, OutputRecord, SuggestionRecord
from kubecal.records.store import RecordStore


@dataclass(frozen=True)
class ResultRow:
    """One attempt's result as a table or a report shows it."""

    task_id: str
    task: str
    target: str
    """What the task ran on; of a MUX or batch task all of them, whose results have rows of their own."""
    qid: str
    """The qubit or coupling that was judged; empty: the chip."""
    step: str
    ordinal: int
    attempt: int
    status: str
    superseded: bool
    verdict: str
    """Empty: it reached none."""
    message: str
    started_at: datetime | None
    ended_at: datetime | None
    measured_at: datetime | None
    inputs: tuple[InputRecord, ...]
    run_parameters: Document
    outputs: tuple[OutputRecord, ...]
    metrics: dict[str, float]
    checks: tuple[CheckRecord, ...]
    suggestion: SuggestionRecord | None
    moved: dict[str, float]
    """Outputs that are not any more what they were in the same cool-down, by how many sigmas."""
    figure_ids: tuple[str, ...]
    """File ids, SVG and PNG of each figure in turn."""
    json_figure_ids: tuple[str, ...]
    raw_data_ids: tuple[str, ...]
    stack_trace: str
    log_tail: str


class ResultReader:
    """Reads what was recorded."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store

    async def results(self, execution_id: str, project_id: str = "default") -> list[ResultRow]:
        """All attempts of an execution, in the order in which they ended; those that have not come last."""
        key = {"project_id": project_id, "execution_id": execution_id}
        async with self._store.connected() as database:
            documents = await database.task_result_history.find(key).to_list()
        rows = [_result_row(document) for document in documents]
        return sorted(rows, key=lambda row: (row.ended_at is None, str(row.ended_at), row.task, row.qid, row.attempt))

    async def parameters(self, chip_id: str, project_id: str = "default") -> dict[str, Document]:
        """The chip's current value documents, by qubit or coupling and parameter."""
        place = {"project_id": project_id, "chip_id": chip_id}
        async with self._store.connected() as database:
            found = [*await database.qubit.find(place).to_list(), *await database.coupling.find(place).to_list()]
        return {each["qid"]: each["data"] for each in found}

    async def file(self, file_id: str) -> bytes:
        """The content of a figure or of raw data.

        Raises
        ------
        MissingFileError
            If it was never stored, or is raw data that was pruned; the message says which.
        """
        try:
            return await read_file(self._store, file_id)
        except MissingFileError:
            row = await self._row_with_raw_data(file_id)
            if row is None:
                raise
            raise MissingFileError(_pruned(file_id, row)) from None

    async def _row_with_raw_data(self, file_id: str) -> Document | None:
        """The newest row that refers to it: rows come after their files, so a file it lacks was there once."""
        async with self._store.connected() as database:
            return await database.task_result_history.find_one({"raw_data_path": file_id}, sort=[("end_at", -1)])


def file_name(file_id: str) -> str:
    """The name under which a file was stored, from its id."""
    return file_id.split("-", 1)[1]


def _pruned(file_id: str, row: Document) -> str:
    when = f" on {row['raw_data_pruned_at']:%Y-%m-%d}" if row.get("raw_data_pruned_at") else ""
    what = f"{row['name']} on {row['target']} in execution {row['execution_id']}"
    return (
        f"raw data {file_name(file_id)} of {what} was pruned{when}: results and figures are kept, raw data for as "
        "many days as the chart's records.rawRetentionDays says"
    )


def _result_row(row: dict[str, Any]) -> ResultRow:  # Any: a document
    suggestion = row["suggestion"]
    return ResultRow(
        task_id=row["_id"],
        task=row["name"],
        target=row["target"],
        qid=row["qid"],
        step=row["step"],
        ordinal=row["ordinal"],
        attempt=row["attempt"],
        status=row["status"],
        superseded=row["superseded"],
        verdict=row["verdict"] or "",
        message=row["message"],
        started_at=row["start_at"],
        ended_at=row["end_at"],
        measured_at=row["measured_at"],
        inputs=input_records(row),
        run_parameters=row["run_parameters"],
        outputs=tuple(_output(each) for each in row["output_parameters"].values()),
        metrics=row["quality_metrics"],
        checks=tuple(CheckRecord(**each) for each in row["checks"]),
        suggestion=SuggestionRecord(**suggestion) if suggestion else None,
        moved=row.get("moved") or {},
        figure_ids=tuple(row["figure_path"]),
        json_figure_ids=tuple(row["json_figure_path"]),
        raw_data_ids=tuple(row["raw_data_path"]),
        stack_trace=row["stack_trace"],
        log_tail=row["log_tail"],
    )


def input_records(row: Document) -> tuple[InputRecord, ...]:
    """The inputs that a row says were used."""
    return tuple(_input(each) for each in row["input_parameters"].values())


def _input(value: Document) -> InputRecord:
    return InputRecord(**{name: each for name, each in value.items() if name != "value_type"})


def _output(value: Document) -> OutputRecord:
    return OutputRecord(
        name=value["parameter_name"],
        value=value["value"],
        error=value["error"],
        unit=value["unit"],
        description=value["description"],
        group=value["group"],
        accepted=value["accepted"],
    )
