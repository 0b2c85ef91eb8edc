"""People of a lab, with the chart's roles, and our services where they find them: behind the API server's proxy."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kubecal.cluster.lab import ClusterLab
from tests.cluster.binaries import installed, kubectl
from tests.cluster.process import run, spawn
from tests.controller.lab import ROOT, Lab, free_port, system_namespace

_API_PROGRAM = Path(sys.executable).parent / "kubecal-api"


def expose(lab: Lab, part: str, port: int) -> None:
    """The chart's Service, and behind it a process of ours, as the address of a pod that nobody runs.

    The API server proxies to pods only: it looks whether one has the address that the Endpoints name.
    """
    namespace, name, address = system_namespace(lab.namespace), f"kubecal-{part}", _own_address()
    template = {"operator": "service.yaml", "api": "api.yaml"}[part]
    wanted = _chart(lab, f"templates/{template}")
    service = next(text for text in wanted.split("\n---\n") if "kind: Service\n" in text)
    meta = {"name": name, "namespace": namespace}
    spec = {"serviceAccountName": "kubecal-operator", "containers": [{"name": part, "image": "kubecal/operator:test"}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
    behind = {"ip": address, "targetRef": {"kind": "Pod", **meta}}
    subsets = [{"addresses": [behind], "ports": [{"name": "http", "port": port}]}]
    endpoints = {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": subsets}
    admin = lab.control_plane.kubectl
    admin("apply", "-f", "-", given=f"{service}\n---\n{json.dumps(pod)}")
    status = json.dumps({"status": {"podIP": address, "podIPs": [{"ip": address}]}})
    admin("patch", "pod", name, "-n", namespace, "--subresource", "status", "--type", "merge", "-p", status)
    admin("apply", "-f", "-", given=json.dumps(endpoints))


def start_api(lab: Lab) -> subprocess.Popen[bytes]:
    """kubecal-api, as its own process, where the API server's proxy finds it."""
    port = free_port()
    lab.write_uri(lab.mongodb_uri)
    environment = {"KUBECAL_MONGODB_URI_FILE": str(lab.folder / "uri"), "KUBECAL_API_PORT": str(port)}
    process = spawn([_API_PROGRAM], lab.folder / "api.log", environment=environment, on_death=signal.SIGKILL)
    expose(lab, "api", port)
    return process


def with_role(lab: Lab, user: str, role: str) -> Path:
    """The kubeconfig of somebody whom the chart's values name: ``viewers``, ``experimenters`` or ``admins``."""
    subject = f"people.{role}[0]"
    roles = _chart(lab, "templates/people.yaml", f"{subject}.kind=User", f"{subject}.name={user}")
    lab.control_plane.kubectl("apply", "-f", "-", given=roles)
    return lab.control_plane.user_kubeconfig(user)


@contextlib.asynccontextmanager
async def entered(lab: Lab, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ClusterLab]:
    """The cluster as somebody sees it."""
    with monkeypatch.context() as patch:
        patch.setenv("KUBECONFIG", str(kubeconfig))
        patch.setenv("PATH", os.pathsep.join((str(kubectl().parent), os.environ["PATH"])))
        place = ClusterLab(namespace=lab.namespace, operator_namespace=system_namespace(lab.namespace))
        async with place:
            yield place


def _chart(lab: Lab, template: str, *values: str) -> str:
    words: list[str | Path] = ["template", "kubecal", ROOT / "charts" / "kubecal"]
    words += ["--namespace", system_namespace(lab.namespace), "--show-only", template]
    for value in ("mongodb.existingSecret=mongodb", f"namespaces={{{lab.namespace}}}", *values):
        words += ["--set", value]
    return run([installed("helm"), *words])


def _own_address() -> str:
    """Not loopback, which the API server does not proxy to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))
        return str(probe.getsockname()[0])
