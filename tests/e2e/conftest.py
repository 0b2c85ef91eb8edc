"""A kind cluster with kubecal installed as a lab would install it: images, MongoDB, chart."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pymongo import MongoClient

from tests.cluster.kind import KindCluster
from tests.e2e.images import ProjectImages, build_all
from tests.e2e.lab import Lab, port_forward

ROOT = Path(__file__).parents[2]
SYSTEM, SERVED = "kubecal", "lab"
MONGODB_URI = "mongodb://mongodb.kubecal-mongodb.svc:27017/kubecal?replicaSet=secantus"


@pytest.fixture(scope="session")
def cluster() -> Iterator[KindCluster]:
    """The kind cluster of this run: the kept one if there is one, else a new one that ends with the run."""
    with KindCluster.ensure() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def images(cluster: KindCluster) -> ProjectImages:
    """The project's images, built if anything in them changed, and present on every node."""
    built = build_all(cluster.docker)
    cluster.load_images(built.tags)
    return built


@pytest.fixture(scope="session")
def mongodb(cluster: KindCluster, images: ProjectImages) -> Iterator[str]:
    """A MongoDB in the cluster; the value is its URI as seen from this machine."""
    given = os.environ.get("MONGODB_URI")
    text = (Path(__file__).parent / "mongodb.yaml").read_text().replace("IMAGE", images.mongodb)
    cluster.kubectl("apply", "-f", "-", given=text)
    cluster.kubectl("rollout", "status", "-n", "kubecal-mongodb", "deployment/mongodb", "--timeout=90s")
    with port_forward(cluster, "kubecal-mongodb", "service/mongodb", 27017) as port:
        yield given or f"mongodb://127.0.0.1:{port}/kubecal?directConnection=true"


@pytest.fixture(scope="session")
def installed(cluster: KindCluster, images: ProjectImages, mongodb: str) -> str:
    """kubecal installed by helm, serving one namespace; the value is the release's name."""
    for namespace in (SYSTEM, SERVED):
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        if namespace == SERVED:
            # The strictest level: every task pod must pass it.
            manifest["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": "restricted"}  # type: ignore[index]
        cluster.kubectl("apply", "-f", "-", given=yaml.safe_dump(manifest))
    install(cluster, images)
    return "kubecal"


def install(cluster: KindCluster, images: ProjectImages, *arguments: str) -> None:
    """`helm upgrade --install` with the images of this checkout, and wait until the operator is ready."""
    values = {
        "namespaces": [SERVED],
        "operator": {
            "image": {"repository": images.operator.rpartition(":")[0], "tag": images.operator.rpartition(":")[2]},
            # Two cores are shared with everything else here: the operator goes where the instruments are not.
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [
                            {"matchExpressions": [{"key": "kubecal.io/instruments", "operator": "DoesNotExist"}]}
                        ]
                    }
                }
            },
        },
        "tasks": {
            "image": {"repository": images.tests.rpartition(":")[0], "tag": images.tests.rpartition(":")[2]},
            "catalogue": images.tests_catalogue,
        },
        "mongodb": {"uri": MONGODB_URI},
    }
    path = cluster.folder / "values.yaml"
    path.write_text(yaml.safe_dump(values))
    chart = ROOT / "charts" / "kubecal"
    cluster.helm("upgrade", "--install", "kubecal", chart, "-n", SYSTEM, "-f", path, "--wait", "--timeout", "120s", *arguments)


@pytest.fixture
def lab(cluster: KindCluster, mongodb: str, installed: str) -> Iterator[Lab]:
    """The served namespace, empty before and after."""
    client: MongoClient[dict[str, object]] = MongoClient(mongodb, tz_aware=True)
    lab = Lab(cluster=cluster, namespace=SERVED, database=client)
    lab.clear()
    try:
        yield lab
    finally:
        lab.clear()
        client.close()
