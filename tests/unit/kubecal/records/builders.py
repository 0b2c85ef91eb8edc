"""Sessions, attempts and results, with everything a test does not care about filled in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from kubecal.api.catalogue import Catalogue, TargetKind, load_catalogue
from kubecal.api.chip import ChipSpec, ChipStatus
from kubecal.api.request import RequestChip, TaskRequest, Verdict
from kubecal.api.session import SessionSpec
from kubecal.api.wires import Wire, WireKind, WireMode
from kubecal.engine.intents import Admission, NextAttempt
from kubecal.engine.model import ChipView, Plan, PlannedTask, SessionRef, TaskKey, Trouble
from kubecal.records.control import ControlRecords
from kubecal.records.results import AttemptResult, Figure, FileContent, InputRecord, OutputRecord
from kubecal.records.store import Document, RecordStore
from kubecal.records.task import AttemptRecords

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CATALOGUE: Catalogue = load_catalogue((Path(__file__).parents[3] / "image" / "catalogue.json").read_text())
"""That of the test image, which has tasks of every kind."""
IMAGE = "tasks@sha256:1"


def a_chip(time_zone: str = "UTC", generation: int = 1, project_id: str = "default") -> ChipView:
    spec = ChipSpec.model_validate(
        {
            "topology": {"squareLattice": {"rows": 2, "columns": 2}},
            "backend": {"name": "fake", "config": {"seed": 7}},
            "timeZone": time_zone,
            "projectId": project_id,
            "pods": {"nodeSelector": {"kubecal.io/instruments": "fridge-a"}},
        }
    )
    return ChipView("chip-uid", "lab", "fridge-a", generation, "1", spec, ChipStatus())


def planned(task: str, target: str = "0") -> PlannedTask:
    wires = (Wire(WireMode.EXCLUSIVE, WireKind.QUBIT, target), Wire(WireMode.SHARED, WireKind.MUX, "0"))
    return PlannedTask(TaskKey("check", task, target, 0), wires, {"shots": 512}, 900.0, None, 1.0, 0)


def on_mux(members: tuple[str, ...] = ("0", "1", "3")) -> PlannedTask:
    """A task that judges several qubits, each in a row of its own."""
    return replace(planned("ScriptedMux", "mux-0"), kind=TargetKind.MUX, members=members)


def on_coupling(ordinal: int = 0) -> PlannedTask:
    task = planned("ScriptedCoupling", "0-1")
    return replace(task, key=task.key._replace(ordinal=ordinal), kind=TargetKind.COUPLING)


def on_chip() -> PlannedTask:
    return replace(planned("ScriptedChip", "chip"), kind=TargetKind.CHIP)


def admission(
    *tasks: PlannedTask, chip: ChipView | None = None, name: str = "morning", publish: str = "OnSuccess"
) -> Admission:
    chip = chip or a_chip()
    tasks = tasks or (planned("CheckT1"),)
    spec = SessionSpec.model_validate(
        {
            "chip": chip.name,
            "targets": {"all": True},
            "steps": [{"name": "check", "tasks": [{"task": "CheckT1"}]}],
            "username": "alice",
            "tags": ["nightly"],
            "note": "after the warm-up",
            "publish": publish,
        }
    )
    chains: dict[str, tuple[TaskKey, ...]] = {}
    for task in tasks:
        chains[task.key.target] = (*chains.get(task.key.target, ()), task.key)
    return Admission(SessionRef(uuid.uuid4().hex, "lab", name), Plan(tasks, chains), spec, chip)


def request(of: Admission, execution_id: str, task: PlannedTask, attempt: int = 1) -> TaskRequest:
    return TaskRequest(
        session_uid=of.ref.uid,
        session=of.ref.name,
        namespace=of.ref.namespace,
        execution_id=execution_id,
        username=of.spec.username,
        step=task.key.step,
        task=task.key.task,
        target=task.key.target,
        ordinal=task.key.ordinal,
        attempt=attempt,
        charged_retries=0,
        kind=task.kind,
        members=task.members,
        parameters={},
        timeout_s=task.timeout_s,
        r2_threshold=None,
        publish=of.spec.publish == "OnSuccess",
        tags=tuple(of.spec.tags),
        measure_at=NOON,
        catalogue_hash=CATALOGUE.hash,
        chip=RequestChip(
            project_id="default",
            chip_id=of.chip.name,
            hardware_id="lab/fridge-a",
            time_zone=of.chip.spec.time_zone if of.chip.spec else "UTC",
            cooldown="2026-11",
            sites=(),
            couplings=(),
            backend="fake",
        ),
    )


def output(name: str = "t1", value: float = 31.5, group: str = "", accepted: bool = True) -> OutputRecord:
    return OutputRecord(name, value, 0.5, "us", "Energy relaxation time", group, accepted)


def figure(text: str = "figure") -> Figure:
    return Figure(
        svg=FileContent("t1.svg", "image/svg+xml", f"<svg>{text}</svg>".encode()),
        png=FileContent("t1.png", "image/png", b"\x89PNG" + text.encode()),
        json=FileContent("t1.json", "application/json", f'{{"title": "{text}"}}'.encode()),
    )


def result(
    *outputs: OutputRecord, verdict: Verdict = Verdict.OK, measured_at: datetime = NOON, files: bool = False
) -> AttemptResult:
    return AttemptResult(
        verdict=verdict,
        message="",
        started_at=measured_at,
        ended_at=measured_at.replace(second=30),
        measured_at=measured_at,
        inputs=(InputRecord("hpi_amplitude", 0.2, 0.001, "a.u.", "published", "hpi_amplitude:fridge-a:0:x:y"),),
        run_parameters={"shots": 512, "delays": {"start": 0.1, "stop": 500, "num": 51, "scale": "log"}},
        outputs=outputs,
        metrics={"r2": 0.98, "chi2": 51.0},
        figures=(figure(),) if files else (),
        raw_data=(FileContent("raw.npz", "application/octet-stream", bytes(range(256)) * 2_000),) if files else (),
    )


class Attempt(AttemptRecords):
    """The records of an attempt, for tests in which all that it judges ends in the same way."""

    def __init__(self, store: RecordStore, request: TaskRequest, pod_uid: str) -> None:
        super().__init__(store, request, pod_uid)
        self._judged = request.judged

    async def ends_with(self, outcome: AttemptResult) -> str:
        return await self.finish(dict.fromkeys(self._judged, outcome))


@dataclass(frozen=True)
class Lab:
    """An admitted session and what drives it."""

    store: RecordStore
    control: ControlRecords
    admission: Admission
    execution_id: str

    def attempt(self, task: PlannedTask | None = None, attempt: int = 1, pod: str = "pod-1") -> Attempt:
        task = task or self.admission.plan.tasks[0]
        return Attempt(self.store, request(self.admission, self.execution_id, task, attempt), pod)

    def give_up(
        self, task: PlannedTask | None = None, attempt: int = 1, trouble: Trouble = Trouble.DISRUPTION
    ) -> NextAttempt:
        task = task or self.admission.plan.tasks[0]
        return NextAttempt(self.admission.ref, task.key, attempt, trouble, "Evicted", "the node was drained")

    async def row(self, task: PlannedTask | None = None, attempt: int = 1) -> Document:
        task = task or self.admission.plan.tasks[0]
        return await self.one("task_result_history", _id=request(self.admission, "", task, attempt).task_id)

    async def rows(self, task: PlannedTask | None = None, attempt: int = 1) -> dict[str, Document]:
        """An attempt's rows, by what each judges."""
        task = task or self.admission.plan.tasks[0]
        wanted = request(self.admission, "", task, attempt)
        return {one: await self.one("task_result_history", _id=wanted.row_id(one)) for one in wanted.judged}

    async def one(self, collection: str, **key: object) -> Document:
        found = await self.all(collection, **key)
        assert len(found) == 1, f"{len(found)} documents in {collection} have {key}"
        return found[0]

    async def all(self, collection: str, **key: object) -> list[Document]:
        async with self.store.connected() as database:
            return await database[collection].find(key).to_list()


async def admitted(store: RecordStore, *tasks: PlannedTask, now: datetime = NOON, publish: str = "OnSuccess") -> Lab:
    control = ControlRecords(store, "lab-cluster/all")
    wanted = admission(*tasks, publish=publish)
    records = (await control.admit([wanted], catalogue=CATALOGUE, image=IMAGE, now=now)).records
    return Lab(store, control, wanted, records[wanted.ref.uid].execution_id)
