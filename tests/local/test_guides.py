"""The guide for a laptop, typed as it stands, in an empty home."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kubecal.api.manifests import load_manifests
from tests.documents import ROOT, Block, blocks

_TOPOLOGY = """\
id: square-lattice-mux-4
grid_size: 2
num_qubits: 4
direction_convention: checkerboard_cr
mux: {enabled: true, size: 2}
qubits: {0: {row: 0, col: 0}, 1: {row: 0, col: 1}, 2: {row: 1, col: 0}, 3: {row: 1, col: 1}}
couplings: [[0, 1], [0, 2], [3, 1], [3, 2]]
"""
_WIRING = """\
4Q:
- {mux: 0, ctrl: [X01B-5, X01B-0, X01B-2, X01B-6], read_out: Y07A-1, read_in: Y07A-0}
"""
# Two cores may be shared with much else.
_PATIENCE_S = 300
_SET_UP = "python3 -m venv"
"""The block that makes an environment: here it is the one that the tests run in."""


def typed(page: str) -> list[Block]:
    """Blocks that a reader types, in their order."""
    return [block for block in blocks("sh") if block.page == page]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty home, beside a checkout's examples."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


def run(home: Path, block: Block, code: int = 0) -> None:
    """Type a block as it stands."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    assert done.returncode == code, f"{block.place}: {done}"
    assert "Traceback" not in done.stdout + done.stderr


# One after another: what a block does, those after it find.
def test_ten_minutes_on_a_laptop(home: Path) -> None:
    set_up, *rest = typed("start.md")
    assert set_up.text.startswith(_SET_UP)
    for block in rest:
        # The session with the example task has one that is to fail: the guide says so.
        run(home, block, 1 if "examples/mylab/try.yaml" in block.text else 0)
    assert "<html" in (home / "demo.html").read_text()
    assert list((home / "figures").rglob("*.svg"))


def test_what_the_readme_does_with_a_session_that_ran(home: Path) -> None:
    made, set_up, after, _ = typed("README.md")
    assert made.commands == ("make demo", "make test")
    assert set_up.text.startswith(_SET_UP)
    run(home, replace(set_up, text=set_up.commands[-1].removeprefix("venv/bin/")))
    run(home, after)


def test_coming_from_qdash_a_chip_is_imported(home: Path) -> None:
    (home / "topology.yaml").write_text(_TOPOLOGY)
    (home / "wiring.yaml").write_text(_WIRING)
    (importing,) = typed("from-qdash.md")
    run(home, importing)
    (chip,) = load_manifests([home / "chip.yaml"]).chips
    assert chip.spec.wiring.modules == {"Y07A", "X01B"}
