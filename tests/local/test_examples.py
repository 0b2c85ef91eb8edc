"""The examples in Python, as a person runs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.local.laptop import Laptop

PATIENCE_S = 300.0
"""The notebook runs a dozen attempts, one after the other."""
EXAMPLES = Path(__file__).parents[2] / "examples"
JUPYTER = f"""
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read({str(EXAMPLES / "notebook.ipynb")!r}, as_version=4)
NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
nbformat.write(notebook, "executed.ipynb")
"""


def test_the_flow_runs(laptop: Laptop) -> None:
    with laptop.program((EXAMPLES / "flow.py").read_text()) as program:
        ended = program.end(PATIENCE_S)
    assert ended.code == 0, ended
    assert [line.split(":")[0] for line in ended.out.splitlines()] == ["qubit 0", "qubit 1"]
    assert [one["status"] for one in laptop.records("execution_history")] == ["completed"]


def test_the_notebook_runs_and_results_show_themselves(laptop: Laptop) -> None:
    with laptop.program(JUPYTER) as program:
        ended = program.end(PATIENCE_S)
    assert ended.code == 0, ended
    shown = outputs(laptop.folder / "executed.ipynb")
    results = [one for one in shown if "text/html" in one]
    assert len(results) == 4
    assert all("data:image/svg+xml;base64," in one["text/html"] for one in results)
    rabi, pulse, t1, weak = (one["text/plain"].splitlines()[0] for one in results)
    assert rabi.startswith("✓ CheckRabi of qubit 0 ok R²")
    assert pulse.startswith("✓ CreateHPIPulse of qubit 0 ok")
    assert t1.startswith("✓ CheckT1 of qubit 0 ok (attempt "), "it was measured again"
    assert weak.startswith("✗ CheckRabi of qubit 1 ")
    executed = (laptop.folder / "executed.ipynb").read_text()
    assert "PartiallyFailed: failed on qubit 1: CheckRabi on 1: no signal" in executed


def outputs(notebook: Path) -> list[dict[str, Any]]:
    """What the cells gave back; Any: Jupyter's bundles by type."""
    cells = json.loads(notebook.read_text())["cells"]
    found = [one["data"] for cell in cells for one in cell.get("outputs", ()) if "data" in one]
    return [{kind: "".join(text) for kind, text in data.items()} for data in found]
