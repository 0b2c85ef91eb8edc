"""The documents as a site: they build without a warning, and every kind and task has its page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubecal.api.catalogue import built_in_catalogue
from tests.contact_sheet.__main__ import FAMILIES
from tests.documents import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


def _page(site: Path, path: str) -> str:
    return (site / path).read_text("utf-8")


def test_every_task_has_a_page_with_its_outputs_and_what_it_draws(site: Path) -> None:
    drawn = {task for tasks in FAMILIES.values() for task in tasks}
    for task in built_in_catalogue().tasks:
        page = _page(site, f"reference/tasks/{task.name}.html")
        assert [output.name for output in task.outputs if output.name not in page] == []
        assert (f"figures/tasks/{task.name}.png" in page) == (task.name in drawn), task.name


@pytest.mark.parametrize(("kind", "field"), [("chip", "hardwareId"), ("calibrationsession", "onTargetFailure")])
def test_every_kind_has_a_page_with_its_fields(site: Path, kind: str, field: str) -> None:
    page = _page(site, f"reference/{kind}.html")
    assert field in page
    assert "fixed after creation" in page or kind == "chip"


def test_the_command_line_has_a_page_with_every_verb(site: Path) -> None:
    page = _page(site, "reference/command-line.html")
    assert [verb for verb in ("run", "explain", "tasks list", "tasks export") if f"kubecal {verb}" not in page] == []


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 60
    fetched = ('src="http', 'rel="stylesheet" href="http')
    assert [page.name for page in pages if any(one in page.read_text("utf-8") for one in fetched)] == []
