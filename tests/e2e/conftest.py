"""A kind cluster with kubecal installed as a lab would install it: images, MongoDB, chart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from tests.cluster.kind import KindCluster
from tests.e2e.images import ProjectImages, build_all
from tests.e2e.install import SERVED, install_chart, install_mongodb
from tests.e2e.lab import Lab, port_forward


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
def mongodb(cluster: KindCluster, images: ProjectImages) -> None:
    """A MongoDB in the cluster."""
    install_mongodb(cluster, images)


@pytest.fixture(scope="session")
def installed(cluster: KindCluster, images: ProjectImages, mongodb: None) -> str:
    """kubecal installed by helm, serving one namespace; the value is the release's name."""
    return install_chart(cluster, images)


@pytest.fixture
def lab(cluster: KindCluster, installed: str) -> Iterator[Lab]:
    """The served namespace, empty before and after, and a way to its database that lasts as long as the test."""
    with port_forward(cluster, "kubecal-mongodb", "service/mongodb", 27017) as port:
        uri = f"mongodb://127.0.0.1:{port}/kubecal?directConnection=true"
        client: MongoClient[dict[str, Any]] = MongoClient(uri, tz_aware=True)
        lab = Lab(cluster=cluster, namespace=SERVED, uri=uri, database=client)
        lab.clear()
        try:
            yield lab
        finally:
            lab.clear()
            client.close()
