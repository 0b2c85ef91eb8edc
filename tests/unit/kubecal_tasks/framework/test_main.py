"""The process of a task pod, against a real database: claim, clock, record, exit code."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kubecal.api.catalogue import TargetKind, load_catalogue
from kubecal.api.request import (
    DRIVER_PIPE_VARIABLE,
    MONGODB_URI_FILE_VARIABLE,
    POD_UID_VARIABLE,
    REQUEST_VARIABLE,
    SCRATCH_VARIABLE,
    TERMINATION_LOG_VARIABLE,
    Receipt,
    RequestChip,
    RequestSite,
    StoredSource,
    TaskRequest,
    TaskTrouble,
    Verdict,
    parse_termination_message,
)
from kubecal.records.store import Document, RecordStore

TEST_TASKS = Path(__file__).parents[3] / "image"
CATALOGUE_HASH = load_catalogue((TEST_TASKS / "catalogue.json").read_text()).hash


def a_request(task: str, parameters: Mapping[str, Any], **changes: Any) -> TaskRequest:
    values: dict[str, Any] = {
        "session_uid": uuid.uuid4().hex,
        "session": "morning",
        "namespace": "lab",
        "execution_id": "20261123-000",
        "username": "alice",
        "step": "check",
        "task": task,
        "target": "0",
        "ordinal": 0,
        "attempt": 1,
        "charged_retries": 0,
        "parameters": dict(parameters),
        "timeout_s": 60.0,
        "r2_threshold": None,
        "publish": True,
        "tags": (),
        "measure_at": datetime(2026, 11, 23, 8, tzinfo=UTC),
        "catalogue_hash": CATALOGUE_HASH,
        "chip": RequestChip(
            project_id="default",
            chip_id="fridge-a",
            hardware_id="lab/fridge-a",
            time_zone="UTC",
            sites=(RequestSite(id="0", x=0, y=0, mux=0),),
            couplings=(),
            backend="fake",
            backend_config={"seed": 3},
        ),
    }
    return TaskRequest(**(values | changes))


@dataclass
class Pod:
    """A started task process."""

    process: asyncio.subprocess.Process
    folder: Path

    async def end(self) -> tuple[int, Receipt | TaskTrouble | None]:
        """Its exit code and what it says of itself."""
        code = await asyncio.wait_for(self.process.wait(), 30)
        path = self.folder / "termination.log"
        return code, parse_termination_message(path.read_text()) if path.exists() else None


@dataclass
class Node:
    """Where task processes are started, beside their database."""

    store: RecordStore
    uri: str
    folder: Path

    async def plan(self, request: TaskRequest) -> None:
        """Open the attempt's rows, as a driver does before it starts the process."""
        async with self.store.connected() as database:
            await database.task_result_history.insert_many([self._planned(request, one) for one in request.judged])

    def _planned(self, request: TaskRequest, judged: str) -> Document:
        return {
            "_id": request.row_id(judged),
            "project_id": request.chip.project_id,
            "execution_id": request.execution_id,
            "session_uid": request.session_uid,
            "chip_id": request.chip.chip_id,
            "name": request.task,
            "step": request.step,
            "target": request.target,
            "ordinal": request.ordinal,
            "qid": "" if request.kind is TargetKind.CHIP else judged,
            "attempt": request.attempt,
            "status": "scheduled",
            "superseded": False,
            "claimed_by": None,
            "system_info": {},
        }

    async def start(self, request: TaskRequest, uri: str = "", pipe: int | None = None) -> Pod:
        """Start a process as a kubelet or the local driver would."""
        folder = self.folder / uuid.uuid4().hex
        folder.mkdir()
        (folder / "uri").write_text(uri or self.uri)
        environment = os.environ | {
            # In front of what this process was given, so that the processes it starts run the code under test.
            "PYTHONPATH": os.pathsep.join(filter(None, (str(TEST_TASKS), os.environ.get("PYTHONPATH", "")))),
            REQUEST_VARIABLE: request.to_json(),
            POD_UID_VARIABLE: "pod-1",
            MONGODB_URI_FILE_VARIABLE: str(folder / "uri"),
            TERMINATION_LOG_VARIABLE: str(folder / "termination.log"),
            SCRATCH_VARIABLE: str(folder),
            **({} if pipe is None else {DRIVER_PIPE_VARIABLE: str(pipe)}),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kubecal_tasks.framework.main",
            env=environment, pass_fds=() if pipe is None else (pipe,),
            stdout=(folder / "output.log").open("wb"), stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        return Pod(process, folder)

    async def run(self, request: TaskRequest) -> tuple[int, Receipt | TaskTrouble | None]:
        """Plan and run an attempt to its end."""
        await self.plan(request)
        return await (await self.start(request)).end()

    async def row(self, request: TaskRequest, judged: str = "") -> Document:
        """What the attempt's record says, of one of several or of the only one."""
        async with self.store.connected() as database:
            identity = request.row_id(judged or request.judged[0])
            row = await database.task_result_history.find_one({"_id": identity})
        assert row is not None
        return row

    async def claimed(self, request: TaskRequest) -> None:
        """Wait until the attempt is claimed."""
        async with asyncio.timeout(20):
            while not (await self.row(request))["claimed_by"]:  # noqa: ASYNC110 - a database, not an event of ours
                await asyncio.sleep(0.02)


@pytest.fixture
def node(store: RecordStore, mongodb_uri: str, tmp_path: Path) -> Node:
    return Node(store, mongodb_uri, tmp_path)


async def test_a_measurement_ends_with_its_result_and_a_receipt(node: Node) -> None:
    request = a_request("CheckRabi", {"shots": 256}, r2_threshold=0.6)
    code, receipt = await node.run(request)
    row = await node.row(request)
    assert code == 0
    assert isinstance(receipt, Receipt)
    assert (receipt.attempt, receipt.verdict, receipt.checksum) == (request.task_id, Verdict.OK, row["checksum"])
    assert receipt.metrics["r2"] > 0.9
    assert (row["status"], row["claimed_by"]) == ("completed", "pod-1")
    assert len(row["figure_path"]) == 2
    assert len(row["raw_data_path"]) == 1


@pytest.mark.parametrize("verdict", ["no_signal", "hardware_error", "imprecise"])
async def test_the_exit_code_is_0_whatever_the_verdict(node: Node, verdict: str) -> None:
    request = a_request("Scripted", {"verdict": verdict})
    code, receipt = await node.run(request)
    assert code == 0
    assert isinstance(receipt, Receipt)
    assert receipt.verdict == verdict
    assert (await node.row(request))["status"] == "failed"


@pytest.mark.parametrize(
    ("task", "parameters", "changes", "code", "reason"),
    [
        ("Exit1", {}, {}, 1, "MeasurementDied"),
        ("Scripted", {"exit_code": 7}, {}, 7, "MeasurementDied"),
        ("Noop", {}, {"catalogue_hash": "0" * 64}, 1, "CatalogueMismatch"),
        ("Nope", {}, {}, 1, "UnknownTask"),
        ("Noop", {"hurry": True}, {}, 1, "BadParameters"),
        ("CheckT1", {}, {}, 1, "MissingInput"),
    ],
)
async def test_an_attempt_without_a_result_says_why(
    node: Node, task: str, parameters: dict[str, Any], changes: dict[str, Any], code: int, reason: str
) -> None:
    request = a_request(task, parameters, **changes)
    ended = await node.run(request)
    assert ended[0] == code
    assert isinstance(ended[1], TaskTrouble)
    assert ended[1].reason == reason
    assert (await node.row(request))["status"] == "running", "what becomes of it is the controller's to say"


GONE = StoredSource(execution_id="20261122-001", session_uid="then", step="check", ordinal=0, attempt=1)


async def test_data_that_are_not_there_any_more_are_named_and_nothing_is_measured(node: Node) -> None:
    request = a_request("CheckRabi", {}, reanalyses=GONE)
    code, trouble = await node.run(request)
    assert code == 1
    assert isinstance(trouble, TaskTrouble)
    assert trouble.reason == "RawDataMissing"
    assert trouble.message.startswith("CheckRabi on 0 has no record in execution 20261122-001 any more")
    assert (await node.row(request))["message"].startswith("RawDataMissing: ")


async def test_an_attempt_that_was_never_planned_is_not_measured(node: Node) -> None:
    code, trouble = await (await node.start(a_request("Noop", {}))).end()
    assert code == 1
    assert isinstance(trouble, TaskTrouble)
    assert trouble.reason == "NotClaimed"


@pytest.mark.parametrize("blocked", [False, True], ids=["willing", "deaf"])
async def test_sigterm_stops_the_measurement_and_is_recorded(node: Node, blocked: bool) -> None:
    request = a_request("Scripted", {"seconds": 60, "blocked": blocked})
    await node.plan(request)
    pod = await node.start(request)
    await node.claimed(request)
    pod.process.send_signal(signal.SIGTERM)
    code, trouble = await pod.end()
    row = await node.row(request)
    assert code == 143
    assert isinstance(trouble, TaskTrouble)
    assert trouble.reason == "Interrupted"
    assert row["interrupted_at"]
    assert row["status"] == "running", "only the controller says cancelled"


async def test_a_task_ends_when_its_driver_is_gone(node: Node) -> None:
    request = a_request("Scripted", {"seconds": 60})
    await node.plan(request)
    read_end, write_end = os.pipe()
    pod = await node.start(request, pipe=read_end)
    os.close(read_end)
    await node.claimed(request)
    os.close(write_end)
    assert (await pod.end())[0] == 143


async def test_a_measurement_that_hangs_is_a_hardware_error_at_its_timeout(node: Node) -> None:
    request = a_request("Scripted", {"seconds": 60}, timeout_s=2.0)
    code, receipt = await node.run(request)
    assert code == 0
    assert isinstance(receipt, Receipt)
    assert (receipt.verdict, receipt.message) == (Verdict.HARDWARE_ERROR, "no result after 2 s")
    assert (await node.row(request))["message"] == "no result after 2 s"


async def test_a_database_that_is_away_costs_the_claim(node: Node) -> None:
    request = a_request("Noop", {}, timeout_s=1.0)
    pod = await node.start(request, uri="mongodb://127.0.0.1:1/kubecal?serverSelectionTimeoutMS=200")
    code, trouble = await pod.end()
    assert code == 1
    assert isinstance(trouble, TaskTrouble)
    assert trouble.reason == "NotClaimed"
