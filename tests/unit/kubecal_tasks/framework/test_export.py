"""The catalogue files in the tree are those of the classes."""

from pathlib import Path

import pytest

from kubecal.api.catalogue import built_in_catalogue, load_catalogue
from kubecal_tasks.active_protocols import TASKS
from kubecal_tasks.framework.export import catalogue_of, installed_catalogue
from tests.image.kubecal_test_tasks import scripted

TEST_TASKS = (
    *(scripted.Exit1, scripted.Noop, scripted.Scripted, scripted.ScriptedBatch, scripted.ScriptedChip),
    *(scripted.ScriptedComputation, scripted.ScriptedCoupling, scripted.ScriptedMux),
)
ROOT = Path(__file__).parents[4]
TEST_CATALOGUE = ROOT / "tests" / "image" / "catalogue.json"
CHART_CATALOGUE = ROOT / "charts" / "kubecal" / "files" / "catalogue.json"


def test_the_catalogue_that_ships_is_current() -> None:
    remedy = "python -m kubecal_tasks.framework.export > kubecal/api/catalogue.json"
    assert built_in_catalogue() == catalogue_of(TASKS), remedy


def test_the_chart_ships_the_same() -> None:
    assert load_catalogue(CHART_CATALOGUE.read_text()) == built_in_catalogue(), f"copy it to {CHART_CATALOGUE}"


def test_the_test_image_has_its_own_current_catalogue() -> None:
    expected = catalogue_of((*TASKS, *TEST_TASKS))
    found = load_catalogue(TEST_CATALOGUE.read_text())
    remedy = "PYTHONPATH=tests/image python -m kubecal_tasks.framework.export > tests/image/catalogue.json"
    assert found.task_by_name == expected.task_by_name, remedy
    assert found.backends == expected.backends


def test_the_installed_catalogue_has_no_test_tasks() -> None:
    assert not {task.name for task in TEST_TASKS} & set(installed_catalogue().task_by_name)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_every_task_says_what_it_measures(task: type) -> None:
    entry = built_in_catalogue().task_by_name[task.name]
    assert entry.description.endswith(".")
    assert entry.duration_s > 0
    assert all(output.description for output in entry.outputs)
    assert all(parameter.description for parameter in entry.run_parameters)
