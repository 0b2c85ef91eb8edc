"""What ``kubecal-api`` answers: GET and HEAD, JSON, lists as ``{"items": [...], "next": MARK}``.

Long lists come page by page, and in no order: ``after=MARK`` asks for the next one. Every question takes ``project``.

| path | also takes |
| --- | --- |
| /v1/chips | |
| /v1/chips/CHIP/parameters | at, after |
| /v1/chips/CHIP/parameters/TARGET/NAME | limit |
| /v1/executions | chip, session, tag, before, limit |
| /v1/executions/ID | |
| /v1/executions/ID/tasks, .../results | after |
| /v1/executions/ID/figures | form |
| /v1/results/ID, /v1/files/ID | |
"""

from __future__ import annotations

import json

from aiohttp import web

from kubecal.reading.stored import MAX_EXECUTIONS, MAX_HISTORY, StoredRecords
from kubecal.reading.wire import written
from kubecal_api.files import Files
from kubecal_api.questions import Question
from kubecal_api.refusals import Handler, Turns, in_words


def application(records: StoredRecords) -> web.Application:
    """The service over these records."""
    service, files, turns = _Service(records), Files(records), Turns()
    routes: dict[str, Handler] = {
        "/v1/chips": service.chips,
        "/v1/chips/{chip}/parameters": service.parameters,
        "/v1/chips/{chip}/parameters/{target}/{name}": service.history,
        "/v1/executions": service.executions,
        "/v1/executions/{execution}": service.execution,
        "/v1/executions/{execution}/tasks": service.tasks,
        "/v1/executions/{execution}/results": service.results,
        "/v1/executions/{execution}/figures": files.of_execution,
        "/v1/results/{task}": service.result,
        "/v1/files/{file}": files.one,
    }
    made = web.Application(middlewares=[in_words])
    made.add_routes([web.get(path, turns.of(handler)) for path, handler in routes.items()])
    # Ready also while the database is away: else all that people learn is that there is nobody to ask.
    made.add_routes([web.get("/livez", _alive), web.get("/readyz", _alive)])
    return made


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="ok")


class _Service:
    """The questions that are answered with JSON, one a method."""

    def __init__(self, records: StoredRecords) -> None:
        self._records = records

    async def chips(self, request: web.Request) -> web.Response:
        found = await self._records.chips(project=Question(request).project)
        items = [{"name": name, "qubits": size} for name, size in found.items()]
        return _json(json.dumps({"items": items, "next": ""}))

    async def parameters(self, request: web.Request) -> web.Response:
        question = Question(request, "at", "after")
        chip, moment = request.match_info["chip"], question.moment("at")
        page = await self._records.parameter_page(chip, question.project, question.text("after"), moment)
        return _json(written(page.items, page.next))

    async def history(self, request: web.Request) -> web.Response:
        question, asked = Question(request, "limit"), request.match_info
        limit = question.number("limit", 1_000, MAX_HISTORY)
        found = await self._records.history(
            asked["chip"], asked["target"], asked["name"], project=question.project, limit=limit
        )
        return _json(written(found))

    async def executions(self, request: web.Request) -> web.Response:
        question = Question(request, "chip", "session", "tag", "before", "limit")
        found = await self._records.executions(
            project=question.project,
            chip=question.text("chip"),
            session=question.text("session"),
            tag=question.text("tag"),
            before=question.moment("before"),
            limit=question.number("limit", 50, MAX_EXECUTIONS),
        )
        return _json(written(found))

    async def execution(self, request: web.Request) -> web.Response:
        project = Question(request).project
        found = await self._records.execution(request.match_info["execution"], project=project)
        return _json(found.model_dump_json(by_alias=True))

    async def tasks(self, request: web.Request) -> web.Response:
        question = Question(request, "after")
        execution, after = request.match_info["execution"], question.text("after")
        page = await self._records.task_page(execution, question.project, after)
        return _json(written(page.items, page.next))

    async def results(self, request: web.Request) -> web.Response:
        question = Question(request, "after")
        execution, after = request.match_info["execution"], question.text("after")
        page = await self._records.result_page(execution, question.project, after)
        return _json(written(page.items, page.next))

    async def result(self, request: web.Request) -> web.Response:
        Question(request)
        found = await self._records.result(request.match_info["task"])
        return _json(found.model_dump_json(by_alias=True))


def _json(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/json")
