"""Scheduler and kubelet in one, where no node runs: task pods live and die as a test wants them to.

Towards the API server a pod is bound, runs, ends with a termination message, is evicted or vanishes exactly as on
a node; towards MongoDB it claims its row and stores its result through kubecal.records, as the task's process does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import REQUEST_VARIABLE, Receipt, TaskRequest, TaskTrouble, Verdict
from kubecal.api.wires import wires_from_json
from kubecal.records.results import (
    RAW_DATA,
    AttemptResult,
    FileContent,
    OutputRecord,
    StoredData,
    SuggestionRecord,
)
from kubecal.records.store import RecordStore, RecordsUnavailable
from kubecal.records.task import AttemptRecords, LostClaim, NotClaimed
from kubecal_operator import names
from kubecal_operator.client import ApiClient
from kubecal_operator.errors import ApiError

Json = dict[str, Any]
NODE = "sim-node"
_CLAIM_S = 30.0
_PHASE_LATER_S = 0.2
"""A kubelet reports `terminated` first, and the phase when it has cleaned up."""


@dataclass(frozen=True)
class Play:
    """What becomes of one pod."""

    seconds: float = 0.02
    """How long it measures."""
    verdict: Verdict = Verdict.OK
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    """Of qubits of a MUX or batch task that are judged otherwise than the rest."""
    t1_us: float = 30.0
    """What a CheckT1 finds."""
    suggestion: Json = field(default_factory=dict)
    """Run parameters it suggests for another attempt."""
    exit_code: int = 0
    """Not 0: its process ends with it and stores nothing."""
    scheduled: bool = True
    """False: no node fits it, and the scheduler says so."""
    image: bool = True
    """False: its image cannot be pulled."""
    lies: bool = False
    """Hands in a receipt of a result it did not store."""
    deaf: bool = False
    """Does not stop for SIGTERM: only a forced deletion removes it."""
    raw_data: bytes = b""
    """What it measures, to be stored beside its result; empty: nothing is stored."""


Script = Callable[[TaskRequest], Play]


@dataclass
class _Process:
    """What a kubelet knows of one pod."""

    name: str
    uid: str
    told_to_stop: asyncio.Event = field(default_factory=asyncio.Event)
    vanished: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False
    frozen: bool = False
    task: asyncio.Task[None] | None = None


class PodSimulator:
    """Runs every task pod of one namespace; use it as an asynchronous context manager."""

    def __init__(self, api: ApiClient, namespace: str, mongodb_uri: str, script: Script | None = None) -> None:
        self._api, self._namespace = api, namespace
        self.script: Script = script or (lambda request: Play())
        self._store = RecordStore(mongodb_uri)
        self._processes: dict[str, _Process] = {}
        self._watching: asyncio.Task[None] | None = None
        self.line: Callable[[TaskRequest, str], str] = lambda request, qubit: qubit
        """What a pod drives when it drives a qubit, by name: the qubit's, as long as there is one chip."""
        self.driving: dict[str, str] = {}
        """Line to the name of the pod that drives it now."""
        self.measured: list[TaskRequest] = []
        """Every attempt that drove a line, in order."""
        self.analysed: list[StoredData] = []
        """The data that attempts found stored and analysed, in order."""
        self.over: set[str] = set()
        """Attempts, by their task ids, whose process has ended; the API server hears of it next."""
        self.clashes: list[str] = []
        """Qubits that two pods drove at once: always empty, or the operator is broken."""

    async def __aenter__(self) -> Self:
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = [self._watching, *(process.task for process in self._processes.values())]
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
        await self._store.close()

    # ------------------------------------------------------------------ what a person or a cluster does to pods

    async def delete(self, name: str) -> None:
        """`kubectl delete pod`."""
        await self._api.delete(self._path(name), {})

    async def force_delete(self, name: str) -> None:
        """`kubectl delete pod --force --grace-period=0`: the object goes, the process does not know."""
        await self._api.delete(self._path(name), {"gracePeriodSeconds": 0})

    async def evict(self, name: str) -> None:
        """What a drained node does: a condition says why, and the pod is deleted."""
        condition = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
        current = await self._api.get(self._path(name))
        conditions = [*current["status"].get("conditions", []), condition]
        await self._patch(name, {"conditions": conditions})
        await self.delete(name)

    def freeze(self, name: str) -> None:
        """The machine it runs on is cut off: nothing is heard of the pod any more, and nothing reaches it."""
        process = next(one for one in self._processes.values() if one.name == name)
        process.told_to_stop = asyncio.Event()
        process.frozen = True
        if process.task is not None:
            process.task.cancel()

    async def idle(self) -> None:
        """Wait for the end of every process."""
        await asyncio.gather(*(process.task for process in self._processes.values() if process.task is not None))

    # ------------------------------------------------------------------ the kubelet's watch

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(ApiError):
                items, version = await self._api.list_all(names.pods(self._namespace))
                for body in items:
                    self._seen("MODIFIED", body)
                async for event in self._api.watch(names.pods(self._namespace), version):
                    self._seen(event["type"], event["object"])
            await asyncio.sleep(0.2)

    def _seen(self, kind: str, body: Json) -> None:
        meta = body["metadata"]
        if names.ANNOTATION_ATTEMPT not in meta.get("annotations", {}):
            return
        process = self._processes.get(meta["uid"])
        if kind == "DELETED":
            if process is not None:
                process.vanished.set()
            return
        if process is None:
            if meta.get("deletionTimestamp"):
                return
            process = self._processes[meta["uid"]] = _Process(meta["name"], meta["uid"])
            process.task = asyncio.create_task(self._live(process, body))
        if meta.get("deletionTimestamp") and not process.frozen and not process.told_to_stop.is_set():
            process.told_to_stop.set()
            if process.ended:
                process.task = asyncio.create_task(self._remove(process))

    # ------------------------------------------------------------------ one pod

    async def _live(self, process: _Process, body: Json) -> None:
        container = body["spec"]["containers"][0]
        variables = {one["name"]: one.get("value", "") for one in container["env"]}
        request = TaskRequest.model_validate_json(variables[REQUEST_VARIABLE])
        play = self.script(request)
        wires = wires_from_json(body["metadata"]["annotations"][names.ANNOTATION_WIRES])
        records = AttemptRecords(self._store, request, process.uid)
        try:
            if not await self._placed(process, play):
                return
            started_at = datetime.now(UTC)
            await self._report(process, {"running": {"startedAt": _stamp(started_at)}}, phase="Running")
            code, message = await self._run(process, request, play, lambda: records.claim(started_at, wires), records)
            ended: Json = {"exitCode": code, "reason": "Completed" if code == 0 else "Error", "message": message}
            ended |= {"startedAt": _stamp(started_at), "finishedAt": _stamp(datetime.now(UTC))}
            process.ended = True
            self.over.add(request.task_id)
            await self._report(process, {"terminated": ended}, phase="Running")
            await asyncio.sleep(_PHASE_LATER_S)
            await self._report(process, {"terminated": ended}, phase="Succeeded" if code == 0 else "Failed")
            if process.told_to_stop.is_set():
                await self._remove(process)
        except ApiError as error:
            if not (error.not_found or error.conflict):
                raise

    async def _placed(self, process: _Process, play: Play) -> bool:
        """Bind it and pull its image; False where that stays impossible."""
        if not play.scheduled:
            message = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."
            unfit = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
            await self._patch(process.name, {"conditions": [unfit]})
            return False
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": process.name}}
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        await _insist(lambda: self._api.create(f"{self._path(process.name)}/binding", {**binding, "target": target}))
        if not play.image:
            waiting = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "kubecal/tasks:nowhere"'}
            await self._report(process, {"waiting": waiting}, phase="Pending")
            await process.told_to_stop.wait()
            process.ended = True
            await self._remove(process)
            return False
        return True

    async def _run(
        self,
        process: _Process,
        request: TaskRequest,
        play: Play,
        claim: Callable[[], Awaitable[None]],
        records: AttemptRecords,
    ) -> tuple[int, str]:
        """The task's process: its exit code and last words."""
        try:
            await _patiently(claim)
            await records.inputs()
        except NotClaimed as refusal:
            return 1, TaskTrouble(reason="NotClaimed", message=str(refusal)[:2048]).to_json()
        except RecordsUnavailable as away:
            return 1, TaskTrouble(reason="NotClaimed", message=away.message[:2048]).to_json()
        started_at = datetime.now(UTC)
        if request.reanalyses is not None:
            stored = await records.stored()
            self.analysed.append(stored)
            request, records = stored.of_then(request), records.of(stored)
        elif await self._drive(process, request, play):
            with contextlib.suppress(RecordsUnavailable):
                await records.interrupted(datetime.now(UTC))
            return 143, TaskTrouble(reason="Interrupted", message="told to stop").to_json()
        if play.exit_code:
            return play.exit_code, ""
        results = {judged: _result(request, play, judged, started_at) for judged in request.judged}
        try:
            checksum = "0" * 64 if play.lies else await _until_stored(lambda: records.finish(results))
        except LostClaim as lost:
            return 1, TaskTrouble(reason="Superseded", message=str(lost)[:2048]).to_json()
        verdict = None if request.members else play.verdict
        return 0, Receipt(attempt=request.task_id, checksum=checksum, verdict=verdict).to_json()

    async def _drive(self, process: _Process, request: TaskRequest, play: Play) -> bool:
        """Hold its lines for as long as the play says; whether it was told to stop."""
        lines = [self.line(request, qubit) for qubit in _driven(request)]
        for line in lines:
            other = self.driving.get(line)
            if other is not None:
                self.clashes.append(f"qubit {line}: {other} and {process.name}")
            self.driving[line] = process.name
        self.measured.append(request)
        try:
            waits = asyncio.Event() if play.deaf else process.told_to_stop
            await asyncio.wait_for(waits.wait(), play.seconds)
        except TimeoutError:
            return False
        finally:
            for line in lines:
                if self.driving.get(line) == process.name:
                    del self.driving[line]
        return True

    # ------------------------------------------------------------------ the kubelet's reports

    async def _report(self, process: _Process, state: Json, *, phase: str) -> None:
        status = {"name": "task", "image": "tasks", "imageID": "sim", "restartCount": 0, "ready": "running" in state}
        container = {**status, "state": state, "lastState": {}}
        if not process.vanished.is_set():
            await self._patch(process.name, {"phase": phase, "containerStatuses": [container]}, process.uid)

    async def _remove(self, process: _Process) -> None:
        with contextlib.suppress(ApiError):
            body: Json = {"gracePeriodSeconds": 0, "preconditions": {"uid": process.uid}}
            await self._api.delete(self._path(process.name), body)

    async def _patch(self, name: str, status: Json, uid: str = "") -> None:
        metadata = {"metadata": {"uid": uid}} if uid else {}
        await _insist(lambda: self._api.merge(f"{self._path(name)}/status", {**metadata, "status": status}))

    def _path(self, name: str) -> str:
        return names.pods(self._namespace, name)


