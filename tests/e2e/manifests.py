"""Builders of the manifests that the end-to-end tests apply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Manifest = dict[str, Any]
INSTRUMENTS = {"kubecal.io/instruments": "fridge-a"}
CHECK = ("CheckRabi", "CreateHPIPulse", "CheckHPIPulse", "CheckRamsey", "CheckT1", "CheckT2Echo")


def chip(
    name: str = "fridge-a", *, rows: int = 4, columns: int = 4, config: Mapping[str, Any] | None = None
) -> Manifest:
    """A simulated chip whose pods run on the node with the instruments and stop quickly."""
    return {
        "apiVersion": "kubecal.io/v1alpha1",
        "kind": "Chip",
        "metadata": {"name": name},
        "spec": {
            "topology": {"squareLattice": {"rows": rows, "columns": columns, "muxSize": 4}},
            "backend": {"name": "fake", "config": dict(config or {"seed": 7})},
            "pods": {
                "nodeSelector": INSTRUMENTS,
                "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
                "terminationGracePeriodSeconds": 10,
            },
        },
    }


def with_image(fridge: Manifest, name: str, image: str) -> Manifest:
    """The chip, and that its sessions may use an author's image; its catalogue is in the ConfigMap NAME-catalogue."""
    allowed = {"name": name, "image": image, "catalogue": f"{name}-catalogue"}
    pods = {**fridge["spec"]["pods"], "images": [allowed]}
    return {**fridge, "spec": {**fridge["spec"], "pods": pods}}


def session(
    name: str,
    tasks: Sequence[str | Mapping[str, Any]],
    *,
    chip: str = "fridge-a",
    qubits: Sequence[str] = (),
    mode: str = "Parallel",
    **spec: Any,
) -> Manifest:
    """A session of one step; without qubits it is about all."""
    entries = [{"task": task} if isinstance(task, str) else dict(task) for task in tasks]
    targets: Manifest = {"qubits": list(qubits)} if qubits else {"all": True}
    return {
        "apiVersion": "kubecal.io/v1alpha1",
        "kind": "CalibrationSession",
        "metadata": {"name": name},
        "spec": {
            "chip": chip,
            "targets": targets,
            "steps": [{"name": "step", "tasks": entries, "schedule": {"mode": mode}}],
            **spec,
        },
    }


def scripted(**parameters: Any) -> Manifest:
    """A test task that does what its run parameters say."""
    return {"task": "Scripted", "parameters": parameters}
