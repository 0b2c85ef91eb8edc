"""The request a task pod or process is given, from what the engine decided to create."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubecal.api.catalogue import TargetKind
from kubecal.api.chip import ChipSpec
from kubecal.api.request import (
    MAX_REQUEST_BYTES,
    DisputedValues,
    GivenInput,
    RequestChip,
    RequestSite,
    StoredSource,
    TaskRequest,
    concerned_ids,
    concerned_qubits,
)
from kubecal.api.session import Source, SourceInputs
from kubecal.api.topology import Coupling, Site, Topology
from kubecal.engine.intents import CreatePod

MAX_COUPLINGS = 512
"""Above this a request names none: with 1,024 sites it would not stay below 64 KiB."""


def build_request(create: CreatePod) -> TaskRequest:
    """The request of one attempt; the same in the cluster and on a laptop.

    One that what was found before would make too large goes without: in an attempt on so many qubits, of which so many
    have moved at once, those that have are judged by what is published alone, and fail.
    """
    request = _request(create)
    if request.disputed and len(request.to_json().encode()) > MAX_REQUEST_BYTES:
        return request.model_copy(update={"disputed": {}})
    return request


def _request(create: CreatePod) -> TaskRequest:
    planned, spec = create.planned, create.spec
    key = planned.key
    ids = concerned_ids(planned.kind, key.target, create.members)
    return TaskRequest(
        session_uid=create.ref.uid,
        session=create.ref.name,
        namespace=create.ref.namespace,
        execution_id=create.execution_id,
        username=spec.username,
        step=key.step,
        task=key.task,
        target=key.target,
        ordinal=key.ordinal,
        attempt=create.attempt,
        charged_retries=create.charged_retries,
        kind=planned.kind,
        members=create.members,
        parameters=dict(planned.parameters),
        timeout_s=planned.timeout_s,
        r2_threshold=planned.r2_threshold,
        publish=spec.publish == "OnSuccess" and planned.publishes,
        tags=tuple(spec.tags),
        measure_at=create.measure_at,
        snapshot=spec.source.execution_id if spec.source.inputs is SourceInputs.SNAPSHOT else "",
        overrides=_overrides(spec.source, ids),
        disputed=_disputed(create),
        reanalyses=_source(create),
        catalogue_hash=create.catalogue_hash,
        chip=_chip(create, ids),
    )


def request_size_problem(create: CreatePod) -> str:
    """Why this task cannot be asked for in one request; empty: it can.

    A pod's environment holds it, and what the environment may be is limited.
    """
    size = len(build_request(create).to_json().encode())
    if size <= MAX_REQUEST_BYTES:
        return ""
    key = create.planned.key
    return (
        f"task {key.task!r} of step {key.step!r} on {key.target!r} would need a request of {size:,} bytes, and "
        f"{MAX_REQUEST_BYTES:,} are allowed: shorten its parameters, overrides or the chip's design values, or choose "
        "batch Mux"
    )


def _overrides(source: Source, ids: tuple[str, ...]) -> dict[str, dict[str, GivenInput]]:
    """Inputs by hand of those that this task reads parameters of."""
    given = source.overrides.by_id
    return {
        one: {name: GivenInput(value=each.value, error=each.error) for name, each in given[one].items()}
        for one in ids
        if one in given
    }


def _source(create: CreatePod) -> StoredSource | None:
    """Whose data are analysed anew; None: it measures."""
    stored = create.planned.stored
    if stored is None:
        return None
    return StoredSource(
        execution_id=stored.execution_id,
        session_uid=stored.session_uid,
        step=stored.step,
        ordinal=stored.ordinal,
        attempt=stored.attempt,
    )


def _disputed(create: CreatePod) -> dict[str, DisputedValues]:
    """What an inconsistent attempt found of those that this one measures."""
    judged = create.members or (create.planned.key.target,)
    return {
        one: DisputedValues(
            measured_at=found.measured_at,
            values={name: GivenInput(value=value, error=error) for name, (value, error) in found.values.items()},
        )
        for one, found in create.disputed.items()
        if one in judged
    }


def _chip(create: CreatePod, ids: tuple[str, ...]) -> RequestChip:
    spec, chip, planned = create.chip_spec, create.chip, create.planned
    topology = spec.topology.resolve()
    if planned.kind is TargetKind.CHIP:
        sites, couplings = list(topology.sites), list(topology.couplings)
    else:
        sites, couplings = _surroundings(topology, concerned_qubits(planned.kind, planned.key.target, create.members))
    return RequestChip(
        project_id=spec.project_id,
        chip_id=chip.name,
        hardware_id=spec.hardware_id or f"{chip.namespace}/{chip.name}",
        time_zone=spec.time_zone,
        cooldown=spec.cooldown,
        sites=tuple(RequestSite(id=s.id, x=s.x, y=s.y, mux=s.mux) for s in sites),
        couplings=tuple((c.control, c.target) for c in couplings) if len(couplings) <= MAX_COUPLINGS else (),
        design=_design(spec, ids),
        backend=spec.backend.name,
        backend_config=dict(spec.backend.config),
    )


def _surroundings(topology: Topology, qubits: tuple[str, ...]) -> tuple[list[Site], list[Coupling]]:
    """The qubits, their neighbours and their MUXes: what a measurement of them can touch.

    A request has to stay below 64 KiB, and a chip may have 1,024 qubits.
    """
    near = set(qubits)
    for qubit in qubits:
        near.update(topology.neighbours[qubit], topology.members_by_mux[topology.site_by_id[qubit].mux])
    couplings = [c for c in topology.couplings if c.control in near and c.target in near]
    return [site for site in topology.sites if site.id in near], couplings


def _design(spec: ChipSpec, ids: tuple[str, ...]) -> dict[str, Any]:
    """The design cut down to what this task may read, so that a big chip's request stays small."""
    if spec.design is None:
        return {}
    wanted = dict.fromkeys(ids, True)
    # Any: what to include, as pydantic nests it.
    cut: dict[str, Any] = {"bands": True, "qubits": wanted, "couplings": wanted}
    design: Mapping[str, Any] = spec.design.model_dump(mode="json", by_alias=True, exclude_none=True, include=cut)
    return {part: values for part, values in design.items() if values}
