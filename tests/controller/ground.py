"""What stands before an operator comes: our kinds, and a namespace that it may serve."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import yaml

from tests.cluster.binaries import installed
from tests.cluster.control_plane import ControlPlane
from tests.cluster.process import run, wait_until
from tests.controller.lab import ROOT, system_namespace


@contextmanager
def control_plane_with_kinds() -> Iterator[ControlPlane]:
    """API server, etcd and controller manager, with our kinds."""
    with ControlPlane() as control_plane:
        control_plane.kubectl("apply", "--server-side", "-f", ROOT / "crds")
        control_plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", ROOT / "crds")
        yield control_plane


def prepare(control_plane: ControlPlane, namespace: str, *others: str) -> None:
    """A namespace that enforces the strictest Pod Security level, and the service account the chart makes.

    Parameters
    ----------
    others
        Namespaces that its operator serves as well.
    """
    strict = {"pod-security.kubernetes.io/enforce": "restricted"}
    bodies = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        for name, labels in (*((one, strict) for one in (namespace, *others)), (system_namespace(namespace), {}))
    ]
    control_plane.kubectl("apply", "-f", "-", given=yaml.safe_dump_all(bodies) + "---\n" + _rights(namespace, *others))
    for one in (namespace, *others):
        path = f"/api/v1/namespaces/{one}/serviceaccounts/default"
        wait_until(partial(_exists, control_plane, path), f"the service account of {one}", timeout_s=20)


def _rights(namespace: str, *others: str) -> str:
    """What the chart grants an operator that serves these namespaces."""
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
    served = ",".join((namespace, *others))
    return run(
        [installed("helm"), *words, "--set", f"namespaces={{{served}}}", "--set", "mongodb.existingSecret=mongodb"]
    )


def _exists(control_plane: ControlPlane, path: str) -> bool:
    try:
        control_plane.kubectl("get", "--raw", path)
    except Exception:
        return False
    return True
