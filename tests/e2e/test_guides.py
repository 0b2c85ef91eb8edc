"""The guide for a cluster on one's machine, typed as it stands once the cluster is there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.documents import ROOT, Block, blocks
from tests.e2e.images import ProjectImages
from tests.e2e.install import MONGODB_URI, install_chart, values
from tests.e2e.lab import Lab, wait_for

_PATIENCE_S = 300


def typed(page: str) -> list[Block]:
    """Blocks that a reader types."""
    return [block for block in blocks("sh") if block.page == page]


def run(lab: Lab, folder: Path, block: Block, names: Mapping[str, str] | None = None) -> None:
    """Type a block as it stands, but for ``names`` that every reader has of their own."""
    text = block.text
    for placeholder, name in (names or {}).items():
        text = text.replace(placeholder, name)
    environment = {
        **os.environ,
        **lab.cluster.environment,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{lab.cluster.tools}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, f"{block.place}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert "Traceback" not in done.stdout + done.stderr


def test_a_cluster_on_ones_machine(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    making, *looking, breaking, removing = typed("kind.md")
    assert (making.commands, removing.commands) == (("make cluster",), ("make cluster-down",))
    for block in looking:
        run(lab, tmp_path, block)
    page = (tmp_path / "demo.html").read_text()
    assert [value for value in ("qubit_frequency", "t2_echo", "CheckRamsey") if value not in page] == []
    assert list((tmp_path / "figures").rglob("*.svg"))
    run(lab, tmp_path, breaking)
    wait_for(lambda: lab.get("cals")["items"], lambda items: not items, "the deleted session is gone")


def test_a_labs_cluster_from_its_installation_to_its_end(lab: Lab, images: ProjectImages, tmp_path: Path) -> None:
    """The pages in the order in which a lab needs them: what was installed for the other tests goes, and comes back."""
    for folder in ("examples", "charts"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    own = {name: value for name, value in values(images).items() if name in ("operator", "tasks")}
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(own))
    names = {
        "mongodb://user:password@host:27017/kubecal?replicaSet=rs0": MONGODB_URI,
        # Images of this checkout instead of a registry's.
        "helm install kubecal charts/kubecal": "helm install kubecal charts/kubecal -f values.yaml --wait",
        "kubectl create namespace lab": "kubectl get namespace lab",
        "node NODE": f"node {lab.cluster.instrument_node}",
    }
    uninstall, remove_kinds = typed("uninstall.md")
    taint = f"{lab.cluster.instrument_node} kubecal.io/instruments-"
    try:
        run(lab, tmp_path, uninstall)
        run(lab, tmp_path, remove_kinds)
        for page in ("lab-cluster.md", "upgrade.md"):
            for block in typed(page):
                run(lab, tmp_path, block, names)
        conditions = wait_for(lambda: _conditions(lab, "sim-16"), bool, "what the operator says of the chip")
        assert [one["status"] for one in conditions if one["type"] == "Valid"] == ["True"]
        alice = lab.cluster.kubectl("auth", "can-i", "create", "cals", "-n", "lab", "--as", "alice")
        assert alice.strip() == "yes"
    finally:
        lab.cluster.kubectl("taint", "node", *taint.split())
        for namespace in ("lab", "kubecal"):
            lab.cluster.kubectl("delete", "rolebinding", "alice", "-n", namespace, "--ignore-not-found")
        install_chart(lab.cluster, images)


def _conditions(lab: Lab, chip: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = lab.get("chip", chip).get("status", {}).get("conditions", [])
    return found


def test_it_is_also_a_plugin_of_kubectl(lab: Lab, tmp_path: Path) -> None:
    run(lab, tmp_path, Block("here", 1, "sh", "", "kubectl kubecal get sessions -n lab\n"))
