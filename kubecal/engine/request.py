"""The request a task pod or process is given, from what the engine decided to create."""

from __future__ import annotations

from typing import Any

from kubecal.api.chip import ChipSpec
from kubecal.api.request import RequestChip, RequestSite, TaskRequest
from kubecal.api.topology import Coupling, Site, Topology
from kubecal.engine.intents import CreatePod


def build_request(create: CreatePod) -> TaskRequest:
    """The request of one attempt; the same in the cluster and on a laptop."""
    key = create.planned.key
    return TaskRequest(
        session_uid=create.ref.uid,
        session=create.ref.name,
        namespace=create.ref.namespace,
        execution_id=create.execution_id,
        username=create.spec.username,
        step=key.step,
        task=key.task,
        target=key.target,
        ordinal=key.ordinal,
        attempt=create.attempt,
        charged_retries=create.charged_retries,
        parameters=dict(create.planned.parameters),
        timeout_s=create.planned.timeout_s,
        r2_threshold=create.planned.r2_threshold,
        publish=create.spec.publish == "OnSuccess",
        tags=tuple(create.spec.tags),
        measure_at=create.measure_at,
        catalogue_hash=create.catalogue_hash,
        chip=_chip(create, key.target),
    )


def _chip(create: CreatePod, target: str) -> RequestChip:
    spec, chip = create.chip_spec, create.chip
    sites, couplings = _surroundings(spec.topology.resolve(), target)
    return RequestChip(
        project_id=spec.project_id,
        chip_id=chip.name,
        hardware_id=spec.hardware_id or f"{chip.namespace}/{chip.name}",
        time_zone=spec.time_zone,
        sites=tuple(RequestSite(id=s.id, x=s.x, y=s.y, mux=s.mux) for s in sites),
        couplings=tuple((c.control, c.target) for c in couplings),
        design=_design(spec, target),
        backend=spec.backend.name,
        backend_config=dict(spec.backend.config),
    )


def _surroundings(topology: Topology, target: str) -> tuple[list[Site], list[Coupling]]:
    """The target, its neighbours and its MUX: what a measurement of it can touch.

    A request has to stay below 64 KiB, and a chip may have 1,024 qubits.
    """
    mux = topology.site_by_id[target].mux
    near = {target, *topology.neighbours[target], *topology.members_by_mux[mux]}
    couplings = [c for c in topology.couplings if c.control in near and c.target in near]
    return [site for site in topology.sites if site.id in near], couplings


def _design(spec: ChipSpec, target: str) -> dict[str, Any]:
    """The design cut down to what this task may read, so that a big chip's request stays small."""
    if spec.design is None:
        return {}
    # Any: what to include, as pydantic nests it.
    cut: dict[str, Any] = {"bands": True, "qubits": {target: True}}
    design = spec.design.model_dump(mode="json", by_alias=True, exclude_none=True, include=cut)
    kept = {"bands": design.get("bands", {}), "qubits": {target: design.get("qubits", {}).get(target, {})}}
    return {name: value for name, value in kept.items() if value}