async def _insist(call: Callable[[], Awaitable[Json]]) -> None:
    """As a kubelet does: an API server that is away is asked again."""
    asked = False
    while True:
        try:
            await call()
            return
        except ApiError as error:
            if asked and error.conflict:
                return
            if not (error.outcome_unknown or error.status == 429):
                raise
            asked = True
            await asyncio.sleep(0.2)


async def _patiently(call: Callable[[], Awaitable[None]]) -> None:
    """As a task does: while MongoDB does not answer it tries again, for a while."""
    until = asyncio.get_running_loop().time() + _CLAIM_S
    while True:
        try:
            return await call()
        except RecordsUnavailable:
            if asyncio.get_running_loop().time() > until:
                raise
            await asyncio.sleep(0.2)


async def _until_stored(call: Callable[[], Awaitable[str]]) -> str:
    while True:
        try:
            return await call()
        except RecordsUnavailable:
            await asyncio.sleep(0.2)


def _driven(request: TaskRequest) -> tuple[str, ...]:
    """The qubits that a pod drives: one of the chip drives all."""
    match request.kind:
        case TargetKind.CHIP:
            return tuple(site.id for site in request.chip.sites)
        case TargetKind.COUPLING:
            control, target = request.target.split("-")
            return control, target
    return request.judged


