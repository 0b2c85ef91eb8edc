"""A lab without a MongoDB: the chart brings one, which keeps what it has on a volume of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.e2e.images import ProjectImages
from tests.e2e.install import SYSTEM, install_chart
from tests.e2e.lab import Lab, wait_for
from tests.e2e.manifests import chip, session
from tests.e2e.people import seen_by

_FOLDER = "/var/local/kubecal-own-mongodb"
_CLAIM = "data-kubecal-mongodb-0"


@pytest.fixture
def own(lab: Lab, images: ProjectImages) -> Iterator[None]:
    """The release with the chart's own MongoDB, and afterwards as it was."""
    node = lab.cluster.plain_node
    lab.cluster.on_node(node, "mkdir", "-p", _FOLDER)
    lab.cluster.kubectl("apply", "-f", "-", given=yaml.safe_dump(_volume(node)))
    repository, _, tag = images.mongodb.rpartition(":")
    # The server of the tests is a replica set from the first moment, and has no shell.
    mongodb = {
        "deploy": True,
        "image": {"repository": repository, "tag": tag},
        "args": ["--sync-on-commit", "--cache-size", "256M"],
        "initiate": [],
        "uriOptions": "directConnection=true",
        "runAsUser": 65532,
        "storage": {"size": "1Gi"},
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
    }
    try:
        install_chart(lab.cluster, images, mongodb=mongodb)
        yield
    finally:
        lab.clear()
        install_chart(lab.cluster, images)
        lab.cluster.kubectl("delete", "pvc", _CLAIM, "-n", SYSTEM, "--ignore-not-found", "--timeout=60s")
        lab.cluster.kubectl("delete", "pv", _volume(node)["metadata"]["name"], "--ignore-not-found", "--timeout=60s")
        lab.cluster.on_node(node, "rm", "-rf", _FOLDER)


async def test_the_charts_own_mongodb_keeps_the_records_over_its_own_restart(
    own: None, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.apply(chip(rows=2, columns=2), session("kept", ["Noop"], qubits=["0", "1"]))
    execution = (await asyncio.to_thread(lab.wait_phase, "kept", "Completed"))["executionId"]

    lab.cluster.kubectl("delete", "pod", "kubecal-mongodb-0", "-n", SYSTEM)
    lab.cluster.kubectl("rollout", "status", "statefulset/kubecal-mongodb", "-n", SYSTEM, "--timeout=90s")

    async with seen_by(lab, "viewer", monkeypatch) as place:
        (found,) = await place.records.executions(session="kept")
        assert (found.execution_id, found.phase) == (execution, "Completed")
        assert {one.status for one in await place.records.tasks(execution)} == {"completed"}
    lab.apply(session("after", ["Noop"], qubits=["0"]))
    wait_for(lambda: lab.status("after").get("phase"), "Completed".__eq__, "a session after the restart", 120)


def _volume(node: str) -> dict[str, Any]:
    """What a lab's storage class would make; Any: a manifest. The kind cluster of the tests makes none by itself."""
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "kubecal-own-mongodb"},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "standard",
            "persistentVolumeReclaimPolicy": "Retain",
            "local": {"path": _FOLDER},
            "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
            "claimRef": {"namespace": SYSTEM, "name": _CLAIM},
        },
    }
