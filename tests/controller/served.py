"""A namespace as the chart leaves it: the strictest Pod Security level, and an operator's rights."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.cluster.binaries import installed
from tests.cluster.control_plane import ControlPlane
from tests.cluster.process import run, wait_until
from tests.controller.lab import ROOT, system_namespace


def prepare(control_plane: ControlPlane, namespace: str) -> None:
    """Make the namespace, and the one of its operator, with the service account of the chart."""
    strict = {"pod-security.kubernetes.io/enforce": "restricted"}
    bodies = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        for name, labels in ((namespace, strict), (system_namespace(namespace), {}))
    ]
    control_plane.kubectl("apply", "-f", "-", given=yaml.safe_dump_all(bodies) + "---\n" + _rights(namespace))
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
    wait_until(lambda: _exists(control_plane, path), f"the service account of {namespace}", timeout_s=20)


def _rights(namespace: str) -> str:
    """What the chart grants an operator that serves this namespace."""
    chart = ROOT / "charts" / "kubecal"
    words: list[str | Path] = [
        "template",
        "kubecal",
        chart,
        "--namespace",
        system_namespace(namespace),
        "--show-only",
        "templates/rbac.yaml",
    ]
    return run(
        [installed("helm"), *words, "--set", f"namespaces={{{namespace}}}", "--set", "mongodb.existingSecret=mongodb"]
    )


def _exists(control_plane: ControlPlane, path: str) -> bool:
    try:
        control_plane.kubectl("get", "--raw", path)
    except Exception:
        return False
    return True
