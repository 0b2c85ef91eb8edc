"""Task classes of files that nobody has installed, and what is said of files that cannot be used."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubecal.api.request import TASK_FILES_VARIABLE
from kubecal_tasks.framework.export import catalogue_of
from kubecal_tasks.framework.loose import TaskFileError, load_file, loose_tasks, source_of
from kubecal_tasks.framework.registry import all_tasks

GOOD = '''"""A task of mine."""
from kubecal_tasks.framework.task import BaseTask


class Mine(BaseTask):
    """What I measure."""

    name = "Mine"

    def preprocess(self, backend):
        pass

    def run(self, backend):
        return ()

    def postprocess(self, backend, result):
        raise NotImplementedError

    @classmethod
    def estimated_duration_s(cls):
        return 1.0
'''


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """Where a file may be written; nothing of what is imported stays."""
    modules, path = set(sys.modules), list(sys.path)
    yield tmp_path / "mine.py"
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def test_the_classes_of_a_file_are_tasks_and_say_which_file_they_come_from(file: Path) -> None:
    file.write_text(GOOD)

    (task,) = load_file(file)

    (entry,) = catalogue_of([task]).tasks
    digest = hashlib.sha256(GOOD.encode()).hexdigest()
    assert (entry.name, entry.description, entry.source) == ("Mine", "What I measure.", f"mine.py sha256:{digest}")
    assert source_of(all_tasks()["CheckT1"]) == ""


def test_another_version_of_the_file_is_another_catalogue(file: Path) -> None:
    file.write_text(GOOD)
    (task,) = load_file(file)
    before = catalogue_of([task]).hash
    file.write_text(GOOD + "# a word more\n")

    assert catalogue_of([task]).hash != before


def test_a_base_of_the_file_s_own_tasks_is_none(file: Path) -> None:
    file.write_text(
        GOOD.replace('    name = "Mine"\n', "") + '\n\nclass Second(Mine):\n    """It."""\n    name = "Second"\n'
    )

    assert [task.name for task in load_file(file)] == ["Second"]


def test_what_lies_beside_the_file_can_be_imported(file: Path) -> None:
    (file.parent / "beside_it.py").write_text("NAME = 'Mine'\n")
    file.write_text(
        GOOD.replace('"Mine"', "NAME").replace(
            "from kubecal_tasks", "from beside_it import NAME\nfrom kubecal_tasks", 1
        )
    )

    assert [task.name for task in load_file(file)] == ["Mine"]


def test_what_a_file_prints_is_no_answer(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(GOOD + "print('hello')\n")
    load_file(file)

    assert capsys.readouterr() == ("", "hello\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("x = 1\n", "{file} defines no task: derive a class from BaseTask, with a name"),
        ("import math\n\nx = (1,\n", "{file}, line 3: is not Python ('(' was never closed): correct it"),
        ("\nimport nunpy\n", "{file}, line 2: ModuleNotFoundError: No module named 'nunpy': correct it"),
        ("def f():\n    return 1 / 0\n\n\nf()\n", "{file}, line 2: ZeroDivisionError: division by zero: correct it"),
        (GOOD.replace('    name = "Mine"\n', ""), '{file}, line 5: class Mine has no name: write name = "Mine"'),
        (
            GOOD.replace('"Mine"', '"My task"'),
            "{file}, line 5: class Mine is named 'My task': write letters and digits, like CheckT1",
        ),
        (
            GOOD.replace("def run", "def measure").replace("def postprocess", "def fit"),
            "{file}, line 5: class Mine lacks postprocess, run: write what it does there",
        ),
        (
            GOOD.replace('name = "Mine"', 'name = "Mine"\n    inputs = (3,)'),
            "{file}, line 5: class Mine: what it declares cannot be used ('int' object has no attribute 'entries'): ",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_a_sentence_with_its_line(file: Path, content: str, said: str) -> None:
    file.write_text(content)

    with pytest.raises(TaskFileError) as refused:
        load_file(file)

    assert str(refused.value).startswith(said.format(file=file))
    assert "\n" not in str(refused.value)


def test_a_name_that_is_taken_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(GOOD.replace('"Mine"', '"CheckT1"'))
    monkeypatch.setenv(TASK_FILES_VARIABLE, json.dumps([str(file)]))

    with pytest.raises(TaskFileError) as refused:
        loose_tasks(all_tasks())

    assert str(refused.value) == (
        f"{file}, line 5: there is a task CheckT1 already (in {all_tasks()['CheckT1'].__module__}): "
        "give class Mine another name"
    )
