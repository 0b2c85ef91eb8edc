"""Installing kubecal into a test cluster, as a lab would: a MongoDB, the namespaces, the chart."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.__main__ import exports
from tests.cluster.errors import ClusterError
from tests.cluster.kind import KindCluster
from tests.cluster.process import say
from tests.e2e.images import ProjectImages, build_all
from tests.e2e.people import subjects

ROOT = Path(__file__).parents[2]
RELEASE, SYSTEM, SERVED = "kubecal", "kubecal", "lab"
MONGODB_URI = "mongodb://mongodb.kubecal-mongodb.svc:27017/kubecal?directConnection=true"
# Two cores are shared with everything else here, and a test loses the instruments' node: the operator stays off it.
_OFF_INSTRUMENTS = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "kubecal.io/instruments", "operator": "DoesNotExist"}]}]
        }
    }
}


def install_mongodb(cluster: KindCluster, images: ProjectImages) -> None:
    """The tests' MongoDB, in a namespace of its own."""
    text = (Path(__file__).parent / "mongodb.yaml").read_text().replace("IMAGE", images.mongodb)
    cluster.kubectl("apply", "-f", "-", given=text)
    cluster.kubectl("rollout", "status", "-n", "kubecal-mongodb", "deployment/mongodb", "--timeout=90s")


def install_chart(cluster: KindCluster, images: ProjectImages, **changes: Any) -> str:
    """`helm upgrade --install` with the images of this checkout; returns when the operator is ready.

    ``changes`` are top-level values that replace those of here. Every task pod must pass the strictest Pod
    Security level, which the served namespace enforces.
    """
    for namespace, labels in ((SYSTEM, {}), (SERVED, {"pod-security.kubernetes.io/enforce": "restricted"})):
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}
        cluster.kubectl("apply", "-f", "-", given=yaml.safe_dump(manifest))
    path = cluster.folder / "values.yaml"
    path.write_text(yaml.safe_dump(values(images) | changes))
    chart = ROOT / "charts" / "kubecal"
    cluster.helm("upgrade", "--install", RELEASE, chart, "-n", SYSTEM, "-f", path, "--wait", "--timeout", "120s")
    return RELEASE


def values(images: ProjectImages) -> dict[str, Any]:
    """The chart's values for a test cluster."""
    operator, _, operator_tag = images.operator.rpartition(":")
    tests, _, tests_tag = images.tests.rpartition(":")
    return {
        "namespaces": [SERVED],
        "operator": {"image": {"repository": operator, "tag": operator_tag}, "affinity": _OFF_INSTRUMENTS},
        "tasks": {"image": {"repository": tests, "tag": tests_tag}, "catalogue": images.tests_catalogue},
        "mongodb": {"uri": MONGODB_URI},
        "people": subjects(),
    }


def main() -> None:
    """`make cluster`: a kept cluster with everything in it, and what to export to use it."""
    with KindCluster.ensure(keep=True) as cluster:
        images = build_all(cluster.docker)
        cluster.load_images(images.tags)
        install_mongodb(cluster, images)
        install_chart(cluster, images)
        print(exports(cluster.environment, cluster.tools), flush=True)
    say(f"kubecal serves the namespace {SERVED!r}: kubectl apply -n {SERVED} -f examples/morning.yaml")


if __name__ == "__main__":
    try:
        main()
    except ClusterError as error:
        sys.exit(f"make cluster: {error}")
