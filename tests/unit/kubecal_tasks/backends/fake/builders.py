"""Requests to a simulated chip of two MUXes, for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import RequestChip, RequestSite, TaskRequest
from kubecal.api.topology import square_lattice
from kubecal_tasks.backends.fake.backend import FakeBackend
from kubecal_tasks.backends.fake.config import FakeConfig

TOPOLOGY = square_lattice(2, 4, 4)


def request(target: str, kind: TargetKind = TargetKind.QUBIT, **changes: Any) -> TaskRequest:  # fields of TaskRequest
    """An attempt at a target of a chip with qubits 0 ... 7."""
    sites = tuple(RequestSite(id=s.id, x=s.x, y=s.y, mux=s.mux) for s in TOPOLOGY.sites)
    given: dict[str, Any] = {
        "session_uid": "u",
        "session": "s",
        "namespace": "n",
        "execution_id": "20261123-000",
        "username": "admin",
        "step": "check",
        "task": "CheckT1",
        "target": target,
        "kind": kind,
        "ordinal": 0,
        "attempt": 1,
        "charged_retries": 0,
        "parameters": {},
        "timeout_s": 60.0,
        "r2_threshold": None,
        "publish": False,
        "tags": (),
        "measure_at": datetime(2026, 11, 23, 8, 0, tzinfo=UTC),
        "catalogue_hash": "",
        "chip": RequestChip(
            project_id="default",
            chip_id="bench",
            hardware_id="bench/bench",
            time_zone="UTC",
            sites=sites,
            couplings=tuple((c.control, c.target) for c in TOPOLOGY.couplings),
            backend="fake",
        ),
    }
    return TaskRequest(**(given | changes))


def backend(
    target: str,
    kind: TargetKind = TargetKind.QUBIT,
    config: dict[str, Any] | None = None,  # as a manifest writes it
    **changes: Any,
) -> FakeBackend:
    """The chip, connected and configured for a request."""
    asked = request(target, kind, **changes)
    found = FakeBackend(asked, FakeConfig.model_validate({"seed": 3, "drift": False} | (config or {})))
    found.connect()
    found.configure(asked.qubits)
    return found
