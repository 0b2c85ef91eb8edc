"""Creates and settings, with everything a test does not care about filled in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubecal.api.chip import ChipSpec, ChipStatus
from kubecal.api.session import SessionSpec
from kubecal.api.wires import Wire, WireKind, WireMode
from kubecal.engine.intents import CreatePod
from kubecal.engine.model import ChipView, PlannedTask, SessionRef, TaskKey
from kubecal_operator.settings import Settings

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ENVIRONMENT = {
    "KUBECAL_NAMESPACES": "lab,annex",
    "KUBECAL_OPERATOR_NAMESPACE": "kubecal",
    "KUBECAL_LEASE_NAME": "kubecal-operator",
    "KUBECAL_POD_NAME": "kubecal-operator-7c9d",
    "KUBECAL_SCOPE": "kubecal/kubecal",
    "KUBECAL_MONGODB_URI_FILE": "/etc/kubecal/mongodb/uri",
    "KUBECAL_MONGODB_SECRET": "kubecal-mongodb",
    "KUBECAL_CATALOGUE_FILE": "/etc/kubecal/catalogue/catalogue.json",
    "KUBECAL_TASK_IMAGE": "kubecal/tasks:1",
}


def settings(**changes: str) -> Settings:
    return Settings.from_environment({**ENVIRONMENT, **changes})


def create_pod(**chip: Any) -> CreatePod:
    """The second attempt of CheckT1 on qubit 3 of a chip with these settings besides its topology."""
    body = {"topology": {"squareLattice": {"rows": 2, "columns": 2}}, "backend": {"name": "fake"}, **chip}
    chip_spec = ChipSpec.model_validate(body)
    steps = [{"name": "check", "tasks": [{"task": "CheckT1"}]}]
    spec = SessionSpec.model_validate({"chip": "fridge-a", "targets": {"qubits": ["3"]}, "steps": steps})
    wires = (Wire(WireMode.SHARED, WireKind.MUX, "0"), Wire(WireMode.EXCLUSIVE, WireKind.QUBIT, "3"))
    return CreatePod(
        ref=SessionRef("uid-of-morning", "lab", "morning"),
        planned=PlannedTask(TaskKey("check", "CheckT1", "3", 0), wires, {"shots": 512}, 900.0, 0.8, 10.0, 0),
        attempt=2,
        charged_retries=1,
        measure_at=NOON,
        execution_id="20261123-000",
        spec=spec,
        chip=ChipView("uid-of-chip", "lab", "fridge-a", 1, "7", chip_spec, ChipStatus()),
        chip_spec=chip_spec,
        catalogue_hash="c" * 64,
        image="kubecal/tasks:1",
        pod_name="morning-checkt1-3-2-abcdefghij",
    )


def golden(name: str) -> Path:
    return Path(__file__).parent / "golden" / f"{name}.yaml"


def pod(status: dict[str, Any], *, spec: dict[str, Any] | None = None, **meta: Any) -> dict[str, Any]:
    """A task pod as the API server has it."""
    annotations = {
        "kubecal.io/attempt": '{"step":"check","task":"CheckT1","target":"3","ordinal":0,"attempt":2}',
        "kubecal.io/wires": '[["X","qubit","3"]]',
        "kubecal.io/hardware-id": "lab/fridge-a",
    }
    metadata = {
        "name": "morning-checkt1-3-2-abcdefghij",
        "namespace": "lab",
        "uid": "pod-uid",
        "resourceVersion": "11",
        "creationTimestamp": "2026-11-23T12:00:00Z",
        "labels": {"kubecal.io/session-uid": "uid-of-morning"},
        "annotations": annotations,
        **meta,
    }
    bound = {"nodeName": "worker", "terminationGracePeriodSeconds": 60}
    return {"metadata": metadata, "spec": bound if spec is None else spec, "status": status}


def container(**state: Any) -> dict[str, Any]:
    """The status of a pod whose container is in this state."""
    return {"phase": "Running", "containerStatuses": [{"name": "task", "state": state}]}
