"""The records of a cluster, as ``kubecal-api`` tells them: no client ever holds the database's address."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from kubecal.cluster.api import Refusal
from kubecal.cluster.services import Service
from kubecal.lab.lab import LabError
from kubecal.reading.answers import Answer, Execution, ExecutionDetail, ParameterValue, Result, TaskState
from kubecal.reading.order import by_end, by_target, in_plan_order
from kubecal.reading.pages import Page, gathered
from kubecal.reading.records import DEFAULT_PROJECT, FigureForm, NotRecordedError, RecordsError
from kubecal.reading.wire import files_of, parsed

A = TypeVar("A", bound=Answer)
_MAX_EXECUTIONS, _MAX_HISTORY = 500, 10_000
"""Most that one answer of the service holds."""


class ApiRecords:
    """:class:`kubecal.reading.records.Records` over HTTP."""

    def __init__(self, service: Service) -> None:
        self._service = service

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
        """The newest executions first."""
        found: list[Execution] = []
        while len(found) < limit:
            # As many as one answer holds at most, until there are enough.
            size = min(limit - len(found), _MAX_EXECUTIONS)
            asked = {"chip": chip, "session": session, "tag": tag, "limit": str(size), "before": _text(before)}
            page = await self._page(Execution, _path("executions"), project=project, **asked)
            found += page.items
            if len(page.items) < size:
                break
            before = page.items[-1].created_at
        return found

    async def execution(self, execution_id: str, *, project: str = DEFAULT_PROJECT) -> ExecutionDetail:
        """One execution."""
        return await self._one(ExecutionDetail, _path("executions", execution_id), project=project)

    async def tasks(self, execution_id: str, *, project: str = DEFAULT_PROJECT) -> Sequence[TaskState]:
        """Every attempt of an execution in brief, in the plan's order."""
        spec = (await self.execution(execution_id, project=project)).session_spec
        found = await gathered(lambda after: self.task_page(execution_id, project, after))
        return in_plan_order(found, spec)

    async def results(self, execution_id: str, *, project: str = DEFAULT_PROJECT) -> Sequence[Result]:
        """Every attempt of an execution whole, in the order in which they ended."""
        return by_end(await gathered(lambda after: self.result_page(execution_id, project, after)))

    async def result(self, task_id: str) -> Result:
        """One attempt by its id."""
        return await self._one(Result, _path("results", task_id))

    async def parameters(self, chip: str, *, project: str = DEFAULT_PROJECT) -> Sequence[ParameterValue]:
        """What is the chip's now."""
        return by_target(await gathered(lambda after: self.parameter_page(chip, project, after, None)))

    async def history(
        self, chip: str, target: str, name: str, *, project: str = DEFAULT_PROJECT, limit: int = 1_000
    ) -> Sequence[ParameterValue]:
        """Every value of one parameter, the newest first."""
        path = _path("chips", chip, "parameters", target, name)
        size = str(min(limit, _MAX_HISTORY))
        return (await self._page(ParameterValue, path, project=project, limit=size)).items

    async def parameters_at(
        self, chip: str, moment: datetime, *, project: str = DEFAULT_PROJECT
    ) -> Sequence[ParameterValue]:
        """What was the chip's at a moment."""
        return by_target(await gathered(lambda after: self.parameter_page(chip, project, after, moment)))

    async def file(self, file_id: str) -> bytes:
        """A figure or raw data."""
        with _said():
            return await self._service.get(_path("files", file_id))

    async def figures(
        self, execution_id: str, *, project: str = DEFAULT_PROJECT, form: FigureForm = "svg"
    ) -> AsyncIterator[tuple[str, bytes]]:
        """All figures of an execution in one form: one request."""
        path = _path("executions", execution_id, "figures")
        with _said():
            async with self._service.stream(path, project=project, form=form) as stream:
                async for found in files_of(stream):
                    yield found

    async def chips(self, *, project: str = DEFAULT_PROJECT) -> Mapping[str, int]:
        """Names of chips that were ever used, with how many qubits they have."""
        with _said():
            told = json.loads(await self._service.get("v1/chips", project=project))
            return {chip["name"]: chip["qubits"] for chip in told["items"]}

    # ---------------------------------------------------------------- pages

    async def task_page(self, execution_id: str, project: str, after: str) -> Page[TaskState]:
        """Attempts in brief, one page."""
        return await self._page(TaskState, _path("executions", execution_id, "tasks"), project=project, after=after)

    async def result_page(self, execution_id: str, project: str, after: str) -> Page[Result]:
        """Attempts whole, one page."""
        return await self._page(Result, _path("executions", execution_id, "results"), project=project, after=after)

    async def parameter_page(
        self, chip: str, project: str, after: str, moment: datetime | None
    ) -> Page[ParameterValue]:
        """Values, one page."""
        path = _path("chips", chip, "parameters")
        return await self._page(ParameterValue, path, project=project, after=after, at=_text(moment))

    async def _page(self, kind: type[A], path: str, **query: str) -> Page[A]:
        with _said():
            return parsed(kind, await self._service.get(path, **_given(query)))

    async def _one(self, kind: type[A], path: str, **query: str) -> A:
        with _said():
            return kind.model_validate_json(await self._service.get(path, **_given(query)))


def _path(*parts: str) -> str:
    return "/".join(("v1", *(quote(part, "") for part in parts)))


def _given(query: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if value}


def _text(moment: datetime | None) -> str:
    return moment.isoformat() if moment is not None else ""


@contextlib.contextmanager
def _said() -> Iterator[None]:
    """What goes wrong is an error of the records, in the service's own words."""
    try:
        yield
    except Refusal as refusal:
        missing = refusal.status == 404
        raise (NotRecordedError if missing else RecordsError)(refusal.message) from refusal
    except (ValidationError, ValueError, KeyError) as error:
        raise RecordsError("the answer of kubecal-api is not understood: use its version of kubecal") from error
    except asyncio.IncompleteReadError as error:
        raise RecordsError("an answer of kubecal-api was cut off: ask again") from error
    except LabError as error:
        raise RecordsError(str(error)) from error
