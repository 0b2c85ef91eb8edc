"""A program's own tasks are found where they are written."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from kubecal.service.errors import ServiceError
from kubecal.service.own_tasks import task_files

SOURCE = """
from kubecal import BaseTask

class Bare(BaseTask):
    def preprocess(self, backend): pass
    def run(self, backend): pass
    def postprocess(self, backend, result): pass

class OwnTaskOfTheTest(Bare):
    name = "OwnTaskOfTheTest"
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = tmp_path / "own_task_of_the_test.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)
    spec.loader.exec_module(module)
    return module


def test_what_is_imported_is_known_and_what_is_installed_is_left_aside(module: ModuleType) -> None:
    files = task_files(None)
    assert Path(str(module.__file__)) in files
    assert not [file for file in files if "task_image" in file.parts]


def test_files_and_classes_may_be_named(module: ModuleType) -> None:
    own = Path(str(module.__file__))
    assert task_files([module.OwnTaskOfTheTest, str(own), "other.py"]) == (own, Path("other.py"))
    assert task_files([]) == ()


def test_a_class_that_stands_in_no_file_cannot_be_used() -> None:
    made = type("Typed", (), {"__module__": "__main__of_no_file"})
    with pytest.raises(ServiceError, match=r"task Typed stands in no file.*write it into a file of its own"):
        task_files([made])
