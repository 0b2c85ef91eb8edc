"""The guide for a cluster on one's machine, typed as it stands once the cluster is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.documents import ROOT, Block, blocks
from tests.e2e.lab import Lab, wait_for

_PATIENCE_S = 300


def typed(page: str) -> list[Block]:
    """Blocks that a reader types between making the cluster and removing it."""
    found = [block for block in blocks("sh") if block.page == page]
    assert found[0].commands == ("make cluster",)
    assert found[-1].commands == ("make cluster-down",)
    return found[1:-1]


def run(lab: Lab, folder: Path, block: Block) -> None:
    environment = {
        **os.environ,
        **lab.cluster.environment,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{lab.cluster.tools}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text],
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
    *looking, breaking = typed("kind.md")
    for block in looking:
        run(lab, tmp_path, block)
    page = (tmp_path / "demo.html").read_text()
    assert [value for value in ("qubit_frequency", "t2_echo", "CheckRamsey") if value not in page] == []
    assert list((tmp_path / "figures").rglob("*.svg"))
    run(lab, tmp_path, breaking)
    wait_for(lambda: lab.get("cals")["items"], lambda items: not items, "the deleted session is gone")


def test_it_is_also_a_plugin_of_kubectl(lab: Lab, tmp_path: Path) -> None:
    run(lab, tmp_path, Block("here", 1, "sh", "", "kubectl kubecal get sessions -n lab\n"))
