"""Who answers: one protocol for the database itself and for ``kubecal-api``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from kubecal.reading.answers import Execution, ExecutionDetail, ParameterValue, Result, TaskState

DEFAULT_PROJECT = "default"
FigureForm = Literal["svg", "png", "json"]


class RecordsError(Exception):
    """The records could not be asked; the message says why, where, and what to do."""


class NotRecordedError(RecordsError):
    """They were asked, and have no such execution, result, chip or file; the message says what there is."""


class Records(Protocol):
    """Read-only questions about what was recorded. Every method raises :class:`RecordsError`."""

    async def executions(
        self,
        *,
        project: str = DEFAULT_PROJECT,
        chip: str = "",
        session: str = "",
        tag: str = "",
        before: datetime | None = None,
        limit: int = 50,
    ) -> Sequence[Execution]:
        """The newest executions first; of a chip, of sessions of a name, with a tag, created before a moment."""

    async def execution(self, execution_id: str, *, project: str = DEFAULT_PROJECT) -> ExecutionDetail:
        """One execution; raises NotRecordedError, with ids that are close."""

    async def tasks(self, execution_id: str, *, project: str = DEFAULT_PROJECT) -> Sequence[TaskState]:
        """Every attempt of an execution in brief, those planned and not begun included, in the plan's order."""

    async def results(self, execution_id: str, *, project: str = DEFAULT_PROJECT) -> Sequence[Result]:
        """Every attempt of an execution whole, in the order in which they ended; those that have not come last."""

    async def result(self, task_id: str) -> Result:
        """One attempt by its id, of whatever execution."""

    async def parameters(self, chip: str, *, project: str = DEFAULT_PROJECT) -> Sequence[ParameterValue]:
        """What is the chip's now, by qubit and coupling, then by name."""

    async def history(
        self, chip: str, target: str, name: str, *, project: str = DEFAULT_PROJECT, limit: int = 1_000
    ) -> Sequence[ParameterValue]:
        """Every value that was ever published of one parameter, the newest first."""

    async def parameters_at(
        self, chip: str, moment: datetime, *, project: str = DEFAULT_PROJECT
    ) -> Sequence[ParameterValue]:
        """What was the chip's at a moment."""

    async def file(self, file_id: str) -> bytes:
        """A figure or raw data; raises NotRecordedError, also of raw data that was pruned, saying when."""

    def figures(
        self, execution_id: str, *, project: str = DEFAULT_PROJECT, form: FigureForm = "svg"
    ) -> AsyncIterator[tuple[str, bytes]]:
        """All figures of an execution in one form, as file id and content: one request, however many."""

    async def chips(self, *, project: str = DEFAULT_PROJECT) -> Mapping[str, int]:
        """Names of chips that were ever used, with how many qubits they have."""
