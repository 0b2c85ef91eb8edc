"""A control plane without nodes for the whole run, and for each test a namespace with an operator's rights."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kubecal_operator.client import ApiClient
from tests.cluster.control_plane import ControlPlane
from tests.controller.ground import control_plane_with_kinds, prepare
from tests.controller.lab import Lab, new_namespace, system_namespace
from tests.controller.podsim import PodSimulator, Script


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """API server, etcd and controller manager, with our kinds."""
    with control_plane_with_kinds() as control_plane:
        yield control_plane


@pytest.fixture
async def lab(
    control_plane: ControlPlane, mongodb_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Lab]:
    """A namespace that enforces the strictest Pod Security level, and the service account the chart makes."""
    namespace = new_namespace()
    position = control_plane.audit_position()
    prepare(control_plane, namespace)
    kubeconfig = control_plane.service_account_kubeconfig(system_namespace(namespace), "kubecal-operator")
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    api = ApiClient()
    lab = Lab(control_plane, api, namespace, mongodb_uri, tmp_path, kubeconfig, position)
    try:
        yield lab
    finally:
        lab.end()
        await api.close()


@pytest.fixture
def annex(lab: Lab) -> Lab:
    """A second namespace, which operators of the lab that are started from now on serve as well."""
    annex = replace(lab, namespace=new_namespace())
    prepare(lab.control_plane, lab.namespace, annex.namespace)
    lab.served_too = (annex.namespace,)
    return annex


@pytest.fixture
def simulated(lab: Lab) -> Iterator[Callable[..., PodSimulator]]:
    """Makes the simulator of a lab's pods, with a script or without one; no two of them may drive one qubit."""
    made: list[PodSimulator] = []

    def make(script: Script | None = None, where: Lab | None = None) -> PodSimulator:
        made.append(PodSimulator(lab.api, (where or lab).namespace, lab.mongodb_uri, script))
        return made[-1]

    yield make
    assert [clash for simulator in made for clash in simulator.clashes] == []
