"""Loose files, as far as they are only named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubecal.api.request import TASK_FILES_VARIABLE
from kubecal.local.errors import LocalRunError
from kubecal.local.task_files import NO_FILES, TaskFiles


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two files in the folder where one works."""
    monkeypatch.chdir(tmp_path)
    for name in ("one.py", "two.py"):
        (tmp_path / name).touch()
    return [tmp_path / "one.py", tmp_path / "two.py"]


def test_a_process_that_works_elsewhere_finds_them(files: list[Path]) -> None:
    named = TaskFiles.of([Path("one.py"), Path("two.py"), files[0]])

    assert named.environment == {TASK_FILES_VARIABLE: json.dumps(list(map(str, files)))}
    assert NO_FILES.environment == {}


def test_a_person_names_them_for_every_command(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    assert TaskFiles.given() == NO_FILES
    monkeypatch.setenv("KUBECAL_TASKS", "one.py:two.py:")

    assert TaskFiles.given() == TaskFiles.of(files)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("none.py", "none.py: there is no such file: check the path"),
        (".", ".: is a folder: name the files in it"),
    ],
)
def test_what_is_no_file_is_named(files: list[Path], monkeypatch: pytest.MonkeyPatch, path: str, said: str) -> None:
    with pytest.raises(LocalRunError) as refused:
        TaskFiles.of([Path(path)])
    assert str(refused.value) == said
    monkeypatch.setenv("KUBECAL_TASKS", path)
    with pytest.raises(LocalRunError) as refused:
        TaskFiles.given()
    assert str(refused.value) == f"KUBECAL_TASKS in the environment: {said}"
