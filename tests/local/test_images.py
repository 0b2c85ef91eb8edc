"""Tasks of an author on a laptop: there is one environment, and what is installed in it is every image's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.local.laptop import Laptop

TEST_TASKS = Path(__file__).parents[1] / "image"


def _with_mylab(path: Path, *tasks: dict[str, Any]) -> Path:
    """The manifest with other tasks, on a chip that allows an author's image."""
    chip, session = yaml.safe_load_all(path.read_text())
    allowed = {"name": "mylab", "image": "registry.example.org/mylab:1", "catalogue": "mylab-catalogue"}
    chip["spec"]["pods"] = {"images": [allowed]}
    session["spec"]["steps"][0]["tasks"] = list(tasks)
    path.write_text(yaml.safe_dump_all([chip, session]))
    return path


def test_an_authors_tasks_run_beside_the_built_in_ones(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TEST_TASKS))
    path = _with_mylab(laptop.manifest(), {"task": "CheckRabi"}, {"task": "Noop", "image": "mylab"})
    ended = laptop.run(path)
    assert (ended.code, ended.err) == (0, "")
    assert {row["name"]: row["status"] for row in laptop.records("task_result_history")} == {
        "CheckRabi": "completed",
        "Noop": "completed",
    }


def test_a_task_that_is_not_installed_is_refused_before_anything_starts(laptop: Laptop) -> None:
    ended = laptop.run(_with_mylab(laptop.manifest(), {"task": "Noop", "image": "mylab"}))
    assert ended.code == 2
    assert "spec.steps[0].tasks[0]: there is no task 'Noop' in image 'mylab'" in ended.err