_VALUES = {
    "CheckT1": ("t1", "us", "Energy relaxation time"),
    "CheckCrossResonance": ("zx_rotation_rate", "MHz", "ZX rotation rate"),
}
"""What tasks find: name, unit and description; others find nothing."""


def _outputs(request: TaskRequest, play: Play, verdict: Verdict) -> tuple[OutputRecord, ...]:
    if request.task not in _VALUES:
        return ()
    name, unit, description = _VALUES[request.task]
    value = play.t1_us if name == "t1" else 1.5
    return (OutputRecord(name, value, 0.5, unit, description, "", verdict is Verdict.OK),)


def _result(request: TaskRequest, play: Play, judged: str, started_at: datetime) -> AttemptResult:
    now = datetime.now(UTC)
    verdict = play.verdicts.get(judged, play.verdict)
    outputs = _outputs(request, play, verdict)
    return AttemptResult(
        verdict=verdict,
        message="" if verdict is Verdict.OK else f"simulated {verdict}",
        started_at=started_at,
        ended_at=now,
        measured_at=request.measure_at,
        inputs=(),
        run_parameters=request.parameters,
        outputs=outputs,
        disputed=tuple(output.name for output in outputs) if verdict is Verdict.INCONSISTENT else (),
        metrics={},
        figures=(),
        raw_data=(FileContent("raw.npz", RAW_DATA, play.raw_data),) if play.raw_data else (),
        suggestion=SuggestionRecord(play.suggestion, "simulated") if play.suggestion else None,
    )


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def request_of(body: Mapping[str, Any]) -> Json:
    """The request a pod carries, as JSON."""
    variables = {one["name"]: one.get("value", "") for one in body["spec"]["containers"][0]["env"]}
    parsed: Json = json.loads(variables[REQUEST_VARIABLE])
    return parsed
