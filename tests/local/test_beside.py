"""Chips that share a module, in one local run."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from tests.local.laptop import Laptop


def test_tasks_of_two_chips_on_one_module_run_one_after_another(laptop: Laptop) -> None:
    alone = laptop.run(_two_chips(laptop, {}), "--jobs", "2")
    assert (alone.code, alone.err) == (0, "")
    # Without this the test could not fail: each chip by itself would run beside the other.
    assert _overlaps(laptop)

    other = Laptop(laptop.folder / "wired")
    wired = {"wiring": {"muxes": [{"id": 0, "readout": ["R1"], "exclusive": True}]}}
    ended = other.run(_two_chips(other, wired), "--jobs", "2")
    assert (ended.code, ended.err) == (0, "")
    assert len(other.records("task_result_history")) == 2
    assert not _overlaps(other)


def _overlaps(laptop: Laptop) -> bool:
    rows = sorted(laptop.records("task_result_history"), key=lambda row: row["start_at"])
    return any(later["start_at"] < earlier["end_at"] for earlier, later in pairwise(rows))


def _two_chips(laptop: Laptop, wiring: dict[str, Any]) -> Path:
    """One qubit on each; Any: parts of manifests are."""
    documents = []
    for name in ("chip-a", "chip-b"):
        topology = {"squareLattice": {"rows": 1, "columns": 1, "muxSize": 1}}
        spec = {"topology": topology, "backend": {"name": "fake", "config": {"seed": 7}}, **wiring}
        steps = [{"name": "check", "tasks": [{"task": "CheckRabi"}]}]
        documents += [
            _manifest("Chip", name, spec),
            _manifest("CalibrationSession", f"on-{name}", {"chip": name, "targets": {"all": True}, "steps": steps}),
        ]
    path = laptop.folder / "two-chips.yaml"
    path.write_text(yaml.safe_dump_all(documents))
    return path


def _manifest(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "kubecal.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
