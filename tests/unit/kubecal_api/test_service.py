"""The service over real HTTP and a real database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, web

from kubecal.reading import stored
from kubecal.reading.answers import Execution, ExecutionDetail, ParameterValue, Result, TaskState
from kubecal.reading.records import RecordsError
from kubecal.reading.stored import StoredRecords
from kubecal.reading.wire import FILES_TYPE, files_of, parsed
from kubecal.records.store import RecordStore
from kubecal_api import refusals
from kubecal_api.service import application
from tests.unit.kubecal.records.builders import NOON, Lab, admitted, figure, output, planned, result

LATER = NOON + timedelta(hours=1)


class Asking:
    """A running service, and who asks it."""

    def __init__(self, session: ClientSession, records: StoredRecords) -> None:
        self._session = session
        self.records = records

    async def __call__(self, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
        async with self._session.request(method, path, headers=headers) as response:
            return response.status, await response.read(), response.headers

    async def says(self, path: str) -> bytes:
        status, body, _ = await self(path)
        assert status == 200, body
        return body

    async def refuses(self, path: str, method: str = "GET") -> tuple[int, str]:
        status, body, _ = await self(path, method)
        told = json.loads(body)
        assert (told["kind"], told["code"]) == ("Status", status), "as the API server says it"
        return status, told["message"]

    async def files(self, path: str) -> dict[str, bytes]:
        async with self._session.get(path) as response:
            assert response.content_type == FILES_TYPE
            return {name: content async for name, content in files_of(response.content)}


@pytest.fixture
async def asking(store: RecordStore) -> AsyncIterator[Asking]:
    """The service over a fresh database."""
    async with serving(StoredRecords(store)) as asking:
        yield asking


class serving:  # noqa: N801 - reads as what it is: async with serving(records)
    """The service over these records, at a free port."""

    def __init__(self, records: StoredRecords) -> None:
        self._records = records
        self._runner = web.AppRunner(application(records), access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> Asking:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0]
        self._session = ClientSession(f"http://{host}:{port}")
        return Asking(self._session, self._records)

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        await self._runner.cleanup()


async def measured(store: RecordStore, *targets: str, drawn: bool = True) -> Lab:
    """A session that measured t1 of these qubits, with a figure each."""
    tasks = [planned("CheckT1", target) for target in targets or ("0",)]
    lab = await admitted(store, *tasks)
    for task in tasks:
        await lab.attempt(task).claim(NOON)
        outcome = replace(result(output()), figures=(figure(task.key.target),) if drawn else ())
        await lab.attempt(task).ends_with(outcome)
    return lab


# ---------------------------------------------------------------- answers


async def test_what_it_says_is_what_the_records_say(asking: Asking, store: RecordStore) -> None:
    lab = await measured(store, "0", "1")
    records, execution = asking.records, lab.execution_id

    assert parsed(Execution, await asking.says("/v1/executions")).items == tuple(await records.executions())
    detail = ExecutionDetail.model_validate_json(await asking.says(f"/v1/executions/{execution}"))
    assert detail == await records.execution(execution)
    tasks = parsed(TaskState, await asking.says(f"/v1/executions/{execution}/tasks"))
    assert set(tasks.items) == set(await records.tasks(execution))
    assert not tasks.next
    results = parsed(Result, await asking.says(f"/v1/executions/{execution}/results")).items
    assert list(results) == sorted(await records.results(execution), key=lambda row: row.qid)
    assert Result.model_validate_json(await asking.says(f"/v1/results/{results[0].task_id}")) == results[0]
    values = parsed(ParameterValue, await asking.says("/v1/chips/fridge-a/parameters")).items
    assert list(values) == await records.parameters("fridge-a")
    assert not parsed(ParameterValue, await asking.says("/v1/chips/fridge-a/parameters?at=2026-11-23T11:00")).items
    history = parsed(ParameterValue, await asking.says("/v1/chips/fridge-a/parameters/0/t1")).items
    assert list(history) == await records.history("fridge-a", "0", "t1")
    assert json.loads(await asking.says("/v1/chips"))["items"] == [{"name": "fridge-a", "qubits": 4}]


async def test_executions_are_chosen_by_what_is_asked(asking: Asking, store: RecordStore) -> None:
    early, late = await admitted(store, now=NOON), await admitted(store, now=LATER)
    for query, expected in (
        ("", [late, early]),
        ("?chip=fridge-a&session=morning&tag=nightly", [late, early]),
        ("?chip=fridge-b", []),
        ("?limit=1", [late]),
        ("?before=2026-11-23T13:00:00Z", [early]),
        ("?project=other", []),
    ):
        found = parsed(Execution, await asking.says(f"/v1/executions{query}")).items
        assert [one.execution_id for one in found] == [lab.execution_id for lab in expected], query


async def test_long_lists_come_in_pages(asking: Asking, store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "TASKS_A_PAGE", 2)
    lab = await admitted(store, *(planned("CheckT1", target) for target in ("0", "1", "2", "3", "10")))
    seen: list[str] = []
    after = ""
    for _ in range(3):
        page = parsed(TaskState, await asking.says(f"/v1/executions/{lab.execution_id}/tasks?after={after}"))
        assert len(page.items) <= 2
        seen += [one.target for one in page.items]
        after = page.next
    assert sorted(seen) == ["0", "1", "10", "2", "3"]
    assert not after


# ---------------------------------------------------------------- files


async def test_a_figure_is_kept_by_whoever_has_it_and_runs_nothing(asking: Asking, store: RecordStore) -> None:
    lab = await measured(store)
    svg, png = (await lab.row())["figure_path"]
    (plotted,) = (await lab.row())["json_figure_path"]
    for file_id, kind in ((svg, "image/svg+xml"), (png, "image/png"), (plotted, "application/json")):
        status, body, headers = await asking(f"/v1/files/{file_id}")
        assert (status, headers["Content-Type"], headers["ETag"]) == (200, kind, f'"{file_id}"')
        assert "immutable" in headers["Cache-Control"]
        assert headers["Content-Security-Policy"].startswith("sandbox")
        assert body == await asking.records.file(file_id)
    status, body, _ = await asking(f"/v1/files/{svg}", **{"If-None-Match": f'"{svg}"'})
    assert (status, body) == (304, b"")


async def test_all_figures_of_an_execution_come_in_one_stream(asking: Asking, store: RecordStore) -> None:
    lab = await measured(store, "0", "1", "2")
    found = await asking.files(f"/v1/executions/{lab.execution_id}/figures?form=svg")
    assert sorted(found.values()) == [b"<svg>0</svg>", b"<svg>1</svg>", b"<svg>2</svg>"]
    assert len(await asking.files(f"/v1/executions/{lab.execution_id}/figures?form=png")) == 3


async def test_an_execution_without_figures_has_an_empty_stream(asking: Asking, store: RecordStore) -> None:
    lab = await measured(store, drawn=False)
    assert await asking.files(f"/v1/executions/{lab.execution_id}/figures") == {}


@pytest.mark.parametrize(
    "cut", [b"", b'{"id": "a", "size": 3}\nabc', b'{"end": 1}\n', b'{"error": "the server left"}\n']
)
async def test_a_stream_that_was_cut_off_is_known_to_be(cut: bytes) -> None:
    stream = asyncio.StreamReader()
    stream.feed_data(cut)
    stream.feed_eof()
    with pytest.raises(RecordsError, match=r"cut off after [01]: ask again|the server left"):
        [one async for one in files_of(stream)]


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/v1/executions/20200101-000", 404, "there is no execution '20200101-000' here: there is none yet"),
        ("/v1/executions/20200101-000/figures", 404, "there is no execution '20200101-000' here: there is none yet"),
        ("/v1/results/abc", 404, "there is no result 'abc'"),
        ("/v1/files/abc-t1.svg", 404, "file abc-t1.svg is not stored"),
        ("/v1/chips/fridge-a/parameters", 404, "nothing is recorded of a chip 'fridge-a' here: there is none yet"),
        ("/v1/chips/b/parameters?after=x/1", 404, "no page of parameters begins behind 'x/1'"),
        ("/v1/executions?chips=a", 400, "/v1/executions knows no 'chips': it may be asked with chip, session, tag, "),
        ("/v1/executions?chip=a&chip=b", 400, "'chip' is given twice: keep one"),
        ("/v1/executions?limit=0", 400, "limit is '0': give a number from 1 to 500"),
        ("/v1/executions?limit=99999999999999999999", 400, "limit is '99999999999999999999': give a number"),
        ("/v1/executions?before=yesterday", 400, "before is 'yesterday': give a time like 2026-11-23T12:00:00Z"),
        ("/v1/executions/x/figures?form=pdf", 400, "form is 'pdf': give one of svg, png, json"),
        ("/v1/nothing", 404, "kubecal-api has nothing at /v1/nothing: is it older than the kubecal that asks?"),
    ],
)
async def test_what_cannot_be_answered_is_said_in_a_sentence(
    asking: Asking, path: str, status: int, sentence: str
) -> None:
    told, message = await asking.refuses(path)
    assert (told, message[: len(sentence)]) == (status, sentence)


async def test_who_only_looks_whether_something_is_there_gets_no_body(asking: Asking, store: RecordStore) -> None:
    lab = await measured(store)
    status, body, _ = await asking(f"/v1/executions/{lab.execution_id}", "HEAD")
    assert (status, body) == (200, b"")
    assert (await asking("/v1/executions/20200101-000", "HEAD"))[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_it_only_reads(asking: Asking, method: str) -> None:
    assert await asking.refuses("/v1/executions", method) == (
        405,
        "kubecal-api only reads (GET, HEAD): a session changes records",
    )


async def test_a_database_that_is_away_is_said_and_the_service_stays_to_say_it() -> None:
    away = StoredRecords(RecordStore("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50"))
    async with serving(away) as asking:
        status, message = await asking.refuses("/v1/executions")
        assert status == 503
        assert message.startswith("MongoDB at 127.0.0.1:1 does not answer")
        assert (await asking("/livez"))[0] == (await asking("/readyz"))[0] == 200


async def test_a_mistake_of_ours_is_no_trace_for_whoever_asked(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def mistaken(**_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(asking.records, "chips", mistaken)
    status, message = await asking.refuses("/v1/chips")
    assert (status, message) == (500, "kubecal-api made a mistake: its log has the trace; please report it")
    assert "ZeroDivisionError" in caplog.text


async def test_more_questions_than_can_wait_are_sent_away(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "WAITING", 2)
    gate, inside = asyncio.Event(), asyncio.Semaphore(0)

    async def slow(**_: Any) -> dict[str, int]:
        inside.release()
        await gate.wait()
        return {}

    monkeypatch.setattr(asking.records, "chips", slow)
    let_in = [asyncio.create_task(asking("/v1/chips")) for _ in range(refusals.AT_ONCE)]
    for _ in let_in:
        await asyncio.wait_for(inside.acquire(), 10)
    more = [asyncio.create_task(asking("/v1/chips")) for _ in range(5)]
    sent_away = [await one for one in await _first(more, 3)]
    assert {(status, headers["Retry-After"]) for status, _, headers in sent_away} == {(503, "2")}
    gate.set()
    statuses = [status for status, _, _ in await asyncio.gather(*let_in, *more)]
    assert statuses.count(200) == refusals.AT_ONCE + 2


async def _first(tasks: list[asyncio.Task[Any]], count: int) -> list[asyncio.Task[Any]]:
    """So many that are done first; Any: what they return."""
    done: set[asyncio.Task[Any]] = set()
    while len(done) < count:
        found, _ = await asyncio.wait(set(tasks) - done, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        assert found
        done |= found
    return list(done)
