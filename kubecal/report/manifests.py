"""The session and its chip as manifests, to run all of it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from kubecal.api.model import API_VERSION
from kubecal.api.yaml_text import yaml_text
from kubecal.reading.answers import ExecutionDetail


def manifests(detail: ExecutionDetail, namespace: str) -> str:
    """Chip and CalibrationSession as they were for this execution, as YAML; an empty namespace is left out."""
    place = {"namespace": namespace} if namespace else {}
    # An execution id that was asked for is taken now.
    session = {name: value for name, value in detail.session_spec.items() if name != "executionId"}
    documents = [
        _document("Chip", {"name": detail.chip, **place}, detail.chip_spec),
        _document("CalibrationSession", {"name": detail.session, **place}, session),
    ]
    return yaml_text(*documents)


def values(parameters: Mapping[str, Any]) -> str:
    """Run parameters as a manifest would write them, in one line each."""
    return "\n".join(f"{name}: {in_line(value)}" for name, value in parameters.items())


def in_line(value: object) -> str:
    """One value as YAML writes it in a line."""
    written = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**9)
    return written.removesuffix("\n").removesuffix("\n...").strip()


def _document(kind: str, metadata: dict[str, str], spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": dict(spec)}
