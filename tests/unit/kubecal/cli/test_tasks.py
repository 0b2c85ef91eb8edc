"""What a task author exports from an image, and what a local run knows of it."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
import yaml

from kubecal.api.catalogue import TargetKind, built_in_catalogue, load_catalogue
from kubecal.cli.form import Form
from kubecal.cli.screen import Screen
from kubecal.cli.tasks import config_map_of, describe_task, export_catalogue, list_tasks
from kubecal.local import catalogue as local
from kubecal.local.errors import LocalRunError

TEST_TASKS = Path(__file__).parents[3] / "image"


@pytest.fixture
def author(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own tasks are installed here, as those of an author."""
    monkeypatch.setenv("PYTHONPATH", str(TEST_TASKS))
    monkeypatch.syspath_prepend(str(TEST_TASKS))


def test_the_catalogue_is_printed_as_the_chart_wants_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert export_catalogue() == 0
    assert load_catalogue(capsys.readouterr().out) == built_in_catalogue()


@pytest.mark.usefixtures("author")
def test_as_a_config_map_it_is_applied_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert export_catalogue("mylab-catalogue") == 0
    body = yaml.safe_load(capsys.readouterr().out)
    assert (body["apiVersion"], body["kind"], body["metadata"]) == ("v1", "ConfigMap", {"name": "mylab-catalogue"})
    assert "Scripted" in load_catalogue(body["data"]["catalogue.json"]).task_by_name


@pytest.mark.parametrize("name", ["Mylab", "-mylab", "my_lab", "mylab.", "m" * 254])
def test_a_name_that_no_config_map_can_have_is_refused(name: str) -> None:
    with pytest.raises(LocalRunError, match="a ConfigMap cannot be called so"):
        config_map_of(name, "{}")


def test_without_authors_tasks_nothing_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local.sys, "executable", "/nowhere/python")
    assert local.installed_catalogue() == built_in_catalogue()


@pytest.mark.usefixtures("author")
def test_authors_tasks_that_are_installed_are_known_here() -> None:
    assert {"Scripted", "CheckT1"} <= local.installed_catalogue().task_by_name.keys()


def test_tasks_that_cannot_be_imported_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken-1.0.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (broken / "entry_points.txt").write_text("[kubecal.tasks]\nMine = nowhere_to_be_found:Mine\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(LocalRunError, match=r"cannot be loaded[\s\S]*nowhere_to_be_found"):
        local.exported_catalogue()


def written(task: str, form: Form = Form.TABLE) -> tuple[int, str, str]:
    """Exit code, and what is said about one task."""
    out, errors = StringIO(), StringIO()
    code = describe_task(Screen(out, errors, form), task)
    return code, out.getvalue(), errors.getvalue()


def test_a_task_is_described_with_what_it_reads_writes_and_what_can_be_set() -> None:
    code, out, _ = written("CheckT1")
    assert code == 0
    sections = [line for line in out.splitlines() if line and not line.startswith(" ")]
    assert sections == ["CheckT1", "run parameters", "inputs", "outputs"]
    assert "shots     1024" in out
    assert "2...1000000" in out


@pytest.mark.parametrize("task", [task.name for task in built_in_catalogue().tasks])
def test_every_task_can_be_described(task: str) -> None:
    assert written(task)[0] == 0


def test_a_mistyped_task_is_answered_with_what_is_close() -> None:
    assert written("CheckT11") == (1, "", "there is no task 'CheckT11': did you mean CheckT1?\n")


def test_tasks_are_listed_by_what_they_act_on() -> None:
    out = StringIO()
    assert list_tasks(Screen(out, StringIO(), Form.JSON), TargetKind.COUPLING) == 0
    tasks = json.loads(out.getvalue())["items"]
    assert {task["kind"] for task in tasks} == {"Coupling"}
    assert "CheckCrossResonance" in [task["name"] for task in tasks]
