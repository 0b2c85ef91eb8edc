"""Sessions of one step that changes records, and what is current afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from kubecal.api.actions import SetParameters
from kubecal.api.catalogue import CatalogueTask, Output, TargetKind
from kubecal.api.chip import ChipSpec
from kubecal.api.steps import Action
from kubecal.engine.intents import RunAction
from kubecal.engine.model import AttemptRow, PlannedTask, TaskKey
from kubecal.records.actions import ActionRecords
from kubecal.records.store import Document, RecordStore
from tests.unit.kubecal.records.builders import (
    CATALOGUE,
    NOON,
    Lab,
    admitted,
    output,
    planned,
    result,
)

COUPLING_TASK = CatalogueTask(
    name="CheckZX90", kind=TargetKind.COUPLING, description="", outputs=(Output(name="zx90_gate_time", unit="ns"),)
)
KNOWN = (CATALOGUE, CATALOGUE.model_copy(update={"tasks": (COUPLING_TASK,)}))
"""The built-in catalogue, and one of an author's image."""
LATER, LATEST = NOON + timedelta(minutes=5), NOON + timedelta(minutes=10)
SET = SetParameters.model_validate(
    {"qubits": {"0": {"t1": {"value": 20.0, "error": 0.5}}}, "couplings": {"0-1": {"zx90_gate_time": {"value": 240.0}}}}
)


def change(action: Action) -> PlannedTask:
    return replace(
        planned("Change", "chip"), key=TaskKey("nudge", "Change", "chip", 0), kind=TargetKind.CHIP, action=action
    )


async def changes(store: RecordStore, action: Action) -> tuple[Lab, RunAction]:
    """A session with this one step, planned."""
    lab = await admitted(store, change(action))
    of = lab.admission
    return lab, RunAction(of.ref, change(action).key, 1, action, of.spec, of.chip, lab.execution_id)


async def carried_out(store: RecordStore, action: Action, at: datetime = LATER) -> tuple[Lab, AttemptRow]:
    lab, intent = await changes(store, action)
    rows = await ActionRecords(store).execute([intent], KNOWN, at)
    (row,) = rows[lab.admission.ref.uid]
    return lab, row


def with_clock(spec: ChipSpec | None, clock: dict[str, str]) -> ChipSpec:
    assert spec is not None
    config = {**spec.backend.config, "clock": clock}
    return spec.model_copy(update={"backend": spec.backend.model_copy(update={"config": config})})


async def measured(store: RecordStore, *tasks: PlannedTask, publish: str = "OnSuccess", **values: float) -> Lab:
    """A session of which every task gave these values."""
    lab = await admitted(store, *(tasks or (planned("CheckT1"),)), publish=publish)
    for task in lab.admission.plan.tasks:
        attempt = lab.attempt(task)
        await attempt.claim(NOON)
        await attempt.ends_with(result(*(output(name, value) for name, value in values.items())))
    return lab


async def value_of(lab: Lab, name: str = "t1", qid: str = "0") -> float | None:
    found = await lab.all("coupling" if "-" in qid else "qubit", qid=qid)
    value = found[0]["data"].get(name) if found else None
    return value["value"] if value else None


async def valid_versions(lab: Lab, name: str = "t1", qid: str = "0") -> list[Document]:
    return await lab.all("parameter_versions", qid=qid, parameter_name=name, valid_until=None)
