"""The guide for a laptop, typed as it stands, in an empty home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import ROOT, Block, blocks

# Two cores may be shared with much else.
_PATIENCE_S = 300
_SET_UP = "python3 -m venv"
"""The block that makes an environment: here it is the one that the tests run in."""


def typed(page: str) -> list[Block]:
    """Blocks that a reader types, in their order."""
    found = [block for block in blocks("sh") if block.page == page]
    assert found[0].text.startswith(_SET_UP)
    return found[1:]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty home, beside a checkout's examples."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


# One after another: what a block does, those after it find.
def test_ten_minutes_on_a_laptop(home: Path) -> None:
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "OMP_NUM_THREADS": "1",
    }
    for block in typed("start.md"):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.text],
            cwd=home,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        # The session with the example task has one that is to fail: the guide says so.
        assert done.returncode == (1 if "examples/mylab/try.yaml" in block.text else 0), f"{block.place}: {done}"
        assert "Traceback" not in done.stdout + done.stderr
    assert "<html" in (home / "demo.html").read_text()
    assert list((home / "figures").rglob("*.svg"))
